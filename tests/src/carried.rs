//! The carried model as a pack, made without calibration: its quantised form brings its scales along.

use std::path::{Path, PathBuf};

use headstart::pack::{Preprocessing, Resize};
use headstart_tools::import::model::Model;
use headstart_tools::import::onnx;
use headstart_tools::quantise::plan::Aim;
use headstart_tools::quantise::quantised::{Calibration, Settings, quantise};

/// The folder where the model stands.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("carried-model")
}

/// Packs the quantised model, frozen at a tensor, with memory for so many classes.
pub fn pack(freeze_point: &str, max_classes: u32) -> Vec<u8> {
    let path = folder().join("shapes-qdq.onnx");
    let imported = onnx::import(&path).expect("the carried model is one");
    let model = Model { imported, path };
    let settings = Settings {
        freeze_point: freeze_point.to_owned(),
        grid: 1,
        per_place: false,
        preprocessing: Preprocessing { resize: Resize::Stretch, mean: [127.5; 3], std: [127.5; 3] },
        max_classes,
        arena: Aim::Speed,
        tail: None,
    };
    let cut = model.cut_at(freeze_point).expect("the carried model has that tensor");
    quantise(&model, &cut, Calibration::default(), settings, || ())
        .expect("it is quantised already")
        .bytes
}

/// The name of the tensor of features before the carried model's classifier.
pub const FEATURES: &str = "/ReduceMean_output_0";
