//! Elementwise kernels, a few elements at a time.

/// Calls `step` with `N` elements of both operands after another, and with what is left of them at
/// the front of arrays of zeros. All three are of one length.
#[inline(always)]
pub(super) fn in_steps<const N: usize>(
    a: &[i8],
    b: &[i8],
    out: &mut [i8],
    step: impl Fn(&[i8; N], &[i8; N]) -> [i8; N],
) {
    let (whole, rest) = out.as_chunks_mut::<N>();
    let (whole_a, rest_a) = a.as_chunks::<N>();
    let (whole_b, rest_b) = b.as_chunks::<N>();
    for ((out, x), y) in whole.iter_mut().zip(whole_a).zip(whole_b) {
        *out = step(x, y);
    }
    if !rest.is_empty() {
        let (mut x, mut y) = ([0; N], [0; N]);
        x[..rest_a.len()].copy_from_slice(rest_a);
        y[..rest_b.len()].copy_from_slice(rest_b);
        rest.copy_from_slice(&step(&x, &y)[..rest.len()]);
    }
}
