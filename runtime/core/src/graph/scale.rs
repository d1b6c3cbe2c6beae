use std::sync::Arc;

/// How the source model holds a tensor as integers: what it brings along if it is quantised already.
///
/// It says nothing about the float graph, whose tensors stay real numbers: the executor does not read it.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// The scale of a tensor that is computed: `real = (q − zero_point) · scale` for an int8 `q`.
    Tensor {
        /// Real value of one step, finite and above 0.
        scale: f32,
        /// The integer that stands for 0.
        zero_point: i8,
    },
    /// The scales of a constant: every element is a whole number times the scale of its place along `axis`, or times the only one.
    Constant {
        /// Real values of one step, each finite and above 0.
        scales: Arc<[f32]>,
        /// The axis along which the scales stand; without meaning where there is only one scale.
        axis: usize,
    },
}
