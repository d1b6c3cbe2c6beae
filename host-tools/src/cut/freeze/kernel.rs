//! Sample-by-sample products, and the inverse of a positive definite matrix.

/// A symmetric matrix, whole rows stored.
#[derive(Clone)]
pub(super) struct Matrix {
    pub(super) order: usize,
    pub(super) rows: Vec<f64>,
}

impl Matrix {
    /// The centred and scaled samples' products with each other: `x · xᵀ`, rows of `x` being
    /// samples whose columns have mean 0.
    pub(super) fn products(samples: &[Vec<f32>]) -> Self {
        let order = samples.len();
        let mut rows = vec![0.0; order * order];
        for (i, a) in samples.iter().enumerate() {
            for (j, b) in samples[..=i].iter().enumerate() {
                let product = dot(a, b);
                rows[i * order + j] = product;
                rows[j * order + i] = product;
            }
        }
        Self { order, rows }
    }

    pub(super) fn row(&self, index: usize) -> &[f64] {
        &self.rows[index * self.order..][..self.order]
    }

    pub(super) fn mean_of_diagonal(&self) -> f64 {
        (0..self.order).map(|i| self.row(i)[i]).sum::<f64>() / self.order.max(1) as f64
    }

    /// The inverse of this matrix with `ridge` added to its diagonal and `constant` to all of it;
    /// `None` if that is not positive definite.
    pub(super) fn regularised_inverse(&self, ridge: f64, constant: f64) -> Option<Self> {
        let n = self.order;
        let mut factor = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let (head, tail) = factor.split_at(i * n);
                let own = &tail[..j];
                let other = if i == j { own } else { &head[j * n..][..j] };
                let mut value = self.row(i)[j] + constant - dot64(own, other);
                if i == j {
                    value += ridge;
                    if value.is_nan() || value <= 0.0 {
                        return None;
                    }
                    factor[i * n + i] = value.sqrt();
                } else {
                    factor[i * n + j] = value / factor[j * n + j];
                }
            }
        }
        Some(Self { order: n, rows: inverse_from_factor(&factor, n) })
    }
}

/// `(L · Lᵀ)⁻¹`, from the rows of the inverse of `L`.
fn inverse_from_factor(factor: &[f64], n: usize) -> Vec<f64> {
    // Row j of `columns` is column j of L⁻¹, so that both loops walk along rows.
    let mut columns = vec![0.0; n * n];
    for j in 0..n {
        let column = &mut columns[j * n..][..n];
        column[j] = 1.0 / factor[j * n + j];
        for i in j + 1..n {
            let sum = dot64(&factor[i * n + j..][..i - j], &column[j..i]);
            column[i] = -sum / factor[i * n + i];
        }
    }
    let mut inverse = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let value = dot64(&columns[i * n + i..][..n - i], &columns[j * n + i..][..n - i]);
            inverse[i * n + j] = value;
            inverse[j * n + i] = value;
        }
    }
    inverse
}

/// Eight partial sums, so that the compiler may use vector registers.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0_f32; 8];
    for (x, y) in a8.zip(b8) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    f64::from(sums.iter().sum::<f32>() + rest)
}

fn dot64(a: &[f64], b: &[f64]) -> f64 {
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    let mut sums = [0.0; 4];
    for (x, y) in a4.zip(b4) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        let samples: Vec<Vec<f32>> =
            (0..9).map(|i| (0..13).map(|j| ((i * 7 + j * 5) % 11) as f32).collect()).collect();
        let matrix = Matrix::products(&samples);
        assert_eq!(
            matrix.row(3)[5],
            samples[3].iter().zip(&samples[5]).map(|(a, b)| f64::from(a * b)).sum::<f64>()
        );
        let inverse = matrix.regularised_inverse(2.0, 0.5).unwrap();
        for i in 0..9 {
            for j in 0..9 {
                let value: f64 = (0..9)
                    .map(|k| {
                        let ridge = if i == k { 2.5 } else { 0.5 };
                        (matrix.row(i)[k] + ridge) * inverse.row(k)[j]
                    })
                    .sum();
                assert!((value - f64::from(u8::from(i == j))).abs() < 1e-9);
            }
        }
        assert!(Matrix { order: 1, rows: vec![-1.0] }.regularised_inverse(0.0, 0.0).is_none());
    }
}
