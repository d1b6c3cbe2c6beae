//! One case of the suite.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use headstart::burn::backend::Flex;
use headstart::burn::{Executor, Tensor as Floats};
use headstart::graph::{Graph, Scale, ValueId};
use headstart_tools::import::onnx::{
    Data, Imported, IntegerType, Known, Source, Tensor, import_bytes_with,
};
use headstart_tools::import::scales::carried;
use rten_onnx::onnx::ModelProto;

use super::proto::{self, Kind};

/// What came of a case.
pub(crate) enum Outcome {
    /// Every output is right.
    Passed,
    /// Import or executor refused it with an error.
    Refused {
        /// The error.
        why: String,
        /// The operators of the model.
        operators: Vec<String>,
    },
    /// An output is wrong, or something panicked.
    Wrong(String),
}

/// Inputs of one run by name, and the outputs that it must have.
type Run = (BTreeMap<String, Known>, Vec<Option<Known>>);

/// Runs the case in a folder, or the light model in a file.
pub(crate) fn run(path: &Path) -> Outcome {
    match catch_unwind(AssertUnwindSafe(|| run_unguarded(path))) {
        Ok(outcome) => outcome,
        Err(_) => Outcome::Wrong("it panicked".to_owned()),
    }
}

fn run_unguarded(path: &Path) -> Outcome {
    let light = path.is_file();
    let file = if light { path.to_owned() } else { path.join("model.onnx") };
    let Ok(bytes) = std::fs::read(&file) else {
        return Outcome::Wrong(format!("{} cannot be read", file.display()));
    };
    let (inputs, outputs, operators) = describe(&bytes);
    let refused = |why: String| Outcome::Refused { why, operators: operators.clone() };
    let runs = if light { light_runs(path, &inputs) } else { runs(path, &inputs, &outputs) };
    let Some(runs) = runs else {
        return refused("its data has a type that no model here takes".to_owned());
    };
    if !runs.iter().all(|(_, expected)| expected.iter().all(Option::is_some)) {
        return refused("its outputs have a type that no model here gives".to_owned());
    }
    if runs.is_empty() {
        return Outcome::Wrong("it has no data".to_owned());
    }
    for (given, expected) in runs {
        if let Err(outcome) = check(&bytes, &file, &inputs, &given, &expected) {
            return match outcome {
                Outcome::Refused { why, .. } => refused(why),
                other => other,
            };
        }
    }
    Outcome::Passed
}

/// Imports the model with as few inputs bound to constants as it needs, and compares its outputs.
fn check(
    bytes: &[u8],
    file: &Path,
    inputs: &[Input],
    given: &BTreeMap<String, Known>,
    expected: &[Option<Known>],
) -> Result<(), Outcome> {
    let floats =
        |known: &Known| matches!(known, Known::Tensor(Tensor { data: Data::Floats(_), .. }));
    let integers = |name: &&String| !floats(&given[*name]);
    let names: Vec<&String> = given.keys().collect();
    let first = inputs.iter().map(|input| &input.name).find(|name| given.contains_key(*name));
    let attempts: [Vec<&String>; 3] = [
        names.iter().copied().filter(integers).collect(),
        names.iter().copied().filter(|&name| Some(name) != first).collect(),
        names.clone(),
    ];
    let mut why = String::new();
    for bound in attempts {
        let bindings = bound.iter().map(|&name| (name.clone(), given[name].clone())).collect();
        let refusal =
            match import_bytes_with(bytes, &file.display().to_string(), file.parent(), bindings) {
                Ok(imported) => match execute(&imported.graph, given) {
                    Ok(found) => {
                        return compare(&imported, &found, expected).map_err(Outcome::Wrong);
                    }
                    Err(error) => error,
                },
                Err(error) => error.to_string(),
            };
        if why.is_empty() {
            why = refusal;
        }
    }
    Err(Outcome::Refused { why, operators: Vec::new() })
}

