//! Parts of a model that the parser passes over: functions of its own, and sparse constants.
//!
//! [`wire::check`](super::wire::check) has walked them before, so that their nodes and tensors can be handed to the parser inside a
//! message that it does read.

use rten_onnx::onnx::{GraphProto, ModelProto, NodeProto, TensorProto};

use crate::error::Problem;

/// A function that the model brings along.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) domain: String,
    pub(super) name: String,
    /// Which of several functions of one name it is.
    pub(super) overload: String,
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) nodes: Vec<NodeProto>,
    /// For every node the names of its attributes that a call states, and what they are called there.
    pub(super) stated: Vec<Vec<(String, String)>>,
    /// Attributes that a call may leave out, as those of a node.
    pub(super) defaults: NodeProto,
    /// Version of ONNX's operator set, if the function names its own.
    pub(super) opset: Option<i64>,
    /// Bytes of all that stands in it.
    pub(super) bytes: usize,
}

/// A constant of which the elements that are not 0 are in the file.
#[derive(Debug)]
pub(super) struct Sparse {
    pub(super) values: TensorProto,
    pub(super) indices: TensorProto,
    pub(super) dims: Vec<i64>,
}

/// All functions of a model.
///
/// # Errors
///
/// [`Problem::Model`] for one that is not a function.
pub(super) fn functions(model: &[u8]) -> Result<Vec<Function>, Problem> {
    fields(model).filter(|(number, _)| *number == 25).map(|(_, field)| function(field)).collect()
}

/// All sparse constants of a model's graph.
///
/// # Errors
///
/// [`Problem::Model`] for one that is not a sparse tensor.
pub(super) fn sparse(model: &[u8]) -> Result<Vec<Sparse>, Problem> {
    let graphs = fields(model).filter(|(number, _)| *number == 7);
    let found = graphs.flat_map(|(_, graph)| fields(graph.bytes())).filter(|(n, _)| *n == 15);
    found.map(|(_, field)| sparse_tensor(field.bytes())).collect()
}

fn function(field: Field<'_>) -> Result<Function, Problem> {
    let bytes = field.bytes();
    let (mut nodes, mut stated, mut defaults) = (Vec::new(), Vec::new(), Vec::new());
    let mut function = Function {
        domain: String::new(),
        name: String::new(),
        overload: String::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        nodes: Vec::new(),
        stated: Vec::new(),
        defaults: NodeProto::default(),
        opset: None,
        bytes: bytes.len(),
    };
    for (number, field) in fields(bytes) {
        match number {
            1 => function.name = field.text(),
            4 => function.inputs.push(field.text()),
            5 => function.outputs.push(field.text()),
            7 => {
                append(&mut nodes, 1, field.bytes());
                stated.push(references(field.bytes()));
            }
            9 => function.opset = own_version(field.bytes()).or(function.opset),
            10 => function.domain = domain(field.text()),
            11 => append(&mut defaults, 5, field.bytes()),
            13 => function.overload = field.text(),
            _ => {}
        }
    }
    function.nodes = parsed(&nodes)?.node;
    function.stated = stated;
    let mut node = Vec::new();
    append(&mut node, 1, &defaults);
    function.defaults = parsed(&node)?.node.into_iter().next().unwrap_or_default();
    Ok(function)
}

/// The version of ONNX's own operator set, if that is what an entry names.
fn own_version(entry: &[u8]) -> Option<i64> {
    let (mut name, mut version) = (String::new(), None);
    for (number, field) in fields(entry) {
        match (number, field) {
            (1, field) => name = domain(field.text()),
            (2, Field::Number(number)) => version = Some(number.cast_signed()),
            _ => {}
        }
    }
    version.filter(|_| name.is_empty())
}

/// A domain's name, empty for ONNX's own.
fn domain(name: String) -> String {
    if name == "ai.onnx" { String::new() } else { name }
}

/// Name, and name at the call, of the attributes of a node that a call states.
fn references(node: &[u8]) -> Vec<(String, String)> {
    let attributes = fields(node).filter(|(number, _)| *number == 5);
    let reference = |attribute: Field<'_>| {
        let (mut name, mut reference) = (String::new(), String::new());
        for (number, field) in fields(attribute.bytes()) {
            match number {
                1 => name = field.text(),
                21 => reference = field.text(),
                _ => {}
            }
        }
        (!reference.is_empty()).then_some((name, reference))
    };
    attributes.filter_map(|(_, attribute)| reference(attribute)).collect()
}

