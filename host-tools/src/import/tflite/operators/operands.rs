//! What operators read: tensors that were computed, constants, and numbers that are known before the model runs.

use headstart::graph::{Scale, ValueId};

use super::{Build, Outcome, transpose};
use crate::import::tflite::layout::{TO_FILE, TO_GRAPH, axis_in_graph, in_graph, transposed};
use crate::import::tflite::schema::{Kind, Operator};

/// A tensor that is known before the model runs, and no constant of the file.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// The elements of that constant of the file.
    Held(usize),
    /// Whole numbers.
    Integers(Vec<i64>),
}

impl Build<'_> {
    /// What an earlier operator made of a tensor.
    pub(in crate::import::tflite) fn computed(&self, tensor: usize) -> Outcome<ValueId> {
        self.values[tensor].ok_or_else(|| {
            let name = self.model.tensors[tensor].name;
            match self.is_known(tensor) {
                true => format!("reads '{name}', a constant where a computed tensor is expected"),
                false => format!("reads '{name}', which no input or earlier operator defines"),
            }
        })
    }

    /// The constant of the file whose elements a tensor has.
    pub(super) fn held(&self, tensor: usize) -> Option<usize> {
        match self.known[tensor] {
            Some(Known::Held(of)) => Some(of),
            Some(Known::Integers(_)) => None,
            None => self.model.tensors[tensor].data.map(|_| tensor),
        }
    }

    /// Whether a tensor is known before the model runs.
    pub(super) fn is_known(&self, tensor: usize) -> bool {
        self.known[tensor].is_some() || self.model.tensors[tensor].data.is_some()
    }

    /// Refuses constants for which there is no room.
    pub(super) fn take_room(&mut self, count: usize) -> Outcome<()> {
        self.room = self.room.checked_sub(count as u64).ok_or_else(|| {
            format!(
                "reads constants of too many elements: {count} here, where a file of {} weights has no room for more",
                self.weights
            )
        })?;
        Ok(())
    }

    /// A constant that the file does not hold, for which there was room.
    pub(super) fn made(
        &mut self,
        name: &str,
        shape: Vec<usize>,
        data: Vec<f32>,
    ) -> Outcome<ValueId> {
        self.graph.add_constant(name, shape, data).map_err(|error| error.to_string())
    }

    /// A constant, with its axes in another order if that is asked for.
    pub(super) fn constant(&mut self, tensor: usize, order: Option<&[usize]>) -> Outcome<ValueId> {
        let held = self.held(tensor).unwrap_or(tensor);
        let of = &self.model.tensors[held];
        let in_tensor = |what: String| format!("tensor '{}' {what}", of.name);
        self.take_room(of.shape.iter().product())?;
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
        // Integers that are turned to real numbers say nothing of what is computed with them.
        let is_real = matches!(self.model.tensors[tensor].kind, Kind::Float32 | Kind::Float16);
        self.graph.values[value].scale = scale.filter(|_| !is_real);
        Ok(value)
    }

    /// A constant that broadcasts to tensors of that many dimensions, in the graph's order of axes.
    pub(super) fn broadcast(&mut self, tensor: usize, rank: usize) -> Outcome<ValueId> {
        let value = self.constant(tensor, None)?;
        let constant = &mut self.graph.values[value];
        constant.scale = None;
        if rank == 4 {
            let missing = 4_usize.saturating_sub(constant.shape.len());
            let shape: Vec<usize> =
                std::iter::repeat_n(1, missing).chain(constant.shape.iter().copied()).collect();
            let data = constant.constant.as_deref().unwrap_or_default();
            constant.constant = Some(transposed(data, &shape, &TO_GRAPH).into());
            constant.shape = in_graph(&shape);
        }
        Ok(value)
    }

    /// A constant of one element.
    pub(super) fn number(&self, tensor: usize) -> Outcome<f32> {
        let of = &self.model.tensors[self.held(tensor).unwrap_or(tensor)];
        if of.shape.iter().product::<usize>() != 1 {
            return Err(format!(
                "tensor '{}' has shape {:?}; one number is expected",
                of.name, of.shape
            ));
        }
        let (data, _) = of.reals().map_err(|what| format!("tensor '{}' {what}", of.name))?;
        Ok(data[0])
    }

    /// Operand `index`, which must be there.
    pub(super) fn operand(&self, operator: &Operator<'_>, index: usize) -> Outcome<usize> {
        let found = operator.inputs.get(index).copied().flatten();
        found.ok_or_else(|| format!("operand {index} is missing"))
    }

    /// Operand `index`, a constant that may be left out.
    pub(super) fn bias(
        &mut self,
        operator: &Operator<'_>,
        index: usize,
    ) -> Outcome<Option<ValueId>> {
        match operator.inputs.get(index).copied().flatten() {
            None => Ok(None),
            Some(bias) => self.constant(bias, None).map(Some),
        }
    }

    /// The first operand, a computed tensor.
    pub(super) fn x(&self, operator: &Operator<'_>) -> Outcome<ValueId> {
        self.computed(self.operand(operator, 0)?)
    }

    /// Operand `index`, whole numbers that are known.
    pub(super) fn integers(&self, operator: &Operator<'_>, index: usize) -> Outcome<Vec<i64>> {
        let at = self.operand(operator, index)?;
        if let Some(Known::Integers(list)) = &self.known[at] {
            return Ok(list.clone());
        }
        let tensor = &self.model.tensors[at];
        tensor.integers().map_err(|what| format!("tensor '{}' {what}", tensor.name))
    }

    /// Operand `index`, axes of a tensor of `rank` dimensions in the graph's order, ascending, each once.
    pub(super) fn axes(
        &self,
        operator: &Operator<'_>,
        index: usize,
        rank: usize,
    ) -> Outcome<Vec<usize>> {
        let list = self.integers(operator, index)?;
        let mut axes =
            list.iter().map(|&axis| axis_in_graph(axis, rank)).collect::<Outcome<Vec<_>>>()?;
        axes.sort_unstable();
        axes.dedup();
        Ok(axes)
    }

    /// `value` with the axes that it has in the file.
    pub(super) fn in_file_order(&mut self, value: ValueId, name: &str) -> Outcome<ValueId> {
        if self.graph.values[value].shape.len() != 4 {
            return Ok(value);
        }
        self.node(transpose(&TO_FILE), vec![value], &format!("{name}_channels_last"))
    }

    /// Whether a tensor holds weights: real numbers of the file, more than one.
    pub(super) fn is_weight(&self, tensor: usize) -> bool {
        let Some(held) = self.held(tensor) else { return false };
        let of = &self.model.tensors[held];
        let is_real = matches!(of.kind, Kind::Float32 | Kind::Float16 | Kind::Int8 | Kind::Uint8);
        is_real && of.shape.iter().product::<usize>() > 1
    }
}
