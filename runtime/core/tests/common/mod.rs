//! A pack made by hand: a convolution of a 2 × 2 picture to two channels, and their means.

use headstart::network::{Conv, GridPool, Node, Value, WeightRows, Window};
use headstart::pack::{Contents, Input, Preprocessing, Provenance, Resize};

fn value(offset: u32, extents: [u32; 3], zero_point: i8) -> Value {
    let [height, width, channels] = extents;
    Value { offset, height, width, channels, scale: 0.5, zero_point, kept_rows: 0 }
}

pub(crate) fn contents() -> Contents<'static> {
    Contents {
        provenance: Provenance {
            model: "by hand",
            source_sha256: [7; 32],
            tool_version: "0",
            freeze_point: "mean",
            calibration: "none",
            calibration_samples: 0,
            multiply_accumulates: 8,
        },
        input: Input {
            height: 2,
            width: 2,
            channels: 1,
            channels_first: true,
            preprocessing: Preprocessing {
                resize: Resize::Stretch,
                mean: [100.0; 3],
                std: [2.0; 3],
            },
        },
        max_classes: 4,
        values: vec![value(0, [2, 2, 1], 0), value(64, [2, 2, 2], -1), value(0, [1, 1, 2], 0)],
        nodes: vec![
            Node::Conv(Conv {
                input: 0,
                window: Window {
                    kernel: [1; 2],
                    stride: [1; 2],
                    dilation: [1; 2],
                    padding: [0; 2],
                },
                groups: 1,
                weights: 0,
                channels: 0,
                min: -100,
                max: 100,
            }),
            Node::GridPool(GridPool { input: 1, multiplier: 1.0 }),
        ],
        weights: WeightRows { outputs: 2, products: 1 }.arrange(&[2, -3]),
        channels: vec![(1, 1.0), (0, 0.5)],
        tables: vec![],
        tail: None,
        head: None,
    }
}
