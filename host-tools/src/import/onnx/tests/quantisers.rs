//! Models that a quantiser left in 16 bits, or without scales of their own, and what ONNX Runtime's optimiser writes.

use super::*;
use crate::import::scales::is_quantised;

#[test]
fn what_is_quantised_to_16_bits_is_the_float_model() {
    for (kind, bytes) in [(DataType::UINT16, [0, 128]), (DataType::INT16, [7, 0])] {
        let model = || {
            Builder::new(21, &[1, 3])
                .floats("s", &[], &[0.0001])
                .raw("z", &[], kind, bytes.to_vec())
                .node("QuantizeLinear", &["x", "s", "z"], "q", vec![])
                .node("DequantizeLinear", &["q", "s", "z"], "d", vec![])
                .raw("w8", &[3, 2], DataType::INT8, vec![1, 2, 3, 255, 254, 253])
                .floats("ws", &[], &[0.5])
                .raw("wz", &[], DataType::INT8, vec![0])
                .node("DequantizeLinear", &["w8", "ws", "wz"], "w", vec![])
                .node("MatMul", &["d", "w"], "y", vec![])
        };
        assert!(
            !is_quantised(&model().import("y").unwrap().graph),
            "calibration chooses the ranges"
        );
        let (x, y) = of_noise(model(), &[1, 3]);
        let w = [[0.5, 1.0], [1.5, -0.5], [-1.0, -1.5]];
        let expected: Vec<f32> = (0..2).map(|j| (0..3).map(|i| x[i] * w[i][j]).sum()).collect();
        assert_near(&y, &expected, "16 bits");
    }
}

/// A scale and a zero point as the first node's other results.
fn with_scale(mut model: Builder) -> Builder {
    model.graph().node[0].output.extend(["s".to_owned(), "z".to_owned()]);
    model
}

/// A product as ONNX Runtime's dynamic quantiser writes it.
#[test]
fn what_is_quantised_while_it_runs_is_the_float_model() {
    let model = Builder::new(13, &[1, 2, 3])
        .raw("w", &[2, 2, 1], DataType::INT8, vec![10, 20, 30, 236])
        .raw("wz", &[], DataType::INT8, vec![2])
        .floats("ws", &[], &[0.25])
        .node("DynamicQuantizeLinear", &["x"], "q", vec![])
        .node("ConvInteger", &["q", "w", "z", "wz"], "steps", vec![])
        .node("Cast", &["steps"], "sums", vec![int("to", 1)])
        .node("Mul", &["s", "ws"], "both", vec![])
        .node("Mul", &["sums", "both"], "y", vec![]);
    let (x, y) = of_noise(with_scale(model), &[1, 2, 3]);
    // Integers 10, 20, 30 and −20 with zero point 2, times 0.25.
    let w = [[2.0, 4.5], [7.0, -5.5]];
    let of = |out: usize, at: usize| w[out][0] * x[at] + w[out][1] * x[3 + at];
    let expected: Vec<f32> = (0..2)
        .flat_map(|out| (0..3).map(move |at| (out, at)))
        .map(|(out, at)| of(out, at))
        .collect();
    assert_near(&y, &expected, "a convolution");
    let product = Builder::new(13, &[1, 2])
        .raw("w", &[2, 1], DataType::UINT8, vec![130, 120])
        .raw("wz", &[], DataType::UINT8, vec![128])
        .node("DynamicQuantizeLinear", &["x"], "q", vec![])
        .node("MatMulInteger", &["q", "w", "z", "wz"], "steps", vec![])
        .node("Cast", &["steps"], "sums", vec![int("to", 1)])
        .node("Mul", &["sums", "s"], "y", vec![]);
    let (x, y) = of_noise(with_scale(product), &[1, 2]);
    assert_near(&y, &[2.0 * x[0] - 8.0 * x[1]], "a matrix product");
    let bare = Builder::new(13, &[1, 2]).raw("w", &[2, 1], DataType::UINT8, vec![1, 2]);
    let bare = bare.node("MatMulInteger", &["x", "w"], "y", vec![]);
    assert!(refusal(bare.import("y")).contains("DynamicQuantizeLinear"));
}

#[test]
fn a_fused_convolution_is_its_parts() {
    let fused = |inputs: &[&str], attributes| {
        let mut model = Builder::new(13, &[1, 1, 3])
            .floats("w", &[1, 1, 1], &[2.0])
            .floats("b", &[1], &[0.5])
            .floats("z", &[1, 1, 3], &[-9.0, 0.0, 9.0])
            .node("FusedConv", inputs, "y", attributes);
        model.graph().node[0].domain = Some("com.microsoft".to_owned());
        model
    };
    let leaky = || {
        let mut slope = float("activation_params", 0.0);
        slope.r#type = Some(rten_onnx::onnx::AttributeType::FLOATS);
        slope.f = None;
        slope.floats = vec![0.5];
        vec![string("activation", "LeakyRelu"), slope]
    };
    let (x, y) = of_noise(fused(&["x", "w", "b"], leaky()), &[1, 1, 3]);
    let leak = |x: f32| if x < 0.0 { 0.5 * x } else { x };
    let expected: Vec<f32> = x.iter().map(|x| leak(2.0 * x + 0.5)).collect();
    assert_near(&y, &expected, "a bias and a slope");
    let relu = vec![string("activation", "Relu")];
    let (x, y) = of_noise(fused(&["x", "w", "", "z"], relu), &[1, 1, 3]);
    assert_near(&y, &[0.0, (2.0 * x[1]).max(0.0), 2.0 * x[2] + 9.0], "a sum");
    let unheard = vec![string("activation", "Unheard")];
    let message = refusal(fused(&["x", "w"], unheard).import("y"));
    assert!(message.contains("FusedConv") && message.contains("without fusions"), "{message}");
}
