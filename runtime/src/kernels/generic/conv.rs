use super::{Convolution, finish};
use crate::backbone::{BLOCK, QUAD, WeightRows};

/// A convolution in any number of groups, of the output pixels from `first` on that `out` holds.
/// The weights lie as [`WeightRows`] says.
#[inline(always)]
pub fn conv(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let rows = c.weight_rows();
    let group_bytes = rows.bytes().unwrap_or(0);
    let depth = c.x.channels / c.groups;
    let records = c.channels.records();
    let pixels = out.chunks_exact_mut(c.to.channels);
    for (index, pixel) in (first..).zip(pixels) {
        for (group, results) in pixel.chunks_exact_mut(rows.outputs).enumerate() {
            let weights = &c.weights[group * group_bytes..][..group_bytes];
            let records = &records[group * rows.outputs..][..rows.outputs];
            for (block, results) in results.chunks_mut(BLOCK).enumerate() {
                let sums = sums(c, index, group * depth, rows, block, weights);
                finish(&sums, &records[block * BLOCK..], &c.to, results);
            }
        }
    }
}

/// `Σ x · w` of a block's channels at output pixel `index`; padding reads the input's zero point.
#[inline(always)]
fn sums(
    c: &Convolution<'_>,
    index: usize,
    first_input: usize,
    rows: WeightRows,
    block: usize,
    weights: &[i8],
) -> [i32; BLOCK] {
    let (window, depth) = (c.window, c.x.channels / c.groups);
    let (row, column) = (index / c.to.width, index % c.to.width);
    let inside = [window.inside(0, row, c.x.height), window.inside(1, column, c.x.width)];
    let width = rows.width(block);
    let weights = &weights[block * BLOCK * rows.quads() * QUAD..];
    let mut sums = [0_i32; BLOCK];
    let mut product = 0;
    for ky in 0..usize::from(window.kernel[0]) {
        for kx in 0..usize::from(window.kernel[1]) {
            let source = (inside[0].contains(&ky) && inside[1].contains(&kx)).then(|| {
                let y = window.position(0, row, ky);
                let at = y * c.x.width + window.position(1, column, kx);
                &c.x.data[at * c.x.channels + first_input..][..depth]
            });
            for i in 0..depth {
                let x = i32::from(source.map_or(c.x.zero_point, |source| source[i]));
                let quad = &weights[product / QUAD * width * QUAD..][..width * QUAD];
                for (sum, quad) in sums.iter_mut().zip(quad.as_chunks::<QUAD>().0) {
                    *sum = sum.wrapping_add(x * i32::from(quad[product % QUAD]));
                }
                product += 1;
            }
        }
    }
    sums
}
