//! `pack`: from an ONNX file and samples to a pack.

use std::path::Path;
use std::time::Duration;

use headstart::pack::Pack;
use headstart_tools::ship::board::Certificate;
use headstart_tools::tasks::pack;

use super::bar::Bar;
use super::cost;
use super::report::{self, Report};
use crate::cli::PackArgs;
use crate::error::Error;

pub(super) fn pack(report: Report, args: &PackArgs) -> Result<(), Error> {
    let watch = Bar::new(report, args.all);
    let packed = pack::pack(&args.model, &args.output, &args.options(), &watch)?;
    let pack = Pack::open(&packed.bytes).map_err(Error::in_pack(&args.output))?;
    report.show(&packed.summary, || {
        print_pack(&args.output, &pack, packed.bytes.len(), packed.took);
        report::left_out("calibrated", &packed.bad_calibration);
        report::left_out("cuts compared", &packed.bad_labelled);
        if !packed.has_tail && !packed.is_pooled {
            say!("the features are all of that tensor: which of its axes are places is not known");
        }
        cost::print_rules(&packed.tried);
        if let Some(loss) = &packed.loss {
            cost::print(loss, packed.is_held_out);
        }
        if packed.own_scales {
            print_differences(&packed.differences);
        }
        if let Some(certificate) = &packed.certificate {
            print_certificate(certificate);
        }
    });
    if let Some(loss) = &packed.loss {
        cost::warn(loss);
    }
    Ok(())
}

fn print_pack(path: &Path, pack: &Pack<'_>, bytes: usize, took: Duration) {
    say!(
        "{}: {} frozen at '{}', {} features, {} of the head a class",
        path.display(),
        pack.provenance().model,
        pack.provenance().freeze_point,
        pack.feature_len(),
        report::bytes(4 * (pack.head_inputs() as u64 + 1)),
    );
    say!(
        "{} in the file, {} of memory, {} multiply-accumulates a sample, {:.1} s",
        report::bytes(bytes as u64),
        report::bytes(pack.plan().ram_bytes()),
        report::count(pack.provenance().multiply_accumulates),
        took.as_secs_f64(),
    );
}

fn print_differences(differences: &[String]) {
    say!(
        "the model's own scales, {}",
        match differences.len() {
            0 => "and its weights to the bit".to_owned(),
            1 => "with 1 difference:".to_owned(),
            count => format!("with {count} differences:"),
        }
    );
    differences.iter().for_each(|line| say!("  {line}"));
}

fn print_certificate(of: &Certificate) {
    say!("\nMemory on {}, in bytes ('at most': what its firmware keeps for itself)", of.board);
    let mut table = report::table(&["", "", "bytes"]);
    for (memory, what, bytes) in [
        ("flash", "code and constants, at most", of.code_bytes),
        ("", "pack", of.pack_bytes),
        ("", "second place for a pack", of.second_pack_bytes),
        ("", "head slots", of.slots_bytes),
        ("", "journal and features of samples", of.log_bytes),
        ("", "of all there is, free", of.flash_bytes - of.flash()),
        ("RAM", "activations", of.arena_bytes),
        ("", "head", of.head_bytes),
        ("", "learner", of.learner_bytes),
        (
            "",
            "session: head, learner, and the larger of activations and a head record",
            of.session_bytes,
        ),
        ("", "static data, at most", of.static_bytes),
        ("", "stack, at most", of.stack_bytes),
        ("", "of all there is, free", of.ram_bytes - of.ram()),
    ] {
        table.add_row([memory.to_owned(), what.to_owned(), bytes.to_string()]);
    }
    say!("{table}");
}
