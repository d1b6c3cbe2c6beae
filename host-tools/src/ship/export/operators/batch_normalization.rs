use rten_onnx::onnx::NodeProto;

use super::attributes::float;

pub(super) fn write(epsilon: f32, proto: &mut NodeProto) {
    proto.attribute = vec![float("epsilon", epsilon)];
}
