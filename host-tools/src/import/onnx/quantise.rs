//! Scales and zero points: what a quantised model says of its tensors.
//!
//! The graph stays one of real numbers. A tensor that the model rounds to 8 bits becomes a clamp to
//! what those can say, whose result carries the scale; a constant becomes its real values, and carries
//! theirs. `uint8` and `int8` differ by a shift of 128 only, so that all scales are those of `int8`.

use headstart::graph::{Graph, Scale, ValueId};

use super::attributes::{NodeView, axis as resolve_axis};
use super::context::{Bound, Bytes, Context, moves_elements};
use super::integers::{IntegerType, Integers, MAX_INTEGERS};
use crate::import::scales::{carried, origin};

type Outcome<T> = Result<T, String>;

/// Scales and zero points, as operands of a node give them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parameters {
    scales: Vec<f32>,
    zero_points: Vec<i64>,
    /// The type of the integers.
    pub(super) kind: IntegerType,
}

impl Parameters {
    /// Reads operands `scale` and `zero_point`; without the latter the integers are of `kind`.
    ///
    /// # Errors
    ///
    /// The text says which of them is computed, out of range, or does not belong to the other.
    pub(super) fn read(
        context: &Context<'_>,
        node: &NodeView<'_>,
        scale: usize,
        zero_point: usize,
        kind: IntegerType,
    ) -> Outcome<Self> {
        let value = context.float(node, scale)?;
        let scales = context.graph.values[value]
            .constant
            .as_deref()
            .ok_or("its scale is computed while the model runs; quantise the model statically")?;
        if let Some(bad) = scales.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(format!("a scale of {bad}; scales are finite and above 0"));
        }
        let (zero_points, kind) = match context.optional(node, zero_point)? {
            None => (vec![0; scales.len()], kind),
            Some(Bound::Integers(zero)) => (zero.data.clone(), zero.kind),
            Some(Bound::Other(name)) => return Err(unsupported(name)),
            Some(_) => return Err("its zero point is computed while the model runs".into()),
        };
        if zero_points.len() != scales.len() || scales.is_empty() {
            return Err(format!("{} scales and {} zero points", scales.len(), zero_points.len()));
        }
        Ok(Self { scales: scales.to_vec(), zero_points, kind })
    }

    /// Those of a bias, whose zero points are 0.
    pub(super) fn of_bias(scales: Vec<f32>) -> Self {
        Self { zero_points: vec![0; scales.len()], scales, kind: IntegerType::Int32 }
    }

    /// Those of whole numbers, in steps of 1.
    pub(super) fn of_steps(zero_points: Vec<i64>, kind: IntegerType) -> Self {
        Self { scales: vec![1.0; zero_points.len()], zero_points, kind }
    }

    /// Whether the integers have 16 bits: so fine that the real numbers stand for them.
    pub(super) fn are_fine(&self) -> bool {
        matches!(self.kind, IntegerType::Int16 | IntegerType::Uint16)
    }

    /// The scales.
    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// The scale of a tensor that is computed.
    pub(super) fn of_tensor(&self) -> Outcome<Scale> {
        let (&[scale], &[zero_point]) = (&self.scales[..], &self.zero_points[..]) else {
            return Err(format!(
                "a computed tensor with {} scales; one scale for all of it is supported",
                self.scales.len()
            ));
        };
        let shift = match self.kind {
            IntegerType::Int8 => 0,
            IntegerType::Uint8 => 128,
            other => return Err(unsupported(other.name())),
        };
        let zero_point = i8::try_from(zero_point - shift).map_err(|_| {
            format!("a zero point of {zero_point}, which is no {}", self.kind.name())
        })?;
        Ok(Scale::Tensor { scale, zero_point })
    }

    /// The scales of a constant of that shape, along `axis`.
    fn of_constant(&self, shape: &[usize], axis: usize) -> Outcome<Scale> {
        if self.scales.len() > 1 && shape.get(axis) != Some(&self.scales.len()) {
            return Err(format!(
                "{} scales along axis {axis} of a constant of shape {shape:?}",
                self.scales.len()
            ));
        }
        Ok(Scale::Constant { scales: self.scales.as_slice().into(), axis })
    }

    /// Scale and zero point of element `flat` of a constant, of whose axis an index spans `inner` elements.
    fn at(&self, flat: usize, inner: usize) -> (f32, i64) {
        let index = flat / inner % self.scales.len();
        (self.scales[index], self.zero_points[index])
    }
}

fn unsupported(kind: &str) -> String {
    format!("integers of type {kind}; 8 and 16 bits are supported, and int32 for a bias")
}

/// Elements that one index of `axis` spans: the one of a scalar, which has no axis.
fn inner(shape: &[usize], axis: usize) -> usize {
    shape.get(axis + 1..).unwrap_or_default().iter().product::<usize>().max(1)
}

