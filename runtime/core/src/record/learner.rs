//! The learners: the one list of their numbers and names.

use core::fmt;
use core::str::FromStr;

/// The learner that made a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Learner {
    /// Stochastic gradient descent.
    Sgd = 1,
    /// Least squares in closed form.
    Ridge = 2,
    /// Class means.
    Imprint = 3,
    /// Softmax regression on all samples at once.
    Logistic = 4,
    /// The default learner: the mean of linear discriminants and a logistic head, or of many samples the discriminants alone.
    Blend = 5,
    /// Linear discriminant analysis.
    Lda = 6,
    /// Another trainer: a pretrained classifier, or another engine.
    Other = 255,
}

impl Learner {
    /// Every learner.
    pub const ALL: [Self; 7] = [
        Self::Sgd,
        Self::Ridge,
        Self::Imprint,
        Self::Logistic,
        Self::Blend,
        Self::Lda,
        Self::Other,
    ];

    /// The number that stands for the learner in a head record.
    #[must_use]
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The learner that this number stands for.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|learner| learner.id() == id)
    }

    /// The learner's name on command lines and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Ridge => "ridge",
            Self::Imprint => "imprint",
            Self::Logistic => "logistic",
            Self::Blend => "blend",
            Self::Lda => "lda",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Learner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of a name that no learner has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownLearner;

impl fmt::Display for UnknownLearner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no learner has that name; there are")?;
        Learner::ALL.iter().try_for_each(|learner| write!(f, " {learner}"))
    }
}

impl core::error::Error for UnknownLearner {}

impl FromStr for Learner {
    type Err = UnknownLearner;

    fn from_str(name: &str) -> Result<Self, UnknownLearner> {
        Self::ALL.into_iter().find(|learner| learner.name() == name).ok_or(UnknownLearner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_learner_is_found_by_its_name_and_by_its_number() {
        for learner in Learner::ALL {
            assert_eq!(learner.name().parse(), Ok(learner));
            assert_eq!(Learner::from_id(learner.id()), Some(learner));
        }
        assert_eq!("adam".parse::<Learner>(), Err(UnknownLearner));
        assert_eq!(Learner::from_id(0), None);
    }
}
