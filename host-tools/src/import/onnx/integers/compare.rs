//! Integer tensors compared, and chosen from.

use std::cmp::Ordering;

use super::{IntegerType, Integers, count};

type Outcome<T> = Result<T, String>;

/// What is asked of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Comparison {
    /// The comparison that an operator of ONNX makes.
    pub(in super::super) fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "Equal" => Self::Equal,
            "Greater" => Self::Greater,
            "GreaterOrEqual" => Self::GreaterOrEqual,
            "Less" => Self::Less,
            "LessOrEqual" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// Whether it holds of numbers in that order; of what is no number it never does.
    pub(in super::super) fn holds(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equal => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        })
    }
}

/// What is made of two answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Logic {
    And,
    Or,
    Xor,
}

impl Integers {
    /// A comparison of each element with the other's; operands broadcast by NumPy's rules.
    pub(in super::super) fn compare(&self, comparison: Comparison, other: &Self) -> Outcome<Self> {
        if self.kind != other.kind {
            return Err(format!("of {} and {}", self.kind.name(), other.kind.name()));
        }
        let order = |a: i64, b: i64| i64::from(comparison.holds(Some(self.kind.order(a, b))));
        self.paired(other, IntegerType::Bool, order)
    }

    /// `And`, `Or` and `Xor`.
    pub(in super::super) fn logic(&self, logic: Logic, other: &Self) -> Outcome<Self> {
        if [self.kind, other.kind] != [IntegerType::Bool; 2] {
            return Err(format!("of {} and {}", self.kind.name(), other.kind.name()));
        }
        self.paired(other, IntegerType::Bool, |a, b| match logic {
            Logic::And => a & b,
            Logic::Or => a | b,
            Logic::Xor => a ^ b,
        })
    }

    /// `Not`.
    pub(in super::super) fn not(mut self) -> Outcome<Self> {
        if self.kind != IntegerType::Bool {
            return Err(format!("of {}", self.kind.name()));
        }
        self.data.iter_mut().for_each(|x| *x = i64::from(*x == 0));
        Ok(self)
    }

    /// The greater or the lesser of each two elements.
    pub(in super::super) fn extreme(&self, side: Ordering, other: &Self) -> Outcome<Self> {
        if self.kind != other.kind {
            return Err(format!("of {} and {}", self.kind.name(), other.kind.name()));
        }
        self.paired(other, self.kind, |a, b| if self.kind.order(a, b) == side { a } else { b })
    }

    /// `Where`: elements of `a` where this one is true, of `b` elsewhere.
    pub(in super::super) fn choose(&self, a: &Self, b: &Self) -> Outcome<Self> {
        if self.kind != IntegerType::Bool || a.kind != b.kind {
            let kinds = [self, a, b].map(|x| x.kind.name());
            return Err(format!("of {}, {} and {}", kinds[0], kinds[1], kinds[2]));
        }
        let shape = self.broadcast(&Self { shape: a.broadcast(b)?, ..a.clone() })?;
        let choose = |at: usize| match self.stretched(at, &shape) {
            0 => b.stretched(at, &shape),
            _ => a.stretched(at, &shape),
        };
        let data = (0..count(&shape)?).map(choose).collect();
        Ok(Self { shape, data, kind: a.kind })
    }

    fn paired(
        &self,
        other: &Self,
        kind: IntegerType,
        of: impl Fn(i64, i64) -> i64,
    ) -> Outcome<Self> {
        let shape = self.broadcast(other)?;
        let pair = |at| of(self.stretched(at, &shape), other.stretched(at, &shape));
        let data = (0..count(&shape)?).map(pair).collect();
        Ok(Self { shape, data, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_know_the_sign_of_their_type_and_broadcast() {
        let of = |kind, data| Integers { kind, ..Integers::list(data) };
        let column = Integers { shape: vec![2, 1], ..Integers::list(vec![1, 2]) };
        let row = Integers::list(vec![1, 2, 3]);
        let least = column.compare(Comparison::GreaterOrEqual, &row).unwrap();
        assert_eq!((least.shape, least.data), (vec![2, 3], vec![1, 0, 0, 1, 1, 0]));
        let most = of(IntegerType::Uint64, vec![-1]);
        let one = of(IntegerType::Uint64, vec![1]);
        assert_eq!(most.compare(Comparison::Greater, &one).unwrap().data, [1]);
        assert_eq!(most.extreme(Ordering::Less, &one).unwrap().data, [1]);
        assert!(row.compare(Comparison::Less, &one).unwrap_err().contains("INT64 and UINT64"));
        assert!(!Comparison::Equal.holds(None));
    }

    #[test]
    fn answers_are_combined_and_chosen_by() {
        let yes = |data| Integers { kind: IntegerType::Bool, ..Integers::list(data) };
        let (a, b) = (yes(vec![0, 0, 1, 1]), yes(vec![0, 1, 0, 1]));
        assert_eq!(a.logic(Logic::And, &b).unwrap().data, [0, 0, 0, 1]);
        assert_eq!(a.logic(Logic::Or, &b).unwrap().data, [0, 1, 1, 1]);
        assert_eq!(a.logic(Logic::Xor, &b).unwrap().data, [0, 1, 1, 0]);
        assert_eq!(b.clone().not().unwrap().data, [1, 0, 1, 0]);
        let minus = Integers { shape: vec![], ..Integers::list(vec![-1]) };
        let chosen = b.choose(&Integers::list(vec![5, 6, 7, 8]), &minus).unwrap();
        assert_eq!(chosen.data, [-1, 6, -1, 8]);
        assert!(minus.choose(&a, &b).is_err() && minus.not().is_err());
    }
}
