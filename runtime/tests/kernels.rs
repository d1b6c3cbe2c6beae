//! Every fast kernel equals the generic one, bit for bit.
#![cfg(all(feature = "std", target_arch = "x86_64"))]

use headstart::backbone::{ChannelRecords, Window};
use headstart::kernels::generic::{self, Output, Tensor};
use headstart::kernels::x86_64::Avx2;
use proptest::prelude::*;

/// A convolution's extents and the bytes that it works on.
#[derive(Clone, Debug)]
struct Case {
    input: [usize; 3],
    outputs: usize,
    groups: usize,
    window: Window,
    zero_point: i8,
    seed: u64,
}

fn cases() -> impl Strategy<Value = Case> {
    let extents = (1_usize..12, 1_usize..12, 1_usize..40, 1_usize..40, 1_usize..4);
    let window = (1_u16..4, 1_u16..4, 1_u16..3, 1_u16..3);
    (extents, window, any::<i8>(), any::<u64>(), any::<bool>()).prop_map(
        |(
            (height, width, depth, outputs, groups),
            (kh, kw, stride, dilation),
            zero_point,
            seed,
            each,
        )| {
            let (channels, groups, outputs) = if each {
                (depth * groups, depth * groups, depth * groups)
            } else {
                (depth * groups, groups, outputs * groups)
            };
            Case {
                input: [height + 6, width + 6, channels],
                outputs,
                groups,
                window: Window {
                    kernel: [kh, kw],
                    stride: [stride; 2],
                    dilation: [dilation; 2],
                    padding: [(kh - 1) * dilation / 2, (kw - 1) * dilation / 2],
                },
                zero_point,
                seed,
            }
        },
    )
}

/// Bytes with the extremes well represented.
fn bytes(count: usize, seed: u64, least: i8) -> Vec<i8> {
    let mut state = seed | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let byte = (state >> 56) as u8 as i8;
            match (state >> 40) % 8 {
                0 => least,
                1 => 127,
                _ => byte.max(least),
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn avx2_equals_generic(case in cases()) {
        let Some(avx2) = Avx2::new() else {
            panic!("this test needs a CPU with AVX2: run it with one, or leave it out by name");
        };
        let [height, width, channels] = case.input;
        let taps = usize::from(case.window.kernel[0]) * usize::from(case.window.kernel[1]);
        let windows = |axis: usize, extent: usize| {
            let reach = usize::from((case.window.kernel[axis] - 1) * case.window.dilation[axis]) + 1;
            let padded = extent + 2 * usize::from(case.window.padding[axis]);
            (padded - reach) / usize::from(case.window.stride[axis]) + 1
        };
        let data = bytes(height * width * channels, case.seed, i8::MIN);
        let x = Tensor { data: &data, height, width, channels, zero_point: case.zero_point };
        let weights = bytes(taps * channels / case.groups * case.outputs, case.seed ^ 1, -127);
        let records: Vec<u8> = (0..case.outputs)
            .flat_map(|c| {
                let bias = (c as i32 * 37 - 500).to_le_bytes();
                bias.into_iter().chain((0.0007 * (c as f32 + 0.5)).to_le_bytes())
            })
            .collect();
        let records = ChannelRecords::new(&records);
        let to = Output {
            height: windows(0, height),
            width: windows(1, width),
            channels: case.outputs,
            zero_point: case.zero_point.wrapping_mul(3),
            min: -120,
            max: 126,
        };
        let mut expected = vec![0; to.height * to.width * to.channels];
        let mut found = expected.clone();
        generic::conv(x, &case.window, case.groups, &weights, records, to, &mut expected);
        avx2.conv(x, &case.window, case.groups, &weights, records, to, &mut found);
        prop_assert_eq!(&found, &expected);
        if case.groups == channels && case.outputs == channels {
            // Each channel's taps side by side, as the depthwise layout has them.
            let mut turned = vec![0; weights.len()];
            for (index, &w) in weights.iter().enumerate() {
                turned[index % taps * channels + index / taps] = w;
            }
            avx2.depthwise(x, &case.window, &turned, records, to, &mut found);
            prop_assert_eq!(&found, &expected);
            generic::depthwise(x, &case.window, &turned, records, to, &mut found);
            prop_assert_eq!(&found, &expected);
        }
    }
}
