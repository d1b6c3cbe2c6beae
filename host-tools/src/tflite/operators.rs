//! The operators of a model, one after another, as nodes of the graph.

use std::collections::HashSet;

use headstart::graph::{
    Activation, AveragePool, Binary, Conv, Gemm, Graph, MAX_ELEMENTS, MaxPool, Op, Pad, PadMode,
    Scale, ValueId, Window,
};

use super::layout::{TO_FILE, TO_GRAPH, axis_in_graph, in_graph, transposed};
use super::schema::{Model, Operator};
use crate::onnx::{Aliases, Problem};
use crate::scales::{carried, origin, round};

type Outcome<T> = Result<T, String>;

/// The graph so far.
pub(super) struct Build<'a> {
    pub(super) graph: Graph,
    /// Names of tensors that are others under another name.
    pub(super) aliases: Aliases,
    model: &'a Model<'a>,
    /// What each tensor became: images with channels first.
    values: Vec<Option<ValueId>>,
    names: HashSet<String>,
    /// Elements of constants that there is still room for.
    room: usize,
}

/// What an operator does to its first operand, and what is done to that result.
struct Step {
    op: Op,
    inputs: Vec<ValueId>,
    then: Vec<Op>,
}

impl Step {
    fn new(op: Op, inputs: Vec<ValueId>) -> Self {
        Self { op, inputs, then: Vec::new() }
    }

    /// Followed by the activation that is fused with the operator.
    fn fused(mut self, activation: i8) -> Outcome<Self> {
        let clip = |min, max| Some(Op::Activation(Activation::Clip { min, max }));
        self.then.extend(match activation {
            0 => None,
            1 => Some(Op::Activation(Activation::Relu)),
            2 => clip(-1.0, 1.0),
            3 => clip(0.0, 6.0),
            other => {
                return Err(format!(
                    "a fused activation of kind {other}; ReLU, ReLU6 and ReLU−1…1 are supported"
                ));
            }
        });
        Ok(self)
    }
}

impl<'a> Build<'a> {
    /// The model's inputs.
    pub(super) fn new(model: &'a Model<'a>) -> Result<Self, Problem> {
        let mut build = Self {
            graph: Graph::default(),
            aliases: Aliases::default(),
            model,
            values: vec![None; model.tensors.len()],
            names: HashSet::new(),
            room: MAX_ELEMENTS,
        };
        for &input in &model.inputs {
            let tensor = &model.tensors[input];
            build.input(input).map_err(|what| Problem::tensor(tensor.name, what))?;
        }
        Ok(build)
    }

    fn input(&mut self, input: usize) -> Outcome<()> {
        let tensor = &self.model.tensors[input];
        let scale = tensor.scale()?;
        let name = self.name(input);
        let value = self.graph.add_value(&name, tensor.shape.clone());
        self.graph.inputs.push(value);
        self.graph.values[value].scale = scale;
        let turned = match tensor.shape.len() {
            4 => {
                let name = format!("{name}_channels_first");
                self.node(transpose(&TO_GRAPH), vec![value], &name)?
            }
            _ => value,
        };
        self.values[input] = Some(turned);
        Ok(())
    }

    /// A name for a tensor that no other one has.
    fn name(&mut self, tensor: usize) -> String {
        let stated = self.model.tensors[tensor].name;
        let name = if stated.is_empty() || self.names.contains(stated) {
            format!("{stated}#{tensor}")
        } else {
            stated.to_owned()
        };
        self.names.insert(name.clone());
        name
    }

    fn node(&mut self, op: Op, inputs: Vec<ValueId>, name: &str) -> Outcome<ValueId> {
        self.graph.add_node(name, op, inputs, name).map_err(|error| error.to_string())
    }

    /// What an earlier operator made of a tensor.
    pub(super) fn computed(&self, tensor: usize) -> Outcome<ValueId> {
        self.values[tensor].ok_or_else(|| {
            let name = self.model.tensors[tensor].name;
            format!("reads '{name}', which no input or earlier operator defines")
        })
    }

