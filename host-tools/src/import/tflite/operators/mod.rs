//! The operators of a model, one after another, as nodes of the graph: a method each, in the file of the operator
//! that it becomes.

mod activation;
mod binary;
mod compare;
mod concat;
mod conv;
mod depth;
mod gemm;
mod inputs;
mod names;
mod operands;
mod pad;
mod pool;
mod prelu;
mod quantize;
mod reduce;
mod reshape;
mod resize;
mod select;
mod shape_arithmetic;
mod softmax;
mod transpose;
mod transposed;
mod window;

use std::collections::HashSet;

use headstart::graph::{Graph, MAX_ELEMENTS, Op, ValueId};
use headstart::network::Halves;

use super::layout::in_graph;
use super::schema::{Kind, Model, Operator};
use crate::error::Problem;
use crate::import::boundaries::{Boundaries, Boundary};
use crate::import::cost::made;
use crate::import::finite::Finite;
use crate::import::imported::{Aliases, IntegerMeans};
use crate::import::scales::{carried, round};
use names::name_of;
use operands::Known;

type Outcome<T> = Result<T, String>;

/// The graph so far.
pub(super) struct Build<'a> {
    pub(super) graph: Graph,
    /// Names of tensors that are others under another name.
    pub(super) aliases: Aliases,
    /// Pools of integers.
    pub(super) integer_means: IntegerMeans,
    /// The operators that were not taken over.
    pub(super) boundaries: Boundaries,
    /// What those read of the graph.
    pub(super) frontier: Vec<ValueId>,
    /// Why the first of them was not taken over that an output needs.
    pub(super) problem: Option<Problem>,
    finite: Finite,
    model: &'a Model<'a>,
    /// What each tensor became: images with channels first.
    values: Vec<Option<ValueId>>,
    /// What each tensor is that no constant of the file is, and is known.
    known: Vec<Option<Known>>,
    /// The boundary behind which each tensor lies.
    behind: Vec<Option<usize>>,
    /// Names that are given away, and those that the file states.
    names: HashSet<String>,
    stated: HashSet<&'a str>,
    /// Elements of the constants that the file holds.
    pub(super) weights: u64,
    /// Elements of constants that there is still room for: a constant that several operators read is one for each.
    room: u64,
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
}

