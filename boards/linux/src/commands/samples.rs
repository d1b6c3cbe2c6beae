//! `samples`: what a class was learned from, and what seems to be of another one.

use std::process::ExitCode;

use headstart_device::PackFile;
use headstart_device::samples::hex;
use headstart_device::segmentation::row_len;
use headstart_device::state::{Problem, StateFolder};
use headstart_device::training::doubts;
use serde::Serialize;

use crate::cli::Samples;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Listing {
    samples: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    /// The first 16 bytes of the SHA-256 of its file.
    id: String,
    class: String,
    /// With `--doubtful`, the class that a head that was learned without it answers.
    answer: Option<String>,
    /// The probability of that answer.
    probability: Option<f32>,
}

pub(crate) fn run(args: &Samples) -> anyhow::Result<ExitCode> {
    let file = PackFile::open_for(&args.common.pack, &args.state)?;
    let (pack, counter) = file.trusted()?;
    let folder = StateFolder::new(&args.state);
    let refuse = |problem| headstart_device::Error::State { path: args.state.clone(), problem };
    let cache = folder.features(&pack.backbone_digest(), row_len(&pack));
    // The head says what to do with another backbone.
    let cache = cache.map_err(|error| super::state_head(&folder, &pack).err().unwrap_or(error))?;
    let mut cache = match cache {
        Some(cache) => cache,
        None if folder.head()?.is_some() => return Err(refuse(Problem::NoFeatures).into()),
        None => return Err(refuse(Problem::NoSamples).into()),
    };
    super::keep_counter(&file, Some(&args.state), counter)?;
    if row_len(&pack) == pack.feature_len() {
        cache.sort();
    } else if args.doubtful {
        return Err(refuse(Problem::NotOfPlaces("samples --doubtful")).into());
    }
    let name = |label: u16| cache.classes()[usize::from(label)].clone();
    let mut samples: Vec<Entry> = if args.doubtful {
        let doubts = doubts::doubts(&cache).map_err(refuse)?;
        let entry = |doubt: doubts::Doubt| Entry {
            id: hex(&cache.ids()[doubt.sample]),
            class: name(cache.labels()[doubt.sample]),
            answer: Some(name(doubt.answer)),
            probability: Some(doubt.probability),
        };
        doubts.into_iter().map(entry).collect()
    } else {
        let samples = cache.ids().iter().zip(cache.labels());
        let entry = |(id, label): (&[u8; 16], &u16)| Entry {
            id: hex(id),
            class: name(*label),
            answer: None,
            probability: None,
        };
        samples.map(entry).collect()
    };
    if let Some(class) = &args.class {
        if !cache.classes().contains(class) {
            return Err(refuse(Problem::NoClass(class.clone())).into());
        }
        samples.retain(|sample| sample.class == *class);
    }
    output::print(&Listing { samples }, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

impl Report for Listing {
    fn text(&self) -> String {
        let rows = self.samples.iter().map(|sample| {
            let probability = sample.probability.map(f64::from);
            vec![
                sample.id.clone(),
                sample.class.clone(),
                sample.answer.clone().unwrap_or_default(),
                probability.map_or_else(String::new, |p| output::percent(Some(p))),
            ]
        });
        output::table(&["sample", "class", "answer", "probability"], rows)
    }
}
