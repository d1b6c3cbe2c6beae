//! Products of matrices, 64 rows and columns at a time: what the systems of many samples are made of.
//!
//! Of real numbers every element is one sum, in rising order, of products that are each rounded; so the bits do not depend on how many
//! elements a CPU computes at once. Sums of whole numbers have no order.

/// Rows and columns of a [`Square`].
pub const SIDE: usize = 64;

/// A row of a [`Square`].
pub type Line = [f32; SIDE];

/// A matrix of [`SIDE`] rows and columns, `[row][column]`.
pub type Square = [Line; SIDE];

/// Two numbers of each row or column, one behind the other: what instructions multiply together.
pub type Pairs = [[i16; 2]; SIDE];

/// Lines of [`Pairs`] that are multiplied together at most: so many products of int8 come to 2³⁰ at most.
pub(crate) const MOST_PAIRS: usize = 1 << 15;

/// Writes `Σ a[k][row][i] · b[k][column][i]`, over the lines that both have and both numbers of a pair, which are int8; of
/// [`MOST_PAIRS`] lines at most.
pub(crate) fn whole_product(a: &[Pairs], b: &[Pairs], out: &mut [[i32; SIDE]; SIDE]) {
    debug_assert!(a.len().min(b.len()) <= MOST_PAIRS, "sums could overflow");
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    {
        if let Some(cpu) = super::x86_64::Avx512Vnni::new() {
            return cpu.whole_product(a, b, out);
        }
        if let Some(cpu) = super::x86_64::Avx2::new() {
            return cpu.whole_product(a, b, out);
        }
    }
    whole_sums(a, b, out)
}

/// The written definition.
fn whole_sums(a: &[Pairs], b: &[Pairs], out: &mut [[i32; SIDE]; SIDE]) {
    const COLUMNS: usize = 16;
    for (row, line) in out.iter_mut().enumerate() {
        for (column, part) in line.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
            let mut sums = [0_i32; COLUMNS];
            for (a, b) in a.iter().zip(b) {
                let ([x, y], b) = (a[row].map(i32::from), &b.as_chunks::<COLUMNS>().0[column]);
                for (sum, pair) in sums.iter_mut().zip(b) {
                    *sum += x * i32::from(pair[0]) + y * i32::from(pair[1]);
                }
            }
            *part = sums;
        }
    }
}

/// Writes `Σ a[k][row] · b[k][column]`, over the lines that both have, in rising order: at least in the first `columns` columns.
pub(crate) fn product(a: &[Line], b: &[Line], columns: usize, out: &mut Square) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    {
        if let Some(cpu) = super::x86_64::Avx512Vnni::new() {
            return cpu.product(a, b, out);
        }
        if let Some(cpu) = super::x86_64::Avx2::new() {
            return cpu.product(a, b, columns, out);
        }
    }
    sums(a, b, columns, out)
}

/// Takes from each line, in rising order, its products with those before it: `lines[p] -= u[m][p] · lines[m]` for `m < p`, and
/// multiplies it by `u[p][p]`. So a triangle is solved for 64 columns, whose diagonal holds inverses.
pub(crate) fn eliminate(u: &Square, lines: &mut Square) {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    {
        if let Some(cpu) = super::x86_64::Avx512Vnni::new() {
            return cpu.apply(Elimination { u, lines });
        }
        if let Some(cpu) = super::x86_64::Avx2::new() {
            return cpu.apply(Elimination { u, lines });
        }
    }
    forward(u, lines);
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
struct Elimination<'a> {
    u: &'a Square,
    lines: &'a mut Square,
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
impl super::work::Work for Elimination<'_> {
    #[inline(always)]
    fn run(self, _: impl super::work::Instructions) {
        forward(self.u, self.lines);
    }
}

