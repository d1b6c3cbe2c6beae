//! NumPy's `.npy` (NEP 1: a magic, a version, a Python dictionary, the elements) to finite `f32`,
//! row-major.
//!
//! Only what `numpy.save` writes is read: the dictionary has the keys `descr`, `fortran_order` and
//! `shape` in any order, with a string, a boolean and a tuple of integers. Nothing nests, so
//! nothing can overflow a stack.

use half::f16;

use super::{Decoded, SampleProblem};

const MAX_HEADER_BYTES: usize = 1 << 16;
const MAX_AXES: usize = 8;

/// Reads an array whose shape is `expected`, axes of extent 1 aside.
pub(super) fn decode(content: &[u8], expected: &[usize]) -> Result<Decoded, SampleProblem> {
    let Header { descr, fortran_order, shape, data_at } = header(content)?;
    // The model's own shape bounds the element count: nothing is allocated before this holds.
    if !shape.iter().filter(|n| **n != 1).eq(expected.iter().filter(|n| **n != 1)) {
        return Err(SampleProblem::Shape { found: shape, expected: expected.to_vec() });
    }
    let element = Element::parse(&descr)?;
    let bad = |at, reason| SampleProblem::NotAnArray { at, reason };
    let count = expected.iter().try_fold(1_usize, |n, axis| n.checked_mul(*axis));
    let bytes = count.and_then(|n| n.checked_mul(element.size()));
    let data = content.get(data_at..).unwrap_or_default();
    match bytes {
        Some(bytes) if bytes == data.len() => {}
        Some(bytes) if bytes < data.len() => {
            return Err(bad(data_at.saturating_add(bytes), "bytes after the last element"));
        }
        _ => return Err(bad(content.len(), "the elements end too early")),
    }
    let stored: Vec<f32> =
        data.chunks_exact(element.size()).map(|raw| element.value(raw)).collect();
    if let Some(index) = stored.iter().position(|v| !v.is_finite()) {
        return Err(SampleProblem::NotFinite { index });
    }
    let values = if fortran_order { row_major(&stored, &shape) } else { stored };
    Ok(Decoded::Values { shape, values })
}

/// First axis fastest to last axis fastest.
fn row_major(stored: &[f32], shape: &[usize]) -> Vec<f32> {
    let mut place = vec![0; shape.len()];
    let mut values = Vec::with_capacity(stored.len());
    for _ in 0..stored.len() {
        let at = place.iter().zip(shape).rev().fold(0, |at, (p, n)| at * n + p);
        values.push(stored[at]);
        for (p, n) in place.iter_mut().zip(shape).rev() {
            *p += 1;
            if *p < *n {
                break;
            }
            *p = 0;
        }
    }
    values
}

/// An element type: kind, byte order.
#[derive(Clone, Copy)]
struct Element {
    kind: ElementKind,
    big_endian: bool,
}

#[derive(Clone, Copy)]
enum ElementKind {
    I8,
    U8,
    I16,
    F16,
    F32,
    F64,
}

impl Element {
    fn parse(descr: &str) -> Result<Self, SampleProblem> {
        let unknown = || SampleProblem::ElementType { found: descr.chars().take(32).collect() };
        let (order, kind) = descr.split_at_checked(1).ok_or_else(unknown)?;
        let kind = match kind {
            "i1" => ElementKind::I8,
            "u1" => ElementKind::U8,
            "i2" => ElementKind::I16,
            "f2" => ElementKind::F16,
            "f4" => ElementKind::F32,
            "f8" => ElementKind::F64,
            _ => return Err(unknown()),
        };
        match order {
            "<" | "|" => Ok(Self { kind, big_endian: false }),
            ">" => Ok(Self { kind, big_endian: true }),
            _ => Err(unknown()),
        }
    }

    fn size(self) -> usize {
        match self.kind {
            ElementKind::I8 | ElementKind::U8 => 1,
            ElementKind::I16 | ElementKind::F16 => 2,
            ElementKind::F32 => 4,
            ElementKind::F64 => 8,
        }
    }

