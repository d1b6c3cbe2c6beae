//! Small integer tensors, evaluated while a model is read.
//!
//! Exporters compute the shape of a `Reshape` from the shapes of other tensors. Here every shape is
//! known, so that all of it is arithmetic on a handful of numbers.

use super::attributes::axis as resolve_axis;
use super::tensor::MAX_INTEGERS;

type Outcome<T> = Result<T, String>;

/// An integer tensor of at most [`MAX_INTEGERS`] elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Integers {
    /// Its dimensions; empty for a scalar.
    pub(super) shape: Vec<usize>,
    /// Its elements, row-major.
    pub(super) data: Vec<i64>,
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
}

fn count(shape: &[usize]) -> Outcome<usize> {
    shape
        .iter()
        .try_fold(1_usize, |product, &extent| product.checked_mul(extent))
        .filter(|&count| count <= MAX_INTEGERS)
        .ok_or_else(|| format!("an integer tensor of shape {shape:?} is too large"))
}

impl Integers {
    /// One dimension of these elements.
    pub(super) fn list(data: Vec<i64>) -> Self {
        Self { shape: vec![data.len()], data }
    }

    /// `shape`, filled with `value`.
    pub(super) fn filled(shape: Vec<usize>, value: i64) -> Outcome<Self> {
        let data = vec![value; count(&shape)?];
        Ok(Self { shape, data })
    }

    /// The elements as extents of a shape.
    pub(super) fn extents(&self) -> Outcome<Vec<usize>> {
        let extent = |&x: &i64| usize::try_from(x).map_err(|_| format!("{x} is no extent"));
        self.data.iter().map(extent).collect()
    }

    /// The same elements in another shape, which has as many.
    pub(super) fn reshaped(self, shape: Vec<usize>) -> Outcome<Self> {
        if count(&shape)? != self.data.len() {
            return Err(format!("{:?} integers do not reshape to {shape:?}", self.shape));
        }
        Ok(Self { shape, data: self.data })
    }

    /// Elements before, along and after `axis`.
    fn around(&self, axis: usize) -> (usize, usize, usize) {
        let inner = self.shape[axis + 1..].iter().product();
        (self.shape[..axis].iter().product(), self.shape[axis], inner)
    }

