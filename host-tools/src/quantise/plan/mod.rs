//! Plans where every tensor lies in the arena, and which are kept a few rows at a time.
//!
//! The peak is the least that the order of execution allows wherever placing reaches the sum of what
//! lives at the worst moment; it says whether it did.

mod lives;
mod place;
mod strips;

pub use strips::Aim;

use crate::quantise::lowered::Lowered;
use lives::buffers;
use place::{Placed, place};
use strips::{Chain, chains};

/// Intermediate results of a chain that are larger than this leave a core's own cache between one
/// convolution and the next; in strips they stay there.
const CACHE: usize = 512 << 10;

/// The memory plan of a network.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The first byte of every value.
    pub offsets: Vec<usize>,
    /// How many rows of every value are kept at a time; 0 for all.
    pub kept_rows: Vec<u16>,
    /// Bytes of the arena.
    pub arena_bytes: usize,
    /// The most that lives at one time: no plan for this order of execution has a smaller arena.
    pub least_bytes: usize,
}

/// Plans the arena. Chains of convolutions run in strips as the aim says.
#[must_use]
pub fn plan(lowered: &Lowered, aim: Aim) -> Plan {
    let candidates = chains(lowered, aim);
    let (mut chosen, rest): (Vec<Chain>, Vec<Chain>) =
        candidates.into_iter().partition(|chain| chain.whole_bytes > CACHE);
    if aim == Aim::Size {
        lower_the_peak(lowered, &mut chosen, rest);
    }
    let (owners, lives) = buffers(lowered, &chosen);
    let Placed { offsets, bytes, least } = place(&lives);
    Plan {
        offsets: owners.iter().map(|&buffer| offsets[buffer]).collect(),
        kept_rows: strips::kept_rows(lowered, &chosen),
        arena_bytes: bytes,
        least_bytes: least,
    }
}

/// Chooses more chains as long as one runs when most bytes live, if that lowers the peak.
fn lower_the_peak(lowered: &Lowered, chosen: &mut Vec<Chain>, mut rest: Vec<Chain>) {
    loop {
        let (peak, at) = lives::peak(&buffers(lowered, chosen).1);
        let Some(next) = rest.iter().position(|chain| chain.runs_at(at)) else { return };
        chosen.push(rest.remove(next));
        if lives::peak(&buffers(lowered, chosen).1).0 >= peak {
            chosen.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use headstart::network::{Conv, Node, Window};

    use super::*;
    use crate::quantise::lowered::{LoweredNode, LoweredValue};
    use crate::quantise::rounding::Quantisation;

    const QUANTISATION: Quantisation = Quantisation { scale: 1.0, zero_point: 0 };

    pub(super) fn values(extents: &[[usize; 3]]) -> Vec<LoweredValue> {
        let value = |&extents| LoweredValue { extents, quantisation: QUANTISATION };
        extents.iter().map(value).collect()
    }

    pub(super) fn conv(input: u32, kernel: u16, groups: u32) -> LoweredNode {
        let window = Window {
            kernel: [kernel; 2],
            stride: [1; 2],
            dilation: [1; 2],
            padding: [kernel / 2; 2],
        };
        let (min, max) = (i8::MIN, i8::MAX);
        let conv = Conv { input, window, groups, weights: 0, channels: 0, min, max };
        LoweredNode::Plain(Node::Conv(conv))
    }

    /// Expand, depthwise, project and the residual sum.
    fn block(extent: usize, channels: usize) -> Lowered {
        let (narrow, wide) = ([extent, extent, channels], [extent, extent, 6 * channels]);
        let mut lowered =
            Lowered { values: values(&[narrow, wide, wide, narrow, narrow]), ..Lowered::default() };
        let add = LoweredNode::Concat { axis: 2, operands: vec![(3, 1.0), (0, 1.0)] };
        lowered.nodes = vec![conv(0, 1, 1), conv(1, 3, 6 * channels as u32), conv(2, 1, 1), add];
        lowered
    }

    #[test]
    fn tensors_that_live_together_never_overlap() {
        let lowered = block(32, 8);
        let chosen = chains(&lowered, Aim::Size);
        assert_eq!(chosen.len(), 1);
        for chosen in [vec![], chosen] {
            let (_, lives) = buffers(&lowered, &chosen);
            let placed = place(&lives);
            for a in 0..lives.len() {
                for b in a + 1..lives.len() {
                    let together =
                        lives[a].first <= lives[b].last && lives[b].first <= lives[a].last;
                    let apart = placed.offsets[a] + lives[a].bytes <= placed.offsets[b]
                        || placed.offsets[b] + lives[b].bytes <= placed.offsets[a];
                    assert!(!together || apart, "buffers {a} and {b}");
                }
            }
            assert_eq!(placed.bytes, placed.least);
        }
    }

    #[test]
    fn strips_take_far_less_than_whole_results() {
        let lowered = block(64, 16);
        let plan = plan(&lowered, Aim::Size);
        let whole = lives::peak(&buffers(&lowered, &[]).1).0;
        assert!(2 * plan.arena_bytes < whole, "{} of {whole}", plan.arena_bytes);
        assert_eq!(
            plan.kept_rows.iter().map(|&rows| rows > 0).collect::<Vec<_>>(),
            [false, true, true, false, false]
        );
    }
}
