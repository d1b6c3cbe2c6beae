//! Learning.

use std::ffi::c_char;

use headstart_device::{LearnOptions, Learned, Outcome};

use super::error::call;
use super::options::Told;
use super::reports::write;
use super::{OpenDevice, Options, Samples};
use crate::call::{give, shared};
use crate::status::Status;

/// What learning came to.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lesson {
    /// Whether what was learned answers from now on. If not, it answers what was known before worse, and the head before still answers.
    pub committed: bool,
    /// Samples that the head was learned from, those of earlier calls among them.
    pub samples: usize,
    /// Samples that were not known before.
    pub new_samples: usize,
    /// The classes that are known now.
    pub classes: usize,
    /// The share of held-out samples that is answered rightly, 0 to 1; not a number where none could be held out.
    pub held_out_accuracy: f64,
}

/// Learns labelled samples on top of what was learned before. What is committed is durable, and answers, when this returns. Answers of
/// other threads go on meanwhile.
///
/// `options` may be null. `lesson` is filled, and `json` set to the whole report, with the fields of `headstart-edge learn --json`,
/// which the caller frees with `hs_text_free`; both may be null.
///
/// `HS_STATUS_SAMPLE`, `HS_STATUS_REQUEST`, `HS_STATUS_STATE`, `HS_STATUS_TRAINING`, `HS_STATUS_BUSY`, `HS_STATUS_STOPPED`,
/// `HS_STATUS_MACHINE`: the state is as it was before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hs_device_learn(
    device: *const OpenDevice,
    samples: *const Samples,
    options: *const Options,
    lesson: *mut Lesson,
    json: *mut *mut c_char,
) -> Status {
    call(|| {
        // SAFETY: as documented.
        let (device, samples) = unsafe { (shared(device)?, shared(samples)?) };
        // SAFETY: as documented.
        let given = || unsafe { shared::<Options>(options) };
        let options = if options.is_null() { None } else { Some(given()?) };
        let told = Told::of(options);
        let usual = LearnOptions::default();
        let learn = options.map_or(&usual, |options| &options.learn);
        let skips_bad = options.is_some_and(|options| options.skips_bad);
        let outcome = if skips_bad {
            device.device.learn(&samples.samples.clone().skipping_bad(true), learn, &told)
        } else {
            device.device.learn(&samples.samples, learn, &told)
        }?;
        let report = outcome.report();
        // SAFETY: as documented.
        unsafe {
            write(json, report)?;
            give(lesson, of(report, matches!(outcome, Outcome::Committed(_))));
        }
        Ok(())
    })
}

fn of(report: &Learned, committed: bool) -> Lesson {
    let new_samples = match report {
        Learned::Head(learned) => learned.new_samples,
        Learned::Places(learned) => learned.new_samples,
    };
    Lesson {
        committed,
        samples: report.samples(),
        new_samples,
        classes: report.classes().len(),
        held_out_accuracy: report.held_out_accuracy().unwrap_or(f64::NAN),
    }
}
