//! The kernels of a target without a test harness against the definition.

use headstart::kernels::Kernels;

extern crate alloc;

use super::activation::Function;
use super::case::{self, Case, POINT, Shape};
use super::other::{DIGEST, Other};

fn check(case: &Case) {
    let kernels = Kernels::best();
    let expected = case.definition();
    let mut found = alloc::vec![99; expected.len()];
    if case.shape.is_depthwise() {
        kernels.depthwise(&case.convolution(), 0, &mut found);
    } else {
        kernels.conv(&case.convolution(), 0, &mut found);
    }
    assert_eq!(found, expected, "{:?} seed {}", case.shape, case.seed);
}

/// So many random nodes of each kind, and extremes.
///
/// # Panics
/// Where a kernel gives other bits than the definition.
pub(crate) fn equal_the_definition(cases: u64) {
    for (shape, seed) in case::random(7, cases as usize) {
        check(&Case::new(shape, seed));
    }
    for (shape, seed) in case::large().zip(0..) {
        check(&Case::new(shape, seed));
    }
    for (input, weight) in [(-128, -127), (-128, 127), (127, 127), (127, -127)] {
        for depth in [1, 16, 576, 1000] {
            let shape = Shape { columns: 2, depth, outputs: 17, ..POINT };
            check(&Case::new(shape, 1).filled(input, weight));
        }
        let shape = Shape { rows: 7, columns: 9, groups: 33, kernel: [3, 3], pad: true, ..POINT };
        check(&Case::new(shape, 1).filled(input, weight));
    }
    for multiplier in [0.0, -0.3, 1.0, 1e4, 3e9, -3e9, 1e30, -1e30] {
        let shape = Shape { columns: 5, depth: 9, outputs: 35, ..POINT };
        check(&Case::new(shape, 3).with_multiplier(multiplier));
        let shape = Shape { rows: 3, columns: 5, groups: 35, kernel: [3, 3], pad: true, ..POINT };
        check(&Case::new(shape, 3).with_multiplier(multiplier));
    }
    for seed in 0..cases {
        let (pixels, channels) = (1 + seed as usize % 4, 1 + seed as usize % 31);
        Function::new(pixels, channels, seed % 2 == 0, seed).check(&[Kernels::best()]);
    }
    let mut digest = 0;
    for seed in 0..cases.max(1000) {
        Other::new(seed).check(&[Kernels::best()], &mut digest);
        if seed == 999 {
            assert_eq!(digest, DIGEST, "another target's definition has other bits");
        }
    }
}
