//! Executes the nodes of a pack, one after another, in a caller's arena.

use core::ops::Range;

use super::operands::{activation, convolution, output, tensor};
use crate::Error;
use crate::kernels::Kernels;
use crate::kernels::arena::{Sources, split};
use crate::kernels::generic::{self, Mean, Tensor};
#[cfg(feature = "std")]
use crate::kernels::team::Team;
use crate::network::{
    AveragePool, Binary, Conv, GridPool, IntegerMean, Network, Node, Part, SOFTMAX_TABLE_BYTES,
    TABLE_BYTES, Value, concat_operands,
};
use crate::pack::Pack;

/// Threads that work on one input together. They wait for the next input until this is dropped.
#[cfg(feature = "std")]
#[derive(Debug)]
pub struct Threads(Team<std::vec::Vec<i8>>);

#[cfg(feature = "std")]
impl Threads {
    /// Makes a team of so many threads, the caller's among them; the caller's alone where the system gives no more.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self(Team::new(count))
    }
}

/// A pack's backbone and the arena in which it runs.
#[derive(Debug)]
pub struct Backbone<'p, 'a> {
    pack: Pack<'p>,
    arena: &'a mut [i8],
    kernels: Kernels,
    #[cfg(feature = "std")]
    threads: Option<&'a mut Threads>,
}

impl<'p, 'a> Backbone<'p, 'a> {
    /// Takes an arena of exactly [`Plan::arena_bytes`](crate::pack::Plan::arena_bytes) bytes.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] for any other length.
    pub fn new(pack: Pack<'p>, arena: &'a mut [u8]) -> Result<Self, Error> {
        let expected = pack.plan().arena_bytes as usize;
        if arena.len() != expected {
            return Err(Error::BufferLength { expected, found: arena.len() });
        }
        let kernels = Kernels::best();
        Ok(Self {
            pack,
            arena: bytemuck::cast_slice_mut(arena),
            kernels,
            #[cfg(feature = "std")]
            threads: None,
        })
    }

    /// Runs on these kernels instead of the fastest ones; the features are the same.
    #[must_use]
    pub fn with_kernels(self, kernels: Kernels) -> Self {
        Self { kernels, ..self }
    }

    /// Uses these threads in [`features`](Self::features) for one input; the features are the same.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn with_threads(self, threads: &'a mut Threads) -> Self {
        Self { threads: Some(threads), ..self }
    }

    /// The features of one input, which is int8 `[height, width, channels]` in the pack's input
    /// scale: see [`preprocess`](crate::preprocess).
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] if the input has another length.
    pub fn features(&mut self, input: &[i8]) -> Result<&[i8], Error> {
        #[cfg(feature = "std")]
        if let Some(Threads(team)) =
            self.threads.as_deref_mut().filter(|Threads(team)| team.is_shared())
        {
            return run_together(self.pack.network(), self.arena, self.kernels, team, input);
        }
        self.run(input, |_, _, _, _| ())
    }

    /// Computes the features of one input, and copies all that the pack's head or tail reads to `out`,
    /// which has [`Pack::feature_len`] elements.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] if the input or `out` has another length.
    pub fn features_into(&mut self, input: &[i8], out: &mut [i8]) -> Result<(), Error> {
        let expected = self.pack.feature_len();
        if out.len() != expected {
            return Err(Error::BufferLength { expected, found: out.len() });
        }
        self.features(input)?;
        let mut rest = out;
        for value in self.pack.crossing() {
            let (to, behind) = rest.split_at_mut(value.elements() as usize);
            to.copy_from_slice(&self.arena[value.range()]);
            rest = behind;
        }
        Ok(())
    }

    /// Computes the features of one input, and shows every value to `see` as it comes to be: its
    /// index, description, first row and elements from there on. The input is value 0. A value that
    /// is made in strips is shown in as many parts.
    ///
    /// # Errors
    ///
    /// [`Error::BufferLength`] if the input has another length.
    pub fn run(
        &mut self,
        input: &[i8],
        see: impl FnMut(u32, &Value, usize, &[i8]),
    ) -> Result<&[i8], Error> {
        let last = run(self.pack.network(), self.arena, self.kernels, input, see)?;
        Ok(&self.arena[last.range()])
    }
}

/// Runs a backbone in its arena and gives the value that holds the features; `see` is shown every
/// value as it comes to be, with its first row and the elements from there on.
pub(crate) fn run(
    network: &Network<'_>,
    arena: &mut [i8],
    kernels: Kernels,
    input: &[i8],
    mut see: impl FnMut(u32, &Value, usize, &[i8]),
) -> Result<Value, Error> {
    let first = load(network, arena, input)?;
    see(0, &first, 0, input);
    run_loaded(network, arena, kernels, see)
}

