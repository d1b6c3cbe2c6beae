//! Nodes of the graph as nodes of the file, an operator a file; some become two or three.

mod activation;
mod attributes;
mod batch_normalization;
mod concat;
mod conv;
mod gemm;
mod pad;
mod pool;
mod reduce_mean;
mod reshape;
mod resize;
mod softmax;
mod transpose;

use headstart::graph::{Node, Op};
use rten_onnx::onnx::NodeProto;

use super::{ExportError, Writer};

/// Nothing, or why the file cannot say what a node does.
type Outcome = Result<(), &'static str>;

impl Writer<'_> {
    /// Writes one node with all its operands.
    pub(super) fn write_node(&mut self, node: &Node) -> Result<(), ExportError> {
        let inputs = node.inputs.iter().map(|&id| self.names[id].clone()).collect();
        let result = self.names[node.output].clone();
        let mut proto = node_proto(node.name.clone(), node.op.name(), inputs, result);
        self.complete(node, &mut proto).map_err(|what| ExportError::Node {
            node: node.name.clone(),
            operator: node.op.name(),
            what,
        })?;
        self.proto.node.push(proto);
        Ok(())
    }

    /// Adds attributes, further operands, and the nodes that go before to a node that has its name, operator,
    /// operands and result.
    fn complete(&mut self, node: &Node, proto: &mut NodeProto) -> Outcome {
        match &node.op {
            Op::Conv(conv) => conv::write(conv, proto),
            Op::BatchNormalization { epsilon } => batch_normalization::write(*epsilon, proto),
            Op::Activation(activation) => activation::write(self, *activation, proto),
            Op::MaxPool(pool) => pool::write_max(pool, proto),
            Op::MaxPoolIndices(_) => pool::refuse_max_indices()?,
            Op::AveragePool(pool) => pool::write_average(pool, proto)?,
            Op::ReduceMean { axes, keep_dims } => reduce_mean::write(axes, *keep_dims, proto),
            Op::Softmax { axis, flatten: false } => softmax::write(*axis, proto),
            Op::Softmax { axis, flatten: true } => {
                softmax::write_flattened(self, node, *axis, proto);
            }
            Op::Concat { axis } => concat::write(*axis, proto),
            Op::Pad(pad) => pad::write(self, pad, proto)?,
            Op::Reshape { shape } => reshape::write(self, shape, proto),
            Op::Transpose { permutation } => transpose::write(permutation, proto),
            Op::Gemm(gemm) => gemm::write(gemm, proto),
            Op::Resize(resize) => resize::write(self, node, resize, proto),
            // Their operands say all.
            Op::PRelu | Op::Binary(_) | Op::GlobalAveragePool | Op::MatMul => {}
        }
        Ok(())
    }

    /// A shape whose batch, if open, is what it was before.
    fn batched(&self, shape: &[usize]) -> Vec<i64> {
        let extent = |(i, &extent): (usize, &usize)| match (self.open_batch, i) {
            (true, 0) => 0,
            _ => extent as i64,
        };
        shape.iter().enumerate().map(extent).collect()
    }
}

/// A node without attributes.
pub(super) fn node_proto(
    name: String,
    operator: &str,
    input: Vec<String>,
    output: String,
) -> NodeProto {
    NodeProto {
        name: Some(name),
        op_type: Some(operator.to_owned()),
        input,
        output: vec![output],
        ..NodeProto::default()
    }
}

/// The name of a node's one result.
fn output(proto: &NodeProto) -> &str {
    &proto.output[0]
}
