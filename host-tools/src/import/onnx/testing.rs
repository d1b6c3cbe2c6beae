//! Small ONNX models for tests, written with the parser's own encoder.

use std::cell::RefCell;

use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, ModelProto, NodeProto,
    OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};

use super::{ImportError, Imported, import_bytes};

/// A model under construction.
pub(crate) struct Builder {
    pub(crate) model: ModelProto,
}

impl Builder {
    /// A model of operator set `opset` with one float input `x`; an extent of 0 is symbolic.
    pub(crate) fn new(opset: i64, input: &[i64]) -> Self {
        let model = ModelProto {
            ir_version: Some(8),
            producer_name: Some("test".to_owned()),
            opset_import: vec![OperatorSetIdProto { domain: None, version: Some(opset) }],
            graph: Some(GraphProto {
                input: vec![value_info("x", input)],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        };
        Self { model }
    }

    pub(crate) fn graph(&mut self) -> &mut GraphProto {
        self.model.graph.get_or_insert_default()
    }

    /// Adds a float initialiser that counts 1, 2, 3 …
    pub(crate) fn weight(self, name: &str, dims: &[i64]) -> Self {
        let count = dims.iter().product::<i64>();
        let data = (1..=count).map(|i| i as f32).collect::<Vec<_>>();
        self.floats(name, dims, &data)
    }

    pub(crate) fn floats(mut self, name: &str, dims: &[i64], data: &[f32]) -> Self {
        let bytes = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.graph().initializer.push(tensor(name, dims, DataType::FLOAT, bytes));
        self
    }

    pub(crate) fn ints(mut self, name: &str, data: &[i64]) -> Self {
        let bytes = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        let dims = [data.len() as i64];
        self.graph().initializer.push(tensor(name, &dims, DataType::INT64, bytes));
        self
    }

    /// Adds an initialiser of any type.
    pub(crate) fn raw(mut self, name: &str, dims: &[i64], kind: DataType, bytes: Vec<u8>) -> Self {
        self.graph().initializer.push(tensor(name, dims, kind, bytes));
        self
    }

    /// Adds a node without a name.
    pub(crate) fn node(
        mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<AttributeProto>,
    ) -> Self {
        let text = |s: &&str| (*s).to_owned();
        self.graph().node.push(NodeProto {
            op_type: Some(operator.to_owned()),
            // All that tests use of another domain are of this one.
            domain: is_of_onnx_runtime(operator).then(|| "com.microsoft".to_owned()),
            input: inputs.iter().map(text).collect(),
            output: vec![output.to_owned()],
            attribute: attributes,
            ..NodeProto::default()
        });
        self
    }

    /// The file, with `output` as its output.
    pub(crate) fn bytes(mut self, output: &str) -> Vec<u8> {
        self.graph().output.push(value_info(output, &[]));
        self.model.write_buf().expect("a model in memory is written")
    }

    /// What the importer makes of it, with `output` as its output.
    pub(crate) fn import(self, output: &str) -> Result<Imported, ImportError> {
        import_bytes(&self.bytes(output), "test.onnx", None)
    }
}

fn is_of_onnx_runtime(operator: &str) -> bool {
    let own = ["QLinearConv", "QLinearMatMul"];
    operator == "QGemm" || (operator.starts_with("QLinear") && !own.contains(&operator))
}

pub(crate) fn tensor(name: &str, dims: &[i64], data_type: DataType, bytes: Vec<u8>) -> TensorProto {
    TensorProto {
        name: Some(name.to_owned()),
        dims: dims.to_vec(),
        data_type: Some(data_type),
        raw_data: Some(RefCell::new(bytes)),
        ..TensorProto::default()
    }
}

pub(crate) fn value_info(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dimension = |&n: &i64| match n {
        0 => Dimension { dim_param: Some("N".to_owned()), ..Dimension::default() },
        _ => Dimension { dim_value: Some(n), ..Dimension::default() },
    };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto {
            tensor_type: Some(TypeProtoTensor {
                elem_type: Some(DataType::FLOAT),
                shape: Some(TensorShapeProto { dim: dims.iter().map(dimension).collect() }),
            }),
            ..TypeProto::default()
        }),
    }
}

fn attribute(name: &str, r#type: AttributeType) -> AttributeProto {
    AttributeProto { name: Some(name.to_owned()), r#type: Some(r#type), ..Default::default() }
}

pub(crate) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::INT) }
}

pub(crate) fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { ints: values.to_vec(), ..attribute(name, AttributeType::INTS) }
}

pub(crate) fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeType::FLOAT) }
}

pub(crate) fn string(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.to_owned()), ..attribute(name, AttributeType::STRING) }
}

pub(crate) fn value(name: &str, tensor: TensorProto) -> AttributeProto {
    AttributeProto { t: Some(tensor), ..attribute(name, AttributeType::TENSOR) }
}
