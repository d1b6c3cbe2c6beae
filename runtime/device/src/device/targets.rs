//! What samples show, as the device's pack takes it.

use headstart::pack::Pack;
use headstart::record::label_is_valid;

use super::handle::Device;
use super::labelled::{Labelled, Target};
use crate::Error;
use crate::request::RequestProblem;
use crate::samples::{Decoded, InputShape, SampleFile, SampleProblem, look_alike, told_apart};
use crate::segmentation::Mask;

impl Device {
    /// Refuses samples that are none, or that show what cannot be a class.
    pub(super) fn check_samples(&self, samples: &Labelled<'_>) -> Result<(), Error> {
        if samples.is_empty() {
            return Err(self.refuse(RequestProblem::NoSamples));
        }
        self.refuse_state_among(samples)?;
        match samples.classes.iter().find(|name| !label_is_valid(name)) {
            Some(name) => Err(self.refuse(RequestProblem::BadName(name.clone()))),
            None => Ok(()),
        }
    }

    /// The class of each sample, by its place among the samples' classes.
    pub(super) fn labels(&self, samples: &Labelled<'_>) -> Result<Vec<usize>, Error> {
        let label = |target: &Target| match target {
            Target::Class(label) => Ok(*label),
            Target::Mask(_) | Target::MaskFile(_) => Err(self.refuse(RequestProblem::WrongTarget(
                "the pack answers one class a sample: give a class for each, and no masks",
            ))),
        };
        samples.targets.iter().map(label).collect()
    }

    /// The mask of each picture.
    pub(super) fn truths<'s>(&self, samples: &'s Labelled<'_>) -> Result<Vec<&'s Target>, Error> {
        let is_mask = |target: &&Target| match target {
            Target::Mask(_) | Target::MaskFile(_) => true,
            Target::Class(_) => false,
        };
        if samples.targets.iter().all(|target| is_mask(&target)) {
            return Ok(samples.targets.iter().collect());
        }
        Err(self.refuse(RequestProblem::WrongTarget(
            "the pack answers a class for each place of a picture: give a mask for each, and no classes",
        )))
    }
}

/// The head's class for each of these.
pub(super) fn known_classes(
    classes: &[String],
    labels: &[String],
) -> Result<Vec<usize>, SampleProblem> {
    let found: Vec<Option<usize>> =
        classes.iter().map(|name| labels.iter().position(|label| label == name)).collect();
    let names = classes.iter().zip(&found);
    let told = |name: &String| match look_alike(name, labels.iter().map(String::as_str)) {
        Some(known) => {
            format!("{name}, which looks the same as the head's: {}", told_apart(name, known))
        }
        None => name.clone(),
    };
    let unknown: Vec<String> =
        names.filter(|(_, class)| class.is_none()).map(|(name, _)| told(name)).collect();
    if unknown.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(SampleProblem::UnknownClasses(unknown.join(", ")))
    }
}

/// A picture's mask, which is as large as the picture.
pub(super) fn truth(
    pack: &Pack<'_>,
    file: &SampleFile,
    target: &Target,
    picture: &Decoded,
) -> Result<Mask, Error> {
    let classes = pack.plan().max_classes as usize;
    let (path, mask) = match target {
        Target::MaskFile(path) => (path.as_path(), Mask::read(path, classes)?),
        Target::Mask(mask) => (file.path(), mask.clone().of(file.path(), classes)?),
        Target::Class(_) => return Err(Error::pack(file.path(), headstart::Error::BadTail)),
    };
    let picture = picture.size(&InputShape::from(pack.input()));
    if mask.size() != picture {
        let problem = SampleProblem::MaskSize { mask: mask.size(), picture };
        return Err(Error::sample(path, problem));
    }
    Ok(mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classes_that_the_head_does_not_know_are_named() {
        let shown = ["a", "x", "y"].map(str::to_owned);
        let problem = known_classes(&shown, &["b".to_owned(), "a".to_owned()]).unwrap_err();
        assert!(problem.to_string().contains("(x, y)"));
        let shown = ["Cup".to_owned()];
        let problem = known_classes(&shown, &["cup".to_owned()]).unwrap_err().to_string();
        assert!(problem.contains(r#""Cup" and "cup""#), "{problem}");
    }
}
