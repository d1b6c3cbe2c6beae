use rten_onnx::onnx::NodeProto;

use super::attributes::{int, ints};

pub(super) fn write(axes: &[usize], keep_dims: bool, proto: &mut NodeProto) {
    proto.attribute = vec![ints("axes", axes), int("keepdims", usize::from(keep_dims))];
}
