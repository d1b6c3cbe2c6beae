use headstart::graph::{Coordinates, Interpolation, Op, Resize, Rounding};

use super::super::attributes::axis;
use super::cubic::{Cubic, cubic};
use super::{Bound, Context, NodeView, Outcome};

/// `Resize`, and `Upsample`, which it replaced in operator set 10: spatial axes sampled anew, cubic, linear or to the
/// nearest element.
pub(super) fn resize(context: &mut Context<'_>, node: &NodeView<'_>) -> Outcome<Bound> {
    let x = context.float(node, 0)?;
    let shape = context.shape(x).to_vec();
    let is_old = node.operator() == "Upsample" || node.opset < 11;
    let (scales_at, sizes_at) = if is_old { (1, usize::MAX) } else { (2, 3) };
    let axes = match node.ints("axes")? {
        Some(list) => list.iter().map(|&a| axis(a, shape.len())).collect::<Outcome<Vec<_>>>()?,
        None => (0..shape.len()).collect(),
    };
    let mut extents = shape.clone();
    let mut scales = vec![1.0; shape.len()];
    let counted = |found: usize| match found == axes.len() {
        true => Ok(()),
        false => Err(format!("{found} scales or sizes for {} axes", axes.len())),
    };
    let stated = match node.floats("scales")? {
        Some(list) => list.to_vec(),
        None => numbers(context, node, scales_at)?,
    };
    if let Some(sizes) = context.optional_integers(node, sizes_at)?.filter(|s| !s.data.is_empty()) {
        if node.string("keep_aspect_ratio_policy", "stretch")? != "stretch" {
            return Err("keeps the aspect ratio; export the model with fixed sizes".into());
        }
        counted(sizes.data.len())?;
        for (&axis, &size) in axes.iter().zip(&sizes.data) {
            extents[axis] = usize::try_from(size).map_err(|_| format!("a size of {size}"))?;
            scales[axis] = extents[axis] as f32 / shape[axis].max(1) as f32;
        }
    } else {
        counted(stated.len())?;
        for (&axis, &scale) in axes.iter().zip(&stated) {
            // In float32, as ONNX Runtime does it.
            let extent = shape[axis] as f32 * scale;
            if !(scale > 0.0 && extent < u32::MAX as f32) {
                return Err(format!("a scale of {scale}"));
            }
            (extents[axis], scales[axis]) = (extent as usize, scale);
        }
    }
    if shape.len() < 3 || extents[..2] != shape[..2] {
        return Err(format!(
            "{shape:?} resized to {extents:?}; only axes behind batch and channels can be"
        ));
    }
    if node.flag("antialias", false)? && extents.iter().zip(&shape).any(|(to, from)| to < from) {
        return Err("antialias is not supported; export the model without it".into());
    }
    let coordinates = match node.string("coordinate_transformation_mode", "half_pixel")? {
        _ if is_old => Coordinates::Asymmetric,
        "half_pixel" => Coordinates::HalfPixel,
        "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
        "align_corners" => Coordinates::AlignCorners,
        "asymmetric" => Coordinates::Asymmetric,
        other => {
            return Err(format!(
                "places of mode {other:?}; half_pixel, pytorch_half_pixel, align_corners and asymmetric are \
                 supported"
            ));
        }
    };
    let rounding = match node.string("nearest_mode", "round_prefer_floor")? {
        _ if is_old => Rounding::Floor,
        "round_prefer_floor" => Rounding::PreferFloor,
        "round_prefer_ceil" => Rounding::PreferCeil,
        "floor" => Rounding::Floor,
        "ceil" => Rounding::Ceil,
        other => return Err(format!("rounding of mode {other:?}")),
    };
    let mode = node.string("mode", "nearest")?;
    let interpolation = match mode {
        "nearest" => Interpolation::Nearest(rounding),
        "linear" | "bilinear" | "cubic" => Interpolation::Linear,
        other => return Err(format!("mode {other:?}; nearest, linear and cubic are supported")),
    };
    let (extents, scales) = (extents[2..].to_vec(), scales[2..].to_vec());
    let resize = Resize { extents, scales, coordinates, interpolation };
    if mode == "cubic" {
        let slope = node.float("cubic_coeff_a", -0.75)?;
        let leaves_out = node.flag("exclude_outside", false)?;
        return cubic(context, node, x, &Cubic { places: resize, slope, leaves_out });
    }
    context.add(node, Op::Resize(resize), vec![x])
}

/// The numbers of operand `index`, a known float tensor; none where it is left out.
fn numbers(context: &Context<'_>, node: &NodeView<'_>, index: usize) -> Outcome<Vec<f32>> {
    let Some(value) = context.optional_float(node, index)? else { return Ok(Vec::new()) };
    let known = context.graph.values[value].constant.as_deref();
    known.map(<[f32]>::to_vec).ok_or_else(|| {
        format!("operand {index} is not known before the model runs; export it with fixed sizes")
    })
}
