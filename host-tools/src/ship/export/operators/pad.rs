use headstart::graph::{Pad, PadMode};
use rten_onnx::onnx::NodeProto;

use super::attributes::string;
use super::{Outcome, Writer, output};

pub(super) fn write(writer: &mut Writer<'_>, pad: &Pad, proto: &mut NodeProto) -> Outcome {
    let amounts: Vec<_> = pad.begin.iter().chain(&pad.end).map(|&n| n as i64).collect();
    let amounts = writer.integers(format!("{}_pads", output(proto)), &amounts);
    proto.input.push(amounts);
    let mode = match pad.mode {
        PadMode::Constant(value) => {
            let value = writer.number(format!("{}_value", output(proto)), value);
            proto.input.push(value);
            "constant"
        }
        PadMode::Reflect => "reflect",
        PadMode::Edge => "edge",
        PadMode::Wrap => return Err("padding of mode wrap needs operator set 19"),
    };
    proto.attribute = vec![string("mode", mode)];
    Ok(())
}