fn sparse_tensor(bytes: &[u8]) -> Result<Sparse, Problem> {
    let (mut tensors, mut dims) = ([Vec::new(), Vec::new()], Vec::new());
    for (number, field) in fields(bytes) {
        match (number, field) {
            (1, field) => append(&mut tensors[0], 5, field.bytes()),
            (2, field) => append(&mut tensors[1], 5, field.bytes()),
            (3, Field::Number(extent)) => dims.push(extent.cast_signed()),
            (3, Field::Bytes(packed)) => dims.extend(numbers(packed)),
            _ => {}
        }
    }
    let [values, indices] = tensors.map(|tensor| {
        let found = parsed(&tensor)?.initializer.into_iter().next();
        found.ok_or_else(|| Problem::Model("a sparse constant lacks values or indices".to_owned()))
    });
    Ok(Sparse { values: values?, indices: indices?, dims })
}

/// What the parser makes of a graph of these bytes.
fn parsed(graph: &[u8]) -> Result<GraphProto, Problem> {
    let mut model = Vec::new();
    append(&mut model, 7, graph);
    let parsed = ModelProto::parse_buf(&model)
        .map_err(|error| Problem::Model(format!("is not an ONNX model: {error}")))?;
    Ok(parsed.graph.unwrap_or_default())
}

