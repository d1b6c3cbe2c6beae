//! The operators of a model, one after another, as nodes of the graph.

mod binary;
mod names;
mod pad;
mod window;

use std::collections::HashSet;

use headstart::graph::{Activation, Graph, MAX_ELEMENTS, Op, Scale, ValueId};

use super::layout::{TO_FILE, TO_GRAPH, axis_in_graph, in_graph, transposed};
use super::schema::{Model, Operator};
use crate::import::onnx::{Aliases, Problem};
use crate::import::scales::{carried, round};
use names::name_of;

type Outcome<T> = Result<T, String>;

/// The graph so far.
pub(super) struct Build<'a> {
    pub(super) graph: Graph,
    /// Names of tensors that are others under another name.
    pub(super) aliases: Aliases,
    model: &'a Model<'a>,
    /// What each tensor became: images with channels first.
    values: Vec<Option<ValueId>>,
    /// Names that are given away, and those that the file states.
    names: HashSet<String>,
    stated: HashSet<&'a str>,
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
            stated: model.tensors.iter().map(|tensor| tensor.name).collect(),
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

    /// A name for a tensor that no other one has. A fused operator's result is called by the names of all that was
    /// fused, with semicolons between: the first of them is enough, and the whole list stays another name of it.
    fn name(&mut self, tensor: usize) -> String {
        let stated = self.model.tensors[tensor].name;
        let first = stated.split(';').next().unwrap_or(stated);
        let is_free = |name: &str| !name.is_empty() && !self.names.contains(name);
        let name = if is_free(first) && (first == stated || !self.stated.contains(first)) {
            first.to_owned()
        } else if is_free(stated) {
            stated.to_owned()
        } else {
            format!("{stated}#{tensor}")
        };
        if is_free(stated) {
            self.aliases.insert(stated, &name);
        }
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
