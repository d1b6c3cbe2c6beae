//! Linear discriminants of many samples, from sums that are whole numbers.
//!
//! The covariance within the classes is pooled: `Σ = Σ_c w_c Σ_{i in c} (q_i − m_c)(q_i − m_c)ᵀ / Σ_c w_c n_c`, where `w_c` is
//! the whole number from 1 to 16 that brings a class nearest to the size of the largest one ([`class_weights`]). Features are
//! scaled as the other learners scale them, a penalty is added to the diagonal, and every class has the same share: `W = Σ⁻¹ M`,
//! `b = −½ m · W`. It is the head of [`discriminants`](super::discriminants) where the classes are of one size.
//!
//! Everything that grows with the number of samples is a sum of whole numbers ([`Sums`]): it does not depend on the order of
//! samples, on threads or on the width of vectors, and what is taken off again leaves no trace. A sample that counts as several is added
//! as so many whole ones. So the heads of a set
//! and of its parts follow from one pass over the samples. What is solved ([`System`]) is float32, and each of its sums has
//! one order.
//!
//! With the feature `std` threads share what is done in `on_threads`; the bits are the same for any number of them.

mod answers;
mod layout;
mod parallel;
mod sums;
mod system;
mod triangle;

pub use self::answers::logits;
#[cfg(feature = "std")]
pub use self::parallel::on_threads;
pub use self::sums::{
    MAX_TIMES, MAX_WEIGHT, Sums, WholeSquare, class_weights, pairs_len, panel_len, squares_len,
};
pub use self::system::System;
pub use crate::kernels::squares::{Line, Pairs, SIDE, Square};

#[cfg(test)]
mod tests;
