//! Functions of one element, by their values: those of Python's `math` at these places.

use super::*;

#[test]
fn functions_of_one_element_have_their_values() {
    let cases: &[(&str, i64, Vec<AttributeProto>, [f32; 2])] = &[
        ("Abs", 13, vec![], [1.5, 0.5]),
        ("Neg", 13, vec![], [1.5, -0.5]),
        ("Swish", 24, vec![], [-0.273638, 0.31123]),
        ("Swish", 24, vec![float("alpha", 2.0)], [-0.071139, 0.365529]),
    ];
    for (operator, opset, attributes, expected) in cases {
        let imported = one(*opset, &[1, 2], operator, &[], attributes.clone()).import("y").unwrap();
        let found = reference::run(&imported.graph, &[vec![-1.5, 0.5]]).remove(0);
        let is_near = found.iter().zip(expected).all(|(y, expected)| (y - expected).abs() < 2e-6);
        assert!(is_near && found.len() == 2, "{found:?} is not {expected:?}");
    }
}
