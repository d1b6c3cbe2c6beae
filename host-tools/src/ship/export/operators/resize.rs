use headstart::graph::{Coordinates, Interpolation, Node, Resize, Rounding};
use rten_onnx::onnx::NodeProto;

use super::attributes::string;
use super::{Writer, output};

pub(super) fn write(writer: &mut Writer<'_>, node: &Node, resize: &Resize, proto: &mut NodeProto) {
    let mode = match resize.interpolation {
        Interpolation::Linear => "linear",
        Interpolation::Nearest(_) => "nearest",
    };
    let coordinates = match resize.coordinates {
        Coordinates::HalfPixel => "half_pixel",
        Coordinates::PytorchHalfPixel => "pytorch_half_pixel",
        Coordinates::AlignCorners => "align_corners",
        Coordinates::Asymmetric => "asymmetric",
    };
    proto.attribute =
        vec![string("mode", mode), string("coordinate_transformation_mode", coordinates)];
    if let Interpolation::Nearest(rounding) = resize.interpolation {
        let rounding = match rounding {
            Rounding::PreferFloor => "round_prefer_floor",
            Rounding::PreferCeil => "round_prefer_ceil",
            Rounding::Floor => "floor",
            Rounding::Ceil => "ceil",
        };
        proto.attribute.push(string("nearest_mode", rounding));
    }
    // The region of interest is for another mode.
    proto.input.push(String::new());
    let operand = &writer.graph.values[node.inputs[0]].shape;
    let plain = Resize::linear(&operand[2..], &resize.extents);
    if resize.scales == plain.scales {
        // A product with a rounded scale may miss the extent.
        let sizes = operand[..2].iter().chain(&resize.extents);
        let sizes: Vec<i64> = sizes.map(|&extent| extent as i64).collect();
        let sizes = writer.integers(format!("{}_sizes", output(proto)), &sizes);
        proto.input.extend([String::new(), sizes]);
    } else {
        let scales = [&[1.0; 2][..], &resize.scales].concat();
        let scales = writer.numbers(format!("{}_scales", output(proto)), &scales);
        proto.input.push(scales);
    }
}