fn execute(graph: &Graph, given: &BTreeMap<String, Known>) -> Result<Vec<Floats>, String> {
    let executor =
        Executor::<Flex>::new(graph, &Default::default()).map_err(|error| error.to_string())?;
    let inputs: Vec<Floats> = graph
        .inputs
        .iter()
        .map(|&id| match given.get(&graph.values[id].name) {
            Some(Known::Tensor(Tensor { shape, data: Data::Floats(data) })) => {
                Ok(Floats { shape: shape.clone(), data: data.clone() })
            }
            _ => Err(format!("input {} is not given as floats", graph.values[id].name)),
        })
        .collect::<Result<_, _>>()?;
    executor.run(&inputs).map_err(|error| error.to_string())
}

fn compare(
    imported: &Imported,
    found: &[Floats],
    expected: &[Option<Known>],
) -> Result<(), String> {
    let outputs = &imported.outputs;
    if outputs.len() != expected.len() {
        return Err(format!("{} outputs instead of {}", outputs.len(), expected.len()));
    }
    for (output, expected) in outputs.iter().zip(expected) {
        let Some(expected) = expected else { continue };
        let found = match &output.source {
            Source::Known(known) => known.clone(),
            Source::Behind => panic!("nothing is left out of a model that is read whole"),
            &Source::Floats(place) => {
                let Floats { shape, data } = found[place].clone();
                Known::Tensor(Tensor { shape, data: Data::Floats(data) })
            }
            &Source::Quantised(place, kind) => {
                let Floats { shape, data } = found[place].clone();
                let data = integers(&imported.graph, imported.graph.outputs[place], &data, kind);
                Known::Tensor(Tensor { shape, data: Data::Integers(data, kind) })
            }
            &Source::Indices(place, kind) => {
                let Floats { shape, data } = found[place].clone();
                let data = data.iter().map(|&x| x as i64).collect();
                Known::Tensor(Tensor { shape, data: Data::Integers(data, kind) })
            }
        };
        compare_values(&found, expected).map_err(|what| format!("{}: {what}", output.name))?;
    }
    Ok(())
}

/// Real numbers in the steps of the tensor's scale; what its type cannot hold saturates.
fn integers(graph: &Graph, value: ValueId, data: &[f32], kind: IntegerType) -> Vec<i64> {
    let Some(&Scale::Tensor { scale, zero_point }) = carried(graph, value) else {
        return Vec::new();
    };
    let (shift, least, most) =
        if kind == IntegerType::Uint8 { (128, 0, 255) } else { (0, -128, 127) };
    let zero = i64::from(zero_point) + shift;
    let steps = |x: &f32| (x / scale).round_ties_even() as i64 + zero;
    data.iter().map(|x| steps(x).clamp(least, most)).collect()
}

fn compare_values(found: &Known, expected: &Known) -> Result<(), String> {
    match (found, expected) {
        (Known::Tensor(found), Known::Tensor(expected)) => compare_tensors(found, expected),
        (Known::Sequence(found), Known::Sequence(expected)) if found.len() == expected.len() => {
            found.iter().zip(expected).try_for_each(|(f, e)| compare_tensors(f, e))
        }
        (Known::Optional(None), Known::Optional(None)) => Ok(()),
        (Known::Optional(Some(found)), Known::Optional(Some(expected))) => {
            compare_values(found, expected)
        }
        _ => Err(format!("{found:?} instead of {expected:?}")),
    }
}

fn compare_tensors(found: &Tensor, expected: &Tensor) -> Result<(), String> {
    if found.shape != expected.shape {
        return Err(format!("shape {:?} instead of {:?}", found.shape, expected.shape));
    }
    match (&found.data, &expected.data) {
        (Data::Floats(found), Data::Floats(expected)) => compare_floats(found, expected),
        (found, expected) if found == expected => Ok(()),
        (found, expected) => Err(format!("{found:?} instead of {expected:?}")),
    }
}