/// A constant of integers as real numbers, called `name`; `axis` counts from the end if negative.
///
/// # Errors
///
/// The text says what does not fit: the type, the number of scales.
pub(super) fn dequantised(
    context: &mut Context<'_>,
    integers: &Bound,
    parameters: &Parameters,
    axis: i64,
    name: String,
) -> Outcome<ValueId> {
    let (shape, kind, elements): (_, _, Box<dyn Iterator<Item = i64>>) = match integers {
        Bound::Integers(Integers { shape, data, kind }) => {
            (shape, *kind, Box::new(data.iter().copied()))
        }
        Bound::Bytes(Bytes { shape, data, kind }) => {
            (shape, *kind, Box::new(data.iter().map(|&byte| kind.wrap(i64::from(byte)))))
        }
        _ => return Err("a constant of integers is expected".into()),
    };
    let supported = [IntegerType::Int8, IntegerType::Uint8, IntegerType::Int32];
    if !supported.contains(&kind) && !parameters.are_fine() {
        return Err(unsupported(kind.name()));
    }
    if kind != parameters.kind && parameters.zero_points.iter().any(|&zero| zero != 0) {
        return Err(format!("integers of type {} with zero points of another", kind.name()));
    }
    let axis = if parameters.scales.len() > 1 { resolve_axis(axis, shape.len())? } else { 0 };
    let scale = parameters.of_constant(shape, axis)?;
    context.take_made(shape.iter().product())?;
    let inner = inner(shape, axis);
    let real = |(flat, q): (usize, i64)| {
        let (scale, zero_point) = parameters.at(flat, inner);
        (q - zero_point) as f32 * scale
    };
    let data: Vec<f32> = elements.enumerate().map(real).collect();
    let value = context.graph.add_constant(name, shape.clone(), data);
    let value = value.map_err(|error| error.to_string())?;
    context.graph.values[value].scale = Some(scale).filter(|_| !parameters.are_fine());
    Ok(value)
}

/// The integers of a constant of real numbers: `saturate(rne(x / scale) + zero point)`.
pub(super) fn quantised_constant(
    budget: &mut Context<'_>,
    shape: &[usize],
    data: &[f32],
    parameters: &Parameters,
    axis: i64,
) -> Outcome<Bound> {
    let (low, high) = match parameters.kind {
        IntegerType::Int8 => (-128, 127),
        IntegerType::Uint8 => (0, 255),
        other => return Err(unsupported(other.name())),
    };
    let axis = if parameters.scales.len() > 1 { resolve_axis(axis, shape.len())? } else { 0 };
    parameters.of_constant(shape, axis)?;
    budget.take_made(data.len())?;
    let inner = inner(shape, axis);
    let integer = |(flat, &x): (usize, &f32)| {
        let (scale, zero_point) = parameters.at(flat, inner);
        let steps = (x / scale).round_ties_even().clamp(-1e6, 1e6) as i64;
        (steps + zero_point).clamp(low, high)
    };
    let integers = data.iter().enumerate().map(integer);
    let (shape, kind) = (shape.to_vec(), parameters.kind);
    Ok(if data.len() <= MAX_INTEGERS {
        Bound::Integers(Integers { shape, data: integers.collect(), kind })
    } else {
        Bound::Bytes(Bytes { shape, data: integers.map(|q| q as u8).collect(), kind })
    })
}

/// Makes sure that a quantised tensor has that scale; an input that has none yet gets it.
///
/// # Errors
///
/// Both scales, if they contradict each other.
pub(super) fn claim(graph: &mut Graph, x: ValueId, scale: Scale) -> Outcome<()> {
    match carried(graph, x) {
        Some(found) if *found == scale => Ok(()),
        Some(Scale::Tensor { scale: found, zero_point: at }) => {
            let Scale::Tensor { scale, zero_point } = scale else {
                return Err("a scale of constants for a computed tensor".into());
            };
            Err(format!(
                "reads '{}' with scale {scale} and zero point {zero_point}, but it was quantised with scale \
                 {found} and zero point {at} (both as int8): the model contradicts itself, quantise it again",
                graph.values[x].name
            ))
        }
        _ => {
            let input = origin(graph, x);
            graph.values[input].scale = Some(scale);
            Ok(())
        }
    }
}

/// The integers' type of the result of an operator that moved elements of a quantised tensor.
///
/// # Errors
///
/// The text names a second operand that has another scale, or none.
pub(super) fn kind_of_moved(
    context: &Context<'_>,
    node: &NodeView<'_>,
) -> Outcome<Option<IntegerType>> {
    if !moves_elements(node) {
        return Ok(None);
    }
    let Some(&Bound::Quantised(first, kind)) = context.optional(node, 0)? else { return Ok(None) };
    if node.operator() != "Concat" {
        return Ok(Some(kind));
    }
    for index in 1..node.inputs().len() {
        let same = matches!(
            context.optional(node, index)?,
            Some(&Bound::Quantised(other, k))
                if k == kind && carried(&context.graph, other) == carried(&context.graph, first)
        );
        if !same {
            return Err(format!("operand {index} does not have the scale of operand 0"));
        }
    }
    Ok(Some(kind))
}
