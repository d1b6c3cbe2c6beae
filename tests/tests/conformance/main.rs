//! ONNX's own conformance cases through import and the float executor.
//!
//! A case passes if its outputs have ONNX's shapes and values (relative 1e-3, absolute 1e-7, the
//! suite's own tolerance; integers exactly), or is refused with an error because of an operator that
//! import does not promise; anything else fails this test. The cases that pass stand in
//! `conformance/expected.txt`, and each of them must go on passing. After an improvement
//! `HEADSTART_BLESS=1` writes the file anew.
//!
//! What does not depend on a float input (integers, sequences, optionals) is bound to the case's data
//! at import and evaluated there; the float part runs in the executor. Dropout in training mode is
//! compared with the suite's data too: they come from NumPy's generator and the seed in the case.
//!
//! Three of the light models are refused for what they cost: files of some kilobytes whose weights, up to half a gigabyte of them,
//! are made by `ConstantOfShape`. A small file that asks for that much memory is refused whoever wrote it (`import/cost.rs`).
//!
//! The cases are downloaded once, by `conformance/fetch.py`. Where there is no network,
//! `HEADSTART_OFFLINE=1` says so: then no case runs and this program says that.

mod case;
mod proto;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use case::Outcome;

/// The operators that import promises.
const PROMISED: &[&str] = &[
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "MatMul",
    "MaxPool",
    "Mul",
    "PRelu",
    "Pad",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Sigmoid",
    "Softmax",
    "Squeeze",
    "Sub",
    "Transpose",
    "Unsqueeze",
];

fn main() -> ExitCode {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx-conformance");
    if let Err(what) = fetch(&here, &data) {
        if std::env::var_os("HEADSTART_OFFLINE").is_some() {
            println!("conformance: NO CASE WAS RUN, because HEADSTART_OFFLINE is set ({what})");
            return ExitCode::SUCCESS;
        }
        eprintln!(
            "conformance: the cases could not be fetched ({what}); python3 with pip and a package \
             registry are needed, or set HEADSTART_OFFLINE=1 to leave them out"
        );
        return ExitCode::FAILURE;
    }
    let mut outcomes = BTreeMap::new();
    for (name, path) in cases(&data) {
        outcomes.insert(name, case::run(&path));
    }
    report(&outcomes, &here.join("expected.txt"))
}

fn fetch(here: &Path, data: &Path) -> Result<(), String> {
    if data.join("COMPLETE").exists() {
        return Ok(());
    }
    let status = Command::new("python3").arg(here.join("fetch.py")).arg(data).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("fetch.py: {status}")),
        Err(error) => Err(format!("python3: {error}")),
    }
}

/// All cases, by suite and name: folders with a model and data, and the light models.
fn cases(data: &Path) -> BTreeMap<String, PathBuf> {
    let list = |suite: &str| {
        std::fs::read_dir(data.join(suite)).into_iter().flatten().flatten().map(|e| e.path())
    };
    let mut cases = BTreeMap::new();
    for suite in ["node", "pytorch-converted", "pytorch-operator", "simple", "light"] {
        for path in list(suite) {
            let is_case = match suite {
                "light" => path.extension().is_some_and(|extension| extension == "onnx"),
                _ => path.join("model.onnx").exists(),
            };
            if let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|_| is_case)
            {
                cases.insert(format!("{suite}/{name}"), path);
            }
        }
    }
    cases
}

/// Cases with other results here. Two expect values that wrap around where the operator's text says that they
/// saturate. Two expect `align_corners` to divide by an extent that is no whole number, where ONNX Runtime and PyTorch
/// take the result's own extent, so that its last element is the operand's last.
const BY_DESIGN: [&str; 4] = [
    "node/test_qlinearmatmul_2D_int8_float32",
    "node/test_qlinearmatmul_3D_int8_float32",
    "node/test_resize_downsample_scales_cubic_align_corners",
    "node/test_resize_downsample_scales_linear_align_corners",
];

fn report(outcomes: &BTreeMap<String, Outcome>, expected: &Path) -> ExitCode {
    let mut passed = BTreeSet::new();
    let (mut refused, mut broken, mut wrong, mut by_design) = (0, 0, 0, 0);
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => {
                passed.insert(name.as_str());
            }
            Outcome::Refused { why, operators } => {
                refused += 1;
                if operators.iter().all(|operator| PROMISED.contains(&operator.as_str())) {
                    broken += 1;
                    println!("BROKEN  {name}: has promised operators only, but is refused: {why}");
                }
            }
            Outcome::Wrong(_) if BY_DESIGN.contains(&name.as_str()) => by_design += 1,
            Outcome::Wrong(what) => {
                wrong += 1;
                println!("WRONG   {name}: {what}");
            }
        }
    }
    println!(
        "conformance: {} passed, {refused} refused, {wrong} wrong, {by_design} with other results by design",
        passed.len()
    );
    if outcomes.is_empty() || broken + wrong > 0 {
        return ExitCode::FAILURE;
    }
    if std::env::var_os("HEADSTART_BLESS").is_some() {
        let mut text = format!(
            "# The conformance cases of onnx 1.20.0 that pass: {} of {}; {refused} are refused \
             with an error.\n",
            passed.len(),
            outcomes.len()
        );
        for name in &passed {
            text.push_str(name);
            text.push('\n');
        }
        return match std::fs::write(expected, text) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{}: {error}", expected.display());
                ExitCode::FAILURE
            }
        };
    }
    let text = std::fs::read_to_string(expected).unwrap_or_default();
    let expected: BTreeSet<&str> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let lost: Vec<_> = expected.difference(&passed).collect();
    let gained: Vec<_> = passed.difference(&expected).collect();
    for name in &lost {
        println!("LOST    {name}: it passed before");
    }
    if !gained.is_empty() {
        println!("new: {gained:?}; HEADSTART_BLESS=1 writes them down");
    }
    let complete = lost.is_empty() && gained.is_empty() && !expected.is_empty();
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
