//! A first look at a model's bytes, before anything of it is allocated.
//!
//! The parser that follows (`rten-onnx`) recurses once a nested graph, trusts lengths that add up
//! past the address space and loops on integers that never end. [`check`] walks the protobuf wire
//! format without recursion and refuses whatever would lead there: every message that the parser
//! will open is walked, every packed list that it will read is checked to end where it says.

use crate::error::Problem;

/// Deepest nesting of messages. Models without control flow need seven: model, graph, node,
/// attribute, tensor, external data, entry.
const MAX_DEPTH: usize = 24;

/// Most messages in one file; a node of a large network takes about ten.
const MAX_MESSAGES: u64 = 500_000;

/// Most other fields in one file, an attribute's integers for example.
const MAX_FIELDS: u64 = 4_000_000;

/// Most integers in packed lists, which take eight times their bytes once parsed.
const MAX_PACKED_INTEGERS: u64 = 1 << 25;

/// The messages of `onnx.proto` that the parser opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    Sequence,
    TensorType,
    Shape,
    Dimension,
    Entry,
    Function,
    Sparse,
}

/// What a length-delimited field holds.
enum Content {
    Message(Message),
    Integers,
    Fixed(usize),
    /// A field that the parser reads one by one, although protobuf allows a packed list.
    Unpacked,
    Bytes,
}

impl Message {
    fn content(self, field: u64) -> Content {
        use Content::{Fixed, Integers, Unpacked};
        let message = |message| Content::Message(message);
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6) => message(Self::Graph),
            (Self::Model, 8 | 14) | (Self::Tensor, 13) => message(Self::Entry),
            (Self::Model, 25) => message(Self::Function),
            (Self::Graph, 1) | (Self::Function, 7) => message(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5) | (Self::Sparse, 1 | 2) => {
                message(Self::Tensor)
            }
            (Self::Graph, 15) => message(Self::Sparse),
            (Self::Graph, 11..=13) => message(Self::ValueInfo),
            (Self::Node, 5) | (Self::Function, 11) => message(Self::Attribute),
            (Self::ValueInfo, 2) | (Self::Sequence, 1) => message(Self::Type),
            (Self::Type, 1) => message(Self::TensorType),
            (Self::Type, 4) => message(Self::Sequence),
            (Self::TensorType, 2) => message(Self::Shape),
            (Self::Shape, 1) => message(Self::Dimension),
            (Self::Tensor, 5 | 7) => Integers,
            (Self::Tensor, 4) => Fixed(4),
            (Self::Tensor, 10) => Fixed(8),
            (Self::Tensor, 1) | (Self::Attribute, 7 | 8) => Unpacked,
            _ => Content::Bytes,
        }
    }
}

/// Walks all of `bytes` and refuses what the parser must not see.
///
/// # Errors
///
/// [`Problem::NotOnnx`] with the byte at which the file stops being a model, [`Problem::Limit`] for
/// one that nests too deep or has too many parts.
pub(super) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let mut walk = Walk { bytes, at: 0, messages: 0, fields: 0, integers: 0, has_graph: false };
    let mut open = vec![(Message::Model, bytes.len())];
    while let Some(&(message, end)) = open.last() {
        if walk.at == end {
            open.pop();
            continue;
        }
        if let Some(inner) = walk.field(message, end)? {
            if open.len() == MAX_DEPTH {
                return Err(Problem::Limit {
                    what: "the messages of the model nest too deep",
                    found: open.len() as u64 + 1,
                    limit: MAX_DEPTH as u64,
                });
            }
            open.push(inner);
        }
    }
    if walk.has_graph { Ok(()) } else { walk.refuse("no graph before the end") }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    messages: u64,
    fields: u64,
    integers: u64,
    has_graph: bool,
}

