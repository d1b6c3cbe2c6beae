//! Some of a tensor's elements, in any order: products with ones and zeros, which are exact in float32 and in int8.

use headstart::graph::{Conv, Op, ValueId, Window};

use super::{Context, NodeView, Outcome};

/// The elements of a tensor along one axis that are taken, in their order.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) axis: usize,
    pub(super) places: Vec<usize>,
}

/// Every `step`-th element from `start` on.
#[derive(Clone, Copy)]
struct Run {
    axis: usize,
    start: usize,
    step: usize,
    count: usize,
}

/// The tensor of that name that holds what is taken of `x`; `x` itself where that is all.
///
/// # Errors
///
/// Nothing is taken, or samples of a batch are; the weights would be too many.
pub(super) fn take(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    taken: Vec<Taken>,
    name: &str,
) -> Outcome<ValueId> {
    let shape = context.shape(x).to_vec();
    let (mut runs, mut steps) = (Vec::new(), Vec::new());
    for taken in taken {
        if (0..shape[taken.axis]).eq(taken.places.iter().copied()) {
            continue;
        }
        if taken.places.is_empty() || taken.axis == 0 {
            return Err(UNSUPPORTED.to_owned());
        }
        match run(&taken).filter(|run| run.axis > 1 && shape.len() <= 4) {
            Some(run) => runs.push(run),
            None => steps.push(taken),
        }
    }
    let left = steps.len() + usize::from(!runs.is_empty());
    let mut making = Making { context, node, name, left, made: 0 };
    let mut x = x;
    if !runs.is_empty() {
        x = making.windows(x, &runs)?;
    }
    for step in &steps {
        x = making.along(x, step)?;
    }
    Ok(x)
}

const UNSUPPORTED: &str = "samples of a batch, or no elements at all; cut the model before this node, or choose a model without it";

/// The run that places are, if they ascend by equal steps.
fn run(taken: &Taken) -> Option<Run> {
    let (&start, rest) = taken.places.split_first()?;
    let step = rest.first().map_or(Some(1), |next| next.checked_sub(start))?;
    let is_run =
        step > 0 && taken.places.windows(2).all(|pair| pair[0].checked_add(step) == Some(pair[1]));
    is_run.then_some(Run { axis: taken.axis, start, step, count: taken.places.len() })
}

/// What is left to make of a chain of nodes, the last of which bears the name.
struct Making<'a, 'b> {
    context: &'a mut Context<'b>,
    node: &'a NodeView<'a>,
    name: &'a str,
    /// Steps to make.
    left: usize,
    /// Names that were given to parts.
    made: usize,
}

impl Making<'_, '_> {
    /// Adds the last node of a step.
    fn last(&mut self, op: Op, inputs: Vec<ValueId>) -> Outcome<ValueId> {
        self.left -= 1;
        if self.left > 0 {
            return self.part(op, inputs);
        }
        let is_first = self.name == self.node.output();
        let node_name = if is_first { &self.node.name } else { self.name };
        let added = self.context.graph.add_node(node_name, op, inputs, self.name);
        added.map_err(|error| error.to_string())
    }

    /// Adds a node inside a step.
    fn part(&mut self, op: Op, inputs: Vec<ValueId>) -> Outcome<ValueId> {
        let name = self.part_name();
        let added = self.context.graph.add_node(name.clone(), op, inputs, name);
        added.map_err(|error| error.to_string())
    }

    fn part_name(&mut self) -> String {
        self.made += 1;
        format!("{}_part_{}", self.name, self.made)
    }

    /// What is taken along any axis but the batch.
    fn along(&mut self, x: ValueId, taken: &Taken) -> Outcome<ValueId> {
        let shape = self.context.shape(x).to_vec();
        let &Taken { axis, ref places } = taken;
        let mut result = shape.clone();
        result[axis] = places.len();
        match (shape.len(), axis) {
            (3 | 4, 1) => {
                let (op, weight) = self.channels(&shape, places)?;
                self.last(op, vec![x, weight])
            }
            (3 | 4, _) => {
                let mut turn: Vec<usize> = (0..shape.len()).collect();
                turn.swap(1, axis);
                let turned = self.part(Op::Transpose { permutation: turn.clone() }, vec![x])?;
                let shape = self.context.shape(turned).to_vec();
                let (op, weight) = self.channels(&shape, places)?;
                let found = self.part(op, vec![turned, weight])?;
                self.last(Op::Transpose { permutation: turn }, vec![found])
            }
            (2, _) => self.as_shape(
                x,
                vec![shape[0], shape[1], 1],
                Taken { axis: 1, places: places.clone() },
                result,
            ),
            // Groups of channels are channels.
            (_, 1 | 2) => {
                let (outer, inner) = (shape[1], shape[2]);
                let merged: Vec<usize> = match axis {
                    1 => {
                        places.iter().flat_map(|p| (0..inner).map(move |i| p * inner + i)).collect()
                    }
                    _ => {
                        (0..outer).flat_map(|o| places.iter().map(move |p| o * inner + p)).collect()
                    }
                };
                let flat = [&[shape[0], outer.saturating_mul(inner)], &shape[3..]].concat();
                self.as_shape(x, flat, Taken { axis: 1, places: merged }, result)
            }
            _ => {
                let before = shape[1..axis].iter().product();
                let behind = shape[axis + 1..].iter().product();
                let flat = vec![shape[0], before, shape[axis], behind];
                self.as_shape(x, flat, Taken { axis: 2, places: places.clone() }, result)
            }
        }
    }

