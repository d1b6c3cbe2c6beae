//! Integer tensors, evaluated while a model is read.
//!
//! Exporters compute the shape of a `Reshape` from the shapes of other tensors. Here every shape is
//! known, so that all of it is arithmetic on a handful of numbers. The same evaluation serves the
//! integer tensors of any other use, in all of ONNX's integer types, as long as nothing of it depends
//! on the model's float data. So the graph, and all that follows import, knows floats only.

mod compare;
mod extent;

use std::cmp::Ordering;

use headstart::graph::MAX_RANK;

use super::attributes::axis as resolve_axis;
pub(super) use crate::import::integer::IntegerType;
pub(super) use compare::{Comparison, Logic};

/// What to do about constants that are made or computed while a model is read.
pub(super) const FOLD: &str =
    "export the model with its constants folded, or cut it before this node";

/// Most elements of one integer tensor that is evaluated: shapes and indices need a handful.
pub(super) const MAX_INTEGERS: usize = 1 << 16;

type Outcome<T> = Result<T, String>;

/// An integer tensor of at most [`MAX_INTEGERS`] elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Integers {
    /// Its dimensions; empty for a scalar.
    pub(super) shape: Vec<usize>,
    /// Its elements, row-major.
    pub(super) data: Vec<i64>,
    /// The type that they have in ONNX.
    pub(super) kind: IntegerType,
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
    if shape.len() > MAX_RANK {
        return Err(format!(
            "an integer tensor of {} dimensions; at most {MAX_RANK} are supported: {FOLD}",
            shape.len()
        ));
    }
    shape
        .iter()
        .try_fold(1_usize, |product, &extent| product.checked_mul(extent))
        .filter(|&count| count <= MAX_INTEGERS)
        .ok_or_else(|| {
            format!(
                "an integer tensor of shape {shape:?}; at most {MAX_INTEGERS} elements are supported: {FOLD}"
            )
        })
}

impl Integers {
    /// One dimension of these elements, of int64.
    pub(super) fn list(data: Vec<i64>) -> Self {
        Self { shape: vec![data.len()], data, kind: IntegerType::Int64 }
    }

    /// `shape`, filled with `value`.
    pub(super) fn filled(shape: Vec<usize>, value: i64, kind: IntegerType) -> Outcome<Self> {
        let data = vec![value; count(&shape)?];
        Ok(Self { shape, data, kind })
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
        Ok(Self { shape, data: self.data, kind: self.kind })
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
        Ok(Self { shape, data, kind: self.kind })
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
        Ok(Self { shape, data, kind: self.kind })
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
        Ok(Self { shape, data, kind: self.kind })
    }