/// Runs a network whose input is at its place in the arena already, and shows every value but the input to `see`.
pub(crate) fn run_loaded(
    network: &Network<'_>,
    arena: &mut [i8],
    kernels: Kernels,
    mut see: impl FnMut(u32, &Value, usize, &[i8]),
) -> Result<Value, Error> {
    let mut last = network.value(0)?;
    for part in network.parts() {
        match part? {
            Part::Node(index, node, value) => {
                let (sources, out) = split(arena, value.range());
                execute(network, kernels, &node, &value, &sources, 0, out)?;
                see(index + 1, &value, 0, &arena[value.range()]);
                last = value;
            }
            Part::Chain(chain) => {
                chain.run(network, kernels, arena, |node, value, row, data| {
                    see(node + 1, value, row, data);
                })?;
                last = chain.result();
            }
        }
    }
    Ok(last)
}

/// Runs every node on all threads, each of which computes parts of its result.
#[cfg(feature = "std")]
fn run_together<'a>(
    network: &Network<'_>,
    arena: &'a mut [i8],
    kernels: Kernels,
    team: &mut Team<std::vec::Vec<i8>>,
    input: &[i8],
) -> Result<&'a [i8], Error> {
    use crate::kernels::team::Step;
    let mut last = load(network, arena, input)?;
    let mut steps = std::vec::Vec::new();
    for part in network.parts() {
        let part = part?;
        let unit = match &part {
            Part::Node(_, node, value) => {
                last = *value;
                unit(network, node, value)?
            }
            Part::Chain(chain) => {
                last = chain.result();
                last.row_bytes()
            }
        };
        steps.push((Step { out: last.range(), unit }, part));
    }
    team.in_step(arena, &steps, &|part, sources, first, bands, out| match part {
        Part::Node(_, node, value) => execute(network, kernels, node, value, sources, first, out),
        // Every thread has bands of its own; rows that two of them need are made twice.
        Part::Chain(chain) => {
            let input = sources.tensor(chain.input.range());
            let rows = first..first + out.len() / chain.result().row_bytes();
            chain.make_rows(network, kernels, input, bands, rows, out)
        }
    })?;
    Ok(&arena[last.range()])
}

/// Copies the input to its place.
fn load(network: &Network<'_>, arena: &mut [i8], input: &[i8]) -> Result<Value, Error> {
    let first = network.value(0)?;
    let expected = first.elements() as usize;
    if input.len() != expected {
        return Err(Error::BufferLength { expected, found: input.len() });
    }
    arena[first.range()].copy_from_slice(input);
    Ok(first)
}

/// Elements of a node's result that belong together: a result may be computed in parts, each so
/// many times a whole number long.
#[cfg(feature = "std")]
fn unit(network: &Network<'_>, node: &Node<'_>, value: &Value) -> Result<usize, Error> {
    let whole = value.elements() as usize;
    let pixel = value.channels as usize;
    Ok(match *node {
        Node::Conv(conv) if conv.is_depthwise(&network.value(conv.input)?, value) => {
            pixel * value.width as usize
        }
        Node::Conv(_) | Node::Table { .. } | Node::Activation(_) => pixel,
        Node::Binary(Binary { a, b, .. })
            if is_by_pixel(&network.value(a)?, value) && is_by_pixel(&network.value(b)?, value) =>
        {
            pixel
        }
        _ => whole,
    })
}

/// Whether a pixel of a result reads the same pixel of this operand, or the only one.
#[cfg(feature = "std")]
fn is_by_pixel(operand: &Value, value: &Value) -> bool {
    operand.same_shape(value) || (operand.height, operand.width) == (1, 1)
}

/// What a part of a result reads of an operand: the same part, or of a smaller operand all. Without threads there is one part.
fn part_of<'a>(operand: Tensor<'a>, value: &Value, part: &Range<usize>) -> Tensor<'a> {
    if cfg!(feature = "std") && operand.data.len() == value.elements() as usize {
        return Tensor { data: &operand.data[part.clone()], ..operand };
    }
    operand
}

/// Computes the part of a node's result that begins `first` units after its start.
#[allow(clippy::too_many_arguments, reason = "the loop's state; a struct would only rename it")]
fn execute(
    network: &Network<'_>,
    kernels: Kernels,
    node: &Node<'_>,
    value: &Value,
    sources: &Sources<'_>,
    first: usize,
    out: &mut [i8],
) -> Result<(), Error> {
    // The two have frames of their own: on small stacks a convolution's scratch counts.
    match *node {
        Node::Conv(conv) => run_conv(network, kernels, &conv, value, sources, first, out),
        _ => run_other(network, kernels, node, value, sources, first, out),
    }
}

