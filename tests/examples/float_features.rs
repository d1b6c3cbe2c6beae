//! What a model gives at one of its tensors, in float32: `float_features MODEL TENSOR [ROWS COLUMNS] < inputs > values`.
//!
//! Rows and columns are those of the pictures where the model takes any. An input is the model's own one, float32, little-endian, in the model's own order of axes. For each of them come the
//! tensor's values, float32, little-endian, channels first where it is an image.

use std::error::Error;
use std::io::{BufWriter, ErrorKind, Read, Write, stdin, stdout};
use std::path::Path;

use headstart_tools::float::{FloatGraph, Run};
use headstart_tools::import::model::Model;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, tensor, size) = match &arguments[..] {
        [path, tensor] => (path, tensor, None),
        [path, tensor, rows, columns] => (path, tensor, Some([rows.parse()?, columns.parse()?])),
        _ => {
            return Err(
                "usage: float_features MODEL TENSOR [ROWS COLUMNS] < inputs > values".into()
            );
        }
    };
    let model = Model::load_sized(Path::new(path), size)?;
    let value = model.value_named(tensor)?;
    let graph = model.imported.graph.cut_at(&[value])?;
    let (input, output) = (graph.inputs[0], graph.outputs[0]);
    let float = FloatGraph::new(&model.path, &graph)?.showing(|value| value == output);
    let mut raw = vec![0; 4 * graph.values[input].shape.iter().product::<usize>()];
    let (mut from, mut to) = (stdin().lock(), BufWriter::new(stdout().lock()));
    loop {
        match from.read_exact(&mut raw) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(to.flush()?),
            Err(error) => return Err(error.into()),
        }
        let values: Vec<f32> =
            raw.as_chunks().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
        let mut found = Vec::new();
        float.run(&values, &mut |_, tensor| {
            found = tensor.iter().flat_map(|x| x.to_le_bytes()).collect();
        })?;
        to.write_all(&found)?;
    }
}
