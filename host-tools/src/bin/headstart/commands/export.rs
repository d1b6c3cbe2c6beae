//! `export`: the personalised model, whole, as one float ONNX file.

use std::path::Path;

use headstart::pack::Pack;
use headstart_device::Head;
use headstart_device::state::StateFolder;
use serde_json::json;

use super::report::Report;
use crate::error::Error;
use headstart_tools::import::model::Model;
use headstart_tools::ship::export;
use headstart_tools::ship::personalised::personalised;

pub(super) fn export(
    report: Report,
    pack_path: &Path,
    model_path: &Path,
    state: Option<&Path>,
    output: &Path,
) -> Result<(), Error> {
    let bytes = super::read_pack(pack_path)?;
    let refuse = Error::in_pack(pack_path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    super::without_tail(&pack, pack_path)?;
    let model = Model::load_for(model_path, &pack)?;
    model.check_source(&pack)?;
    let stored = match state {
        Some(folder) => StateFolder::new(folder).head()?,
        None => pack.head().map(<[u8]>::to_vec),
    };
    let stored = stored.ok_or_else(|| {
        Error::Usage(
            "there is no head to export: give the folder where `headstart-edge learn` keeps it \
             with --state"
                .into(),
        )
    })?;
    let path = state.map_or(pack_path.to_owned(), |folder| StateFolder::new(folder).head_path());
    let head = Head::parse(&path, &stored, &pack.backbone_digest())?;
    let graph = personalised(&model, &pack, &head)?;
    let labels = head.labels();
    let onnx = export::to_onnx(&graph, &[("labels", &labels.join("\n"))])
        .map_err(|problem| Error::Export { output: output.to_owned(), problem })?;
    super::write(output, &onnx)?;
    let result = json!({ "output": output, "bytes": onnx.len(), "classes": labels });
    report.show(&result, || {
        say!(
            "{}: {} classes, outputs `logits` and `probabilities`; labels stand in its metadata",
            output.display(),
            labels.len()
        );
    });
    Ok(())
}
