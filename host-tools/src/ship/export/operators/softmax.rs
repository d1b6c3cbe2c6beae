use headstart::graph::Node;
use rten_onnx::onnx::NodeProto;

use super::attributes::int;
use super::{Writer, node_proto, output};

pub(super) fn write(axis: usize, proto: &mut NodeProto) {
    proto.attribute = vec![int("axis", axis)];
}

/// A softmax over several dimensions, which are one while it runs: three nodes.
pub(super) fn write_flattened(
    writer: &mut Writer<'_>,
    node: &Node,
    axis: usize,
    proto: &mut NodeProto,
) {
    let result = output(proto).to_owned();
    let shape = &writer.graph.values[node.output].shape;
    let mut flat = writer.batched(&shape[..axis]);
    flat.push(-1);
    let full = writer.batched(shape);
    let flat = writer.integers(format!("{result}_flat_shape"), &flat);
    let full = writer.integers(format!("{result}_shape"), &full);
    let [before, after] = [format!("{result}_flat"), format!("{result}_flat_softmax")];
    let name = |part: &str| format!("{}_{part}", node.name);
    let x = proto.input[0].clone();
    writer.proto.node.push(node_proto(name("flat"), "Reshape", vec![x, flat], before.clone()));
    let mut softmax = node_proto(node.name.clone(), "Softmax", vec![before], after.clone());
    write(axis, &mut softmax);
    writer.proto.node.push(softmax);
    *proto = node_proto(name("full"), "Reshape", vec![after, full], result);
}
