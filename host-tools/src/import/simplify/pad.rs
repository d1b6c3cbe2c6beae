use headstart::graph::{AveragePool, Conv, Op, PadMode, Window};

use super::rewrite::Rewrite;

/// Zeros around an image go into the padding of the convolution or counting pool that reads it.
pub(super) fn into_window(rewrite: &mut Rewrite<'_>, node: usize) -> bool {
    let Some(&x) = rewrite.node(node).inputs.first() else { return false };
    let Some(source) = rewrite.source(x) else { return false };
    let Op::Pad(pad) = rewrite.node(source).op.clone() else { return false };
    let is_spatial = pad.begin.iter().chain(&pad.end).enumerate().all(|(i, &n)| {
        let axis = i % pad.begin.len();
        axis >= 2 || n == 0
    });
    if pad.mode != PadMode::Constant(0.0) || !is_spatial {
        return false;
    }
    let wider = |window: &Window| Window {
        pads_begin: window.pads_begin.iter().zip(&pad.begin[2..]).map(|(a, b)| a + b).collect(),
        pads_end: window.pads_end.iter().zip(&pad.end[2..]).map(|(a, b)| a + b).collect(),
        ..window.clone()
    };
    let op = match &rewrite.node(node).op {
        Op::Conv(conv) => Op::Conv(Conv { window: wider(&conv.window), ..*conv }),
        // A pool that does not count its own padding still counted these zeros.
        Op::AveragePool(pool) if pool.count_include_pad || is_unpadded(&pool.window) => {
            Op::AveragePool(AveragePool {
                window: wider(&pool.window),
                count_include_pad: true,
                ceil_extra: pool.ceil_extra.clone(),
            })
        }
        _ => return false,
    };
    let mut inputs = rewrite.node(node).inputs.clone();
    inputs[0] = rewrite.operand(source, 0);
    rewrite.set(node, op, inputs);
    true
}

fn is_unpadded(window: &Window) -> bool {
    window.pads_begin.iter().chain(&window.pads_end).all(|&n| n == 0)
}

#[cfg(test)]
mod tests {
    use headstart::graph::{MaxPool, Pad};

    use super::super::testing::{Sketch, names, window};
    use super::*;

    fn pad(mode: PadMode) -> Op {
        Op::Pad(Pad { begin: vec![0, 0, 1, 0], end: vec![0, 0, 0, 2], mode })
    }

    fn average(padding: usize, count_include_pad: bool) -> Op {
        Op::AveragePool(AveragePool {
            window: window(2, padding),
            count_include_pad,
            ceil_extra: vec![0; 2],
        })
    }

    #[test]
    fn zeros_become_padding_of_convolutions_and_counting_pools() {
        let mut sketch = Sketch::new(&[1, 2, 5, 5]);
        let padded = sketch.node(pad(PadMode::Constant(0.0)), &[0]);
        let y = sketch.conv(padded, 3, true);
        let simple = sketch.check(&[y]);
        assert_eq!(names(&simple), ["Conv"]);
        let Op::Conv(conv) = &simple.nodes[0].op else { unreachable!() };
        assert_eq!(
            (&conv.window.pads_begin[..], &conv.window.pads_end[..]),
            (&[2, 1][..], &[1, 3][..])
        );

        for (padding, counts) in [(1, true), (0, false)] {
            let y = sketch.node(average(padding, counts), &[padded]);
            assert_eq!(names(&sketch.check(&[y])), ["AveragePool"]);
        }
    }

    #[test]
    fn padding_that_a_window_cannot_say_stays() {
        let mut sketch = Sketch::new(&[1, 2, 5, 5]);
        let edge = sketch.node(pad(PadMode::Edge), &[0]);
        let ones = sketch.node(pad(PadMode::Constant(1.0)), &[0]);
        let zeros = sketch.node(pad(PadMode::Constant(0.0)), &[0]);
        let channels =
            Pad { begin: vec![0, 1, 0, 0], end: vec![0; 4], mode: PadMode::Constant(0.0) };
        let channels = sketch.node(Op::Pad(channels), &[0]);
        let ys = [
            sketch.conv(edge, 1, false),
            sketch.conv(ones, 1, false),
            sketch.conv(channels, 1, false),
            sketch.node(average(1, false), &[zeros]),
            sketch.node(Op::MaxPool(MaxPool { window: window(2, 0) }), &[zeros]),
        ];
        for y in ys {
            assert_eq!(names(&sketch.check(&[y])).len(), 2);
        }
    }
}
