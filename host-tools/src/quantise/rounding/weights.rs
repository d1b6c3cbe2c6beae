/// One output channel's weights as int8, symmetric: `real = q · scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantisedChannel {
    /// The integer weights, −127…127.
    pub weights: Vec<i8>,
    /// Real value of one step.
    pub scale: f32,
}

/// Quantises one channel with the scale of least squared error, which is never below
/// `least_scale` (what the channel's bias needs to fit into int32).
#[must_use]
pub fn quantise_channel(weights: &[f32], least_scale: f32) -> QuantisedChannel {
    let largest = weights.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
    let full = (largest / 127.0).max(least_scale);
    if !full.is_normal() {
        return QuantisedChannel { weights: vec![0; weights.len()], scale: 1.0 };
    }
    // With 254 steps clipping pays for long, peaked rows only; below 0.7 it never did.
    let candidates = (0..=15).map(|step| full * (1.0 - 0.02 * step as f32));
    let scale = candidates
        .filter(|&scale| scale >= least_scale)
        .map(|scale| (squared_error(weights, scale), scale))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(full, |(_, scale)| scale);
    QuantisedChannel { weights: weights.iter().map(|&w| round(w, scale)).collect(), scale }
}

/// Weights as whole numbers of steps of `scale`, and how many of them were −128, which the format does not hold: they are −127. `None` if
/// one lies farther out.
#[must_use]
pub fn on_scale(weights: &[f32], scale: f32) -> Option<(QuantisedChannel, usize)> {
    let integers: Vec<f32> = weights.iter().map(|w| (w / scale).round_ties_even()).collect();
    if !integers.iter().all(|q| (-128.0..=127.0).contains(q)) {
        return None;
    }
    let cut = integers.iter().filter(|&&q| q == -128.0).count();
    let weights = integers.iter().map(|q| q.max(-127.0) as i8).collect();
    Some((QuantisedChannel { weights, scale }, cut))
}

fn round(weight: f32, scale: f32) -> i8 {
    (weight / scale).round_ties_even().clamp(-127.0, 127.0) as i8
}

fn squared_error(weights: &[f32], scale: f32) -> f64 {
    let error = |w: f32| f64::from(f32::from(round(w, scale)) * scale - w);
    weights.iter().map(|&w| error(w).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_on_the_grid_are_exact() {
        let weights: Vec<f32> = (-127..=127).map(|q| q as f32 * 0.25).collect();
        let channel = quantise_channel(&weights, 0.0);
        assert_eq!(channel.scale, 0.25);
        assert!(channel.weights.iter().map(|&q| i32::from(q)).eq(-127..=127));
    }

    #[test]
    fn a_models_own_integers_come_back() {
        for scale in [3.1e-5_f32, 0.007, 0.1, 1.7] {
            let real: Vec<f32> = (-127..=127).map(|q| q as f32 * scale).collect();
            let (channel, cut) = on_scale(&real, scale).unwrap();
            assert!(channel.weights.iter().map(|&q| i32::from(q)).eq(-127..=127));
            assert_eq!((channel.scale, cut), (scale, 0));
            let (channel, cut) = on_scale(&[-128.0 * scale, scale], scale).unwrap();
            assert_eq!((channel.weights, cut), (vec![-127, 1], 1));
            assert_eq!(on_scale(&[128.0 * scale], scale), None);
        }
    }

    #[test]
    fn a_large_bias_widens_the_step() {
        assert_eq!(quantise_channel(&[1.0, -1.0], 0.5).scale, 0.5);
        assert_eq!(quantise_channel(&[0.0; 3], 0.0).weights, [0; 3]);
    }
}
