//! Axes sampled anew: copies where elements are repeated a whole number of times, else a product along each axis.

use headstart::graph::{Node as GraphNode, Resize};
use headstart::network::{Conv, Node, WeightRows};

use super::conv::POINT;
use super::{Lowering, Why, extents, narrow};
use crate::quantise::lowered::{LoweredNode, View, channels_last};
use crate::quantise::rounding::Quantisation;

/// Weights of one element of the result: `steps` of them are 1, and they sum up to that.
struct Row {
    weights: Vec<i8>,
    steps: i32,
}

impl Lowering<'_> {
    pub(super) fn resize(&mut self, node: &GraphNode, resize: &Resize) -> Result<(), Why> {
        let view = self.view(node.inputs[0])?;
        let dims = self.dims(node.output)?;
        if dims.len() > 3 {
            return Err(format!("a tensor of {} dimensions is resized", dims.len() + 1).into());
        }
        let times = |axis: usize| times(resize, axis - 1, view.dims[axis], dims[axis]);
        if let Some(times) = (1..dims.len()).map(times).collect::<Option<Vec<usize>>>() {
            self.lowered.views[node.output] = Some(self.repeated(&view, &times)?);
            return Ok(());
        }
        let axes: Vec<usize> = (1..dims.len()).filter(|&axis| times(axis) != Some(1)).collect();
        let mut view = view;
        for (at, &axis) in axes.iter().enumerate() {
            // What lies between two elements is between their values: the operand's scale holds it.
            let to = match at + 1 == axes.len() {
                true => self.range(node.output)?,
                false => self.quantisation(view.value),
            };
            view = self.sampled(&view, resize, axis, dims[axis], to)?;
        }
        self.lowered.views[node.output] = Some(view);
        Ok(())
    }

    /// Every element of the spatial axes, `times` times.
    fn repeated(&mut self, view: &View, times: &[usize]) -> Result<View, Why> {
        let order = channels_last(view.dims.len());
        let source = self.in_order(view, &order)?;
        let (mut lengths, mut strides) = ([1; 5], [0; 5]);
        let mut step = view.dims[0];
        (lengths[4], strides[4]) = (narrow(step)?, 1);
        for (at, axis) in (1..view.dims.len()).rev().enumerate() {
            let place = 3 - 2 * at;
            lengths[place] = narrow(times[axis - 1])?;
            (lengths[place - 1], strides[place - 1]) = (narrow(view.dims[axis])?, narrow(step)?);
            step *= view.dims[axis];
        }
        let spatial = view.dims[1..].iter().zip(times).map(|(&extent, &times)| extent * times);
        let dims: Vec<usize> = view.dims[..1].iter().copied().chain(spatial).collect();
        let node = Node::Permute { input: source, extents: lengths, strides };
        let quantisation = self.quantisation(source);
        let value = self.push(LoweredNode::Plain(node), extents(&dims, &order), quantisation);
        Ok(View::contiguous(value, dims, &order))
    }

    /// One axis sampled: a product of extent 1 with that axis as channels.
    fn sampled(
        &mut self,
        view: &View,
        resize: &Resize,
        axis: usize,
        extent: usize,
        to: Quantisation,
    ) -> Result<View, Why> {
        let order: Vec<usize> = (0..view.dims.len()).filter(|&a| a != axis).chain([axis]).collect();
        let input = self.in_order(view, &order)?;
        let (from, count) = (self.quantisation(input), view.dims[axis]);
        let conv = Conv {
            input,
            window: POINT,
            groups: 1,
            weights: narrow(self.lowered.weights.len())?,
            channels: narrow(self.lowered.channels.len())?,
            min: i8::MIN,
            max: i8::MAX,
        };
        let mut weights = Vec::with_capacity(extent * count);
        for index in 0..extent {
            let taps = resize.taps(axis - 1, count, index).ok_or("an axis without elements")?;
            let row = row(taps, count);
            let multiplier = f64::from(from.scale) / f64::from(to.scale) / f64::from(row.steps);
            let bias = -i32::from(from.zero_point) * row.steps;
            self.lowered.channels.push((bias, multiplier as f32));
            weights.extend(row.weights);
        }
        if self.is_outline {
            weights.fill(0);
        }
        let weights = WeightRows { outputs: extent, products: count }.arrange(&weights);
        self.lowered.weights.extend(weights);
        let mut dims = view.dims.clone();
        dims[axis] = extent;
        let node = LoweredNode::Plain(Node::Conv(conv));
        let value = self.push(node, extents(&dims, &order), to);
        Ok(View::contiguous(value, dims, &order))
    }
}

/// How often each element of a spatial axis is repeated, if that is all that happens.
fn times(resize: &Resize, axis: usize, from: usize, to: usize) -> Option<usize> {
    let times = to.checked_div(from).filter(|times| times * from == to)?;
    let is_copy = |index: usize| {
        resize.taps(axis, from, index).is_some_and(|taps| {
            taps.iter().all(|&(place, share)| share == 0.0 || place == index / times)
        })
    };
    (0..to).all(is_copy).then_some(times)
}

/// The weights that come nearest to the shares of two elements of `count`.
fn row(taps: [(usize, f32); 2], count: usize) -> Row {
    let [(first, _), (second, share)] = taps;
    let mut weights = vec![0; count];
    if first == second || share == 0.0 {
        weights[first] = i8::MAX;
        return Row { weights, steps: i32::from(i8::MAX) };
    }
    let most = i32::from(i8::MAX);
    let part = |steps: i32| (f64::from(share) * f64::from(steps)).round() as i32;
    let error = |steps: i32| (f64::from(part(steps)) / f64::from(steps) - f64::from(share)).abs();
    let fits = |&steps: &i32| part(steps) <= most && steps - part(steps) <= most;
    let steps = (most..=2 * most).filter(fits).min_by(|&a, &b| error(a).total_cmp(&error(b)));
    let steps = steps.unwrap_or(most);
    weights[second] = part(steps) as i8;
    weights[first] = (steps - part(steps)) as i8;
    Row { weights, steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_an_element_sum_up_to_one() {
        for share in [0.25, 0.5, 0.1, 1.0 / 3.0, 0.999] {
            let Row { weights, steps } = row([(1, 1.0 - share), (2, share)], 4);
            assert_eq!(weights.iter().map(|&w| i32::from(w)).sum::<i32>(), steps);
            let found = f64::from(weights[2]) / f64::from(steps);
            assert!((found - f64::from(share)).abs() < 0.004, "{share}: {found}");
        }
        let last = row([(3, 0.75), (3, 0.25)], 4);
        assert_eq!((last.weights, last.steps), (vec![0, 0, 0, 127], 127));
        let Row { weights, steps } = row([(0, 0.75), (1, 0.25)], 2);
        assert_eq!(i32::from(weights[1]) * 4, steps, "a quarter is exact");
    }
}