fn compare_floats(found: &[f32], expected: &[f32]) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{} elements instead of {}", found.len(), expected.len()));
    }
    for (index, (&found, &value)) in found.iter().zip(expected).enumerate() {
        let same = found == value || (found.is_nan() && value.is_nan());
        // Infinity would be within any relative tolerance of infinity.
        let near = value.is_finite() && (found - value).abs() <= 1e-7 + 1e-3 * value.abs();
        if !same && !near {
            return Err(format!("element {index} is {found} instead of {value}"));
        }
    }
    Ok(())
}

struct Input {
    name: String,
    kind: Kind,
    shape: Vec<usize>,
}

/// The model's inputs that have no default, the kinds of its outputs, and its operators.
fn describe(bytes: &[u8]) -> (Vec<Input>, Vec<Kind>, Vec<String>) {
    let Some(graph) = ModelProto::parse_buf(bytes).ok().and_then(|model| model.graph) else {
        return (Vec::new(), Vec::new(), Vec::new());
    };
    let kinds: BTreeMap<String, Kind> = proto::kinds(bytes, 11).into_iter().collect();
    let outputs = proto::kinds(bytes, 12).into_iter().map(|(_, kind)| kind).collect();
    let defaults: Vec<_> =
        graph.initializer.iter().filter_map(|tensor| tensor.name.clone()).collect();
    let mut inputs = Vec::new();
    for input in graph.input {
        let Some(name) = input.name.filter(|name| !defaults.contains(name)) else { continue };
        let shape = input.r#type.and_then(|kind| kind.tensor_type).and_then(|tensor| tensor.shape);
        let shape = shape.map_or(Vec::new(), |shape| {
            let extent = |dim: rten_onnx::onnx::Dimension| dim.dim_value.map_or(1, |n| n as usize);
            shape.dim.into_iter().map(extent).collect()
        });
        let kind = kinds.get(&name).copied().unwrap_or_default();
        inputs.push(Input { name, kind, shape });
    }
    let operators = graph.node.into_iter().filter_map(|node| node.op_type).collect();
    (inputs, outputs, operators)
}

/// The data sets of a case; `None` if one has data of a type that no model here takes.
fn runs(folder: &Path, inputs: &[Input], outputs: &[Kind]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    for set in 0.. {
        let set = folder.join(format!("test_data_set_{set}"));
        if !set.exists() {
            break;
        }
        let mut given = BTreeMap::new();
        for (path, input) in numbered(&set, "input").into_iter().zip(inputs) {
            given.insert(input.name.clone(), proto::read(&path, input.kind)?);
        }
        let files = numbered(&set, "output");
        let kinds = outputs.iter().copied().chain(std::iter::repeat(Kind::Tensor));
        let expected = files.iter().zip(kinds).map(|(path, kind)| proto::read(path, kind));
        let expected = expected.collect();
        runs.push((given, expected));
    }
    Some(runs)
}

/// The one data set of a light model: its input rises evenly from 0 to 1.
fn light_runs(model: &Path, inputs: &[Input]) -> Option<Vec<Run>> {
    let ramp = |input: &Input| {
        let count: usize = input.shape.iter().product();
        let data = (0..count).map(|i| (i as f64 / count as f64) as f32).collect();
        let tensor = Tensor { shape: input.shape.clone(), data: Data::Floats(data) };
        (input.name.clone(), Known::Tensor(tensor))
    };
    let prefix = model.file_stem()?.to_str()?;
    let expected = numbered(model.parent()?, &format!("{prefix}_output"));
    let expected = expected.iter().map(|path| proto::read(path, Kind::Tensor)).collect();
    Some(vec![(inputs.iter().map(ramp).collect(), expected)])
}

/// The files `NAME_0.pb`, `NAME_1.pb`, … that exist.
fn numbered(folder: &Path, name: &str) -> Vec<PathBuf> {
    (0..).map(|i| folder.join(format!("{name}_{i}.pb"))).take_while(|path| path.exists()).collect()
}
