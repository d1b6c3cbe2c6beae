//! Chooses the scales of a group's channels.

use headstart::graph::{Activation, Graph, Node, Op, ValueId};

use super::{Group, Seen, useful};

/// The scale of every channel: as far as its values reach, and farther where weights that read the channel are small, so that rounding them
/// loses less.
pub(super) fn balanced(
    graph: &Graph,
    readers: &[Vec<usize>],
    group: &Group,
    seen: &Seen,
) -> Vec<f32> {
    let channels = group.channels;
    if group.members.iter().any(|&member| seen.ends[member].len() != channels) {
        return vec![1.0; channels];
    }
    let mut ends = vec![(0.0_f32, 0.0_f32); channels];
    for &member in group.members.iter().filter(|&&member| !is_clamped(graph, &readers[member])) {
        let (least, most) = useful(graph, readers, member);
        for (ends, &(low, high)) in ends.iter_mut().zip(&seen.ends[member]) {
            *ends = (ends.0.min(low.max(least)), ends.1.max(high.min(most)));
        }
    }
    let reach = usual(&reaches(&ends));
    let rows = Row::all(graph, readers, group, seen);
    let candidates = WIDENINGS.iter().flat_map(|&beta| PARTS.map(|part| (beta, part)));
    let candidates = candidates.map(|(beta, part)| {
        let mut scales = spread(&reach, &rows, beta, part);
        if !group.bounds.is_empty() {
            bound(&mut scales, group, seen);
        }
        let noise = noise(&scales, &ends, &rows);
        (noise, scales)
    });
    let best = candidates.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(|| vec![1.0; channels], |(_, scales)| scales)
}

/// Whether a tensor is but what a clamp behind it makes of it.
fn is_clamped(graph: &Graph, readers: &[usize]) -> bool {
    let clamps =
        |node: &Node| matches!(node.op, Op::Activation(Activation::Relu | Activation::Clip { .. }));
    matches!(readers, [reader] if clamps(&graph.nodes[*reader]))
}

/// Places of the zero point that are tried.
const PLACES: u16 = 255;

/// How far each channel reaches, in units of the whole range, if all have one zero point: that of the least loss.
fn reaches(seen: &[(f32, f32)]) -> Vec<f32> {
    let reach = |below: f32, (low, high): (f32, f32)| {
        let part = |value: f32, of: f32| if value == 0.0 { 0.0 } else { value / of };
        part(-low, below).max(part(high, 1.0 - below))
    };
    let loss = |below: f32| -> f64 {
        let alive = seen.iter().filter(|&&(low, high)| high > low);
        alive.map(|&ends| f64::from(reach(below, ends) / (ends.1 - ends.0)).ln()).sum()
    };
    let places = (0..=PLACES).map(|place| f32::from(place) / f32::from(PLACES));
    let best = places.map(|place| (loss(place), place)).min_by(|a, b| a.0.total_cmp(&b.0));
    let below = best.map_or(0.5, |(_, place)| place);
    seen.iter().map(|&ends| reach(below, ends)).collect()
}

