use rten_onnx::onnx::NodeProto;

use super::attributes::int;

pub(super) fn write(axis: usize, proto: &mut NodeProto) {
    proto.attribute = vec![int("axis", axis)];
}
