//! Integer types, and how elements of each become numbers.

use std::cmp::Ordering;

use rten_onnx::onnx::DataType;

/// An integer type of ONNX. Elements of all of them are kept as `i64`, those of uint64 as the same
/// 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerType {
    /// One byte, 0 or 1.
    Bool,
    /// Signed, in two's complement, 8 bits.
    Int8,
    /// Signed, in two's complement, 16 bits.
    Int16,
    /// Signed, in two's complement, 32 bits.
    Int32,
    /// Signed, in two's complement, 64 bits.
    Int64,
    /// Unsigned, 8 bits.
    Uint8,
    /// Unsigned, 16 bits.
    Uint16,
    /// Unsigned, 32 bits.
    Uint32,
    /// Unsigned, 64 bits.
    Uint64,
}

impl IntegerType {
    /// The type that has this number in ONNX files.
    #[must_use]
    pub fn of(data_type: DataType) -> Option<Self> {
        Some(match data_type {
            DataType::BOOL => Self::Bool,
            DataType::INT8 => Self::Int8,
            DataType::INT16 => Self::Int16,
            DataType::INT32 => Self::Int32,
            DataType::INT64 => Self::Int64,
            DataType::UINT8 => Self::Uint8,
            DataType::UINT16 => Self::Uint16,
            DataType::UINT32 => Self::Uint32,
            DataType::UINT64 => Self::Uint64,
            _ => return None,
        })
    }

    /// The type's name in ONNX.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
        }
    }

    /// Bytes of an element in a file.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 | Self::Uint32 => 4,
            Self::Int64 | Self::Uint64 => 8,
        }
    }

    /// Decodes the elements in a file's bytes, little-endian; a rest that is no element is left out.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Vec<i64> {
        let number = |chunk: &[u8]| {
            let mut wide = [0; 8];
            wide[..chunk.len()].copy_from_slice(chunk);
            self.wrap(i64::from_le_bytes(wide))
        };
        bytes.chunks_exact(self.size()).map(number).collect()
    }

    /// Wraps an integer to the bits of this type: of a bool, whether it is not 0.
    #[must_use]
    pub fn wrap(self, x: i64) -> i64 {
        match self {
            Self::Bool => i64::from(x != 0),
            Self::Int8 => i64::from(x as i8),
            Self::Int16 => i64::from(x as i16),
            Self::Int32 => i64::from(x as i32),
            Self::Uint8 => i64::from(x as u8),
            Self::Uint16 => i64::from(x as u16),
            Self::Uint32 => i64::from(x as u32),
            Self::Int64 | Self::Uint64 => x,
        }
    }

    /// Divides two elements, rounded towards zero; `None` for a divisor of 0.
    #[must_use]
    pub fn divide(self, a: i64, b: i64) -> Option<i64> {
        match (self, b) {
            (_, 0) => None,
            (Self::Uint64, _) => Some((a as u64 / b as u64) as i64),
            _ => Some(self.wrap(a.wrapping_div(b))),
        }
    }

    /// Compares two elements.
    #[must_use]
    pub fn order(self, a: i64, b: i64) -> Ordering {
        match self {
            Self::Uint64 => (a as u64).cmp(&(b as u64)),
            _ => a.cmp(&b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_types_wrap_and_divide_like_themselves() {
        assert_eq!(IntegerType::Uint8.wrap(-1), 255);
        assert_eq!(IntegerType::Int8.wrap(128), -128);
        assert_eq!(IntegerType::Bool.wrap(-7), 1);
        assert_eq!(IntegerType::Int8.divide(-7, 2), Some(-3));
        assert_eq!(IntegerType::Int8.divide(-128, -1), Some(-128));
        assert_eq!(IntegerType::Int64.divide(i64::MIN, -1), Some(i64::MIN));
        assert_eq!(IntegerType::Uint64.divide(-1, 2), Some(i64::MAX));
        assert_eq!(IntegerType::Uint32.divide(1, 0), None);
        assert_eq!(IntegerType::Uint64.order(-1, 1), Ordering::Greater);
        assert_eq!(IntegerType::Int64.order(-1, 1), Ordering::Less);
    }

    #[test]
    fn bytes_are_read_with_their_sign() {
        assert_eq!(IntegerType::Int16.decode(&[0xff, 0xff, 1, 0]), [-1, 1]);
        assert_eq!(IntegerType::Uint16.decode(&[0xff, 0xff, 1, 0]), [65_535, 1]);
        assert_eq!(IntegerType::Bool.decode(&[0, 2]), [0, 1]);
        assert_eq!(IntegerType::Uint64.decode(&[0xff; 8]), [-1]);
    }
}