/// Adds a field of that number.
fn append(message: &mut Vec<u8>, number: u8, content: &[u8]) {
    message.push(number << 3 | 2);
    let mut length = content.len();
    while length >= 0x80 {
        message.push(length as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(content);
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

impl<'a> Field<'a> {
    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }
}

/// The fields of a message with their numbers, as far as it is one.
fn fields<'a>(mut rest: &'a [u8]) -> impl Iterator<Item = (u64, Field<'a>)> {
    std::iter::from_fn(move || {
        let tag = varint(&mut rest)?;
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at_checked(length)?;
            rest = left;
            Some(taken)
        };
        let field = match tag & 7 {
            1 => take(8).map(|_| Field::Other)?,
            5 => take(4).map(|_| Field::Other)?,
            0 => Field::Number(varint(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (taken, left) = rest.split_at_checked(length)?;
                rest = left;
                Field::Bytes(taken)
            }
            _ => return None,
        };
        Some((tag >> 3, field))
    })
}

fn numbers(mut packed: &[u8]) -> impl Iterator<Item = i64> {
    std::iter::from_fn(move || varint(&mut packed).map(u64::cast_signed))
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, left) = rest.split_first()?;
        *rest = left;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::onnx::testing::{Builder, float};
    use crate::import::onnx::{ImportError, Imported, import_bytes};
    use crate::reference;

    /// A message of fields that hold bytes.
    fn message(content: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, content) in content {
            // Numbers from 16 on take two bytes.
            if *number < 16 {
                append(&mut bytes, *number, content);
            } else {
                let mut field = Vec::new();
                append(&mut field, 0, content);
                bytes.extend([number << 3 & 0x7f | 0x82, number >> 4]);
                bytes.extend(&field[1..]);
            }
        }
        bytes
    }

    fn node(operator: &str, inputs: &[&str], output: &str, more: &[(u8, &[u8])]) -> Vec<u8> {
        let inputs = inputs.iter().map(|name| (1, name.as_bytes()));
        let named = [(2, output.as_bytes()), (4, operator.as_bytes())];
        message(&inputs.chain(named).chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn function(name: &str, nodes: &[Vec<u8>]) -> Vec<u8> {
        let nodes = nodes.iter().map(|node| (7, node.as_slice()));
        let ends: [(u8, &[u8]); 4] = [(1, name.as_bytes()), (4, b"a"), (5, b"b"), (10, b"own")];
        message(&ends.into_iter().chain(nodes).collect::<Vec<_>>())
    }

    fn import(mut model: Builder, functions: &[Vec<u8>]) -> Result<Imported, ImportError> {
        for node in &mut model.graph().node {
            node.domain = Some("own".to_owned());
        }
        let functions: Vec<(u8, &[u8])> = functions.iter().map(|f| (25, f.as_slice())).collect();
        let bytes = [model.bytes("y"), message(&functions)].concat();
        import_bytes(&bytes, "test.onnx", None)
    }

    #[test]
    fn a_function_of_the_model_does_what_stands_in_it() {
        let slope = message(&[(1, b"alpha"), (21, b"slope")]);
        let inner = function(
            "Leaky",
            &[
                node("LeakyRelu", &["a"], "t", &[(5, slope.as_slice())]),
                node("Add", &["t", "a"], "b", &[]),
            ],
        );
        let model =
            || {
                Builder::new(13, &[1, 2])
                    .node("Leaky", &["x"], "l", vec![float("slope", 0.5)])
                    .node("Leaky", &["l"], "y", vec![])
            };
        let imported = import(model(), &[inner]).unwrap();
        // −2 → −3 → −3 − 0.03, with ONNX's own slope of 0.01 in the second call.
        let found = reference::run(&imported.graph, &[vec![-2.0, 1.0]]).remove(0);
        assert!((found[0] + 3.03).abs() < 1e-6 && found[1] == 4.0, "{found:?}");
        let names: Vec<&str> = imported.graph.nodes.iter().map(|node| node.name.as_str()).collect();
        assert!(names[0].starts_with("Leaky_l/LeakyRelu"), "{names:?}");
        assert!(imported.graph.value_named("l").is_some(), "results keep their names");

        let unknown = import(model(), &[]).unwrap_err().to_string();
        assert!(unknown.contains("own.Leaky") && unknown.contains("private"), "{unknown}");
    }

    #[test]
    fn functions_that_call_each_other_without_end_or_too_often_are_refused() {
        let call = |name: &str, from: &str, to: &str| node(name, &[from], to, &[(7, b"own")]);
        let itself = function("F", &[call("F", "a", "b")]);
        let model = || Builder::new(13, &[1, 2]).node("F", &["x"], "y", vec![]);
        let refused = import(model(), &[itself]).unwrap_err().to_string();
        assert!(refused.contains("too deep"), "{refused}");

        let names = ["F", "G", "H", "I", "J", "K", "L", "M"];
        let mut functions: Vec<Vec<u8>> = names
            .windows(2)
            .map(|pair| {
                let between = |i: usize| match i {
                    0 => "a".to_owned(),
                    10 => "b".to_owned(),
                    i => format!("t{i}"),
                };
                let calls = (0..10).map(|i| call(pair[1], &between(i), &between(i + 1)));
                function(pair[0], &calls.collect::<Vec<_>>())
            })
            .collect();
        functions.push(function("M", &[node("Relu", &["a"], "b", &[])]));
        let refused = import(model(), &functions).unwrap_err().to_string();
        assert!(refused.contains("called so often"), "{refused}");
    }

    /// The model with a sparse constant of values 2 and 3 in its graph.
    fn with_sparse(
        dims: &[u8],
        indices: &[i64],
        of_indices: &[u8],
    ) -> Result<Imported, ImportError> {
        let model = Builder::new(13, &[1, 3]).floats("unused", &[1], &[0.0]);
        let bytes = model.node("MatMul", &["x", "w"], "y", vec![]).bytes("y");
        let number = |number: u8, value: u8| [number << 3, value];
        let tensor = |dims: &[u8], kind: u8, name: &[u8], data: &[u8]| {
            let dims: Vec<u8> = dims.iter().flat_map(|&n| number(1, n)).collect();
            [dims, number(2, kind).to_vec(), message(&[(8, name), (9, data)])].concat()
        };
        let floats: Vec<u8> = [2.0_f32, 3.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let places: Vec<u8> = indices.iter().flat_map(|x| x.to_le_bytes()).collect();
        let (values, indices) =
            (tensor(&[2], 1, b"w", &floats), tensor(of_indices, 7, b"", &places));
        let dims: Vec<u8> = dims.iter().flat_map(|&n| number(3, n)).collect();
        let sparse = [message(&[(1, &values), (2, &indices)]), dims].concat();
        let mut rebuilt = Vec::new();
        for (number, field) in fields(&bytes) {
            match (number, field) {
                (7, Field::Bytes(graph)) => {
                    append(&mut rebuilt, 7, &[graph, &message(&[(15, &sparse)])].concat());
                }
                (number, Field::Bytes(bytes)) => append(&mut rebuilt, number as u8, bytes),
                _ => {}
            }
        }
        import_bytes(&rebuilt, "test.onnx", None)
    }

    #[test]
    fn a_sparse_constant_is_filled_with_zeros() {
        for (indices, of_indices) in [(&[1, 5][..], &[2][..]), (&[0, 1, 2, 1], &[2, 2])] {
            let imported = with_sparse(&[3, 2], indices, of_indices).unwrap();
            let found = reference::run(&imported.graph, &[vec![10.0, 100.0, 1000.0]]).remove(0);
            assert_eq!(found, [0.0, 3020.0]);
        }
        let outside = with_sparse(&[3, 2], &[0, 6], &[2]).unwrap_err().to_string();
        assert!(outside.contains("\"w\"") && outside.contains("outside"), "{outside}");
        let odd = with_sparse(&[3, 2], &[0, 1, 2], &[3]).unwrap_err().to_string();
        assert!(odd.contains("2 values"), "{odd}");
    }
}
