//! Constants of a model as real numbers, and scales.

use headstart::graph::Scale;

use super::schema::{Kind, Tensor};
use super::sparse::dense;

type Outcome<T> = Result<T, String>;

impl Tensor<'_> {
    /// The tensor's own scale, if it has one: that of a computed tensor.
    ///
    /// # Errors
    ///
    /// The text names what is out of range, or a type that is not supported.
    pub(super) fn scale(&self) -> Outcome<Option<Scale>> {
        let shift = match self.kind {
            Kind::Float32 | Kind::Float16 | Kind::Bool => return Ok(None),
            Kind::Int8 => 0,
            Kind::Uint8 => 128,
            other => {
                return Err(format!(
                    "is computed as {other}; float32, int8 and uint8 are supported"
                ));
            }
        };
        self.check_scales()?;
        let (&[scale], [] | [_]) = (&self.scales[..], &self.zero_points[..]) else {
            return Err(format!(
                "is computed, and has {} scales; one is supported",
                self.scales.len()
            ));
        };
        let stated = self.zero_points.first().copied().unwrap_or(0);
        let zero_point = stated.checked_sub(shift).and_then(|zero| i8::try_from(zero).ok());
        let zero_point = zero_point.ok_or_else(|| format!("has a zero point of {stated}"))?;
        Ok(Some(Scale::Tensor { scale, zero_point }))
    }

    fn check_scales(&self) -> Outcome<()> {
        match self.scales.iter().find(|scale| !(scale.is_finite() && **scale > 0.0)) {
            Some(bad) => Err(format!("has a scale of {bad}; scales are finite and above 0")),
            None => Ok(()),
        }
    }

    /// The elements of a constant of whole numbers: axes, extents.
    pub(super) fn integers(&self) -> Outcome<Vec<i64>> {
        if self.sparsity.is_some() {
            return Err("is sparse, a plain list of whole numbers is expected".into());
        }
        let data = self.data.ok_or("is computed, a constant is expected")?;
        let found: Vec<i64> = match self.kind {
            Kind::Int32 => {
                data.as_chunks().0.iter().map(|&word| i64::from(i32::from_le_bytes(word))).collect()
            }
            Kind::Int64 => {
                data.as_chunks().0.iter().map(|&word| i64::from_le_bytes(word)).collect()
            }
            other => return Err(format!("is {other}, whole numbers are expected")),
        };
        self.placed(found)
    }

    /// The elements that are stored, with the zeros between them that a sparse constant leaves out.
    fn placed<T: Copy + Default>(&self, stored: Vec<T>) -> Outcome<Vec<T>> {
        if let Some(sparsity) = &self.sparsity {
            return dense(sparsity, &self.shape, &stored);
        }
        let expected: usize = self.shape.iter().product();
        match stored.len() == expected {
            true => Ok(stored),
            false => Err(format!(
                "has {} elements of data, its shape {:?} {expected}",
                stored.len(),
                self.shape
            )),
        }
    }

    /// The elements of a constant as real numbers, and their scales, if it is quantised.
    pub(super) fn reals(&self) -> Outcome<(Vec<f32>, Option<Scale>)> {
        let data = self.data.ok_or("is computed, a constant is expected")?;
        let size = match self.kind {
            Kind::Int8 | Kind::Uint8 => 1,
            Kind::Float16 => 2,
            Kind::Float32 | Kind::Int32 => 4,
            Kind::Int64 | Kind::Bool | Kind::Other(_) => {
                return Err(format!(
                    "is a constant of {}; float32, float16, int8, uint8 and int32 are supported",
                    self.kind
                ));
            }
        };
        if !data.len().is_multiple_of(size) {
            return Err(format!("has {} bytes, elements have {size}", data.len()));
        }
        let words = || data.as_chunks::<4>().0.iter();
        let integers: Vec<i32> = match self.kind {
            Kind::Float32 => {
                let reals = words().map(|&word| f32::from_le_bytes(word)).collect();
                return Ok((self.placed(reals)?, None));
            }
            Kind::Float16 => {
                let half = |&word: &[u8; 2]| half::f16::from_le_bytes(word).to_f32();
                return Ok((self.placed(data.as_chunks().0.iter().map(half).collect())?, None));
            }
            Kind::Int8 => data.iter().map(|&byte| i32::from(byte.cast_signed())).collect(),
            Kind::Uint8 => data.iter().map(|&byte| i32::from(byte)).collect(),
            _ => words().map(|&word| i32::from_le_bytes(word)).collect(),
        };
        self.dequantised(&self.placed(integers)?)
    }

    fn dequantised(&self, integers: &[i32]) -> Outcome<(Vec<f32>, Option<Scale>)> {
        self.check_scales()?;
        let count = self.scales.len();
        if count == 0 {
            return Err("is a constant of integers without a scale".into());
        }
        if count > 1 && self.shape.get(self.axis) != Some(&count) {
            return Err(format!(
                "has {count} scales along axis {} of its shape {:?}",
                self.axis, self.shape
            ));
        }
        let zeros = match self.zero_points.len() {
            0 => vec![0; count],
            1 => vec![self.zero_points[0]; count],
            n if n == count => self.zero_points.clone(),
            n => return Err(format!("has {count} scales and {n} zero points")),
        };
        let inner = self.shape.iter().skip(self.axis.saturating_add(1)).product::<usize>().max(1);
        let real = |(flat, &q): (usize, &i32)| {
            let index = if count == 1 { 0 } else { flat / inner % count };
            ((f64::from(q) - zeros[index] as f64) * f64::from(self.scales[index])) as f32
        };
        let axis = if count == 1 { 0 } else { self.axis };
        let scale = Scale::Constant { scales: self.scales.as_slice().into(), axis };
        Ok((integers.iter().enumerate().map(real).collect(), Some(scale)))
    }
}
