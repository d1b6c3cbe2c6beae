//! `samples`: what a class was learned from, and what seems to be of another one.

use std::process::ExitCode;

use headstart_device::SampleEntry;
use serde::Serialize;

use crate::cli::Samples;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Listing {
    samples: Vec<SampleEntry>,
}

pub(crate) fn run(args: &Samples) -> anyhow::Result<ExitCode> {
    let device = super::open(&args.common.pack, &args.state)?;
    let samples = device.samples(args.class.as_deref(), args.doubtful)?;
    output::print(&Listing { samples }, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Listing {
    fn text(&self) -> String {
        let rows = self.samples.iter().map(|sample| {
            let probability = sample.probability.map(f64::from);
            let weight = (sample.weight > 1).then(|| sample.weight.to_string());
            vec![
                sample.id.clone(),
                sample.file.clone().unwrap_or_default(),
                sample.class.clone(),
                sample.answer.clone().unwrap_or_default(),
                probability.map_or_else(String::new, |p| output::percent(Some(p))),
                weight.unwrap_or_default(),
            ]
        });
        output::table(&["sample", "file", "class", "answer", "probability", "counts as"], rows)
    }
}
