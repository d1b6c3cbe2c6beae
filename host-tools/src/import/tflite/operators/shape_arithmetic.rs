//! Whole numbers that are known before the model runs: shapes of tensors, and what converters compute with them where a
//! model's batch is open.

use super::operands::Known;
use super::{Build, Outcome, field, name};
use crate::import::tflite::schema::{Kind, Operator};

/// Most numbers of a list: shapes have a few.
const MAX_NUMBERS: usize = 64;

impl Build<'_> {
    /// The numbers that an operator gives, if it computes with known ones only.
    pub(super) fn known_integers(
        &self,
        operator: &Operator<'_>,
        output: usize,
    ) -> Outcome<Option<Vec<i64>>> {
        let whole = matches!(self.model.tensors[output].kind, Kind::Int32 | Kind::Int64);
        if name(operator) == "SHAPE" {
            // What is computed has the shape that the file states; nothing is read of its elements.
            let of = &self.model.tensors[self.operand(operator, 0)?];
            return Ok(Some(of.shape.iter().map(|&extent| extent as i64).collect()));
        }
        let is_short = |&input: &usize| {
            let count: usize = self.model.tensors[input].shape.iter().product();
            self.is_known(input) && count <= MAX_NUMBERS
        };
        let are_known = operator.inputs.iter().flatten().all(is_short);
        if !whole || !are_known {
            return Ok(None);
        }
        let x = || self.integers(operator, 0);
        let list = match name(operator) {
            "STRIDED_SLICE" => self.part(operator)?,
            "PACK" | "CONCATENATION" => self.joined(operator)?,
            "CAST" | "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS" => x()?,
            "GATHER" => {
                let list = x()?;
                let at = |&index: &i64| {
                    let found = usize::try_from(index).ok().and_then(|index| list.get(index));
                    found.copied().ok_or_else(|| format!("number {index} of {list:?}"))
                };
                self.integers(operator, 1)?.iter().map(at).collect::<Outcome<_>>()?
            }
            "REDUCE_PROD" => {
                let product = x()?.into_iter().try_fold(1_i64, i64::checked_mul);
                vec![product.ok_or("a product that is too large")?]
            }
            "ADD" => self.each(operator, i64::checked_add)?,
            "SUB" => self.each(operator, i64::checked_sub)?,
            "MUL" => self.each(operator, i64::checked_mul)?,
            _ => return Ok(None),
        };
        let expected: usize = self.model.tensors[output].shape.iter().product();
        match list.len() == expected && expected <= MAX_NUMBERS {
            true => Ok(Some(list)),
            false => Err(format!("{} numbers where the file states {expected}", list.len())),
        }
    }

    /// Lists behind one another. All of them have one axis, or none.
    fn joined(&self, operator: &Operator<'_>) -> Outcome<Vec<i64>> {
        let slot = if name(operator) == "PACK" { 1 } else { 0 };
        let axis = field(operator, |options| options.i32(slot, 0))?;
        if axis != 0 && axis != -1 {
            return Err(format!("lists of numbers along axis {axis}"));
        }
        let mut all = Vec::new();
        for index in 0..operator.inputs.len() {
            let tensor = &self.model.tensors[self.operand(operator, index)?];
            if tensor.shape.len() > 1 {
                return Err(format!("numbers '{}' of shape {:?}", tensor.name, tensor.shape));
            }
            all.extend(self.integers(operator, index)?);
            if all.len() > MAX_NUMBERS {
                return Err(format!("more than {MAX_NUMBERS} numbers"));
            }
        }
        Ok(all)
    }

    fn each(
        &self,
        operator: &Operator<'_>,
        apply: impl Fn(i64, i64) -> Option<i64>,
    ) -> Outcome<Vec<i64>> {
        let (a, b) = (self.integers(operator, 0)?, self.integers(operator, 1)?);
        let count = a.len().max(b.len());
        if count > MAX_NUMBERS || [&a, &b].iter().any(|list| list.len() != 1 && list.len() != count)
        {
            return Err(format!("{} numbers with {}", a.len(), b.len()));
        }
        let at = |list: &[i64], i: usize| list[if list.len() == 1 { 0 } else { i }];
        let each = |i| apply(at(&a, i), at(&b, i)).ok_or("a number that is too large");
        (0..count).map(|i| each(i).map_err(str::to_owned)).collect()
    }

    /// Part of a list.
    fn part(&self, operator: &Operator<'_>) -> Outcome<Vec<i64>> {
        let list = self.integers(operator, 0)?;
        if self.model.tensors[self.operand(operator, 0)?].shape.len() != 1 {
            return Err("a part of numbers that are no list".into());
        }
        let [range] = &self.ranges(operator, &[list.len()])?[..] else {
            return Err("a part of a list along several axes".into());
        };
        Ok(range.iter().map(|&index| list[index]).collect())
    }

    /// Puts down what an operator gives, if it computes with known numbers only.
    pub(super) fn fold(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<bool> {
        let Some(list) = self.known_integers(operator, output)? else { return Ok(false) };
        self.known[output] = Some(Known::Integers(list));
        Ok(true)
    }
}
