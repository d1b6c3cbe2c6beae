use headstart::graph::{Op, Scale, ValueId};

use super::{Build, Outcome, Step, field};
use crate::import::scales::round;
use crate::import::tflite::schema::Operator;
use crate::import::transposed::{self, Axis, MAX_AMOUNT};

impl Build<'_> {
    /// `TRANSPOSE_CONV`: the result's shape, weights `[outputs, rows, columns, inputs]`, the tensor, and perhaps a bias.
    pub(super) fn transposed(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let to = &self.model.tensors[output];
        let x = self.computed(self.operand(operator, 2)?)?;
        let channels = self.channels(x)?;
        let extents = self.graph.values[x].shape[2..].to_vec();
        let weight = self.operand(operator, 1)?;
        let [outputs, rows, columns, depth] = self.model.tensors[weight].shape[..] else {
            return Err("weights of other than four dimensions".into());
        };
        let &[batch, stated_rows, stated_columns, stated_outputs] = &to.shape[..] else {
            return Err(format!("a result of shape {:?}", to.shape));
        };
        if depth != channels || outputs != stated_outputs {
            return Err(format!("weights of {depth} channels to {outputs} over {channels}"));
        }
        let axes = axes(operator, [rows, columns], &extents, [stated_rows, stated_columns])?;
        let (conv, inputs) = self.blocks(operator, x, weight, &axes, [outputs, channels])?;
        let name = to.name;
        let mut blocks = self.node(Op::Conv(conv), inputs, &format!("{name}_blocks"))?;
        let fused = Step::new(Op::Reshape { shape: vec![] }, vec![]);
        let fused = fused.fused(field(operator, |options| options.i8(3))?)?;
        for op in fused.then {
            blocks = self.node(op, vec![blocks], &format!("{name}_clamped"))?;
        }
        // What is rounded here is only moved from here on.
        if let Some(scale) = to.scale().map_err(|what| format!("its result {what}"))? {
            let rounded = format!("{name}_blocks_rounded");
            blocks = round(&mut self.graph, blocks, scale, &rounded, &rounded)
                .map_err(|error| error.to_string())?;
        }
        let [split, turn, whole] = transposed::places(&axes, batch, outputs);
        if axes.iter().all(Axis::is_exact) {
            let mut step = Step::new(split, vec![blocks]);
            step.then.extend([turn, whole]);
            return Ok(step);
        }
        let split = self.node(split, vec![blocks], &format!("{name}_split"))?;
        let turned = self.node(turn, vec![split], &format!("{name}_turned"))?;
        let whole = self.node(whole, vec![turned], &format!("{name}_whole"))?;
        let ranges =
            [batch, outputs, stated_rows, stated_columns].map(|extent| (0..extent).collect());
        self.part_of(whole, &ranges, name)
    }

    /// The convolution that gives blocks, and what it reads.
    fn blocks(
        &mut self,
        operator: &Operator<'_>,
        x: ValueId,
        weight: usize,
        axes: &[Axis],
        [outputs, channels]: [usize; 2],
    ) -> Outcome<(headstart::graph::Conv, Vec<ValueId>)> {
        let shape = transposed::shape(axes, [outputs, 1, channels]);
        let count = headstart::graph::elements(&shape).map_err(|error| error.to_string())?;
        self.take_room(count)?;
        let cells = transposed::cells(axes);
        let own = self.constant(weight, Some(&[3, 0, 1, 2]))?;
        let of = &self.graph.values[own];
        let (of_weight, scale, name) = (of.shape.clone(), of.scale.clone(), of.name.clone());
        let data = of.constant.clone().ok_or("weights that are computed")?;
        let (conv, weights) = transposed::convolution(axes, &data, &of_weight, 1);
        let weights = self.made(&format!("{name}_blocks"), shape, weights)?;
        self.graph.values[weights].scale = repeated(scale, cells);
        let mut inputs = vec![x, weights];
        if let Some(bias) = self.bias(operator, 3)? {
            let of = &self.graph.values[bias];
            let (scale, name) = (of.scale.clone(), format!("{}_blocks", of.name));
            let data = of.constant.clone().ok_or("a bias that is computed")?;
            let data: Vec<f32> = data.iter().flat_map(|&b| std::iter::repeat_n(b, cells)).collect();
            let bias = self.made(&name, vec![data.len()], data)?;
            self.graph.values[bias].scale = repeated(scale, cells);
            inputs.push(bias);
        }
        Ok((conv, inputs))
    }
}

/// The scales of channels each of which there is so many times.
fn repeated(scale: Option<Scale>, times: usize) -> Option<Scale> {
    match scale {
        Some(Scale::Constant { scales, .. }) if scales.len() > 1 => {
            let scales: Vec<f32> =
                scales.iter().flat_map(|&scale| std::iter::repeat_n(scale, times)).collect();
            Some(Scale::Constant { scales: scales.into(), axis: 0 })
        }
        scale => scale,
    }
}

/// Rows and columns, as the file states them for the result.
fn axes(
    operator: &Operator<'_>,
    kernel: [usize; 2],
    extents: &[usize],
    results: [usize; 2],
) -> Outcome<Vec<Axis>> {
    let stride = |slot| field(operator, move |options| options.i32(slot, 0)).map(i64::from);
    let strides = [stride(2)?, stride(1)?];
    let axis = |at: usize| {
        let numbers = [kernel[at] as i64, strides[at], extents[at] as i64, results[at] as i64];
        if !numbers.iter().all(|n| (1..=MAX_AMOUNT).contains(n)) {
            return Err(format!(
                "a kernel of {kernel:?} with steps of {strides:?} over {extents:?}"
            ));
        }
        let [kernel, stride, extent, result] = numbers;
        // What a convolution of the result by that step would be padded with.
        let total = ((extent - 1) * stride + kernel - result).max(0);
        Axis::new([kernel, stride, 1], extent, total / 2, result)
    };
    (0..2).map(axis).collect()
}
