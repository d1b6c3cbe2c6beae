//! Cubic resizing: a product with known shares along each axis.

use headstart::graph::{MAX_RESIZE, Op, Resize, ValueId};

use super::{Bound, Context, NodeView, Outcome};

/// What a cubic `Resize` says.
pub(super) struct Cubic {
    /// The place of each element of the result.
    pub(super) places: Resize,
    /// Slope of the curve at its first zero, `cubic_coeff_a`.
    pub(super) slope: f32,
    /// Whether elements outside the operand have no share: else they are those of its edge.
    pub(super) leaves_out: bool,
}

impl Cubic {
    /// The shares of an axis, `[extent][extent of the result]`.
    fn shares(&self, axis: usize, extent: usize) -> Option<Vec<f32>> {
        let to = self.places.extents[axis];
        let mut shares = vec![0.0; extent * to];
        for index in 0..to {
            let place = self.places.place(axis, extent, index)?;
            let low = place.floor();
            let taps = (-1..=2).map(|tap| {
                let at = low + f64::from(tap);
                let is_inside = (0.0..extent as f64).contains(&at);
                let share = curve(place - at, f64::from(self.slope));
                let inside = at.clamp(0.0, extent as f64 - 1.0) as usize;
                (inside, if self.leaves_out && !is_inside { 0.0 } else { share })
            });
            let taps: Vec<(usize, f64)> = taps.collect();
            // Without elements outside, what is left counts as the whole.
            let whole: f64 = if self.leaves_out { taps.iter().map(|tap| tap.1).sum() } else { 1.0 };
            taps.iter().for_each(|&(at, share)| shares[at * to + index] += (share / whole) as f32);
        }
        Some(shares)
    }
}

/// The share of an element at that distance; Keys 1981, equation 4 with any slope, <https://doi.org/10.1109/TASSP.1981.1163711>.
fn curve(distance: f64, a: f64) -> f64 {
    let x = distance.abs();
    match x {
        _ if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
        _ if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
        _ => 0.0,
    }
}

/// A matrix of shares, and its shape.
type Shares = (Vec<usize>, Vec<f32>);

/// Adds the products, with each axis in turn as the last one.
pub(super) fn cubic(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    cubic: &Cubic,
) -> Outcome<Bound> {
    let shape = context.shape(x).to_vec();
    let rank = shape.len();
    let mut steps: Vec<(Op, Option<Shares>)> = Vec::new();
    for axis in (2..rank).rev() {
        let (from, to) = (shape[axis], cubic.places.extents[axis - 2]);
        let count = from.checked_mul(to).filter(|count| (1..=MAX_RESIZE).contains(count));
        let count = count.ok_or_else(|| format!("{from} elements resized to {to}"))?;
        context.take_work(count as u64)?;
        let shares = cubic.shares(axis - 2, from).ok_or("an axis without elements")?;
        let is_one = |at: usize| f32::from(u8::from(at / to == at % to));
        if from == to && shares.iter().enumerate().all(|(at, &share)| share == is_one(at)) {
            continue;
        }
        let mut turn: Vec<usize> = (0..rank).collect();
        turn.swap(axis, rank - 1);
        let turn = Op::Transpose { permutation: turn };
        let product = (Op::MatMul, Some((vec![from, to], shares)));
        match axis + 1 == rank {
            true => steps.push(product),
            false => steps.extend([(turn.clone(), None), product, (turn, None)]),
        }
    }
    let Some((last, before)) = steps.split_last() else { return Ok(Bound::Float(x)) };
    let mut x = x;
    for (at, (op, shares)) in before.iter().enumerate() {
        let inputs = operands(context, node, x, at, shares.as_ref())?;
        x = context.derived(node, &format!("step_{at}"), op.clone(), inputs)?;
    }
    let inputs = operands(context, node, x, before.len(), last.1.as_ref())?;
    context.add(node, last.0.clone(), inputs)
}

fn operands(
    context: &mut Context<'_>,
    node: &NodeView<'_>,
    x: ValueId,
    step: usize,
    shares: Option<&Shares>,
) -> Outcome<Vec<ValueId>> {
    let Some((shape, shares)) = shares else { return Ok(vec![x]) };
    let name = format!("shares_{step}");
    let shares = context.derived_constant(node, &name, shape.clone(), shares.clone())?;
    Ok(vec![x, shares])
}