impl<'a> Build<'a> {
    /// The model's inputs.
    pub(super) fn new(model: &'a Model<'a>, file_bytes: usize) -> Result<Self, Problem> {
        let constants = model.tensors.iter().filter(|tensor| tensor.data.is_some());
        let elements = constants.map(|tensor| tensor.shape.iter().product::<usize>() as u64);
        // Tensors may share their bytes, of which an element has one at least.
        let weights = elements.fold(0, u64::saturating_add).min(file_bytes as u64);
        let mut build = Self {
            graph: Graph::default(),
            aliases: Aliases::default(),
            integer_means: IntegerMeans::new(),
            boundaries: Boundaries::default(),
            frontier: Vec::new(),
            problem: None,
            finite: Finite::new(),
            model,
            values: vec![None; model.tensors.len()],
            known: vec![None; model.tensors.len()],
            behind: vec![None; model.tensors.len()],
            names: HashSet::new(),
            stated: model.tensors.iter().map(|tensor| tensor.name).collect(),
            weights,
            room: weights.saturating_add(made(weights)).min(MAX_ELEMENTS as u64),
        };
        build.inputs()?;
        Ok(build)
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

    /// Whether a tensor lies behind an operator that was not taken over.
    pub(super) fn is_behind(&self, tensor: usize) -> bool {
        self.behind[tensor].is_some()
    }

    /// Takes over one operator, if it can be; else it is a boundary.
    ///
    /// # Errors
    ///
    /// [`Problem::Node`] for a result that is defined twice, with the tensor that it computes and its byte in the file.
    pub(super) fn operator(
        &mut self,
        operator: &Operator<'_>,
        is_needed: bool,
    ) -> Result<(), Problem> {
        let is_defined = |&output: &usize| {
            self.values[output].is_some() || self.behind[output].is_some() || self.is_known(output)
        };
        if operator.outputs.iter().any(is_defined) {
            return Err(self.problem(operator, "a result that is defined twice".into()));
        }
        let behind = operator.inputs.iter().flatten().find_map(|&tensor| self.behind[tensor]);
        let number = match behind {
            Some(number) => number,
            None => {
                let (values, nodes) = (self.graph.values.len(), self.graph.nodes.len());
                let Err(problem) = self.take_over(operator) else { return Ok(()) };
                self.graph.values.truncate(values);
                self.graph.nodes.truncate(nodes);
                self.finite.forget_from(values);
                self.add_boundary(operator, problem, is_needed)
            }
        };
        for &output in &operator.outputs {
            self.behind[output] = Some(number);
            self.boundaries.put_behind(self.model.tensors[output].name, number);
        }
        if is_needed {
            let read = || operator.inputs.iter().flatten();
            self.frontier.extend(read().filter_map(|&tensor| self.values[tensor]));
            if read().any(|&tensor| self.is_weight(tensor)) {
                self.boundaries.has_weights(number);
            }
        }
        Ok(())
    }

    fn take_over(&mut self, operator: &Operator<'_>) -> Result<(), Problem> {
        let first = self.graph.nodes.len();
        let taken = self.steps(operator).and_then(|steps| {
            let steps = operator.outputs.iter().zip(steps);
            steps.into_iter().try_for_each(|(&output, step)| self.finish(output, step))
        });
        let graph = &self.graph;
        let checked = taken.map_err(|what| self.problem(operator, what)).and_then(|()| {
            graph.nodes[first..].iter().try_for_each(|node| self.finite.check(graph, node))
        });
        if checked.is_err() {
            operator.outputs.iter().for_each(|&output| self.values[output] = None);
        }
        checked
    }

    fn add_boundary(
        &mut self,
        operator: &Operator<'_>,
        problem: Problem,
        is_needed: bool,
    ) -> usize {
        let read = operator.inputs.iter().flatten().filter_map(|&tensor| self.values[tensor]);
        let reads = read.map(|value| self.graph.values[value].name.clone()).collect();
        let output = operator.outputs.first().map(|&output| self.model.tensors[output].name);
        let number = self.boundaries.add(Boundary {
            node: output.unwrap_or_default().to_owned(),
            operator: operator_name(operator),
            reads,
            why: problem.to_string(),
            is_needed,
        });
        if is_needed {
            self.problem.get_or_insert(problem);
        }
        number
    }

    fn problem(&self, operator: &Operator<'_>, what: String) -> Problem {
        let output = operator.outputs.first().map(|&output| self.model.tensors[output].name);
        let name = operator_name(operator);
        Problem::Node {
            node: output.unwrap_or_default().to_owned(),
            operator: name,
            what: format!("{what} (byte {})", operator.byte),
        }
    }

    /// What an operator means, a step a result; none if those are other names of its operand, or numbers.
    fn steps(&mut self, operator: &Operator<'_>) -> Outcome<Vec<Step>> {
        if matches!(name(operator), "SPLIT" | "SPLIT_V") {
            return self.split(operator);
        }
        let &[output] = &operator.outputs[..] else {
            return Err(format!("{UNSUPPORTED} (it has several results, or none)"));
        };
        if self.fold(operator, output)? {
            return Ok(Vec::new());
        }
        let step = match name(operator) {
            "ADD" | "MUL" | "SUB" | "DIV" => self.binary(operator, output),
            "AVERAGE_POOL_2D" | "MAX_POOL_2D" => self.pool(operator),
            "CONCATENATION" => self.concat(operator),
            "TILE" => self.tile(operator, output),
            "GREATER" | "GREATER_EQUAL" | "LESS" | "LESS_EQUAL" => {
                self.comparison(operator, output)
            }
            "LOGICAL_AND" | "LOGICAL_OR" | "LOGICAL_NOT" => self.logic(operator, output),
            "SELECT" | "SELECT_V2" => self.select(operator, output),
            "SQUARED_DIFFERENCE" => self.squared_difference(operator, output),
            "TRANSPOSE_CONV" => self.transposed(operator, output),
            "CONV_2D" | "DEPTHWISE_CONV_2D" => self.convolution(operator),
            "DEPTH_TO_SPACE" | "SPACE_TO_DEPTH" => self.depth(operator),
            "DEQUANTIZE" | "QUANTIZE" | "CAST" | "DENSIFY" => {
                return self.convert(operator, output).map(|()| Vec::new());
            }
            "FULLY_CONNECTED" => self.fully_connected(operator, output),
            "LOGISTIC" | "RELU" | "RELU_0_TO_1" | "RELU_N1_TO_1" | "RELU6" | "LEAKY_RELU"
            | "HARD_SWISH" | "TANH" | "ELU" | "GELU" | "EXP" | "ABS" | "SQRT" | "RSQRT"
            | "SQUARE" | "POW" => self.activation(operator),
            "NEG" => self.negation(operator, output),
            "MAXIMUM" | "MINIMUM" => self.bound(operator),
            "MEAN" | "SUM" | "REDUCE_MAX" => self.reduce(operator, output),
            "PAD" | "PADV2" => self.pad(operator),
            "PRELU" => self.prelu(operator),
            "RESHAPE" | "SQUEEZE" | "EXPAND_DIMS" => self.reshape(operator, output),
            "RESIZE_BILINEAR" | "RESIZE_NEAREST_NEIGHBOR" => self.resize(operator),
            "SLICE" | "STRIDED_SLICE" => self.slice(operator, output),
            "SOFTMAX" => self.softmax(operator),
            "TRANSPOSE" => self.transpose(operator, output),
            _ => Err(UNSUPPORTED.into()),
        };
        step.map(|step| vec![step])
    }

    /// Adds the nodes, rounds the result to the scale of tensor `output`, and checks its shape.
    fn finish(&mut self, output: usize, step: Step) -> Outcome<()> {
        let name = self.name(output);
        let tensor = &self.model.tensors[output];
        let scale = tensor.scale().map_err(|what| format!("its result {what}"))?;
        if matches!(step.op, Op::AveragePool(_))
            && let Some(halves) = halves(tensor.kind)
        {
            self.integer_means.insert(name.clone(), halves);
        }
        // A mean lies between what it is made of: where that is rounded alike, nothing need be clamped.
        let bounded = step.op.facts().averages
            && step.inputs.iter().all(|&x| carried(&self.graph, x) == scale.as_ref());
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

/// How an `AVERAGE_POOL_2D` of that type rounds halves, the sum being of the integers in the file: of those that are
/// never negative, half of the count is added before the division, which cuts.
fn halves(kind: Kind) -> Option<Halves> {
    match kind {
        Kind::Int8 => Some(Halves::AwayFromZero),
        Kind::Uint8 => Some(Halves::Up),
        _ => None,
    }
}

/// Why a method that reads several operators refuses one that it does not know.
fn unknown(operator: &str) -> String {
    format!("{operator} has no meaning here: convert the model up to there")
}

fn transpose(permutation: &[usize]) -> Op {
    Op::Transpose { permutation: permutation.to_vec() }
}

/// What is said of an operator that has no meaning here.
const UNSUPPORTED: &str =
    "this operator is not supported: freeze at a tensor before it, or choose a model without it";

/// The operator's name in messages.
fn operator_name(operator: &Operator<'_>) -> String {
    match name_of(operator.code) {
        Some(name) => name.to_owned(),
        None if !operator.custom.is_empty() => operator.custom.escape_debug().to_string(),
        None => format!("number {}", operator.code),
    }
}

/// The schema's name of an operator; empty for one that has none here.
fn name(operator: &Operator<'_>) -> &'static str {
    name_of(operator.code).unwrap_or_default()
}

/// A field of an operator's options.
fn field<T>(
    operator: &Operator<'_>,
    read: impl FnOnce(&super::flatbuffer::Table<'_>) -> Result<T, super::flatbuffer::Damage>,
) -> Outcome<T> {
    let options = operator.options.as_ref().ok_or("its options are missing")?;
    read(options).map_err(|damage| format!("{} at byte {}", damage.what, damage.byte))
}