impl Walk<'_> {
    fn refuse<T>(&self, what: &'static str) -> Result<T, Problem> {
        Err(Problem::NotOnnx { byte: self.at, what })
    }

    /// Passes one field of a message that ends at `end`, or gives the message that it opens.
    fn field(&mut self, message: Message, end: usize) -> Result<Option<(Message, usize)>, Problem> {
        let start = self.at;
        let tag = self.varint(end)?;
        let number = tag >> 3;
        if number == 0 {
            self.at = start;
            return self.refuse("a field number of 0");
        }
        count(&mut self.fields, MAX_FIELDS, "the model has too many fields")?;
        match tag & 7 {
            0 => self.varint(end).map(|_| None),
            1 => self.skip(8, end).map(|()| None),
            5 => self.skip(4, end).map(|()| None),
            2 => self.delimited(message, number, end),
            _ => {
                self.at = start;
                self.refuse("a field of an unknown kind")
            }
        }
    }

    fn delimited(
        &mut self,
        message: Message,
        number: u64,
        end: usize,
    ) -> Result<Option<(Message, usize)>, Problem> {
        let length = self.varint(end)?;
        let Some(inner_end) =
            usize::try_from(length).ok().and_then(|n| self.at.checked_add(n)).filter(|&e| e <= end)
        else {
            return self.refuse("a field that is longer than the file (is the file cut off?)");
        };
        match message.content(number) {
            Content::Message(inner) => {
                count(&mut self.messages, MAX_MESSAGES, "the model has too many parts")?;
                self.has_graph |= message == Message::Model && inner == Message::Graph;
                return Ok(Some((inner, inner_end)));
            }
            Content::Integers => {
                while self.at < inner_end {
                    self.varint(inner_end)?;
                    count(
                        &mut self.integers,
                        MAX_PACKED_INTEGERS,
                        "the model has too many integers",
                    )?;
                }
            }
            Content::Fixed(size) if !(inner_end - self.at).is_multiple_of(size) => {
                return self.refuse("a list of numbers that ends inside a number");
            }
            Content::Unpacked if inner_end > self.at => {
                return self.refuse(
                    "a packed list where ONNX's own tools write single numbers \
                     (load and save the model once with the onnx Python package)",
                );
            }
            _ => {}
        }
        self.at = inner_end;
        Ok(None)
    }

    fn varint(&mut self, end: usize) -> Result<u64, Problem> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            if self.at >= end {
                return self.refuse("an integer that does not end (is the file cut off?)");
            }
            let byte = self.bytes[self.at];
            if shift == 63 && byte > 1 {
                break;
            }
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        self.refuse("an integer of more than 64 bits")
    }

    fn skip(&mut self, length: usize, end: usize) -> Result<(), Problem> {
        if end - self.at < length {
            return self.refuse("a number that does not end (is the file cut off?)");
        }
        self.at += length;
        Ok(())
    }
}

fn count(counter: &mut u64, limit: u64, what: &'static str) -> Result<(), Problem> {
    *counter += 1;
    if *counter > limit {
        return Err(Problem::Limit { what, found: *counter, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length-delimited field.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(content);
        bytes
    }

    fn initializer(content: &[u8]) -> Vec<u8> {
        field(7, &field(5, content))
    }

    #[test]
    fn ten_thousand_nested_graphs_are_refused_without_recursion() {
        let mut bytes = Vec::new();
        for _ in 0..10_000 {
            bytes = field(1, &field(5, &field(6, &bytes)));
        }
        let model = field(7, &bytes);
        assert!(matches!(check(&model), Err(Problem::Limit { limit: 24, .. })));
        let refused = crate::import::onnx::import_bytes(&model, "deep.onnx", None).unwrap_err();
        assert!(refused.to_string().starts_with("deep.onnx: "), "{refused}");
    }

    #[test]
    fn what_would_hang_or_derail_the_parser_is_refused_at_its_byte() {
        let cases: &[(&str, Vec<u8>, usize)] = &[
            ("empty", vec![], 0),
            ("no graph", vec![0x08, 8], 2),
            ("tag cut off", vec![0x80], 1),
            ("endless integer", [vec![0x08], vec![0xff; 12]].concat(), 10),
            ("length past the end", vec![0x3a, 0x05, 0], 2),
            ("length near 2^64", [vec![0x3a], vec![0xff; 9], vec![1, 0]].concat(), 11),
            ("group", vec![0x3b, 0x3c], 0),
            ("field 0", vec![0x02, 0], 0),
            ("packed integer runs on", initializer(&field(7, &[1, 0x80])), 8),
            ("packed floats end inside one", initializer(&field(4, &[0; 6])), 6),
            ("packed dimensions", initializer(&field(1, &[2, 2])), 6),
            ("jpeg", vec![0xff, 0xd8, 0xff, 0xe0, 0, 16, b'J', b'F', b'I', b'F'], 0),
        ];
        for (name, bytes, at) in cases {
            match check(bytes) {
                Err(Problem::NotOnnx { byte, .. }) => assert_eq!(byte, *at, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
        check(&initializer(&field(7, &[1, 0x80, 1]))).expect("a proper list passes");
    }

    #[test]
    fn a_small_file_cannot_ask_for_millions_of_messages() {
        let nodes = [0x0a, 0].repeat(MAX_MESSAGES as usize + 1);
        assert!(matches!(check(&field(7, &nodes)), Err(Problem::Limit { .. })));
    }
}
