//! The device, and its answers.

use std::cell::RefCell;
use std::path::Path;

use headstart::kernels::Kernels;
use headstart_device::extract::Extractor;
use headstart_device::samples::SampleFile;
use headstart_device::{Device, Sample, files};
use serde::Serialize;

use crate::said::{Refusal, Reply, json};

/// Where the pack is until it was opened.
pub(crate) const PACK: &str = "model.hspk";
/// The folder of what was learned.
pub(crate) const STATE: &str = "state";
/// What errors call a sample that has no name.
const SAMPLE: &str = "the sample";

thread_local! {
    static DEVICE: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// Opens the pack at [`PACK`] with the state at [`STATE`], in the place of the device before.
///
/// # Errors
/// Those of [`Device::open`].
pub(crate) fn open() -> Result<(), Refusal> {
    let device = Device::options().state(STATE).threads(1).open(PACK)?;
    DEVICE.set(Some(device));
    // It was copied.
    let _ = files::remove_file(PACK);
    Ok(())
}

/// Does something with the device.
///
/// # Errors
/// Where none was opened, and what `work` refuses.
pub(crate) fn with<T>(work: impl FnOnce(&Device) -> Result<T, Refusal>) -> Result<T, Refusal> {
    DEVICE.with_borrow(|device| {
        work(device.as_ref().ok_or_else(|| Refusal::caller("no pack was opened yet"))?)
    })
}

/// See [`features`](crate::features).
pub(crate) fn features(content: &[u8]) -> Reply {
    with(|device| {
        let file = SampleFile::new(Path::new(SAMPLE), content.to_vec())?;
        let features = Extractor::new(device.pack(), Kernels::best(), 1).views(&file, 1)?;
        Ok(features.into_iter().map(i8::cast_unsigned).collect())
    })
}

/// An answer for the whole sample, as the page's server says it.
#[derive(Serialize)]
struct Answer<'a> {
    /// `null` for "unknown".
    label: Option<&'a str>,
    best: Option<&'a str>,
    probability: Option<f32>,
    unknown: bool,
    /// The probability below which it is unknown.
    unknown_threshold: f32,
    bars: Vec<Bar<'a>>,
}

#[derive(Serialize)]
struct Bar<'a> {
    name: &'a str,
    probability: f32,
}

/// Classes of places.
#[derive(Serialize)]
struct Places<'a> {
    shares: Vec<Share<'a>>,
    classes: &'a [String],
    height: usize,
    width: usize,
}

#[derive(Serialize)]
struct Share<'a> {
    name: &'a str,
    share: f64,
}

/// See [`predict`](crate::predict).
pub(crate) fn predict(kind: u32, [width, height]: [usize; 2], bytes: &[u8]) -> Reply {
    let values: Vec<f32>;
    let sample = match kind {
        0 => Sample::encoded(Path::new(SAMPLE), bytes),
        1 => Sample::rgb(width, height, bytes),
        2 => {
            let (whole, rest) = bytes.as_chunks();
            if !rest.is_empty() {
                return Err(Refusal::caller("values are float32"));
            }
            values = whole.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            Sample::values(&values[..])
        }
        _ => return Err(Refusal::caller("a sample is a file, pixels or values")),
    };
    with(|device| {
        let (prediction, bars) = device.predict_bars(&sample)?;
        if let Some(mask) = prediction.mask() {
            let [height, width] = mask.size();
            let shares = prediction.shares().into_iter();
            let shares = shares.map(|(name, share)| Share { name, share }).collect();
            return json(&Places { shares, classes: prediction.classes(), height, width });
        }
        let named = prediction.classes().iter().zip(bars);
        json(&Answer {
            label: prediction.label(),
            best: prediction.best(),
            probability: prediction.probability(),
            unknown: prediction.is_unknown(),
            unknown_threshold: device.head()?.unknown_threshold(),
            bars: named.map(|(name, probability)| Bar { name, probability }).collect(),
        })
    })
}
