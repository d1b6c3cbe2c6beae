use rten_onnx::onnx::NodeProto;

use super::attributes::ints;

pub(super) fn write(permutation: &[usize], proto: &mut NodeProto) {
    proto.attribute = vec![ints("perm", permutation)];
}
