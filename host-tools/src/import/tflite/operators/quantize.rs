use super::{Build, Outcome, Step};
use crate::import::scales::{origin, round};
use crate::import::tflite::schema::Operator;

impl Build<'_> {
    /// `QUANTIZE` and `DEQUANTIZE`: the same tensor, perhaps of another scale.
    pub(super) fn convert(
        &mut self,
        operator: &Operator<'_>,
        output: usize,
    ) -> Outcome<Option<Step>> {
        let tensor = self.operand(operator, 0)?;
        if self.model.tensors[tensor].data.is_some() {
            return Err(
                "of a constant is not supported: convert the model with int8 weights".into()
            );
        }
        let x = self.computed(tensor)?;
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
        Ok(None)
    }
}
