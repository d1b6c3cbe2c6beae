//! Parts of tensors: some channels or places of images, as convolutions with ones and zeros, which are exact in float32
//! and in int8.

use headstart::graph::{Conv, Op, ValueId, Window};

use super::{Build, Outcome, Step, field, name, unknown};
use crate::import::tflite::layout::in_graph;
use crate::import::tflite::schema::Operator;

/// Most places of a window that only moves an image: more than a few take longer than what reads the part.
const MAX_MOVED: usize = 64;

/// Longest axis of which parts are taken.
const MAX_EXTENT: usize = 1 << 16;

impl Build<'_> {
    /// `STRIDED_SLICE` and `SLICE` of a computed tensor.
    pub(super) fn slice(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let from = &self.model.tensors[self.operand(operator, 0)?];
        check_extents(&from.shape)?;
        let ranges = match name(operator) {
            "STRIDED_SLICE" => self.ranges(operator, &from.shape)?,
            "SLICE" => self.sized_ranges(operator, &from.shape)?,
            other => return Err(unknown(other)),
        };
        let x = self.x(operator)?;
        let to = &self.model.tensors[output];
        let mut step = self.part_of(x, &in_graph(&ranges), to.name)?;
        // Axes of one place may be left out.
        if to.shape.len() != from.shape.len() {
            let (op, inputs) = (step.op, step.inputs);
            let kept = self.node(op, inputs, &format!("{}_kept", to.name))?;
            let kept = self.in_file_order(kept, to.name)?;
            step = Step::new(Op::Reshape { shape: to.shape.clone() }, vec![kept]);
        }
        Ok(step)
    }

    /// `SPLIT` and `SPLIT_V`: a part a result.
    pub(super) fn split(&mut self, operator: &Operator<'_>) -> Outcome<Vec<Step>> {
        let (x_at, axis_at) = match name(operator) {
            "SPLIT" => (1, 0),
            "SPLIT_V" => (0, 2),
            other => return Err(unknown(other)),
        };
        let x = self.computed(self.operand(operator, x_at)?)?;
        let shape = self.graph.values[x].shape.clone();
        check_extents(&shape)?;
        let [axis] = self.axes(operator, axis_at, shape.len())?[..] else {
            return Err("a split along several axes".into());
        };
        let (mut start, mut steps) = (0_usize, Vec::with_capacity(operator.outputs.len()));
        for &output in &operator.outputs {
            // A part has the size that the file states for it.
            let to = &self.model.tensors[output];
            let size = in_graph(&to.shape).get(axis).copied().unwrap_or(0);
            let end = start.saturating_add(size);
            if size == 0 || end > shape[axis] {
                break;
            }
            let mut ranges: Vec<Vec<usize>> = shape.iter().map(|&n| (0..n).collect()).collect();
            ranges[axis] = (start..end).collect();
            start = end;
            steps.push(self.part_of(x, &ranges, to.name)?);
        }
        if start != shape[axis] || steps.len() != operator.outputs.len() {
            return Err(format!("parts that are not {} elements in all", shape[axis]));
        }
        Ok(steps)
    }

    /// What of each axis is taken: `begin`, `end` and `strides` are operands 1, 2 and 3.
    pub(super) fn ranges(
        &self,
        operator: &Operator<'_>,
        shape: &[usize],
    ) -> Outcome<Vec<Vec<usize>>> {
        let mask = |slot| field(operator, move |options| options.i32(slot, 0));
        let (open_begin, open_end, one) = (mask(0)?, mask(1)?, mask(4)?);
        if mask(2)? != 0 || mask(3)? != 0 {
            return Err(
                "a part with an ellipsis or new axes; convert the model with plain ranges".into()
            );
        }
        let lists = [1, 2, 3].map(|index| self.integers(operator, index));
        let [begin, end, strides] = lists;
        let (begin, end, strides) = (begin?, end?, strides?);
        if begin.len() > shape.len() || [end.len(), strides.len()] != [begin.len(); 2] {
            return Err(format!("ranges {begin:?} to {end:?} of {} dimensions", shape.len()));
        }
        let mut ranges = Vec::with_capacity(shape.len());
        for (axis, &extent) in shape.iter().enumerate() {
            let Some(&stride) = strides.get(axis) else {
                ranges.push((0..extent).collect());
                continue;
            };
            let n = i64::try_from(extent).map_err(|_| "an axis that is too long")?;
            let is_set = |mask: i32| (mask >> axis) & 1 == 1;
            let counted = |at: i64| if at < 0 { at.saturating_add(n) } else { at };
            if is_set(one) {
                let index = usize::try_from(counted(begin[axis])).ok();
                let index = index.filter(|&index| index < extent);
                let index = index.ok_or_else(|| format!("place {} of {extent}", begin[axis]))?;
                ranges.push(vec![index]);
                continue;
            }
            if stride <= 0 {
                return Err(format!("a stride of {stride}; strides above 0 are supported"));
            }
            let first = if is_set(open_begin) { 0 } else { counted(begin[axis]).clamp(0, n) };
            let last = if is_set(open_end) { n } else { counted(end[axis]).clamp(0, n) };
            let stride = usize::try_from(stride).unwrap_or(usize::MAX);
            ranges.push((first as usize..last as usize).step_by(stride).collect());
        }
        Ok(ranges)
    }

    /// What of each axis is taken: `begin` and `size` are operands 1 and 2.
    fn sized_ranges(&self, operator: &Operator<'_>, shape: &[usize]) -> Outcome<Vec<Vec<usize>>> {
        let (begin, size) = (self.integers(operator, 1)?, self.integers(operator, 2)?);
        let along = |(axis, &extent): (usize, &usize)| {
            let first = begin.get(axis).and_then(|&at| usize::try_from(at).ok());
            let rest = extent.checked_sub(first?)?;
            let count = match *size.get(axis)? {
                -1 => rest,
                count => usize::try_from(count).ok().filter(|&count| count <= rest)?,
            };
            Some((first?..first? + count).collect())
        };
        let ranges: Option<Vec<Vec<usize>>> = shape.iter().enumerate().map(along).collect();
        ranges.ok_or_else(|| format!("{size:?} from {begin:?} on of {shape:?}"))
    }

    /// The part of `x` that `ranges` name along each of its axes.
    pub(super) fn part_of(
        &mut self,
        x: ValueId,
        ranges: &[Vec<usize>],
        name: &str,
    ) -> Outcome<Step> {
        let shape = self.graph.values[x].shape.clone();
        let is_whole = |axis: usize| ranges[axis].iter().copied().eq(0..shape[axis]);
        if (0..shape.len()).all(is_whole) {
            return Ok(Step::new(Op::Reshape { shape }, vec![x]));
        }
        let [_, channels, rows, columns] = shape[..] else {
            return Err(format!(
                "some elements of a tensor of shape {shape:?}; parts of images are supported"
            ));
        };
        if !is_whole(0) || ranges.iter().any(Vec::is_empty) {
            return Err("a part of the batch, or of nothing".into());
        }
        let (picks, moves) = (!is_whole(1), !is_whole(2) || !is_whole(3));
        let mut x = x;
        if moves {
            let window = moved(&ranges[2..], [rows, columns])?;
            let [taller, wider] = [window.kernel[0], window.kernel[1]];
            let place = ranges[2][0] * wider + ranges[3][0];
            self.take_room(channels.saturating_mul(taller * wider))?;
            let mut weight = vec![0.0; channels * taller * wider];
            weight.iter_mut().skip(place).step_by(taller * wider).for_each(|one| *one = 1.0);
            let of = vec![channels, 1, taller, wider];
            let weight = self.made(&format!("{name}_places"), of, weight)?;
            let conv = Op::Conv(Conv { window, groups: channels });
            if !picks {
                return Ok(Step::new(conv, vec![x, weight]));
            }
            x = self.node(conv, vec![x, weight], &format!("{name}_moved"))?;
        }
        let count = ranges[1].len().checked_mul(channels).ok_or("too many channels")?;
        self.take_room(count)?;
        let mut ones = vec![0.0; count];
        ranges[1]
            .iter()
            .enumerate()
            .for_each(|(row, &channel)| ones[row * channels + channel] = 1.0);
        let of = vec![ranges[1].len(), channels, 1, 1];
        let weight = self.made(&format!("{name}_channels"), of, ones)?;
        let conv = Op::Conv(Conv { window: Window::new(&[1, 1]), groups: 1 });
        Ok(Step::new(conv, vec![x, weight]))
    }
}

fn check_extents(shape: &[usize]) -> Outcome<()> {
    match shape.iter().all(|&extent| extent <= MAX_EXTENT) {
        true => Ok(()),
        false => Err(format!(
            "a part of a tensor of shape {shape:?}; axes of up to {MAX_EXTENT} are supported"
        )),
    }
}

/// The window that sees only the places that are taken, one after another, and reaches over what is left out around them.
fn moved(ranges: &[Vec<usize>], extents: [usize; 2]) -> Outcome<Window> {
    let mut window = Window::new(&[1, 1]);
    for (axis, (range, extent)) in ranges.iter().zip(extents).enumerate() {
        let stride = match range[..] {
            [first, second, ..] => second - first,
            _ => 1,
        };
        window.strides[axis] = stride;
        window.kernel[axis] = extent - (range.len() - 1) * stride;
    }
    match window.kernel.iter().product::<usize>() <= MAX_MOVED {
        true => Ok(window),
        false => Err("a part that leaves out much of an image; a few rows and columns can be: freeze at a tensor \
                      before it"
            .into()),
    }
}
