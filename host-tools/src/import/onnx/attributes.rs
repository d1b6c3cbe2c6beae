//! A node's attributes by name and type.

use rten_onnx::onnx::{AttributeProto, AttributeType, NodeProto, TensorProto};

/// One node of the file, as the operators read it.
#[derive(Debug)]
pub(super) struct NodeView<'a> {
    proto: &'a NodeProto,
    /// The node's name, or one made from operator and output.
    pub(super) name: String,
    /// Version of the operator set.
    pub(super) opset: i64,
}

type Outcome<T> = Result<T, String>;

impl<'a> NodeView<'a> {
    /// A view of `proto`.
    pub(super) fn new(proto: &'a NodeProto, opset: i64) -> Self {
        let name = match proto.name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                let output = proto.output.first().map_or("", String::as_str);
                format!("{}_{output}", proto.op_type.as_deref().unwrap_or_default())
            }
        };
        Self { proto, name, opset }
    }

    /// The operator's name.
    pub(super) fn operator(&self) -> &'a str {
        self.proto.op_type.as_deref().unwrap_or_default()
    }

    /// The operator's domain, empty for ONNX's own.
    pub(super) fn domain(&self) -> &'a str {
        match self.proto.domain.as_deref() {
            None | Some("ai.onnx") => "",
            Some(domain) => domain,
        }
    }

    /// The names of the operands; empty for one that is left out.
    pub(super) fn inputs(&self) -> &'a [String] {
        &self.proto.input
    }

    /// The name of operand `index`, if it is given.
    pub(super) fn input(&self, index: usize) -> Option<&'a str> {
        self.proto.input.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The name of the first result.
    pub(super) fn output(&self) -> &'a str {
        self.proto.output.first().map_or("", String::as_str)
    }

    /// How many results the node has.
    pub(super) fn output_count(&self) -> usize {
        self.proto.output.len()
    }

    /// The name of result `index`, if it is given.
    pub(super) fn output_at(&self, index: usize) -> Option<&'a str> {
        self.proto.output.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Whether an attribute is present.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    fn attribute(&self, name: &str) -> Option<&'a AttributeProto> {
        self.proto.attribute.iter().find(|attribute| attribute.name.as_deref() == Some(name))
    }

    /// The attribute, if it is present and of that type. Files older than IR version 3 state none.
    fn typed(&self, name: &str, expected: AttributeType) -> Outcome<Option<&'a AttributeProto>> {
        let Some(attribute) = self.attribute(name) else { return Ok(None) };
        match attribute.r#type {
            Some(found) if found != expected && found != AttributeType::UNDEFINED => {
                Err(format!("attribute {name} has the wrong type"))
            }
            _ => Ok(Some(attribute)),
        }
    }

    /// An integer, or `default`.
    pub(super) fn int(&self, name: &str, default: i64) -> Outcome<i64> {
        let attribute = self.typed(name, AttributeType::INT)?;
        Ok(attribute.map_or(default, |attribute| attribute.i.unwrap_or(0)))
    }

    /// A switch, off unless `default`.
    pub(super) fn flag(&self, name: &str, default: bool) -> Outcome<bool> {
        Ok(self.int(name, i64::from(default))? != 0)
    }

    /// A number, or `default`.
    pub(super) fn float(&self, name: &str, default: f32) -> Outcome<f32> {
        let attribute = self.typed(name, AttributeType::FLOAT)?;
        match attribute.map_or(default, |attribute| attribute.f.unwrap_or(0.0)) {
            number if number.is_nan() => Err(format!("attribute {name} is not a number")),
            number => Ok(number),
        }
    }

    /// A list of integers.
    pub(super) fn ints(&self, name: &str) -> Outcome<Option<&'a [i64]>> {
        Ok(self.typed(name, AttributeType::INTS)?.map(|attribute| attribute.ints.as_slice()))
    }

    /// A list of numbers.
    pub(super) fn floats(&self, name: &str) -> Outcome<Option<&'a [f32]>> {
        Ok(self.typed(name, AttributeType::FLOATS)?.map(|attribute| attribute.floats.as_slice()))
    }

    /// A word, or `default`.
    pub(super) fn string(&self, name: &str, default: &'a str) -> Outcome<&'a str> {
        let attribute = self.typed(name, AttributeType::STRING)?;
        Ok(attribute.map_or(default, |attribute| attribute.s.as_deref().unwrap_or("")))
    }

    /// A tensor.
    pub(super) fn tensor(&self, name: &str) -> Outcome<Option<&'a TensorProto>> {
        match self.typed(name, AttributeType::TENSOR)? {
            None => Ok(None),
            Some(attribute) => match &attribute.t {
                Some(tensor) => Ok(Some(tensor)),
                None => Err(format!("attribute {name} holds no tensor")),
            },
        }
    }
}

/// An axis of `rank` dimensions, counted from the end if negative.
pub(super) fn axis(axis: i64, rank: usize) -> Outcome<usize> {
    let signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let counted = if axis < 0 { axis.checked_add(signed) } else { Some(axis) };
    counted
        .filter(|counted| (0..signed).contains(counted))
        .and_then(|counted| usize::try_from(counted).ok())
        .ok_or_else(|| format!("axis {axis} of a tensor of {rank} dimensions"))
}

/// Distinct axes of `rank` dimensions, ascending.
pub(super) fn axes(list: &[i64], rank: usize) -> Outcome<Vec<usize>> {
    let mut axes = list.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("axes {list:?} name one dimension twice"));
    }
    Ok(axes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_count_from_either_end_and_stay_inside() {
        assert_eq!(axis(-1, 4), Ok(3));
        assert_eq!(axis(0, 4), Ok(0));
        for (bad, rank) in [(4, 4), (-5, 4), (0, 0), (i64::MIN, 4), (i64::MAX, 4)] {
            assert!(axis(bad, rank).is_err(), "{bad} of {rank}");
        }
        assert_eq!(axes(&[-1, 1], 3), Ok(vec![1, 2]));
        assert!(axes(&[-1, 2], 3).is_err());
    }
}