    /// [`along`](Self::along) of `x` in another shape.
    fn as_shape(
        &mut self,
        x: ValueId,
        shape: Vec<usize>,
        taken: Taken,
        result: Vec<usize>,
    ) -> Outcome<ValueId> {
        self.left += 1;
        let flat = self.part(Op::Reshape { shape }, vec![x])?;
        let found = self.along(flat, &taken)?;
        self.last(Op::Reshape { shape: result }, vec![found])
    }

    /// The product that gives channels, and its weights.
    fn channels(&mut self, shape: &[usize], places: &[usize]) -> Outcome<(Op, ValueId)> {
        let spatial = shape.len() - 2;
        let count = places.len().checked_mul(shape[1]).ok_or("too many channels")?;
        let mut of_weight = vec![1; shape.len()];
        (of_weight[0], of_weight[1]) = (places.len(), shape[1]);
        self.context.take_work(count as u64)?;
        self.context.take_made(count)?;
        let mut ones = vec![0.0; count];
        places.iter().enumerate().for_each(|(row, &place)| ones[row * shape[1] + place] = 1.0);
        let name = self.part_name();
        let weight = self.context.graph.add_constant(name, of_weight, ones);
        let weight = weight.map_err(|error| error.to_string())?;
        Ok((Op::Conv(Conv { window: Window::new(&vec![1; spatial]), groups: 1 }), weight))
    }

    /// Runs along places of a map: a window that reads one of its cells. What stands before a run and what stands behind it are left
    /// out by one window each, unless both are as long.
    fn windows(&mut self, x: ValueId, runs: &[Run]) -> Outcome<ValueId> {
        let shape = self.context.shape(x).to_vec();
        let spatial = shape.len() - 2;
        let mut first = Reading::new(spatial);
        let mut second = Reading::new(spatial);
        for &Run { axis, start, step, count } in runs {
            let at = axis - 2;
            let behind = shape[axis] - 1 - (start + (count - 1) * step);
            let behind = behind - behind % step;
            second.strides[at] = step;
            match (start, behind) {
                (0, 0) => {}
                (before, behind) if before == behind => second.read(at, 3, 1, before),
                (before, 0) => second.read(at, 2, 1, before),
                (0, behind) => second.read(at, 2, 0, behind),
                (before, behind) => {
                    first.read(at, 2, 1, before);
                    second.read(at, 2, 0, behind);
                }
            }
        }
        let mut x = x;
        if first.kernel.iter().any(|&extent| extent > 1) {
            let (op, weight) = self.reading(shape[1], first)?;
            x = self.part(op, vec![x, weight])?;
        }
        let (op, weight) = self.reading(shape[1], second)?;
        self.last(op, vec![x, weight])
    }

    fn reading(&mut self, channels: usize, reading: Reading) -> Outcome<(Op, ValueId)> {
        let taps: usize = reading.kernel.iter().product();
        let cell = reading
            .kernel
            .iter()
            .zip(&reading.cell)
            .fold(0, |at, (extent, cell)| at * extent + cell);
        let one = (0..taps).map(|tap| f32::from(u8::from(tap == cell)));
        let data: Vec<f32> = one.cycle().take(taps * channels).collect();
        let shape = [&[channels, 1], &reading.kernel[..]].concat();
        let name = self.part_name();
        let weight = self.context.new_constant(name, shape, data)?;
        let mut window = Window::new(&reading.kernel);
        (window.strides, window.dilations) = (reading.strides, reading.dilations);
        Ok((Op::Conv(Conv { window, groups: channels }), weight))
    }
}

/// A window that reads one of its cells.
struct Reading {
    kernel: Vec<usize>,
    cell: Vec<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
}

impl Reading {
    fn new(spatial: usize) -> Self {
        let ones = vec![1; spatial];
        Self {
            kernel: ones.clone(),
            cell: vec![0; spatial],
            strides: ones.clone(),
            dilations: ones,
        }
    }

    fn read(&mut self, at: usize, extent: usize, cell: usize, dilation: usize) {
        (self.kernel[at], self.cell[at], self.dilations[at]) = (extent, cell, dilation);
    }
}
