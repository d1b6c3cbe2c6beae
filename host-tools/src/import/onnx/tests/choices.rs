//! Comparisons, and choices by what they find.

use super::*;

/// That all of a model has an int8 form.
fn assert_lowers(model: Builder, what: &str) {
    let imported = model.import("y").unwrap();
    let simple = simplify(&imported.graph, &mut Aliases::default(), &mut reference::fold);
    let found = obstacle(&simple).map(|error| error.to_string());
    assert_eq!(found, None, "{what}");
}

fn to_float() -> Vec<AttributeProto> {
    vec![int("to", 1)]
}

#[test]
fn computed_numbers_are_compared_as_zero_and_one() {
    type Compare = fn(f32, f32) -> bool;
    let cases: [(&str, Compare); 4] = [
        ("Greater", |a, b| a > b),
        ("GreaterOrEqual", |a, b| a >= b),
        ("Less", |a, b| a < b),
        ("LessOrEqual", |a, b| a <= b),
    ];
    for (operator, compare) in cases {
        let with_number = || {
            Builder::new(13, &[1, 3, 4, 5])
                .floats("c", &[], &[0.25])
                .node(operator, &["x", "c"], "b", vec![])
                .node("Cast", &["b"], "y", to_float())
        };
        let (x, y) = of_noise(with_number(), &[1, 3, 4, 5]);
        let expected: Vec<f32> = x.iter().map(|&x| f32::from(u8::from(compare(x, 0.25)))).collect();
        assert_eq!(y, expected, "{operator}");
        assert!(expected.contains(&0.0) && expected.contains(&1.0));
        assert_lowers(with_number(), operator);
        // With itself every element is equal.
        let with_itself = Builder::new(13, &[1, 3]).node(operator, &["x", "x"], "b", vec![]).node(
            "Cast",
            &["b"],
            "y",
            to_float(),
        );
        let (_, y) = of_noise(with_itself, &[1, 3]);
        assert_eq!(y, [f32::from(u8::from(compare(1.0, 1.0))); 3], "{operator}");
    }
}

#[test]
fn a_computed_mask_chooses() {
    let model = || {
        Builder::new(13, &[1, 3, 4, 5])
            .floats("zero", &[], &[0.0])
            .floats("slope", &[], &[-0.5])
            .node("Less", &["x", "zero"], "below", vec![])
            .node("Mul", &["x", "slope"], "leak", vec![])
            .node("Where", &["below", "leak", "x"], "y", vec![])
    };
    let (x, y) = of_noise(model(), &[1, 3, 4, 5]);
    let leaky: Vec<f32> = x.iter().map(|&x| if x < 0.0 { -0.5 * x } else { x }).collect();
    assert_near(&y, &leaky, "one tensor or the other");
    assert_lowers(model(), "one tensor or the other");
    let threshold = || {
        Builder::new(13, &[1, 3, 4, 5])
            .floats("zero", &[], &[0.0])
            .floats("least", &[], &[0.5])
            .node("Greater", &["x", "least"], "above", vec![])
            .node("Where", &["above", "x", "zero"], "y", vec![])
    };
    let (x, y) = of_noise(threshold(), &[1, 3, 4, 5]);
    let above: Vec<f32> = x.iter().map(|&x| if x > 0.5 { x } else { 0.0 }).collect();
    assert_near(&y, &above, "a tensor or zero");
    assert_lowers(threshold(), "a tensor or zero");
}

#[test]
fn answers_are_combined() {
    type Combine = fn(bool, bool) -> bool;
    let cases: [(&str, Combine); 3] =
        [("And", |a, b| a && b), ("Or", |a, b| a || b), ("Xor", |a, b| a != b)];
    for (operator, combine) in cases {
        let model = Builder::new(13, &[1, 40])
            .floats("low", &[], &[-0.3])
            .floats("high", &[], &[0.3])
            .node("Greater", &["x", "low"], "a", vec![])
            .node("Less", &["x", "high"], "b", vec![])
            .node(operator, &["a", "b"], "c", vec![])
            .node("Not", &["c"], "d", vec![])
            .node("Cast", &["d"], "y", to_float());
        let (x, y) = of_noise(model, &[1, 40]);
        let of = |&x: &f32| f32::from(u8::from(!combine(x > -0.3, x < 0.3)));
        assert_eq!(y, x.iter().map(of).collect::<Vec<_>>(), "{operator}");
    }
}

