//! The drivers of microcontrollers' kernels over the portable twins of their inner loops equal the definition. The assembly is compared
//! on the target: `boards/mps2`.

use std::vec::Vec;

use super::cortex_m::CortexM;
use super::generic::{self, Output, Term};
use super::helium::Helium;
use crate::random::Random;

#[path = "../../tests/kernels/case.rs"]
#[allow(dead_code, reason = "the tests of other kernels use all of it")]
mod case;

use case::{Case, Shape};

fn check(case: &Case) {
    let (dsp, helium) = (CortexM::new().unwrap(), Helium::new().unwrap());
    let (expected, convolution) = (case.definition(), case.convolution());
    let found = |run: &dyn Fn(&mut [i8])| {
        let mut found = std::vec![99; expected.len()];
        run(&mut found);
        found
    };
    let found = if case.shape.is_depthwise() {
        [
            found(&|out| dsp.depthwise(&convolution, 0, out)),
            found(&|out| helium.depthwise(&convolution, 0, out)),
        ]
    } else {
        [
            found(&|out| dsp.conv(&convolution, 0, out)),
            found(&|out| helium.conv(&convolution, 0, out)),
        ]
    };
    assert_eq!(found[0], expected, "dsp: {:?}", case.shape);
    assert_eq!(found[1], expected, "helium: {:?}", case.shape);
}

#[test]
fn random_convolutions_equal_the_definition() {
    for (shape, seed) in case::random(1, 10_000) {
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
        generic::add(a, b, &to, &mut expected);
        CortexM::new().unwrap().add(a, b, &to, &mut found);
        assert_eq!(found, expected, "dsp");
        found.fill(99);
        Helium::new().unwrap().add(a, b, &to, &mut found);
        assert_eq!(found, expected, "helium");
    }
}
