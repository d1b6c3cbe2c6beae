use headstart::graph::Conv;
use rten_onnx::onnx::NodeProto;

use super::attributes::{int, ints, window};

pub(super) fn write(conv: &Conv, proto: &mut NodeProto) {
    proto.attribute = window(&conv.window);
    proto.attribute.push(int("group", conv.groups));
    proto.attribute.push(ints("dilations", &conv.window.dilations));
}