    /// `Concat`.
    pub(super) fn concat(parts: &[Self], axis: i64) -> Outcome<Self> {
        let first = parts.first().ok_or("nothing to concatenate")?;
        let axis = resolve_axis(axis, first.shape.len())?;
        let fits = |part: &Self| {
            part.kind == first.kind
                && part.shape.len() == first.shape.len()
                && part.shape[..axis] == first.shape[..axis]
                && part.shape[axis + 1..] == first.shape[axis + 1..]
        };
        if !parts.iter().all(fits) {
            return Err("integer tensors of shapes or types that do not concatenate".to_owned());
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
        Ok(Self { shape, data, kind: first.kind })
    }

    /// An arithmetic operator; operands broadcast by NumPy's rules, results wrap as their type does.
    pub(super) fn arithmetic(&self, operator: Arithmetic, other: &Self) -> Outcome<Self> {
        let kind = self.kind;
        if kind != other.kind || kind == IntegerType::Bool {
            return Err(format!("of {} and {}", kind.name(), other.kind.name()));
        }
        let shape = self.broadcast(other)?;
        let compute = |flat: usize| {
            let (a, b) = (self.stretched(flat, &shape), other.stretched(flat, &shape));
            match operator {
                Arithmetic::Add => Ok(kind.wrap(a.wrapping_add(b))),
                Arithmetic::Sub => Ok(kind.wrap(a.wrapping_sub(b))),
                Arithmetic::Mul => Ok(kind.wrap(a.wrapping_mul(b))),
                Arithmetic::Div => kind.divide(a, b).ok_or_else(|| format!("{a} divided by 0")),
            }
        };
        let data = (0..count(&shape)?).map(compute).collect::<Outcome<_>>()?;
        Ok(Self { shape, data, kind })
    }

    /// `Clip`: what is below `min` becomes `min`, and what is then above `max` becomes `max`.
    pub(super) fn clip(mut self, min: Option<i64>, max: Option<i64>) -> Self {
        for x in &mut self.data {
            let beyond = |bound: &i64, side| self.kind.order(*x, *bound) == side;
            let raised = min.filter(|bound| beyond(bound, Ordering::Less)).unwrap_or(*x);
            let above = |bound: &i64| self.kind.order(raised, *bound) == Ordering::Greater;
            *x = max.filter(above).unwrap_or(raised);
        }
        self
    }

    fn broadcast(&self, other: &Self) -> Outcome<Vec<usize>> {
        let rank = self.shape.len().max(other.shape.len());
        let extent = |shape: &[usize], axis: usize| {
            (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
        };
        (0..rank)
            .map(|axis| match (extent(&self.shape, axis), extent(&other.shape, axis)) {
                (a, b) if a == b || b == 1 => Ok(a),
                (1, b) => Ok(b),
                _ => Err(format!("shapes {:?} and {:?} do not broadcast", self.shape, other.shape)),
            })
            .collect()
    }

    /// Element `flat` of this tensor stretched to `shape`, to which it broadcasts.
    fn stretched(&self, mut flat: usize, shape: &[usize]) -> i64 {
        let (mut from, mut stride) = (0, 1);
        for (&own, &extent) in self.shape.iter().rev().zip(shape.iter().rev()) {
            from += flat % extent % own * stride;
            stride *= own;
            flat /= extent;
        }
        self.data[from]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Integers {
        Integers { shape: vec![2, 3], data: vec![0, 1, 2, 10, 11, 12], kind: IntegerType::Int64 }
    }

    #[test]
    fn gather_takes_slices_of_either_axis() {
        let scalar = Integers { shape: vec![], ..Integers::list(vec![-1]) };
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
    fn arithmetic_broadcasts_and_wraps_and_never_divides_by_zero() {
        let of = |kind, data| Integers { kind, ..Integers::list(data) };
        let two = Integers { shape: vec![], ..Integers::list(vec![2]) };
        let list = Integers::list(vec![4, 6]);
        assert_eq!(list.arithmetic(Arithmetic::Div, &two).unwrap().data, [2, 3]);
        assert_eq!(two.arithmetic(Arithmetic::Sub, &list).unwrap().data, [-2, -4]);
        let column = Integers { shape: vec![2, 1], ..Integers::list(vec![10, 20]) };
        let sum = column.arithmetic(Arithmetic::Add, &list).unwrap();
        assert_eq!((sum.shape, sum.data), (vec![2, 2], vec![14, 16, 24, 26]));
        let zero = Integers::list(vec![0]);
        assert!(list.arithmetic(Arithmetic::Div, &zero).is_err());
        assert!(list.arithmetic(Arithmetic::Add, &Integers::list(vec![1, 2, 3])).is_err());
        let most = of(IntegerType::Uint8, vec![200]);
        assert_eq!(most.arithmetic(Arithmetic::Add, &most).unwrap().data, [144]);
        let least = of(IntegerType::Int16, vec![-32_768]);
        assert_eq!(least.arithmetic(Arithmetic::Mul, &least).unwrap().data, [0]);
        assert!(least.arithmetic(Arithmetic::Add, &most).unwrap_err().contains("INT16 and UINT8"));
        let switch = of(IntegerType::Bool, vec![1]);
        assert!(switch.arithmetic(Arithmetic::Add, &switch).is_err());
    }

    #[test]
    fn clip_knows_the_sign_of_its_type() {
        let of = |kind, data| Integers { kind, ..Integers::list(data) };
        let signed = of(IntegerType::Int64, vec![-1, 0, 9]);
        assert_eq!(signed.clone().clip(Some(0), None).data, [0, 0, 9]);
        assert_eq!(signed.clone().clip(Some(5), Some(2)).data, [2, 2, 2]);
        assert_eq!(signed.clip(None, None).data, [-1, 0, 9]);
        let unsigned = of(IntegerType::Uint64, vec![-1, 0, 9]);
        assert_eq!(unsigned.clip(Some(0), Some(8)).data, [8, 0, 8]);
    }
}
