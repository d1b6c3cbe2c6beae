//! The nodes of a backbone as the pack holds them: what each computes, and which shapes fit.

use serde::{Deserialize, Serialize};

use super::{Activation, Value, WeightRows};

/// Index into the value table.
pub type ValueId = u32;

/// A window over rows and columns. `[vertical, horizontal]` everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Window {
    /// Extent of the window.
    pub kernel: [u16; 2],
    /// Step from one window to the next.
    pub stride: [u16; 2],
    /// Distance between the elements that a window reads.
    pub dilation: [u16; 2],
    /// Padding before the first row and column. What lies behind the last one follows from the
    /// output's extents.
    pub padding: [u16; 2],
}

/// A convolution: `q = clamp(rne(f32(acc) · multiplier[c]) + zero point, min, max)` with
/// `acc = bias[c] + Σ x · w` over the window; padding reads the input's zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Conv {
    /// The value that the node reads.
    pub input: ValueId,
    /// Where the kernel reads.
    pub window: Window,
    /// Channel groups.
    pub groups: u32,
    /// First weight in `WGHT`. They lie as [`WeightRows`] says, or `[row][column][channel]` where
    /// groups, inputs and outputs are equally many (depthwise).
    pub weights: u32,
    /// First record in `CHAN`, one an output channel: bias int32, multiplier float32. The bias
    /// holds −(input's zero point) · Σ w.
    pub channels: u32,
    /// Least integer of the result.
    pub min: i8,
    /// Greatest integer of the result.
    pub max: i8,
}

/// An operator of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BinaryOp {
    /// Sum: `f32(a) · scale_a + f32(b) · scale_b` on integers less their zero points.
    Add,
    /// Product: `f32(a · b) · scale_a`; `scale_b` is 1.
    Mul,
    /// Quotient: `f32(a) / f32(b) · scale_a`; `scale_b` is 1. 0 / 0 gives the least result.
    Div,
}

/// Two operands, each extent of which is the result's or 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The first operand.
    pub a: ValueId,
    /// The second operand.
    pub b: ValueId,
    /// Factor of the first operand, or of the product or quotient.
    pub scale_a: f32,
    /// Factor of the second operand; negative for a subtraction.
    pub scale_b: f32,
    /// Least integer of the result.
    pub min: i8,
    /// Greatest integer of the result.
    pub max: i8,
}

/// The mean over windows: `rne(f32(Σ (x − zero point)) · (multiplier / f32(n)))`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AveragePool {
    /// The value that the node reads.
    pub input: ValueId,
    /// Where the window reads.
    pub window: Window,
    /// `n` is the number of cells inside the input, or inside the input and this much padding
    /// behind it (and all of it before it).
    pub counted_padding: Option<[u16; 2]>,
    /// Input scale / output scale.
    pub multiplier: f32,
}

/// The mean over a grid as fine as the output: bin `i` of `g` covers rows
/// `⌊i · height / g⌋ .. ⌈(i + 1) · height / g⌉`, likewise columns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GridPool {
    /// The value that the node reads.
    pub input: ValueId,
    /// Input scale / output scale.
    pub multiplier: f32,
}

/// How a mean that lies in the middle between two integers is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Halves {
    /// Halves go to the integer that is farther from 0.
    AwayFromZero,
    /// Halves go to the greater integer.
    Up,
}

/// The mean over windows of the integers as they stand, zero point included, of the cells inside the input. Input and
/// output have one scale and zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IntegerMean {
    /// The value that the node reads.
    pub input: ValueId,
    /// Where the window reads.
    pub window: Window,
    /// How halves are rounded; all else goes to the nearest integer.
    pub halves: Halves,
}

/// Which values fill the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PadMode {
    /// One integer everywhere.
    Constant(i8),
    /// The tensor mirrored about its edge element.
    Reflect,
    /// The edge element.
    Edge,
}

/// One node. Node `k` defines value `k + 1`; its operands are values `0..=k`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Node<'a> {
    /// Convolution; a fully-connected layer is one of extent 1.
    Conv(Conv),
    /// A function of each element: `table[q]`, 256 bytes from −128 up; one table, or one a channel.
    Table {
        /// The value that the node reads.
        input: ValueId,
        /// First byte in `TABL`.
        table: u32,
        /// Whether every channel has a table of its own.
        per_channel: bool,
    },
    /// An operator of two operands that broadcast to the result.
    Binary(Binary),
    /// The greatest element of each window; input and output have one scale.
    MaxPool {
        /// The value that the node reads.
        input: ValueId,
        /// Where the window reads; padding never wins.
        window: Window,
    },
    /// The mean of each window.
    AveragePool(AveragePool),
    /// The mean of each bin of a grid.
    GridPool(GridPool),
    /// Tensors side by side along one axis (0 rows, 1 columns, 2 channels).
    Concat {
        /// The axis along which the operands stand.
        axis: u8,
        /// Eight bytes an operand: value, multiplier (input scale / output scale, float32).
        operands: &'a [u8],
    },
    /// Padding before rows, columns and channels; what lies behind follows from the output.
    Pad {
        /// The value that the node reads.
        input: ValueId,
        /// How many elements stand before the first one of each axis.
        before: [u32; 3],
        /// What fills the padding.
        mode: PadMode,
    },
    /// Elements in another order: the output, read as `extents`, takes element
    /// `Σ index · stride` of the input.
    Permute {
        /// The value that the node reads.
        input: ValueId,
        /// Extents, outermost first; unused ones are 1.
        extents: [u32; 5],
        /// Step in the input along each of the extents.
        strides: [u32; 5],
    },
    /// Softmax over channels: `e = table[max − q]`, `rne(e / Σ e · multiplier) + zero point`.
    Softmax {
        /// The value that the node reads.
        input: ValueId,
        /// First byte in `TABL`: 256 float32, entry `d` is `e^(−d · input scale)`.
        table: u32,
        /// Factor of the probabilities: 1 / output scale.
        multiplier: f32,
    },
    /// The mean of each window of integers.
    IntegerMean(IntegerMean),
    /// A function of real numbers. Packs with such a node have version 2.
    Activation(Activation),
}

