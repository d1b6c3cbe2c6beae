//! The long loops of heads, on whole chunks of eight numbers: portable, or for the target.
//!
//! Every one does the same operations on each number in the same order, so the bits are the same.

#[cfg(headstart_dsp)]
mod dsp;

/// `lanes[i] += weights[c][i] · features[c][i]`, chunk after chunk.
#[inline(always)]
pub(crate) fn dot(weights: &[[f32; 8]], features: &[[i8; 8]], lanes: [f32; 8]) -> [f32; 8] {
    let mut lanes = lanes;
    #[cfg(headstart_dsp)]
    dsp::dot(weights, features, &mut lanes);
    #[cfg(not(headstart_dsp))]
    for (weights, features) in weights.iter().zip(features) {
        let features = features.map(f32::from);
        lanes = core::array::from_fn(|lane| lanes[lane] + weights[lane] * features[lane]);
    }
    lanes
}

/// Four sums of products with one slice, each in eight lanes that are added in pairs at the end, where there is a
/// kernel for them.
#[inline]
pub(crate) fn dots(rows: [&[f32]; 4], x: &[f32]) -> Option<[f32; 4]> {
    #[cfg(all(feature = "std", target_arch = "x86_64"))]
    if let Some(cpu) = super::x86_64::Avx2::new() {
        return Some(cpu.dots(rows, x));
    }
    #[cfg(all(feature = "std", target_arch = "aarch64"))]
    if let Some(cpu) = super::aarch64::Neon::new() {
        return Some(cpu.dots(rows, x));
    }
    #[cfg(all(headstart_vectors, target_arch = "wasm32"))]
    if let Some(cpu) = super::wasm32::Simd128::new() {
        return Some(cpu.dots(rows, x));
    }
    let _ = (rows, x);
    None
}

/// `Σ (f − c)²` and `Σ (f − c) · c`, exact.
#[inline(always)]
pub(crate) fn distance(features: &[i8], centre: &[i8]) -> [i64; 2] {
    let mut sums = [0_i64; 2];
    #[cfg(headstart_dsp)]
    let (features, centre) = {
        let (features, centre) = (features.as_chunks(), centre.as_chunks());
        dsp::distance(features.0, centre.0, &mut sums);
        (features.1, centre.1)
    };
    for (&feature, &centre) in features.iter().zip(centre) {
        let x = i32::from(feature) - i32::from(centre);
        sums[0] += i64::from(x * x);
        sums[1] += i64::from(x * i32::from(centre));
    }
    sums
}

/// `weights[class][f] += changes[class] · (features[f] − centre[f])`.
#[inline(always)]
pub(crate) fn move_weights(weights: &mut [f32], changes: &[f32], features: &[i8], centre: &[i8]) {
    let length = features.len();
    #[cfg(headstart_dsp)]
    let done = {
        let (features, centre) = (features.as_chunks().0, centre.as_chunks().0);
        dsp::move_weights(weights, changes, features, centre, length);
        8 * features.len()
    };
    #[cfg(not(headstart_dsp))]
    let done = 0;
    for (row, &change) in weights.chunks_exact_mut(length).zip(changes) {
        let rest = row[done..].iter_mut().zip(&features[done..]).zip(&centre[done..]);
        for ((weight, &feature), &centre) in rest {
            *weight += change * (f32::from(feature) - f32::from(centre));
        }
    }
}