/// Exponents β and parts of the channels that are tried in [`spread`].
const WIDENINGS: [f32; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
const PARTS: [f32; 4] = [0.25, 0.5, 0.75, 1.0];

/// The reaches without extremes: a channel that was never seen to differ from 0 is as the others are.
fn usual(reach: &[f32]) -> Vec<f32> {
    let most = reach.iter().copied().fold(0.0, f32::max);
    let mut alive: Vec<f32> = reach.iter().copied().filter(|&r| r > 1e-6 * most).collect();
    alive.sort_unstable_by(f32::total_cmp);
    let Some(&usual) = alive.get(alive.len() / 2).filter(|_| most.is_normal()) else {
        return vec![1.0; reach.len()];
    };
    let held = |&reach: &f32| if reach > 1e-6 * most { reach.max(1e-4 * most) } else { usual };
    reach.iter().map(held).collect()
}

/// `reach · max(1, k / (reach · weights))^β`: channels of which less comes through than `k`, which is true of this part of them, have wider
/// steps, so that the weights that read them are larger. With `β = ½` and all channels it is Nagel's `√(reach / weights)`.
fn spread(reach: &[f32], rows: &[Row], beta: f32, part: f32) -> Vec<f32> {
    let mut weights = vec![0.0_f32; reach.len()];
    for row in rows {
        for (weight, [most, _]) in weights[row.first..].iter_mut().zip(&row.weights) {
            *weight = weight.max(*most);
        }
    }
    let share = reach.iter().zip(&weights).map(|(reach, weight)| reach * weight);
    let shares: Vec<f32> = share.collect();
    let mut sorted: Vec<f32> = shares.iter().copied().filter(|&share| share > 0.0).collect();
    sorted.sort_unstable_by(f32::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return reach.to_vec() };
    let enough = sorted[(part * last as f32) as usize];
    let widened = |(&reach, &share): (&f32, &f32)| {
        reach * (enough / share.max(1e-4 * enough)).max(1.0).powf(beta)
    };
    reach.iter().zip(&shares).map(widened).collect()
}

/// The weights of one output that read channels of a group.
struct Row {
    /// The first channel that it reads.
    first: usize,
    /// Of each channel from there on the greatest magnitude of its weights, and the sum of their squares.
    weights: Vec<[f32; 2]>,
    /// Of each of these channels the variance of its values, times the number of its weights.
    variances: Vec<f32>,
    /// Variance of what the output is.
    output: f64,
}

/// Outputs of a node that are looked at, spread evenly over all.
const OUTPUTS: usize = 256;

/// The noise of all outputs that read the group, each beside what it carries: that of values that are rounded to 255 steps of what the
/// group reaches, and of weights that are rounded to 127 steps of their row. What rounding does to the mean is corrected in the bias and does not count.
fn noise(scales: &[f32], ends: &[(f32, f32)], rows: &[Row]) -> f64 {
    let divided = ends.iter().zip(scales).map(|(ends, scale)| (ends.0 / scale, ends.1 / scale));
    let (low, high) =
        divided.fold((0.0_f32, 0.0_f32), |all, ends| (all.0.min(ends.0), all.1.max(ends.1)));
    let step = f64::from(high - low) / 255.0;
    let of_row = |row: &Row| {
        let each = || row.weights.iter().zip(&scales[row.first..]);
        let most = each().map(|([most, _], scale)| most * scale).fold(0.0, f32::max);
        let own_step = f64::from(most) / 127.0;
        let of_values = each()
            .map(|([_, squares], scale)| (f64::from(*scale) * step).powi(2) * f64::from(*squares));
        let of_weights = row.variances.iter().zip(each()).map(|(variance, (_, scale))| {
            f64::from(*variance) * (own_step / f64::from(*scale)).powi(2)
        });
        (of_values.sum::<f64>() + of_weights.sum::<f64>()) / row.output
    };
    rows.iter().map(of_row).sum()
}

/// Scales of at most 1 and at least `reach / bound`: then a bound, which is the same integer for all channels, cuts off nothing that was
/// seen and everything that it did.
fn bound(scales: &mut [f32], group: &Group, seen: &Seen) {
    let greatest = scales.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    for (channel, scale) in scales.iter_mut().enumerate() {
        let needed = group.bounds.iter().map(|&(clamp, bound)| {
            seen.ends[clamp].get(channel).map_or(1.0, |&(_, high)| high / bound)
        });
        let least = needed.fold(0.0, f32::max).min(1.0);
        *scale = (*scale / greatest).clamp(least.max(1e-6), 1.0);
    }
}

impl Row {
    /// Of every node with weights that reads a group, a row an output.
    fn all(graph: &Graph, readers: &[Vec<usize>], group: &Group, seen: &Seen) -> Vec<Self> {
        let of = |&value: &ValueId| {
            let nodes = readers[value].iter().map(|&at| &graph.nodes[at]);
            nodes.flat_map(move |node| Self::of(graph, node, value, seen))
        };
        group.members.iter().flat_map(of).collect()
    }

    /// The rows of a node that reads `value`.
    fn of(graph: &Graph, node: &Node, value: ValueId, seen: &Seen) -> Vec<Self> {
        let constant = node.inputs.get(1).and_then(|&id| graph.values[id].constant.as_deref());
        let outputs = graph.values[node.output].shape.get(1);
        let (Some(constant), Some(&outputs)) = (constant, outputs) else { return Vec::new() };
        let shape = graph.values[node.inputs[1]].shape.as_slice();
        let mut rows = Vec::new();
        for output in (0..outputs).step_by(outputs.div_ceil(OUTPUTS).max(1)) {
            let (first, weights, taps): (usize, Vec<[f32; 2]>, usize) = match &node.op {
                Op::Conv(conv) => {
                    let (depth, taps) = (shape[1], shape[2..].iter().product::<usize>());
                    let own = &constant[output * depth * taps..][..depth * taps];
                    let of_channel = |taps: &[f32]| {
                        let most = taps.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
                        [most, taps.iter().map(|w| w * w).sum()]
                    };
                    let weights = own.chunks_exact(taps).map(of_channel).collect();
                    (output / (shape[0] / conv.groups) * depth, weights, taps)
                }
                Op::Gemm(_) | Op::MatMul => {
                    let is_transposed = matches!(&node.op, Op::Gemm(gemm) if gemm.trans_b);
                    let columns = shape[1];
                    let (start, step, inputs) = match is_transposed {
                        true => (output * columns, 1, columns),
                        false => (output, columns, shape[0]),
                    };
                    let weights = (0..inputs).map(|at| constant[start + at * step]);
                    (0, weights.map(|w| [w.abs(), w * w]).collect(), 1)
                }
                _ => return rows,
            };
            let variance = seen.variances[node.output].get(output).copied().unwrap_or(0.0);
            let own = seen.variances[value].get(first..first + weights.len());
            // An output that never changes says nothing.
            let (Some(own), true) = (own, variance > 0.0) else { continue };
            let variances = own.iter().map(|v| v * taps as f32).collect();
            rows.push(Self { first, weights, variances, output: f64::from(variance) });
        }
        rows
    }
}
