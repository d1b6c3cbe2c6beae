//! Normalisations by statistics of the sample, as ONNX writes them: their int8 form beside the float one.

use headstart::graph::Graph;
use headstart_tools::import::onnx::{Aliases, import_bytes};
use headstart_tools::import::simplify::simplify;
use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

use crate::{Noise, decibels};

/// A convolution whose channels have unlike sizes, and behind it an ONNX node with a factor and an offset for each of them.
fn normalised(operator: &str, attributes: Vec<AttributeProto>) -> Graph {
    let mut noise = Noise(3);
    let mut weights = noise.list(8 * 27);
    weights.iter_mut().enumerate().for_each(|(at, weight)| *weight *= 1.5_f32.powi(at as i32 / 27));
    let tensor = |name: &str, dims: &[i64], data: Vec<f32>| TensorProto {
        name: Some(name.to_owned()),
        dims: dims.to_vec(),
        data_type: Some(DataType::FLOAT),
        float_data: data,
        ..TensorProto::default()
    };
    let info = |name: &str, dims: &[i64]| {
        let dim = dims.iter().map(|&n| Dimension { dim_value: Some(n), ..Dimension::default() });
        let shape = Some(TensorShapeProto { dim: dim.collect() });
        let tensor_type = Some(TypeProtoTensor { elem_type: Some(DataType::FLOAT), shape });
        let r#type = Some(TypeProto { tensor_type, ..TypeProto::default() });
        ValueInfoProto { name: Some(name.to_owned()), r#type }
    };
    let node = |operator: &str, input: &[&str], output: &str, attribute| NodeProto {
        op_type: Some(operator.to_owned()),
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute,
        ..NodeProto::default()
    };
    let pads = AttributeProto {
        name: Some("pads".to_owned()),
        r#type: Some(AttributeType::INTS),
        ints: vec![1; 4],
        ..AttributeProto::default()
    };
    let graph = GraphProto {
        input: vec![info("x", &[1, 3, 9, 10])],
        output: vec![info("y", &[])],
        initializer: vec![
            tensor("w", &[8, 3, 3, 3], weights),
            tensor("scale", &[8], noise.list(8)),
            tensor("bias", &[8], noise.list(8)),
        ],
        node: vec![
            node("Conv", &["x", "w"], "map", vec![pads]),
            node(operator, &["map", "scale", "bias"], "y", attributes),
        ],
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: Some(10),
        opset_import: vec![OperatorSetIdProto { domain: None, version: Some(21) }],
        graph: Some(graph),
        ..ModelProto::default()
    };
    let bytes = model.write_buf().unwrap();
    import_bytes(&bytes, "test", None).unwrap().graph
}

#[test]
fn statistics_of_the_sample() {
    let number = |name: &str, kind| AttributeProto {
        name: Some(name.to_owned()),
        r#type: Some(kind),
        ..AttributeProto::default()
    };
    let int = |name, n| AttributeProto { i: Some(n), ..number(name, AttributeType::INT) };
    let float = |name, x| AttributeProto { f: Some(x), ..number(name, AttributeType::FLOAT) };
    let cases = [
        ("InstanceNormalization", vec![], 25.0),
        ("GroupNormalization", vec![int("num_groups", 4)], 25.0),
        ("LRN", vec![int("size", 3), float("alpha", 0.5)], 19.0),
    ];
    for (operator, attributes, least) in cases {
        let graph = normalised(operator, attributes);
        let graph = simplify(&graph, &mut Aliases::default(), &mut |_, _| None);
        let found = decibels(&graph, 4);
        assert!(found >= least, "{operator}: {found:.1} dB, at least {least} were expected");
    }
}
