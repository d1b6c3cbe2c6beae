//! The input that a graph has, and those that a model has beside it.

use std::cmp::Reverse;
use std::collections::HashSet;

use headstart::graph::Scale;

use super::{Build, Outcome, transpose};
use crate::error::Problem;
use crate::import::boundaries::Boundary;
use crate::import::tflite::layout::TO_GRAPH;
use crate::import::tflite::schema::{Kind, Model};

/// Most inputs that a message names.
const NAMED: usize = 4;

impl Build<'_> {
    /// Takes over the input before which most of the model can be frozen. What needs another one lies behind a boundary.
    ///
    /// # Errors
    ///
    /// [`Problem::Tensor`] where none of them can be an input here.
    pub(super) fn inputs(&mut self) -> Result<(), Problem> {
        let mut refused: Vec<(usize, Problem)> = Vec::new();
        for input in by_operators(self.model) {
            let name = self.model.tensors[input].name;
            let problem = match self.graph.inputs.is_empty() {
                true => match self.input(input) {
                    Ok(()) => continue,
                    Err(what) => Problem::tensor(name, what),
                },
                false => Problem::tensor(name, self.second_input()),
            };
            refused.push((input, problem));
        }
        if self.graph.inputs.is_empty() && !refused.is_empty() {
            return Err(refused.swap_remove(0).1);
        }
        let mut is_read = vec![false; self.model.tensors.len()];
        let operands = self.model.operators.iter().flat_map(|operator| &operator.inputs);
        operands.flatten().for_each(|&tensor| is_read[tensor] = true);
        for (input, problem) in refused {
            let name = self.model.tensors[input].name;
            let is_needed = is_read[input];
            let number = self.boundaries.add(Boundary {
                node: name.to_owned(),
                operator: "input".to_owned(),
                reads: Vec::new(),
                why: problem.to_string(),
                is_needed,
            });
            self.behind[input] = Some(number);
            if is_needed {
                self.problem.get_or_insert(problem);
            }
        }
        Ok(())
    }

    fn second_input(&self) -> String {
        let inputs = self.model.inputs.iter().map(|&input| self.model.tensors[input].name);
        let mut all = inputs.take(NAMED).collect::<Vec<_>>().join(", ");
        if self.model.inputs.len() > NAMED {
            all.push_str(", …");
        }
        let taken = self.graph.inputs.first().map(|&input| self.graph.values[input].name.as_str());
        format!(
            "is one of several inputs ({all}), and a backbone reads one: freeze at a tensor that needs '{}' only",
            taken.unwrap_or_default()
        )
    }

    fn input(&mut self, input: usize) -> Outcome<()> {
        let tensor = &self.model.tensors[input];
        if let Some(axis) = tensor.open {
            return Err(format!(
                "is an input whose dimension {axis} is open: convert the model for one size of its input"
            ));
        }
        // Bytes without a scale are pixels, which the model casts.
        let scale = match (tensor.kind, tensor.scales.is_empty()) {
            (Kind::Uint8, true) => Some(Scale::Tensor { scale: 1.0, zero_point: i8::MIN }),
            (Kind::Int8, true) => Some(Scale::Tensor { scale: 1.0, zero_point: 0 }),
            _ => tensor.scale()?,
        };
        let name = self.name(input);
        let value = self.graph.add_value(&name, tensor.shape.clone());
        self.graph.values[value].scale = scale;
        let turned = match tensor.shape.len() {
            4 => {
                let name = format!("{name}_channels_first");
                self.node(transpose(&TO_GRAPH), vec![value], &name)?
            }
            _ => value,
        };
        self.graph.inputs.push(value);
        self.values[input] = Some(turned);
        Ok(())
    }
}

/// The model's inputs, those first that most operators need alone.
fn by_operators(model: &Model<'_>) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Needs {
        Nothing,
        One(usize),
        Several,
    }
    let mut needs = vec![Needs::Nothing; model.tensors.len()];
    for &input in &model.inputs {
        needs[input] = Needs::One(input);
    }
    let mut counts = vec![0_usize; model.tensors.len()];
    for operator in &model.operators {
        let mut all = Needs::Nothing;
        for &input in operator.inputs.iter().flatten() {
            all = match (all, needs[input]) {
                (known, Needs::Nothing) => known,
                (Needs::Nothing, known) => known,
                (a, b) if a == b => a,
                _ => Needs::Several,
            };
        }
        if let Needs::One(input) = all {
            counts[input] += 1;
        }
        operator.outputs.iter().for_each(|&output| needs[output] = all);
    }
    let mut seen = HashSet::new();
    let mut inputs = model.inputs.clone();
    inputs.retain(|&input| seen.insert(input));
    inputs.sort_by_key(|&input| Reverse(counts[input]));
    inputs
}
