use super::{Convolution, finish};

/// Channels whose sums are finished together.
const TOGETHER: usize = 64;

/// Computes a convolution of each channel on its own, of the output pixels from `first` on that `out` holds. The weights are
/// `[row][column][channel]`.
#[inline(always)]
pub fn depthwise(c: &Convolution<'_>, first: usize, out: &mut [i8]) {
    let (x, window) = (&c.x, c.window);
    let kernel_width = usize::from(window.kernel[1]);
    let padding = [x.zero_point; TOGETHER];
    let records = c.channels.records();
    for (index, pixel) in (first..).zip(out.chunks_exact_mut(x.channels)) {
        let (row, column) = (index / c.to.width, index % c.to.width);
        let rows = window.inside(0, row, x.height);
        let columns = window.inside(1, column, x.width);
        for (block, results) in pixel.chunks_mut(TOGETHER).enumerate() {
            let first = block * TOGETHER;
            let mut sums = [0_i32; TOGETHER];
            let sums = &mut sums[..results.len()];
            for ky in 0..usize::from(window.kernel[0]) {
                for kx in 0..kernel_width {
                    let w = &c.weights[(ky * kernel_width + kx) * x.channels + first..];
                    let source = if rows.contains(&ky) && columns.contains(&kx) {
                        let y = window.position(0, row, ky);
                        let start = y * x.width + window.position(1, column, kx);
                        &x.data[start * x.channels + first..]
                    } else {
                        &padding
                    };
                    for ((sum, &x), &w) in sums.iter_mut().zip(source).zip(w) {
                        let product = i16::from(x).wrapping_mul(i16::from(w));
                        *sum = sum.wrapping_add(i32::from(product));
                    }
                }
            }
            finish(sums, &records[first..], &c.to, results);
        }
    }
}
