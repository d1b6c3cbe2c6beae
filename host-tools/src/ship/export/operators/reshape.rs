use rten_onnx::onnx::NodeProto;

use super::{Writer, output};

pub(super) fn write(writer: &mut Writer<'_>, shape: &[usize], proto: &mut NodeProto) {
    let shape = writer.batched(shape);
    let shape = writer.integers(format!("{}_shape", output(proto)), &shape);
    proto.input.push(shape);
}