/// The written definition. So many columns are made into vectors; what is narrower the compiler takes apart.
fn sums(a: &[Line], b: &[Line], columns: usize, out: &mut Square) {
    const COLUMNS: usize = 32;
    let parts = columns.div_ceil(COLUMNS);
    for (row, line) in out.iter_mut().enumerate() {
        let own = line.as_chunks_mut::<COLUMNS>().0.iter_mut().take(parts);
        for (column, part) in own.enumerate() {
            let mut sums = [0.0_f32; COLUMNS];
            for (a, b) in a.iter().zip(b) {
                let (factor, b) = (a[row], &b.as_chunks::<COLUMNS>().0[column]);
                sums = core::array::from_fn(|at| sums[at] + factor * b[at]);
            }
            *part = sums;
        }
    }
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "it counts rows and columns of one square")]
fn forward(u: &Square, lines: &mut Square) {
    for p in 0..SIDE {
        let (done, rest) = lines.split_at_mut(p);
        let line = &mut rest[0];
        for (m, above) in done.iter().enumerate() {
            let factor = u[m][p];
            for (x, y) in line.iter_mut().zip(above) {
                *x -= factor * y;
            }
        }
        let inverse = u[p][p];
        line.iter_mut().for_each(|x| *x *= inverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn filled(random: &mut Random, rows: usize) -> std::vec::Vec<Line> {
        let mut next = || random.next_u32() as f32 / u32::MAX as f32 - 0.5;
        (0..rows).map(|_| core::array::from_fn(|_| next())).collect()
    }

    #[test]
    fn every_kernel_has_the_bits_of_one_sum_after_the_other() {
        let mut random = Random::new(4);
        for rows in [0, 1, 7, 64, 100] {
            let (a, b) = (filled(&mut random, rows), filled(&mut random, rows));
            let mut expected = [[0.0; SIDE]; SIDE];
            for (i, line) in expected.iter_mut().enumerate() {
                for (j, sum) in line.iter_mut().enumerate() {
                    *sum = a.iter().zip(&b).fold(0.0, |sum, (a, b)| sum + a[i] * b[j]);
                }
            }
            let mut found = std::vec![[[9.0; SIDE]; SIDE]; 2];
            product(&a, &b, SIDE, &mut found[0]);
            sums(&a, &b, SIDE, &mut found[1]);
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            {
                use crate::kernels::x86_64::{Avx2, Avx512Vnni};
                let mut of = |run: &dyn Fn(&mut Square)| {
                    let mut out = [[9.0; SIDE]; SIDE];
                    run(&mut out);
                    found.push(out);
                };
                Avx2::new().inspect(|cpu| of(&|out| cpu.product(&a, &b, SIDE, out)));
                Avx512Vnni::new().inspect(|cpu| of(&|out| cpu.product(&a, &b, out)));
            }
            assert!(found.iter().all(|found| *found == expected));
            for columns in [0, 1, 10, 32, 33] {
                let mut some = [[[9.0; SIDE]; SIDE]; 2];
                product(&a, &b, columns, &mut some[0]);
                sums(&a, &b, columns, &mut some[1]);
                for (some, whole) in some.as_flattened().iter().zip(expected.iter().cycle()) {
                    assert_eq!(some[..columns], whole[..columns]);
                }
            }
        }
    }

    #[test]
    fn every_kernel_sums_whole_numbers() {
        let mut random = Random::new(6);
        for (lines, least) in [(0, false), (1, false), (7, false), (300, false), (MOST_PAIRS, true)]
        {
            let mut fill = || -> std::vec::Vec<Pairs> {
                let mut next = || if least { -128 } else { i16::from(random.next_u32() as i8) };
                (0..lines).map(|_| core::array::from_fn(|_| [next(), next()])).collect()
            };
            let (a, b) = (fill(), fill());
            let mut found = std::vec![[[9; SIDE]; SIDE]; 2];
            whole_product(&a, &b, &mut found[0]);
            whole_sums(&a, &b, &mut found[1]);
            #[cfg(all(feature = "std", target_arch = "x86_64"))]
            {
                use crate::kernels::x86_64::{Avx2, Avx512Vnni};
                let mut of = |run: &dyn Fn(&mut [[i32; SIDE]; SIDE])| {
                    let mut out = [[9; SIDE]; SIDE];
                    run(&mut out);
                    found.push(out);
                };
                Avx2::new().inspect(|cpu| of(&|out| cpu.whole_product(&a, &b, out)));
                Avx512Vnni::new().inspect(|cpu| of(&|out| cpu.whole_product(&a, &b, out)));
            }
            for (i, j) in [(0, 0), (3, 63), (63, 5), (17, 31)] {
                let of = |k: usize, at: usize| i64::from(a[k][i][at]) * i64::from(b[k][j][at]);
                let expected: i64 = (0..lines).map(|k| of(k, 0) + of(k, 1)).sum();
                assert!(found.iter().all(|found| i64::from(found[i][j]) == expected), "{i} {j}");
            }
            assert!(found.iter().all(|other| *other == found[0]), "{lines}");
        }
    }

    #[test]
    fn elimination_solves_a_triangle() {
        let mut random = Random::new(5);
        let lines = filled(&mut random, SIDE);
        let mut u: Square = lines.as_slice().try_into().unwrap();
        (0..SIDE).for_each(|p| u[p][p] = 0.25);
        let wanted: Square = filled(&mut random, SIDE).as_slice().try_into().unwrap();
        // What the triangle makes of it, whose diagonal is 4.
        let mut lines = [[0.0; SIDE]; SIDE];
        for p in 0..SIDE {
            for column in 0..SIDE {
                let above: f32 = (0..p).map(|m| u[m][p] * wanted[m][column]).sum();
                lines[p][column] = above + 4.0 * wanted[p][column];
            }
        }
        let mut found = lines;
        eliminate(&u, &mut found);
        for (found, wanted) in found.as_flattened().iter().zip(wanted.as_flattened()) {
            assert!((found - wanted).abs() < 1e-3, "{found} {wanted}");
        }
        forward(&u, &mut lines);
        assert_eq!(lines, found);
    }
}