    /// A constant, with its axes in another order if that is asked for.
    fn constant(&mut self, tensor: usize, order: Option<&[usize]>) -> Outcome<ValueId> {
        let of = &self.model.tensors[tensor];
        let in_tensor = |what: String| format!("tensor '{}' {what}", of.name);
        let count: usize = of.shape.iter().product();
        self.room = self.room.checked_sub(count).ok_or_else(|| {
            format!("the constants of the model have more than {MAX_ELEMENTS} elements in all")
        })?;
        let (mut data, mut scale) = of.reals().map_err(in_tensor)?;
        let mut shape = of.shape.clone();
        if let Some(order) = order {
            data = transposed(&data, &shape, order);
            shape = order.iter().map(|&axis| shape[axis]).collect();
            if let Some(Scale::Constant { axis, .. }) = &mut scale {
                let own = *axis;
                *axis = order.iter().position(|&from| from == own).unwrap_or(0);
            }
        }
        let name = self.name(tensor);
        let value =
            self.graph.add_constant(name, shape, data).map_err(|error| error.to_string())?;
        self.graph.values[value].scale = scale;
        Ok(value)
    }

    /// Operand `index`, which must be there.
    fn operand(&self, operator: &Operator<'_>, index: usize) -> Outcome<usize> {
        let found = operator.inputs.get(index).copied().flatten();
        found.ok_or_else(|| format!("operand {index} is missing"))
    }

    fn x(&self, operator: &Operator<'_>) -> Outcome<ValueId> {
        self.computed(self.operand(operator, 0)?)
    }

    /// Operand `index`, whole numbers that are known.
    fn integers(&self, operator: &Operator<'_>, index: usize) -> Outcome<Vec<i64>> {
        let tensor = &self.model.tensors[self.operand(operator, index)?];
        tensor.integers().map_err(|what| format!("tensor '{}' {what}", tensor.name))
    }

    /// `value` with the axes that it has in the file.
    fn in_file_order(&mut self, value: ValueId, name: &str) -> Outcome<ValueId> {
        if self.graph.values[value].shape.len() != 4 {
            return Ok(value);
        }
        self.node(transpose(&TO_FILE), vec![value], &format!("{name}_channels_last"))
    }

    /// Adds one operator.
    ///
    /// # Errors
    ///
    /// [`Problem::Node`] and [`Problem::Operator`], with the tensor that it computes and its byte in the file.
    pub(super) fn operator(&mut self, operator: &Operator<'_>) -> Result<(), Problem> {
        let &[output] = &operator.outputs[..] else {
            return Err(self.problem(operator, "several results, or none".into()));
        };
        if self.values[output].is_some() || self.model.tensors[output].data.is_some() {
            return Err(self.problem(operator, "a result that is defined twice".into()));
        }
        let Some(step) =
            self.step(operator, output).map_err(|what| self.problem(operator, what))?
        else {
            return Ok(());
        };
        self.finish(output, step).map_err(|what| self.problem(operator, what))
    }

    fn problem(&self, operator: &Operator<'_>, what: String) -> Problem {
        let output = operator.outputs.first().map(|&output| self.model.tensors[output].name);
        let name = match name_of(operator.code) {
            Some(name) => name.to_owned(),
            None if !operator.custom.is_empty() => operator.custom.escape_debug().to_string(),
            None => format!("number {}", operator.code),
        };
        Problem::Node {
            node: output.unwrap_or_default().to_owned(),
            operator: name,
            what: format!("{what} (byte {})", operator.byte),
        }
    }