/// Bytes of a table of one byte an entry.
pub const TABLE_BYTES: usize = 256;
/// Bytes of a table of one float32 an entry.
pub const SOFTMAX_TABLE_BYTES: usize = 1024;
/// Bytes of an operand of [`Node::Concat`].
pub const OPERAND_BYTES: usize = 8;
/// Bytes of a channel's record in the section `CHAN`.
pub const CHANNEL_BYTES: usize = 8;

impl Node<'_> {
    /// Calls `read` with every operand.
    pub fn operands(&self, mut read: impl FnMut(ValueId)) {
        match *self {
            Self::Conv(Conv { input, .. })
            | Self::Table { input, .. }
            | Self::MaxPool { input, .. }
            | Self::AveragePool(AveragePool { input, .. })
            | Self::GridPool(GridPool { input, .. })
            | Self::IntegerMean(IntegerMean { input, .. })
            | Self::Activation(Activation { input, .. })
            | Self::Pad { input, .. }
            | Self::Permute { input, .. }
            | Self::Softmax { input, .. } => read(input),
            Self::Binary(Binary { a, b, .. }) => {
                read(a);
                read(b);
            }
            Self::Concat { operands, .. } => concat_operands(operands).for_each(|(id, _)| read(id)),
        }
    }
}

/// The operands of a [`Node::Concat`]: value and multiplier.
pub fn concat_operands(bytes: &[u8]) -> impl Iterator<Item = (ValueId, f32)> {
    bytes.chunks_exact(OPERAND_BYTES).map(|entry| {
        let [a, b, c, d, e, f, g, h] = *entry else { return (ValueId::MAX, f32::NAN) };
        (u32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
    })
}

impl Conv {
    /// Whether each channel has its own kernel and gives one channel.
    #[must_use]
    pub fn is_depthwise(&self, input: &Value, output: &Value) -> bool {
        self.groups == input.channels && self.groups == output.channels
    }

    /// Weights of one output channel; `None` past the address space.
    #[must_use]
    pub fn weights_per_channel(&self, input: &Value) -> Option<u32> {
        u32::from(self.window.kernel[0])
            .checked_mul(u32::from(self.window.kernel[1]))?
            .checked_mul(input.channels.checked_div(self.groups)?)
    }

    /// The layout of one group's weights; `None` past the address space.
    #[must_use]
    pub fn weight_rows(&self, input: &Value, output: &Value) -> Option<WeightRows> {
        let outputs = output.channels.checked_div(self.groups)? as usize;
        Some(WeightRows { outputs, products: self.weights_per_channel(input)? as usize })
    }

    /// Bytes of all weights; `None` past the address space.
    #[must_use]
    pub fn weight_bytes(&self, input: &Value, output: &Value) -> Option<usize> {
        if self.is_depthwise(input, output) {
            let per_channel = self.weights_per_channel(input)?;
            return Some(per_channel.checked_mul(output.channels)? as usize);
        }
        self.weight_rows(input, output)?.bytes()?.checked_mul(self.groups as usize)
    }
}

impl Window {
    /// Whether the window can stand at every output position: it starts before the input ends and
    /// ends after it starts, so that none reads padding alone, and nothing of it is 0.
    #[must_use]
    pub fn fits(&self, input: &Value, output: &Value) -> bool {
        let axis = |i: usize, extent: u32, windows: u32| {
            let (kernel, stride) = (u64::from(self.kernel[i]), u64::from(self.stride[i]));
            let (dilation, padding) = (u64::from(self.dilation[i]), u64::from(self.padding[i]));
            let reach = kernel.saturating_sub(1).saturating_mul(dilation).saturating_add(1);
            let last = u64::from(windows).saturating_sub(1).saturating_mul(stride);
            kernel > 0
                && stride > 0
                && dilation > 0
                && padding < reach
                && last < u64::from(extent).saturating_add(padding)
        };
        axis(0, input.height, output.height) && axis(1, input.width, output.width)
    }

    /// The kernel's rows (axis 0) or columns (axis 1) that lie inside an input of `extent` when
    /// window `index` is taken, as a range of kernel positions.
    // Once in firmware, and not in every kernel.
    #[cfg_attr(not(feature = "std"), inline(never))]
    #[must_use]
    pub fn inside(&self, axis: usize, index: usize, extent: usize) -> core::ops::Range<usize> {
        let dilation = usize::from(self.dilation[axis]);
        let start = index * usize::from(self.stride[axis]);
        let padding = usize::from(self.padding[axis]);
        let kernel = usize::from(self.kernel[axis]);
        let first = padding.saturating_sub(start).div_ceil(dilation).min(kernel);
        let end = (extent + padding).saturating_sub(start).div_ceil(dilation).min(kernel);
        first..end.max(first)
    }

    /// Row or column of the input that kernel position `position` of window `index` reads.
    /// Only for positions that are [`inside`](Self::inside).
    #[must_use]
    pub fn position(&self, axis: usize, index: usize, position: usize) -> usize {
        index * usize::from(self.stride[axis]) + position * usize::from(self.dilation[axis])
            - usize::from(self.padding[axis])
    }
}
