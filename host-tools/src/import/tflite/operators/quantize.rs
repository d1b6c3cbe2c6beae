use super::operands::Known;
use super::{Build, Outcome, name};
use crate::import::scales::{origin, round};
use crate::import::tflite::schema::{Kind, Operator};

impl Build<'_> {
    /// `QUANTIZE`, `DEQUANTIZE`, `CAST` and `DENSIFY`: the same tensor, perhaps of another scale, and of constants the same
    /// elements.
    pub(super) fn convert(&mut self, operator: &Operator<'_>, output: usize) -> Outcome<()> {
        let tensor = self.operand(operator, 0)?;
        if let Some(held) = self.held(tensor) {
            let to = self.model.tensors[output].kind;
            let is_same = to == self.model.tensors[tensor].kind;
            if !is_same && !matches!(to, Kind::Float32 | Kind::Float16) {
                return Err("of a constant: convert the model with int8 weights".into());
            }
            self.known[output] = Some(Known::Held(held));
            return Ok(());
        }
        let x = self.computed(tensor)?;
        if name(operator) == "CAST" {
            self.check_cast(tensor, output)?;
        }
        let name = self.name(output);
        // The model's input stands before its axes were turned.
        let origin = origin(&self.graph, x);
        let is_bare_input =
            self.graph.inputs.contains(&origin) && self.graph.values[origin].scale.is_none();
        let value = match self.model.tensors[output].scale()? {
            None => x,
            Some(scale) if is_bare_input => {
                self.graph.values[origin].scale = Some(scale);
                x
            }
            Some(scale) => round(&mut self.graph, x, scale, &format!("{name}_rounded"), &name)
                .map_err(|error| error.to_string())?,
        };
        self.aliases.insert(name, self.graph.values[value].name.clone());
        self.values[output] = Some(value);
        Ok(())
    }
    /// Computed tensors are real numbers, whatever they are stored as: a cast to a floating type changes nothing.
    fn check_cast(&self, from: usize, to: usize) -> Outcome<()> {
        let [from, to] = [from, to].map(|tensor| self.model.tensors[tensor].kind);
        let is_real = |kind| matches!(kind, Kind::Float32 | Kind::Float16);
        let is_whole = matches!(from, Kind::Int8 | Kind::Uint8 | Kind::Bool);
        match is_real(to) && (is_real(from) || is_whole) {
            true => Ok(()),
            false => Err(format!("from {from} to {to}; casts to float32 are supported")),
        }
    }
}