#[inline(never)]
#[allow(clippy::too_many_arguments, reason = "as above")]
fn run_other(
    network: &Network<'_>,
    kernels: Kernels,
    node: &Node<'_>,
    value: &Value,
    sources: &Sources<'_>,
    first: usize,
    out: &mut [i8],
) -> Result<(), Error> {
    let load = |id: u32| network.value(id).map(|v| tensor(&v, sources.tensor(v.range())));
    let to = output(value, i8::MIN, i8::MAX);
    match *node {
        Node::Conv(_) => {}
        Node::Table { input, table, per_channel } => {
            take_in(&network.value(input)?, value, sources, first, out);
            let count = if per_channel { to.channels } else { 1 };
            kernels.look_up(network.table(table, count * TABLE_BYTES).as_chunks().0, out);
        }
        Node::Activation(node) => {
            let input = network.value(node.input)?;
            take_in(&input, value, sources, first, out);
            kernels.activation(&activation(network, &node, &input)?, to, out);
        }
        Node::Binary(binary) if binary.is_in_place(network, value)? => {
            combine_in_place(network, kernels, &binary, value, sources, first, out)?;
        }
        Node::Binary(Binary { op, a, b, scale_a, scale_b, min, max }) => {
            let to = output(value, min, max);
            let part = first * to.channels..first * to.channels + out.len();
            let (x, y) = (part_of(load(a)?, value, &part), part_of(load(b)?, value, &part));
            kernels.binary(op, (x, scale_a), (y, scale_b), to, out);
        }
        Node::MaxPool { input, window } => {
            kernels.max_pool(load(input)?, &window, to, out);
        }
        Node::AveragePool(AveragePool { input, window, counted_padding, multiplier }) => {
            let of = Mean::Windows { window: &window, counted_padding, multiplier };
            kernels.mean(load(input)?, of, to, out);
        }
        Node::IntegerMean(IntegerMean { input, window, halves }) => {
            kernels.mean(load(input)?, Mean::Integers { window: &window, halves }, to, out);
        }
        Node::GridPool(GridPool { input, multiplier }) => {
            kernels.mean(load(input)?, Mean::Bins { multiplier }, to, out);
        }
        Node::Concat { axis, operands } => {
            let mut at = 0;
            for (id, multiplier) in concat_operands(operands) {
                let x = load(id)?;
                kernels.concat(x, multiplier, axis, at, to, out);
                at += [x.height, x.width, x.channels][usize::from(axis)];
            }
        }
        Node::Pad { input, before, mode } => {
            generic::pad(load(input)?, before.map(|n| n as usize), mode, to, out);
        }
        Node::Permute { input, extents, strides } => {
            let (extents, strides) = (extents.map(|n| n as usize), strides.map(|n| n as usize));
            generic::permute(load(input)?.data, extents, strides, out);
        }
        Node::Softmax { input, table, multiplier } => {
            let table = network.table(table, SOFTMAX_TABLE_BYTES);
            generic::softmax(load(input)?, table, multiplier, to, out);
        }
    }
    Ok(())
}

/// Copies the elements of an operand to the result that takes their place, unless they are there.
fn take_in(input: &Value, value: &Value, sources: &Sources<'_>, first: usize, out: &mut [i8]) {
    if input.range() != value.range() {
        let first = first * value.channels as usize;
        out.copy_from_slice(&sources.tensor(input.range())[first..][..out.len()]);
    }
}

/// Elements of an operand that are copied before their result takes their place: few where a stack
/// is small.
const COPIED: usize = if cfg!(feature = "std") { 4096 } else { 256 };

/// A part of a node of two operands of the result's shape, one or both of which it replaces.
#[allow(clippy::too_many_arguments, reason = "as above")]
fn combine_in_place(
    network: &Network<'_>,
    kernels: Kernels,
    binary: &Binary,
    value: &Value,
    sources: &Sources<'_>,
    first: usize,
    out: &mut [i8],
) -> Result<(), Error> {
    let to = output(value, binary.min, binary.max);
    let (a, b) = (network.value(binary.a)?, network.value(binary.b)?);
    let first = first * to.channels;
    let mut copy = [0; COPIED];
    for (at, results) in out.chunks_mut(COPIED).enumerate() {
        let copy = &mut copy[..results.len()];
        copy.copy_from_slice(results);
        let part = first + at * COPIED..first + at * COPIED + results.len();
        let operand = |v: &Value| {
            let place = v.range();
            let data =
                if place == value.range() { &*copy } else { &sources.tensor(place)[part.clone()] };
            tensor(v, data)
        };
        let (x, y) = ((operand(&a), binary.scale_a), (operand(&b), binary.scale_b));
        kernels.binary(binary.op, x, y, to, results);
    }
    Ok(())
}

impl Binary {
    /// Whether the result takes the place of an operand.
    fn is_in_place(&self, network: &Network<'_>, value: &Value) -> Result<bool, Error> {
        let place = value.range();
        Ok(network.value(self.a)?.range() == place || network.value(self.b)?.range() == place)
    }
}

#[inline(never)]
#[allow(clippy::too_many_arguments, reason = "as above")]
fn run_conv(
    network: &Network<'_>,
    kernels: Kernels,
    conv: &Conv,
    value: &Value,
    sources: &Sources<'_>,
    first: usize,
    out: &mut [i8],
) -> Result<(), Error> {
    let input = network.value(conv.input)?;
    let x = tensor(&input, sources.tensor(input.range()));
    let to = output(value, conv.min, conv.max);
    let convolution = convolution(network, conv, (&input, x), (value, to));
    if conv.is_depthwise(&input, value) {
        kernels.depthwise(&convolution, first * to.width, out);
    } else {
        kernels.conv(&convolution, first, out);
    }
    Ok(())
}
