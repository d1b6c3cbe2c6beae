//! The personalised model, whole, as one float ONNX file.

use std::path::Path;

use headstart::pack::Pack;
use headstart_device::Head;
use headstart_device::state::StateFolder;
use serde_json::{Value, json};

use super::error::{Error, Usage};
use super::file;
use super::info::without_tail;
use crate::import::model::Model;
use crate::ship::export;
use crate::ship::personalised::personalised;

/// What was written.
#[derive(Debug)]
pub struct Exported {
    /// The report, a JSON object.
    pub summary: Value,
    /// How many classes the model answers.
    pub classes: usize,
}

/// Writes the float model that a pack was made of with a head on top: that of a state folder, else the pack's own.
///
/// # Errors
/// [`Usage::NoHead`], [`Usage::HasTail`]; [`Error::Refused`] for a model that is not the pack's; [`Error::Unwritable`].
pub fn export(
    pack_path: &Path,
    model_path: &Path,
    state: Option<&Path>,
    output: &Path,
) -> Result<Exported, Error> {
    let bytes = file::read_pack(pack_path)?;
    let refuse = Error::in_pack(pack_path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    without_tail(&pack, pack_path)?;
    let model = Model::load_for(model_path, &pack)?;
    model.check_source(&pack)?;
    let stored = match state {
        Some(folder) => StateFolder::new(folder).head()?,
        None => pack.head().map(<[u8]>::to_vec),
    };
    let stored = stored.ok_or(Usage::NoHead)?;
    let path = state.map_or(pack_path.to_owned(), |folder| StateFolder::new(folder).head_path());
    let head = Head::parse(&path, &stored, &pack.backbone_digest())?;
    let graph = personalised(&model, &pack, &head)?;
    let labels = head.labels();
    let onnx = export::to_onnx(&graph, &[("labels", &labels.join("\n"))])
        .map_err(|problem| Error::Export { output: output.to_owned(), problem })?;
    let unwritable = |source| Error::Unwritable { path: output.to_owned(), source };
    file::write(output, &onnx).map_err(unwritable)?;
    let summary = json!({ "output": output, "bytes": onnx.len(), "classes": labels });
    Ok(Exported { summary, classes: labels.len() })
}
