use core::ops::{Range, RangeInclusive};

/// Facts that are true of an operator whatever its operands.
///
/// Every operator states every fact, so that who adds a fact is asked about all operators, and who adds an
/// operator about all facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its ONNX name.
    pub name: &'static str,
    /// How many operands it takes.
    pub operands: RangeInclusive<usize>,
    /// Which of its operands can be trained where they are constants.
    pub trainable: Range<usize>,
    /// Whether a window slides over the spatial dimensions of its first operand.
    pub slides_window: bool,
    /// Whether its operands are brought to one shape by NumPy's rules.
    pub broadcasts: bool,
    /// Whether every element of the result is a mean of elements.
    pub averages: bool,
    /// Whether it makes new values, rather than to move those that it reads or to put some around them.
    pub computes: bool,
    /// Whether all it gives are elements of its one operand, or zeros.
    pub selects: bool,
    /// Whether it only finishes the tensor that it reads: a function of each element, a normalisation,
    /// another shape. What comes out is as good a place to freeze, or a better one.
    pub finishes: bool,
    /// Whether its results are probabilities.
    pub gives_probabilities: bool,
    /// Whether rounding its result is the same as rounding what it reads.
    pub commutes_with_rounding: bool,
}