#[test]
fn a_known_mask_chooses() {
    let mask = || Builder::new(13, &[1, 2, 3]).raw("m", &[3], DataType::BOOL, vec![1, 0, 1]);
    let zeros = mask().floats("c", &[], &[0.0]).node("Where", &["m", "c", "x"], "y", vec![]);
    let (x, y) = of_noise(zeros, &[1, 2, 3]);
    assert_near(&y, &[0.0, x[1], 0.0, 0.0, x[4], 0.0], "zeros");
    let five = mask().floats("c", &[], &[5.0]).node("Where", &["m", "x", "c"], "y", vec![]);
    let (x, y) = of_noise(five, &[1, 2, 3]);
    assert_near(&y, &[x[0], 5.0, x[2], x[3], 5.0, x[5]], "a number");
    let twice = mask().floats("two", &[], &[2.0]).node("Mul", &["x", "two"], "t", vec![]).node(
        "Where",
        &["m", "x", "t"],
        "y",
        vec![],
    );
    let (x, y) = of_noise(twice, &[1, 2, 3]);
    assert_near(&y, &[x[0], 2.0 * x[1], x[2], x[3], 2.0 * x[4], x[5]], "two tensors");
    let known = mask()
        .floats("a", &[2, 1], &[1.0, 2.0])
        .floats("b", &[], &[9.0])
        .node("Where", &["m", "a", "b"], "k", vec![])
        .node("Add", &["x", "k"], "y", vec![]);
    let (x, y) = of_noise(known, &[1, 2, 3]);
    let added = [1.0, 9.0, 1.0, 2.0, 9.0, 2.0];
    let sums: Vec<f32> = x.iter().zip(added).map(|(x, a)| x + a).collect();
    assert_near(&y, &sums, "known tensors");
    let whole = Builder::new(13, &[1, 2]).raw("m", &[1, 2], DataType::BOOL, vec![1, 1]);
    let whole = whole.floats("c", &[], &[5.0]).node("Where", &["m", "x", "c"], "z", vec![]).node(
        "Relu",
        &["z"],
        "y",
        vec![],
    );
    assert!(matches!(only(&whole.import("y").unwrap()), Op::Activation(Activation::Relu)));
}

#[test]
fn masks_are_computed_while_a_model_is_read() {
    let model = Builder::new(13, &[1, 2, 3])
        .ints("places", &[0, 1, 2])
        .ints("length", &[2])
        .ints("most", &[1])
        .floats("c", &[], &[0.0])
        .node("Min", &["places", "most"], "inside", vec![])
        .node("GreaterOrEqual", &["places", "length"], "beyond", vec![])
        .node("Equal", &["places", "inside"], "same", vec![])
        .node("Not", &["same"], "other", vec![])
        .node("And", &["beyond", "other"], "m", vec![])
        .node("Where", &["m", "c", "x"], "y", vec![]);
    let (x, y) = of_noise(model, &[1, 2, 3]);
    assert_near(&y, &[x[0], x[1], 0.0, x[3], x[4], 0.0], "the third is beyond");
    let floats = Builder::new(13, &[1, 3])
        .floats("a", &[3], &[1.0, 2.0, 3.0])
        .floats("two", &[], &[2.0])
        .floats("c", &[], &[0.0])
        .node("Less", &["a", "two"], "m", vec![])
        .node("Where", &["m", "x", "c"], "y", vec![]);
    let (x, y) = of_noise(floats, &[1, 3]);
    assert_near(&y, &[x[0], 0.0, 0.0], "of known floats");
}

#[test]
fn what_has_no_form_is_named() {
    let message = refusal(one(13, &[1, 3], "Equal", &["x"], vec![]).import("y"));
    assert!(message.contains("Equal_y") && message.contains("Greater or Less"), "{message}");
    let sum = Builder::new(13, &[1, 3])
        .floats("c", &[], &[0.0])
        .node("Relu", &["x"], "r", vec![])
        .node("Greater", &["r", "c"], "b", vec![])
        .node("Add", &["b", "x"], "y", vec![]);
    let imported = sum.import("y").unwrap();
    let boundary = imported.boundaries.iter().next().unwrap();
    assert!(boundary.why.contains("Add_y") && boundary.why.contains("BOOL"), "{boundary:?}");
    let unlike = Builder::new(13, &[1, 3]).raw("m", &[2], DataType::BOOL, vec![1, 0]);
    let unlike = unlike.floats("c", &[], &[0.0]).node("Where", &["m", "x", "c"], "y", vec![]);
    assert!(refusal(unlike.import("y")).contains("[2], [1, 3]"));
    let endless = Builder::new(13, &[1, 2])
        .raw("m", &[2], DataType::BOOL, vec![1, 0])
        .floats("low", &[], &[f32::NEG_INFINITY])
        .node("Relu", &["x"], "r", vec![])
        .node("Where", &["m", "low", "r"], "y", vec![]);
    let imported = endless.import("y").unwrap();
    assert!(imported.boundaries.iter().next().unwrap().why.contains("-inf"));
}
