//! The drivers over the portable inner loops equal the definition. The assembly is compared on the
//! target: `boards/mps2`.

use std::vec::Vec;

use super::CortexM;
use crate::kernels::generic::{self, Output, Term};
use crate::random::Random;

#[path = "../../../tests/kernels/case.rs"]
#[allow(dead_code, reason = "the tests of other kernels use all of it")]
mod case;

use case::{Case, Shape};

fn check(case: &Case) {
    let kernels = CortexM::new().unwrap();
    let expected = case.definition();
    let mut found = std::vec![99; expected.len()];
    let convolution = case.convolution();
    if case.shape.is_depthwise() {
        kernels.depthwise(&convolution, 0, &mut found);
    } else {
        kernels.conv(&convolution, 0, &mut found);
    }
    assert_eq!(found, expected, "{:?}", case.shape);
}

#[test]
fn random_convolutions_equal_the_definition() {
    for (shape, seed) in case::random(1, 20_000) {
        check(&Case::new(shape, seed));
    }
}

#[test]
fn large_convolutions_equal_the_definition() {
    for (shape, seed) in case::large().zip(0..) {
        check(&Case::new(shape, seed));
    }
}

#[test]
fn sums_at_their_greatest_do_not_overflow() {
    for (input, weight) in [(-128, -127), (-128, 127), (127, 127), (127, -127)] {
        for depth in [1, 16, 576, 1000] {
            let shape = Shape { columns: 2, depth, outputs: 17, ..case::POINT };
            check(&Case::new(shape, 1).filled(input, weight));
        }
        let shape =
            Shape { rows: 7, columns: 9, groups: 33, kernel: [3, 3], pad: true, ..case::POINT };
        check(&Case::new(shape, 1).filled(input, weight));
    }
}

#[test]
fn large_multipliers_saturate() {
    for multiplier in [0.0, -0.3, 1.0, 1e4, 3e9, -3e9, 1e30, -1e30] {
        let shape = Shape { columns: 5, depth: 9, outputs: 35, ..case::POINT };
        check(&Case::new(shape, 3).with_multiplier(multiplier));
        let shape =
            Shape { rows: 3, columns: 5, groups: 35, kernel: [3, 3], pad: true, ..case::POINT };
        check(&Case::new(shape, 3).with_multiplier(multiplier));
    }
}

#[test]
fn sums_of_two_operands_equal_the_definition() {
    let mut random = Random::new(1);
    for count in 1..70_usize {
        let mut bytes = || (0..count).map(|_| random.next_u32() as i8).collect::<Vec<_>>();
        let (a, b) = (bytes(), bytes());
        let term = |data, zero_point, scale| Term { data, zero_point, scale };
        let (a, b) = (term(&a, -7, 0.5), term(&b, 90, -0.3));
        let [min, max] = if count % 2 == 0 { [-128, 127] } else { [-20, 30] };
        let to = Output { height: 1, width: 1, channels: count, zero_point: -20, min, max };
        let (mut found, mut expected) = (std::vec![0; count], std::vec![0; count]);
        CortexM::new().unwrap().add(a, b, &to, &mut found);
        generic::add(a, b, &to, &mut expected);
        assert_eq!(found, expected);
    }
}
