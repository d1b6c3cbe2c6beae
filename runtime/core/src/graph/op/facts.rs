use core::ops::{Range, RangeInclusive};

/// Facts that are true of an operator whatever its operands.
///
/// Every operator states every fact, so that who adds a fact is asked about all operators, and who adds an
/// operator about all facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The operator's ONNX name.
    pub name: &'static str,
    /// How many operands the operator takes.
    pub operands: RangeInclusive<usize>,
    /// Which operands can be trained where they are constants.
    pub trainable: Range<usize>,
    /// Whether a window slides over the spatial dimensions of the first operand.
    pub slides_window: bool,
    /// Whether the operands are brought to one shape by NumPy's rules.
    pub broadcasts: bool,
    /// Whether every element of the result is a mean of elements.
    pub averages: bool,
    /// Whether the operator computes new values, rather than moving those that it reads or padding them.
    pub computes: bool,
    /// Whether every element of the result is one of the only operand's, or zero.
    pub selects: bool,
    /// Whether the operator only finishes the tensor that it reads: a function of each element, a normalisation, another shape. Its result
    /// is as good a place to freeze as its operand, or a better one.
    pub finishes: bool,
    /// Whether the results are probabilities.
    pub gives_probabilities: bool,
    /// Whether rounding the result is the same as rounding the operand.
    pub commutes_with_rounding: bool,
}
