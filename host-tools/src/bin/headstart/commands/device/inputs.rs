//! Files as a board's input, by the same preprocessing as on any other board.

use std::path::Path;

use headstart::kernels::Kernels;
use headstart::pack::Pack;
use headstart_cable::client::{Board, Greeting, Sample};
use headstart_device::extract::Extractor;
use headstart_device::samples::{Dataset, InputShape, SampleFile};

use crate::cli::Sampling;
use crate::error::Error;
use headstart_tools::error::Error as Refused;

/// The int8 input of a file.
pub(super) fn input(pack: &Pack<'_>, path: &Path) -> Result<Vec<i8>, Refused> {
    let decoded = SampleFile::read(path)?.decode(&InputShape::from(pack.input()))?;
    let mut extractor = Extractor::new(*pack, Kernels::best(), 1);
    let refuse = |problem| Refused::Picture { path: path.to_owned(), problem };
    extractor.preprocess(&decoded).map_err(refuse)?;
    Ok(extractor.input().to_vec())
}

/// All samples of a folder, class by class, and what is wrong with those that are left out. Unless they are to be left out, bad files are
/// refused all at once.
pub(super) fn samples(
    pack: &Pack<'_>,
    folder: &Path,
    sampling: Sampling,
) -> Result<(Vec<Sample>, Vec<String>), Error> {
    let mut data = Dataset::labelled(folder)?;
    if let Some(limit) = sampling.limit {
        data.limit(limit as usize, sampling.seed);
    }
    let (mut samples, mut bad) = (Vec::with_capacity(data.samples.len()), Vec::new());
    for sample in &data.samples {
        let label = data.classes[sample.label].clone();
        match input(pack, &sample.path) {
            Ok(input) => samples.push(Sample { label, input }),
            Err(error) => bad.push(error),
        }
    }
    if !bad.is_empty() && (samples.is_empty() || !sampling.skip_bad) {
        return Err(Refused::Files(bad).into());
    }
    Ok((samples, bad.iter().map(ToString::to_string).collect()))
}

/// Refuses a board that uses another backbone, or cannot work.
pub(super) fn check(board: &Board, pack: &Pack<'_>, path: &Path) -> Result<(), Error> {
    let Greeting { backbone, problem, classes, .. } = board.greeting();
    if let Some(problem) = problem {
        return Err(headstart_cable::client::Error::Refused(*problem).into());
    }
    if *backbone != pack.backbone_digest() {
        let found = super::hex(&backbone[..4]);
        return Err(Error::Usage(format!(
            "{}: the board uses another backbone ({found}…): give its pack, or `device update` it",
            path.display()
        )));
    }
    check_classes(usize::from(*classes), pack, path)
}

/// Refuses more classes than the pack plans.
pub(super) fn check_classes(found: usize, pack: &Pack<'_>, path: &Path) -> Result<(), Error> {
    let most = pack.plan().max_classes as usize;
    if found > most {
        return Err(Error::Usage(format!(
            "{}: the board says that it has {found} classes, and this pack plans {most}: give its pack, or \
             `device update` it",
            path.display()
        )));
    }
    Ok(())
}
