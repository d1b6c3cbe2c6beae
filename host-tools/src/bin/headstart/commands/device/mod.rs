//! `device`: a board at the end of a cable, with the verbs of `headstart-edge`.

mod answers;
mod inputs;
mod learn;
mod standing;

use std::path::Path;
use std::time::Duration;

use headstart::head::HeadRecord;
use headstart::pack::Pack;
use headstart_cable::Refusal;
use headstart_cable::client::{Board, Timing, open};
use headstart_device::shown::counted_are;
use serde_json::json;

use super::report::{Report, hex};
use crate::cli::{DeviceArgs, DeviceCommand};
use crate::error::Error;

pub(super) fn device(report: Report, args: &DeviceArgs) -> Result<(), Error> {
    let timing = Timing { patience: Duration::from_secs(args.patience), ..Timing::default() };
    let connect =
        || -> Result<Board, Error> { Ok(Board::open(open(&args.port, args.baud)?, timing)?) };
    match &args.command {
        DeviceCommand::Status => standing::status(report, &mut connect()?),
        DeviceCommand::Learn(learn) => learn::learn(report, connect, learn),
        DeviceCommand::Predict { pack, files } => answers::predict(report, connect, pack, files),
        DeviceCommand::Eval { pack, data, sampling } => {
            answers::evaluate(report, connect, pack, data, *sampling)
        }
        DeviceCommand::Commit => {
            let number = connect()?.commit()?;
            report.show(&json!({ "commit": number }), || say!("commit {number}"));
            Ok(())
        }
        DeviceCommand::Forget { class, .. } => {
            let left = connect()?.forget(class.as_deref())?;
            report.show(&json!({ "forgotten": class, "classes": left }), || match class {
                Some(class) => {
                    say!(
                        "'{class}' is forgotten; {} left",
                        counted_are(usize::from(left), "class")
                    );
                }
                None => say!("everything learned is forgotten; the pack's head answers"),
            });
            Ok(())
        }
        DeviceCommand::Update { pack, forget } => update(report, connect, pack, *forget),
        DeviceCommand::Head { output } => head(report, &mut connect()?, output),
    }
}

fn update(
    report: Report,
    connect: impl Fn() -> Result<Board, Error>,
    path: &Path,
    forget: bool,
) -> Result<(), Error> {
    let bytes = super::read_pack(path)?;
    // The board verifies it too; here it costs no time on the line.
    let refuse = Error::in_pack(path);
    let pack = Pack::open(&bytes).map_err(refuse)?;
    super::without_engine(&pack, path)?;
    let mut board = connect()?;
    if !forget && board.holds_other_head(&pack.backbone_digest())? {
        return Err(headstart_cable::client::Error::Refused(Refusal::OtherBackbone).into());
    }
    let bar = report.progress(bytes.len(), "sending");
    let changed = board.update(&bytes, forget, |sent| bar.set_position(sent as u64))?;
    bar.finish_and_clear();
    let greeting = board.greeting();
    let result = json!({ "updated": changed, "pack": hex(&greeting.pack), "bytes": bytes.len() });
    report.show(&result, || {
        let done = if changed { "uses it now" } else { "has it already" };
        say!("{}: the board {done}", path.display());
    });
    Ok(())
}

fn head(report: Report, board: &mut Board, output: &Path) -> Result<(), Error> {
    let record = board.head()?.ok_or_else(|| {
        Error::Usage("the board has committed no head: its pack's head answers".into())
    })?;
    let refuse = |problem| Error::Usage(format!("the board's head record: {problem}"));
    let parsed = HeadRecord::parse_for(&record, &board.greeting().backbone).map_err(refuse)?;
    super::write_private(output, &record)?;
    let labels: Vec<&str> = parsed.labels().collect();
    let result = json!({ "output": output, "bytes": record.len(), "classes": labels });
    report.show(&result, || {
        say!("{}: {} bytes, {} classes", output.display(), record.len(), labels.len());
    });
    Ok(())
}
