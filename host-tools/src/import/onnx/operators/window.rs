//! The windows of convolutions and pools, with ONNX's implicit padding made explicit.

use headstart::graph::{Window, elements};

use super::{NodeView, Outcome, extent};

/// Largest extent, step or padding of a window.
const MAX_AMOUNT: usize = 1 << 16;

/// A window and how much of its end padding `ceil_mode` added.
pub(super) struct Placed {
    pub(super) window: Window,
    pub(super) ceil_extra: Vec<usize>,
}

/// Reads the window of a node over `x` (batch and channels first).
///
/// # Errors
///
/// The text says which attribute is missing, of the wrong length or out of range.
pub(super) fn window(
    node: &NodeView<'_>,
    x: &[usize],
    kernel: Vec<usize>,
    ceil_mode: bool,
) -> Outcome<Placed> {
    let Some(spatial) = x.get(2..).filter(|spatial| matches!(spatial.len(), 1..=3)) else {
        return Err(format!(
            "a window over a tensor of shape {x:?}; one to three spatial dimensions after batch \
             and channels are supported"
        ));
    };
    let rank = spatial.len();
    let per_axis = |name: &str| amounts(node, name, rank, 1);
    let mut window = Window {
        kernel,
        strides: per_axis("strides")?,
        dilations: per_axis("dilations")?,
        pads_begin: vec![0; rank],
        pads_end: vec![0; rank],
    };
    let lists = [("kernel", &window.kernel), ("stride", &window.strides)];
    for (name, list) in lists.into_iter().chain([("dilation", &window.dilations)]) {
        if list.len() != rank || list.iter().any(|&n| n == 0 || n > MAX_AMOUNT) {
            return Err(format!("a {name} of {list:?} over {rank} spatial dimensions"));
        }
    }

    let auto_pad = node.string("auto_pad", "NOTSET")?;
    match auto_pad {
        "NOTSET" | "" => {
            let pads = amounts(node, "pads", 2 * rank, 0)?;
            window.pads_begin = pads[..rank].to_vec();
            window.pads_end = pads[rank..].to_vec();
        }
        "VALID" => {}
        "SAME_UPPER" | "SAME_LOWER" => {
            for (i, &size) in spatial.iter().enumerate() {
                let covered =
                    size.div_ceil(window.strides[i]).saturating_sub(1) * window.strides[i];
                let total = (covered + reach(&window, i)).saturating_sub(size);
                let small = total / 2;
                let upper = auto_pad == "SAME_UPPER";
                window.pads_begin[i] = if upper { small } else { total - small };
                window.pads_end[i] = total - window.pads_begin[i];
            }
        }
        other => return Err(format!("an auto_pad of {other:?}")),
    }

    let mut ceil_extra = vec![0; rank];
    if ceil_mode && !auto_pad.starts_with("SAME") {
        for (i, &size) in spatial.iter().enumerate() {
            let (reach, stride) = (reach(&window, i), window.strides[i]);
            let padded = size + window.pads_begin[i] + window.pads_end[i];
            let starts = padded.saturating_sub(reach).div_ceil(stride) * stride;
            // A window that starts beyond the data would see padding only, and is left out.
            if starts < size + window.pads_begin[i] {
                ceil_extra[i] = (starts + reach).saturating_sub(padded);
            }
            window.pads_end[i] += ceil_extra[i];
        }
    }

    let mut padded = x.to_vec();
    for (i, extent) in padded[2..].iter_mut().enumerate() {
        *extent = extent.saturating_add(window.pads_begin[i] + window.pads_end[i]);
    }
    elements(&padded).map_err(|error| format!("with its padding, {error}"))?;
    Ok(Placed { window, ceil_extra })
}

/// How far the window of axis `i` reads.
fn reach(window: &Window, i: usize) -> usize {
    (window.kernel[i] - 1) * window.dilations[i] + 1
}

fn amounts(node: &NodeView<'_>, name: &str, count: usize, default: usize) -> Outcome<Vec<usize>> {
    let Some(list) = node.ints(name)?.filter(|list| !list.is_empty()) else {
        return Ok(vec![default; count]);
    };
    if list.len() != count {
        return Err(format!("{name} has {} entries, {count} are expected", list.len()));
    }
    if name == "pads" && list.iter().any(|&n| n < 0) {
        return Err(format!(
            "pads of {list:?}; negative ones, which cut the input, are not supported"
        ));
    }
    let amounts = list.iter().map(|&n| extent(name, n)).collect::<Outcome<Vec<_>>>()?;
    match amounts.iter().find(|&&n| n > MAX_AMOUNT) {
        Some(n) => Err(format!("{name} of {n}; at most {MAX_AMOUNT} is supported")),
        None => Ok(amounts),
    }
}

/// The attribute `kernel_shape`.
pub(super) fn kernel_shape(node: &NodeView<'_>) -> Outcome<Option<Vec<usize>>> {
    let Some(list) = node.ints("kernel_shape")? else { return Ok(None) };
    list.iter().map(|&n| extent("kernel_shape", n)).collect::<Outcome<_>>().map(Some)
}
