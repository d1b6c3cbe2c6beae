use super::{Output, Tensor};

/// Computes softmax over channels; `table` holds 256 float32, little-endian, entry `d` being `e^(−d · input scale)`.
pub fn softmax(x: Tensor<'_>, table: &[u8], multiplier: f32, to: Output, out: &mut [i8]) {
    let entry = |distance: usize| {
        let at = distance * 4;
        f32::from_le_bytes([table[at], table[at + 1], table[at + 2], table[at + 3]])
    };
    let pixels = x.data.chunks_exact(x.channels).zip(out.chunks_exact_mut(x.channels));
    for (logits, results) in pixels {
        let greatest = logits.iter().fold(i8::MIN, |a, &b| a.max(b));
        let exponential = |q: i8| entry(usize::from(greatest.abs_diff(q)));
        let sum: f32 = logits.iter().map(|&q| exponential(q)).sum();
        for (result, &q) in results.iter_mut().zip(logits) {
            *result = to.quantise(exponential(q) / sum * multiplier);
        }
    }
}
