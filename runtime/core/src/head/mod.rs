//! The learners: from int8 features to a linear head, without heap and bit-identical everywhere.
//!
//! All of them end in the same thing, a [`LinearHead`]: one row of float32 weights on the raw int8
//! features and one bias a class. Centring and scaling happen inside a learner and are folded
//! into the weights at its end.
//!
//! | learner | what it is | for |
//! | --- | --- | --- |
//! | [`auto`] | the mean of logistic regression and discriminants, penalties chosen on held-out samples | the default |
//! | [`logistic`] | softmax regression by conjugate gradients on all samples at once | accuracy |
//! | [`ridge`] | least squares in closed form | speed, ranking of features |
//! | [`discriminants`] | linear discriminants by least squares | judging updates |
//! | [`sgd`] | softmax regression by stochastic gradients, also one sample at a time | microcontrollers |
//! | [`imprint`] | class means | the first few samples |
//! | [`exact`] | ridge and linear discriminants from integer sums | any order, forgetting, merging |
//! | [`dual`] | the same from products of samples | few samples |
//! | [`pooled`] | linear discriminants from integer sums, by blocks and threads | many samples |
//!
//! Memory comes from the caller: each learner has a `scratch_len`, in float32 elements.

pub mod auto;
pub mod calibrate;
mod cholesky;
mod design;
pub mod discriminants;
pub mod dual;
pub mod exact;
pub mod imprint;
mod linear;
pub mod logistic;
mod numeric;
pub mod pooled;
pub mod ridge;
mod samples;
pub mod sgd;
mod standardise;
#[cfg(test)]
pub(crate) mod testing;

pub use crate::random::Random;
pub use crate::record::{
    HeadParts, HeadRecord, Learner, LinearHead, MAX_CLASSES, MAX_FEATURES, MAX_LABEL_BYTES,
    Storage, UnknownLearner,
};
pub use linear::{argmax, grow, softmax};
pub use samples::Samples;