    /// `raw` has [`size`](Self::size) bytes.
    fn value(self, raw: &[u8]) -> f32 {
        let mut bytes = [0_u8; 8];
        for (at, byte) in raw.iter().enumerate() {
            bytes[if self.big_endian { raw.len() - 1 - at } else { at }] = *byte;
        }
        let [a, b, c, d, ..] = bytes;
        match self.kind {
            ElementKind::I8 => f32::from(a as i8),
            ElementKind::U8 => f32::from(a),
            ElementKind::I16 => f32::from(i16::from_le_bytes([a, b])),
            ElementKind::F16 => f16::from_le_bytes([a, b]).to_f32(),
            ElementKind::F32 => f32::from_le_bytes([a, b, c, d]),
            ElementKind::F64 => f64::from_le_bytes(bytes) as f32,
        }
    }
}

struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
    data_at: usize,
}

fn header(content: &[u8]) -> Result<Header, SampleProblem> {
    let bad = |at, reason| SampleProblem::NotAnArray { at, reason };
    if content.get(..6) != Some(b"\x93NUMPY") {
        return Err(bad(0, "the magic \\x93NUMPY is missing"));
    }
    let (text_at, length) = match content.get(6..12) {
        Some([1, _, low, high, ..]) => (10, usize::from(u16::from_le_bytes([*low, *high]))),
        Some([2 | 3, _, length @ ..]) => {
            let length = length.try_into().map(u32::from_le_bytes).unwrap_or(u32::MAX);
            (12, usize::try_from(length).unwrap_or(usize::MAX))
        }
        Some(_) => return Err(bad(6, "the format version is not 1, 2 or 3")),
        None => return Err(bad(content.len(), "the header ends too early")),
    };
    if length > MAX_HEADER_BYTES {
        return Err(bad(8, "the header is longer than 65,536 bytes"));
    }
    let data_at = text_at + length;
    let text = content
        .get(text_at..data_at)
        .ok_or_else(|| bad(content.len(), "the header ends too early"))?;
    let text =
        std::str::from_utf8(text).map_err(|e| bad(text_at + e.valid_up_to(), "not UTF-8"))?;
    let mut literal = Literal { text, rest: text };
    let fields = literal.dictionary();
    let (descr, fortran_order, shape) =
        fields.map_err(|reason| bad(text_at + literal.position(), reason))?;
    Ok(Header { descr, fortran_order, shape, data_at })
}

