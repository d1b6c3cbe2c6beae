use super::{Convolution, finish};
use crate::network::{BLOCK, QUAD, WeightRows};

/// Computes a convolution in any number of groups, of the output pixels from `first` on that `out` holds. The weights lie as [`WeightRows`]
/// says.
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
    let mut quads = weights.chunks_exact(width * QUAD);
    let mut sums = [0_i32; BLOCK];
    let (mut inputs, mut held) = ([0_i8; QUAD], 0);
    for ky in 0..usize::from(window.kernel[0]) {
        for kx in 0..usize::from(window.kernel[1]) {
            let source = (inside[0].contains(&ky) && inside[1].contains(&kx)).then(|| {
                let y = window.position(0, row, ky);
                let at = y * c.x.width + window.position(1, column, kx);
                &c.x.data[at * c.x.channels + first_input..][..depth]
            });
            for i in 0..depth {
                inputs[held] = source.map_or(c.x.zero_point, |source| source[i]);
                held += 1;
                if held == QUAD {
                    multiply(inputs, quads.next(), &mut sums);
                    held = 0;
                }
            }
        }
    }
    if held > 0 {
        // The weights behind the last product are zero, whatever the inputs hold.
        multiply(inputs, quads.next(), &mut sums);
    }
    sums
}

/// Adds the products of four inputs with four weights of each channel.
// Once in firmware, which calls it from two places.
#[cfg_attr(feature = "std", inline(always))]
#[cfg_attr(not(feature = "std"), inline(never))]
fn multiply(inputs: [i8; QUAD], weights: Option<&[i8]>, sums: &mut [i32; BLOCK]) {
    // Not `map`, which optimised for size is a loop over memory: it was half of all instructions of a core without fast kernels.
    let [x, y, z, u] = inputs;
    let [x, y, z, u] = [i32::from(x), i32::from(y), i32::from(z), i32::from(u)];
    let channels = weights.unwrap_or(&[]).as_chunks::<QUAD>().0;
    for (sum, [a, b, c, d]) in sums.iter_mut().zip(channels) {
        let near = x * i32::from(*a) + y * i32::from(*b);
        *sum = sum.wrapping_add(near + z * i32::from(*c) + u * i32::from(*d));
    }
}
