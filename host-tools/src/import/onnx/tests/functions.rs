//! Functions of one element, by their values: those of Python's `math` at these places.

use super::*;

/// Asserts what `model` gives for −1.5 and 0.5, to within float rounding.
fn assert_gives(model: Builder, expected: [f32; 2]) {
    let imported = model.import("y").unwrap();
    let found = reference::run(&imported.graph, &[vec![-1.5, 0.5]]).remove(0);
    let is_near = found.iter().zip(expected).all(|(y, expected)| (y - expected).abs() < 2e-6);
    assert!(is_near && found.len() == 2, "{found:?} is not {expected:?}");
}

#[test]
fn functions_of_one_element_have_their_values() {
    let cases: &[(&str, i64, Vec<AttributeProto>, [f32; 2])] = &[
        ("Tanh", 13, vec![], [-0.905148, 0.462117]),
        ("Mish", 18, vec![], [-0.2981, 0.375245]),
        ("Softplus", 13, vec![], [0.201413, 0.974077]),
        ("Softsign", 13, vec![], [-0.6, 0.333333]),
        ("Erf", 13, vec![], [-0.966105, 0.5205]),
        ("Abs", 13, vec![], [1.5, 0.5]),
        ("Neg", 13, vec![], [1.5, -0.5]),
        ("Reciprocal", 13, vec![], [-0.666667, 2.0]),
        ("Elu", 13, vec![], [-0.77687, 0.5]),
        ("Elu", 13, vec![float("alpha", 2.0)], [-1.55374, 0.5]),
        ("Selu", 13, vec![], [-1.365814, 0.52535]),
        ("Selu", 13, vec![float("alpha", 2.0), float("gamma", 0.5)], [-0.77687, 0.25]),
        ("Gelu", 20, vec![], [-0.100211, 0.345731]),
        ("Gelu", 20, vec![string("approximate", "tanh")], [-0.100428, 0.345714]),
        ("Swish", 24, vec![], [-0.273638, 0.31123]),
        ("Swish", 24, vec![float("alpha", 2.0)], [-0.071139, 0.365529]),
    ];
    for (operator, opset, attributes, expected) in cases {
        let model = one(*opset, &[1, 2], operator, &[], attributes.clone());
        assert_gives(model, *expected);
    }
    let mut of_onnx_runtime = one(13, &[1, 2], "Gelu", &[], vec![]);
    of_onnx_runtime.graph().node[0].domain = Some("com.microsoft".to_owned());
    assert_gives(of_onnx_runtime, [-0.100211, 0.345731]);
    let other = one(20, &[1, 2], "Gelu", &[], vec![string("approximate", "cubic")]);
    assert!(refusal(other.import("y")).contains("cubic"));
}

#[test]
fn powers_are_of_one_known_exponent() {
    let power = |exponent: &[f32]| {
        let dims = if exponent.len() == 1 { vec![] } else { vec![exponent.len() as i64] };
        one(13, &[1, 2], "Pow", &["e"], vec![]).floats("e", &dims, exponent)
    };
    assert_gives(power(&[2.0]), [2.25, 0.25]);
    assert_gives(power(&[3.0]), [-3.375, 0.125]);
    assert_gives(one(13, &[1, 2], "Pow", &["e"], vec![]).ints("e", &[2]), [2.25, 0.25]);
    let root = Builder::new(13, &[1, 2]).node("Abs", &["x"], "a", vec![]).node(
        "Sqrt",
        &["a"],
        "y",
        vec![],
    );
    assert_gives(root, [1.224745, 0.5_f32.sqrt()]);
    assert!(
        power(&[1.0]).node("Relu", &["y"], "z", vec![]).import("z").unwrap().graph.nodes.len() == 1
    );
    assert!(refusal(power(&[2.0, 3.0]).import("y")).contains("one is expected"));
    assert!(refusal(power(&[f32::INFINITY]).import("y")).contains("exponent of inf"));
    let computed = one(13, &[1, 2], "Pow", &["x"], vec![]);
    assert!(refusal(computed.import("y")).contains("must be known"));
}