/// The header's Python literal, read from the front.
struct Literal<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Literal<'a> {
    fn position(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn dictionary(&mut self) -> Result<(String, bool, Vec<usize>), &'static str> {
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.take('}') {
            let key = self.string()?;
            self.expect(':')?;
            let twice = match key {
                "descr" => descr.replace(self.string()?.to_owned()).is_some(),
                "fortran_order" => fortran_order.replace(self.boolean()?).is_some(),
                "shape" => shape.replace(self.tuple()?).is_some(),
                _ => return Err("a key other than descr, fortran_order and shape"),
            };
            if twice {
                return Err("a key stands twice");
            }
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        if !self.rest.trim_ascii().is_empty() {
            return Err("text after the dictionary");
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(order), Some(shape)) => Ok((descr, order, shape)),
            _ => Err("descr, fortran_order or shape is missing"),
        }
    }

    fn take(&mut self, sign: char) -> bool {
        self.rest = self.rest.trim_ascii_start();
        self.rest.strip_prefix(sign).map(|rest| self.rest = rest).is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), &'static str> {
        if self.take(sign) { Ok(()) } else { Err("the dictionary is malformed here") }
    }

    fn string(&mut self) -> Result<&'a str, &'static str> {
        let quote = ['\'', '"'].into_iter().find(|q| self.take(*q)).ok_or("no string here")?;
        let (inside, rest) = self.rest.split_once(quote).ok_or("a string does not end")?;
        self.rest = rest;
        Ok(inside)
    }

    fn boolean(&mut self) -> Result<bool, &'static str> {
        self.rest = self.rest.trim_ascii_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err("neither True nor False")
    }

    fn tuple(&mut self) -> Result<Vec<usize>, &'static str> {
        let mut axes = Vec::new();
        self.expect('(')?;
        while !self.take(')') {
            if axes.len() == MAX_AXES {
                return Err("more than 8 axes");
            }
            self.rest = self.rest.trim_ascii_start();
            let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            axes.push(self.rest[..end].parse().map_err(|_| "an extent is not a number")?);
            self.rest = &self.rest[end..];
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(axes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\0".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn values(content: &[u8], expected: &[usize]) -> Vec<f32> {
        match decode(content, expected).unwrap() {
            Decoded::Values { values, .. } => values,
            Decoded::Pixels { .. } => panic!("an array gave pixels"),
        }
    }

    #[test]
    fn every_element_type_and_byte_order_is_read() {
        let cases: [(&str, Vec<u8>); 9] = [
            ("|i1", vec![3, 0xFE]),
            ("|u1", vec![3, 254]),
            ("<i2", vec![3, 0, 0xFE, 0xFF]),
            (">i2", vec![0, 3, 0xFF, 0xFE]),
            ("<f2", [f16::from_f32(3.0), f16::from_f32(-2.0)].map(|v| v.to_le_bytes()).concat()),
            ("<f4", [3_f32, -2.0].map(f32::to_le_bytes).concat()),
            (">f4", [3_f32, -2.0].map(f32::to_be_bytes).concat()),
            ("<f8", [3_f64, -2.0].map(f64::to_le_bytes).concat()),
            (">f8", [3_f64, -2.0].map(f64::to_be_bytes).concat()),
        ];
        for (descr, data) in cases {
            let text =
                format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}  \n");
            let second = if descr == "|u1" { 254.0 } else { -2.0 };
            assert_eq!(values(&array(&text, &data), &[2]), [3.0, second], "{descr}");
        }
    }

    #[test]
    fn fortran_order_becomes_row_major() {
        let text = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}";
        // numpy.save of asfortranarray([[0, 1, 2], [3, 4, 5]]).
        let content = array(text, &[0, 3, 1, 4, 2, 5]);
        assert_eq!(values(&content, &[2, 3]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn axes_of_extent_one_are_passed_over_and_no_others() {
        let text = "{\"shape\": (1, 2, 3, 1), \"descr\": \"|u1\", \"fortran_order\": False}";
        let content = array(text, &[0, 1, 2, 3, 4, 5]);
        assert_eq!(values(&content, &[1, 2, 3]).len(), 6);
        for other in [&[3, 2, 1][..], &[2, 3, 2], &[6], &[]] {
            assert!(
                matches!(decode(&content, other), Err(SampleProblem::Shape { .. })),
                "{other:?}"
            );
        }
    }

    #[test]
    fn what_breaks_the_format_is_refused_with_its_byte() {
        let text = "{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}";
        let whole = array(text, &[1, 2, 3, 4]);
        assert!(decode(&whole, &[4]).is_ok());
        for cut in 0..whole.len() {
            assert!(
                matches!(decode(&whole[..cut], &[4]), Err(SampleProblem::NotAnArray { .. })),
                "{cut}"
            );
        }
        let mut longer = whole.clone();
        longer.push(0);
        assert!(
            matches!(decode(&longer, &[4]), Err(SampleProblem::NotAnArray { at, .. }) if at == whole.len())
        );
        for header in [
            "{'descr': '|u1', 'fortran_order': False, 'shape': (4,)} x",
            "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (4,)}",
            "{'descr': '|u1', 'shape': (4,)}",
            "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (4,)}",
            "{'descr': '|u1', 'fortran_order': 1, 'shape': (4,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (-4,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (((((4,)))))}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999999,)}",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,4)}",
        ] {
            let refused = decode(&array(header, &[1, 2, 3, 4]), &[4]);
            assert!(matches!(refused, Err(SampleProblem::NotAnArray { .. })), "{header}");
        }
        let mut endless = b"\x93NUMPY\x02\0\xff\xff\xff\xff".to_vec();
        endless.extend(text.as_bytes());
        assert!(matches!(decode(&endless, &[4]), Err(SampleProblem::NotAnArray { at: 8, .. })));
    }

    #[test]
    fn other_element_types_and_unfinite_values_are_refused() {
        for descr in ["|O", "<i4", "<c8", "|b1", "é", ""] {
            let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,)}}");
            let refused = decode(&array(&text, &[0; 8]), &[1]);
            assert!(matches!(refused, Err(SampleProblem::ElementType { .. })), "{descr}");
        }
        for value in [f64::NAN, f64::INFINITY, 1e300] {
            let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}";
            let data = [0.0, value].map(f64::to_le_bytes).concat();
            assert!(matches!(
                decode(&array(text, &data), &[2]),
                Err(SampleProblem::NotFinite { index: 1 })
            ));
        }
    }
}