    /// `Gather`: the slices of `axis` that `indices` name.
    pub(super) fn gather(&self, indices: &Self, axis: i64) -> Outcome<Self> {
        let axis = resolve_axis(axis, self.shape.len())?;
        let (outer, along, inner) = self.around(axis);
        let indices_at = indices
            .data
            .iter()
            .map(|&index| resolve_axis(index, along))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| format!("an index of {:?} is outside {along}", indices.data))?;
        let shape = [&self.shape[..axis], &indices.shape, &self.shape[axis + 1..]].concat();
        let mut data = Vec::with_capacity(count(&shape)?);
        for o in 0..outer {
            for &index in &indices_at {
                let start = (o * along + index) * inner;
                data.extend_from_slice(&self.data[start..start + inner]);
            }
        }
        Ok(Self { shape, data })
    }

    /// `Slice` along one axis, with ONNX's clamping of both ends.
    pub(super) fn slice(&self, axis: i64, start: i64, end: i64, step: i64) -> Outcome<Self> {
        let axis = resolve_axis(axis, self.shape.len())?;
        let (outer, along, inner) = self.around(axis);
        let extent = along as i64;
        let from_end = |x: i64| if x < 0 { x.saturating_add(extent) } else { x };
        let (lowest, highest) = match step {
            0 => return Err("a slice with a step of 0".to_owned()),
            1.. => (0, extent),
            _ => (-1, extent - 1),
        };
        let mut at = from_end(start).clamp(lowest, highest);
        // A negative step may end before the first element, which only a very negative end says.
        let end = from_end(end).clamp(lowest, highest);
        let mut picked = Vec::new();
        while (step > 0 && at < end) || (step < 0 && at > end) {
            picked.push(at as usize);
            at = at.saturating_add(step);
        }
        let mut shape = self.shape.clone();
        shape[axis] = picked.len();
        let mut data = Vec::with_capacity(count(&shape)?);
        for o in 0..outer {
            for &index in &picked {
                let start = (o * along + index) * inner;
                data.extend_from_slice(&self.data[start..start + inner]);
            }
        }
        Ok(Self { shape, data })
    }

    /// `Transpose`: axis `i` of the result is axis `permutation[i]`.
    pub(super) fn transpose(&self, permutation: &[usize]) -> Outcome<Self> {
        let rank = self.shape.len();
        if permutation.len() != rank || !(0..rank).all(|axis| permutation.contains(&axis)) {
            return Err(format!("{permutation:?} is no order of {rank} axes"));
        }
        let shape: Vec<_> = permutation.iter().map(|&axis| self.shape[axis]).collect();
        let stride = |axis: usize| self.shape[axis + 1..].iter().product::<usize>();
        let strides: Vec<_> = permutation.iter().map(|&axis| stride(axis)).collect();
        let element = |mut flat: usize| {
            let mut from = 0;
            for (extent, stride) in shape.iter().zip(&strides).rev() {
                from += flat % extent * stride;
                flat /= extent;
            }
            self.data[from]
        };
        let data = (0..self.data.len()).map(element).collect();
        Ok(Self { shape, data })
    }

    /// `Concat`.
    pub(super) fn concat(parts: &[Self], axis: i64) -> Outcome<Self> {
        let first = parts.first().ok_or("nothing to concatenate")?;
        let axis = resolve_axis(axis, first.shape.len())?;
        let fits = |part: &Self| {
            part.shape.len() == first.shape.len()
                && part.shape[..axis] == first.shape[..axis]
                && part.shape[axis + 1..] == first.shape[axis + 1..]
        };
        if !parts.iter().all(fits) {
            return Err("integer tensors of shapes that do not concatenate".to_owned());
        }
        let mut shape = first.shape.clone();
        shape[axis] = parts.iter().map(|part| part.shape[axis]).sum();
        let mut data = Vec::with_capacity(count(&shape)?);
        for outer in 0..first.around(axis).0 {
            for part in parts {
                let (_, along, inner) = part.around(axis);
                data.extend_from_slice(&part.data[outer * along * inner..][..along * inner]);
            }
        }
        Ok(Self { shape, data })
    }

    /// An arithmetic operator, one of the operands a single element or both of one shape.
    pub(super) fn arithmetic(&self, operator: Arithmetic, other: &Self) -> Outcome<Self> {
        let shape = if self.data.len() == 1 && other.shape.len() >= self.shape.len() {
            &other.shape
        } else {
            &self.shape
        };
        let length = self.data.len().max(other.data.len());
        let pick = |operand: &Self, i: usize| match operand.data.as_slice() {
            &[value] => value,
            values => values[i],
        };
        if count(shape)? != length
            || (self.shape != other.shape && self.data.len() != 1 && other.data.len() != 1)
        {
            return Err(format!(
                "integer tensors of shapes {:?} and {:?}; equal shapes or a single element are \
                 supported",
                self.shape, other.shape
            ));
        }
        let compute = |i: usize| {
            let (a, b) = (pick(self, i), pick(other, i));
            let result = match operator {
                Arithmetic::Add => a.checked_add(b),
                Arithmetic::Sub => a.checked_sub(b),
                Arithmetic::Mul => a.checked_mul(b),
                Arithmetic::Div => a.checked_div(b),
            };
            result.ok_or_else(|| format!("{operator:?} of {a} and {b} has no result"))
        };
        Ok(Self { shape: shape.clone(), data: (0..length).map(compute).collect::<Outcome<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Integers {
        Integers { shape: vec![2, 3], data: vec![0, 1, 2, 10, 11, 12] }
    }

    #[test]
    fn gather_takes_slices_of_either_axis() {
        let scalar = Integers { shape: vec![], data: vec![-1] };
        assert_eq!(Integers::list(vec![1, 64, 7, 7]).gather(&scalar, 0).unwrap().data, [7]);
        let columns = matrix().gather(&Integers::list(vec![2, 0]), 1).unwrap();
        assert_eq!((columns.shape, columns.data), (vec![2, 2], vec![2, 0, 12, 10]));
        assert!(matrix().gather(&Integers::list(vec![2]), 0).is_err());
    }

    #[test]
    fn slices_clamp_and_step_both_ways() {
        let list = Integers::list(vec![0, 1, 2, 3, 4]);
        let cases: &[(i64, i64, i64, &[i64])] = &[
            (1, 3, 1, &[1, 2]),
            (-2, i64::MAX, 1, &[3, 4]),
            (0, 5, 2, &[0, 2, 4]),
            (-1, i64::MIN, -1, &[4, 3, 2, 1, 0]),
            (3, 0, -2, &[3, 1]),
            (9, 10, 1, &[]),
            (0, 5, i64::MAX, &[0]),
        ];
        for &(start, end, step, expected) in cases {
            let found = list.slice(0, start, end, step).unwrap();
            assert_eq!(found.data, expected, "{start}..{end} by {step}");
        }
        assert!(list.slice(0, 0, 1, 0).is_err());
        assert_eq!(matrix().slice(1, 1, 2, 1).unwrap().data, [1, 11]);
    }

    #[test]
    fn transpose_reorders_the_axes() {
        let turned = matrix().transpose(&[1, 0]).unwrap();
        assert_eq!((turned.shape, turned.data), (vec![3, 2], vec![0, 10, 1, 11, 2, 12]));
        assert!(matrix().transpose(&[1, 1]).is_err());
        assert!(matrix().transpose(&[0]).is_err());
    }

    #[test]
    fn concat_joins_along_any_axis() {
        let joined = Integers::concat(&[matrix(), matrix()], -1).unwrap();
        assert_eq!(joined.shape, [2, 6]);
        assert_eq!(joined.data, [0, 1, 2, 0, 1, 2, 10, 11, 12, 10, 11, 12]);
        assert!(Integers::concat(&[matrix(), Integers::list(vec![1])], 0).is_err());
    }

    #[test]
    fn arithmetic_never_overflows_or_divides_by_zero() {
        let two = Integers { shape: vec![], data: vec![2] };
        let list = Integers::list(vec![4, 6]);
        assert_eq!(list.arithmetic(Arithmetic::Div, &two).unwrap().data, [2, 3]);
        assert_eq!(two.arithmetic(Arithmetic::Sub, &list).unwrap().data, [-2, -4]);
        let zero = Integers::list(vec![0]);
        assert!(list.arithmetic(Arithmetic::Div, &zero).is_err());
        let most = Integers::list(vec![i64::MIN]);
        let minus = Integers::list(vec![-1]);
        assert!(most.arithmetic(Arithmetic::Div, &minus).is_err());
        assert!(most.arithmetic(Arithmetic::Add, &minus).is_err());
        assert!(list.arithmetic(Arithmetic::Add, &Integers::list(vec![1, 2, 3])).is_err());
    }
}