    /// What an operator means; `None` if it is another name of its operand.
    fn step(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Option<Step>> {
        let function = |activation| Op::Activation(activation);
        let op = match operator.code {
            0 | 18 | 41 | 42 => return self.binary(operator).map(Some),
            1 | 17 => return self.pool(operator).map(Some),
            2 => return self.concat(operator).map(Some),
            3 | 4 => return self.convolution(operator).map(Some),
            9 => return self.fully_connected(operator, output).map(Some),
            22 | 43 | 70 => return self.reshape(operator, output).map(Some),
            34 | 60 => return self.pad(operator).map(Some),
            39 => return self.transpose(operator, output).map(Some),
            40 => return self.mean(operator).map(Some),
            6 | 114 => return self.convert(operator, output),
            25 => {
                let beta = field(operator, |options| options.f32(0, 0.0))?;
                if beta != 1.0 {
                    return Err(format!("a beta of {beta}; 1 is supported"));
                }
                let rank = self.graph.values[self.x(operator)?].shape.len();
                Op::Softmax { axis: axis_in_graph(-1, rank)?, flatten: false }
            }
            14 => function(Activation::Sigmoid),
            19 => function(Activation::Relu),
            20 => function(Activation::Clip { min: -1.0, max: 1.0 }),
            21 => function(Activation::Clip { min: 0.0, max: 6.0 }),
            98 => {
                let alpha = field(operator, |options| options.f32(0, 0.0))?;
                function(Activation::LeakyRelu { alpha })
            }
            117 => function(Activation::HardSwish),
            _ => {
                return Err("this operator is not supported; freeze at a tensor before it by converting the \
                            model up to there, or choose a model without it"
                    .into());
            }
        };
        Ok(Some(Step::new(op, vec![self.x(operator)?])))
    }

    /// Adds the nodes, rounds the result to the scale of tensor `output`, and checks its shape.
    fn finish(&mut self, output: usize, step: Step) -> Outcome<()> {
        let name = self.name(output);
        let tensor = &self.model.tensors[output];
        let averages =
            matches!(step.op, Op::AveragePool(_) | Op::GlobalAveragePool | Op::ReduceMean { .. });
        let scale = tensor.scale().map_err(|what| format!("its result {what}"))?;
        // A mean lies between what it is made of: where that is rounded alike, nothing need be clamped.
        let bounded =
            averages && step.inputs.iter().all(|&x| carried(&self.graph, x) == scale.as_ref());
        let mut value = self
            .graph
            .add_node(&name, step.op, step.inputs, format!("{name}_unrounded"))
            .map_err(|error| error.to_string())?;
        for (index, op) in step.then.into_iter().enumerate() {
            value = self.node(op, vec![value], &format!("{name}_{}", index + 1))?;
        }
        match scale {
            Some(scale) if bounded => self.graph.values[value].scale = Some(scale),
            Some(scale) => {
                let node = format!("{name}_rounded");
                value = round(&mut self.graph, value, scale, &node, &node)
                    .map_err(|error| error.to_string())?;
            }
            None => {}
        }
        self.graph.values[value].name = name;
        let (found, stated) = (&self.graph.values[value].shape, in_graph(&tensor.shape));
        if *found != stated {
            return Err(format!(
                "its result has shape {:?} in the file, the operator gives {found:?} (channels first)",
                tensor.shape
            ));
        }
        self.values[output] = Some(value);
        Ok(())
    }

    fn convolution(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let depthwise = operator.code == 4;
        let x = self.x(operator)?;
        let weight = self.operand(operator, 1)?;
        let [_, height, width, _] = self.model.tensors[weight].shape[..] else {
            return Err("weights of other than four dimensions".into());
        };
        // `[outputs, rows, columns, inputs]`, and `[1, rows, columns, outputs]` of a depthwise one.
        let order = if depthwise { [3, 0, 1, 2] } else { TO_GRAPH };
        let weight = self.constant(weight, Some(&order))?;
        let (at_dilation, at_activation) = if depthwise { ([6, 5], 4) } else { ([5, 4], 3) };
        let window = self.window(operator, x, [height, width], at_dilation)?;
        let groups = if depthwise { self.channels(x)? } else { self.groups(x, weight)? };
        let mut inputs = vec![x, weight];
        inputs.extend(self.bias(operator, 2)?);
        let step = Step::new(Op::Conv(Conv { window, groups }), inputs);
        step.fused(field(operator, |options| options.i8(at_activation))?)
    }

    fn channels(&self, x: ValueId) -> Outcome<usize> {
        match self.graph.values[x].shape[..] {
            [_, channels, _, _] => Ok(channels),
            _ => Err(format!("an image is expected, not {:?}", self.graph.values[x].shape)),
        }
    }

    /// Weights that read fewer channels than there are belong to groups of them.
    fn groups(&self, x: ValueId, weight: ValueId) -> Outcome<usize> {
        let read = self.graph.values[weight].shape[1];
        let groups = self.channels(x)?.checked_div(read).filter(|&groups| groups > 0);
        groups.ok_or_else(|| format!("weights of {read} channels for a tensor with fewer"))
    }

    fn bias(&mut self, operator: &Operator<'_>, index: usize) -> Outcome<Option<ValueId>> {
        match operator.inputs.get(index).copied().flatten() {
            None => Ok(None),
            Some(bias) => self.constant(bias, None).map(Some),
        }
    }

    /// A window of `kernel` rows and columns over `x`.
    fn window(
        &self,
        operator: &Operator<'_>,
        x: ValueId,
        kernel: [usize; 2],
        at_dilation: [usize; 2],
    ) -> Outcome<Window> {
        let amount = |slot: usize, default: i32| -> Outcome<usize> {
            let stated = field(operator, |options| options.i32(slot, default))?;
            usize::try_from(stated)
                .ok()
                .filter(|n| (1..=1 << 16).contains(n))
                .ok_or_else(|| format!("a step of {stated}"))
        };
        self.channels(x)?;
        let strides = vec![amount(2, 0)?, amount(1, 0)?];
        let dilations = match at_dilation {
            [0, 0] => vec![1; 2],
            [rows, columns] => vec![amount(rows, 1)?, amount(columns, 1)?],
        };
        if kernel.iter().any(|extent| !(1..=1 << 16).contains(extent)) {
            return Err(format!("a window of {kernel:?}"));
        }
        let mut window = Window {
            kernel: kernel.to_vec(),
            strides,
            dilations,
            pads_begin: vec![0; 2],
            pads_end: vec![0; 2],
        };
        match field(operator, |options| options.i8(0))? {
            // SAME: as many windows as steps, the smaller half of the padding in front.
            0 => {
                for (axis, &extent) in self.graph.values[x].shape[2..].iter().enumerate() {
                    let stride = window.strides[axis];
                    let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1;
                    let covered = extent.div_ceil(stride).saturating_sub(1) * stride + reach;
                    let total = covered.saturating_sub(extent);
                    window.pads_begin[axis] = total / 2;
                    window.pads_end[axis] = total - total / 2;
                }
            }
            1 => {}
            other => return Err(format!("padding of kind {other}")),
        }
        Ok(window)
    }

    fn pool(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let extent = |slot| -> Outcome<usize> {
            let stated = field(operator, |options| options.i32(slot, 0))?;
            usize::try_from(stated).map_err(|_| format!("a window of {stated}"))
        };
        let window = self.window(operator, x, [extent(4)?, extent(3)?], [0, 0])?;
        let op = match operator.code {
            17 => Op::MaxPool(MaxPool { window }),
            _ => Op::AveragePool(AveragePool {
                window,
                count_include_pad: false,
                ceil_extra: vec![0; 2],
            }),
        };
        Step::new(op, vec![x]).fused(field(operator, |options| options.i8(5))?)
    }

    fn fully_connected(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        if field(operator, |options| options.i8(1))? != 0 {
            return Err("weights in a shuffled format".into());
        }
        if self.model.tensors[output].shape.len() != 2 {
            return Err("a product that keeps more than two dimensions".into());
        }
        let mut x = self.x(operator)?;
        let weight = self.constant(self.operand(operator, 1)?, None)?;
        let [_, inputs] = self.graph.values[weight].shape[..] else {
            return Err("weights of other than two dimensions".into());
        };
        if self.graph.values[x].shape.len() != 2 {
            let name = self.model.tensors[output].name;
            let rows = self.graph.values[x].shape.iter().product::<usize>().checked_div(inputs);
            x = self.in_file_order(x, name)?;
            let shape = vec![rows.unwrap_or(0), inputs];
            x = self.node(Op::Reshape { shape }, vec![x], &format!("{name}_flat"))?;
        }
        let mut operands = vec![x, weight];
        operands.extend(self.bias(operator, 2)?);
        let gemm = Gemm { alpha: 1.0, beta: 1.0, trans_a: false, trans_b: true };
        Step::new(Op::Gemm(gemm), operands).fused(field(operator, |options| options.i8(0))?)
    }

    fn binary(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let op = match operator.code {
            0 => Binary::Add,
            18 => Binary::Mul,
            41 => Binary::Sub,
            _ => Binary::Div,
        };
        let mut inputs = Vec::with_capacity(2);
        let rank =
            operator.inputs.iter().flatten().map(|&t| self.model.tensors[t].shape.len()).max();
        for index in 0..2 {
            let tensor = self.operand(operator, index)?;
            let of = &self.model.tensors[tensor];
            if of.data.is_none() {
                if of.shape.len() < rank.unwrap_or(0) {
                    return Err("computed operands of different dimensions".into());
                }
                inputs.push(self.computed(tensor)?);
                continue;
            }
            let value = self.constant(tensor, None)?;
            let constant = &mut self.graph.values[value];
            constant.scale = None;
            if rank == Some(4) {
                let missing = 4_usize.saturating_sub(constant.shape.len());
                let shape: Vec<usize> =
                    std::iter::repeat_n(1, missing).chain(constant.shape.iter().copied()).collect();
                let data = constant.constant.as_deref().unwrap_or_default();
                constant.constant = Some(transposed(data, &shape, &TO_GRAPH).into());
                constant.shape = in_graph(&shape);
            }
            inputs.push(value);
        }
        Step::new(Op::Binary(op), inputs).fused(field(operator, |options| options.i8(0))?)
    }

    fn concat(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let inputs = (0..operator.inputs.len())
            .map(|index| self.computed(self.operand(operator, index)?))
            .collect::<Outcome<Vec<_>>>()?;
        let first = *inputs.first().ok_or("nothing to put side by side")?;
        let axis = field(operator, |options| options.i32(0, 0))?;
        let axis = axis_in_graph(i64::from(axis), self.graph.values[first].shape.len())?;
        Step::new(Op::Concat { axis }, inputs).fused(field(operator, |options| options.i8(1))?)
    }

    /// `RESHAPE`, `SQUEEZE`, `EXPAND_DIMS`: the shape that the file states for the result.
    fn reshape(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let to = &self.model.tensors[output];
        let x = self.x(operator)?;
        let x = self.in_file_order(x, to.name)?;
        let mut step = Step::new(Op::Reshape { shape: to.shape.clone() }, vec![x]);
        if to.shape.len() == 4 {
            step.then.push(transpose(&TO_GRAPH));
        }
        Ok(step)
    }

    fn transpose(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Step> {
        let x = self.x(operator)?;
        let x = self.in_file_order(x, self.model.tensors[output].name)?;
        let rank = self.graph.values[x].shape.len();
        let axis = |&axis: &i64| usize::try_from(axis).map_err(|_| format!("axis {axis}"));
        let permutation =
            self.integers(operator, 1)?.iter().map(axis).collect::<Outcome<Vec<_>>>()?;
        let mut step = Step::new(Op::Transpose { permutation }, vec![x]);
        if rank == 4 {
            step.then.push(transpose(&TO_GRAPH));
        }
        Ok(step)
    }

    fn mean(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let rank = self.graph.values[x].shape.len();
        let list = self.integers(operator, 1)?;
        let mut axes =
            list.iter().map(|&axis| axis_in_graph(axis, rank)).collect::<Outcome<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        let keep_dims = field(operator, |options| options.i8(0))? != 0;
        if rank == 4 && !keep_dims && axes != [2, 3] {
            return Err(format!("a mean over axes {list:?} of an image; 1 and 2 are supported"));
        }
        Ok(Step::new(Op::ReduceMean { axes, keep_dims }, vec![x]))
    }

    fn pad(&mut self, operator: &Operator<'_>) -> Outcome<Step> {
        let x = self.x(operator)?;
        let rank = self.graph.values[x].shape.len();
        let list = self.integers(operator, 1)?;
        let amount = |&n: &i64| {
            usize::try_from(n)
                .ok()
                .filter(|&n| n <= 1 << 16)
                .ok_or_else(|| format!("padding of {n}"))
        };
        let amounts = list.iter().map(amount).collect::<Outcome<Vec<_>>>()?;
        let (pairs, rest) = amounts.as_chunks::<2>();
        if pairs.len() != rank || !rest.is_empty() {
            return Err(format!("padding of {} ends for {rank} dimensions", amounts.len()));
        }
        let end = |at: usize| in_graph(&pairs.iter().map(|pair| pair[at]).collect::<Vec<_>>());
        let fill = match operator.inputs.get(2).copied().flatten() {
            None => 0.0,
            Some(tensor) => {
                let (data, _) = self.model.tensors[tensor].reals()?;
                *data.first().ok_or("a filling of nothing")?
            }
        };
        let pad = Pad { begin: end(0), end: end(1), mode: PadMode::Constant(fill) };
        Ok(Step::new(Op::Pad(pad), vec![x]))
    }

    /// `QUANTIZE` and `DEQUANTIZE`: the same tensor, perhaps of another scale.
    fn convert(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<Option<Step>> {
        let tensor = self.operand(operator, 0)?;
        if self.model.tensors[tensor].data.is_some() {
            return Err(
                "of a constant is not supported: convert the model with int8 weights".into()
            );
        }
        let x = self.computed(tensor)?;
        let value = match self.model.tensors[output].scale()? {
            None => x,
            Some(scale) => {
                let name = self.name(output);
                let node = format!("{name}_rounded");
                // The model's input stands before its axes were turned.
                let origin = origin(&self.graph, x);
                if self.graph.inputs.contains(&origin) && self.graph.values[origin].scale.is_none()
                {
                    self.graph.values[origin].scale = Some(scale);
                    x
                } else {
                    round(&mut self.graph, x, scale, &node, &name)
                        .map_err(|error| error.to_string())?
                }
            }
        };
        let name = self.model.tensors[output].name;
        self.aliases.insert(name, self.graph.values[value].name.clone());
        self.values[output] = Some(value);
        Ok(None)
    }
}

fn transpose(permutation: &[usize]) -> Op {
    Op::Transpose { permutation: permutation.to_vec() }
}

/// A field of an operator's options.
fn field<T>(
    operator: &Operator<'_>,
    read: impl FnOnce(&super::flatbuffer::Table<'_>) -> Result<T, super::flatbuffer::Damage>,
) -> Outcome<T> {
    let options = operator.options.as_ref().ok_or("its options are missing")?;
    read(options).map_err(|damage| format!("{} at byte {}", damage.what, damage.byte))
}

/// The schema's name of an operator.
fn name_of(code: i32) -> Option<&'static str> {
    Some(match code {
        0 => "ADD",
        1 => "AVERAGE_POOL_2D",
        2 => "CONCATENATION",
        3 => "CONV_2D",
        4 => "DEPTHWISE_CONV_2D",
        6 => "DEQUANTIZE",
        9 => "FULLY_CONNECTED",
        14 => "LOGISTIC",
        16 => "LSTM",
        17 => "MAX_POOL_2D",
        18 => "MUL",
        19 => "RELU",
        20 => "RELU_N1_TO_1",
        21 => "RELU6",
        22 => "RESHAPE",
        23 => "RESIZE_BILINEAR",
        25 => "SOFTMAX",
        27 => "SVDF",
        28 => "TANH",
        34 => "PAD",
        36 => "GATHER",
        39 => "TRANSPOSE",
        40 => "MEAN",
        41 => "SUB",
        42 => "DIV",
        43 => "SQUEEZE",
        44 => "UNIDIRECTIONAL_SEQUENCE_LSTM",
        45 => "STRIDED_SLICE",
        49 => "SPLIT",
        53 => "CAST",
        54 => "PRELU",
        60 => "PADV2",
        67 => "TRANSPOSE_CONV",
        70 => "EXPAND_DIMS",
        74 => "SUM",
        77 => "SHAPE",
        83 => "PACK",
        97 => "RESIZE_NEAREST_NEIGHBOR",
        98 => "LEAKY_RELU",
        114 => "QUANTIZE",
        117 => "HARD_SWISH",
        126 => "BATCH_MATMUL",
        _ => return None,
    })
}
