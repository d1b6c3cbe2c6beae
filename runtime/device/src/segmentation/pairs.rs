//! A folder of pictures and masks as a list in a stated order.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::os::fs;
use crate::plain::{self, PlainProblem};
use crate::samples::{Dataset, MAX_CLASS_NAME_BYTES, SampleProblem};

const PICTURES: &str = "images";
const MASKS: &str = "masks";
const NAMES: &str = "classes.txt";

/// A picture and its mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Path of the picture, or of the array.
    pub picture: PathBuf,
    /// Path of the mask.
    pub mask: PathBuf,
}

/// Pictures with their masks from a folder with `images/` and `masks/`, in the byte order of the pictures' names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairs {
    /// The pictures with their masks.
    pub pairs: Vec<Pair>,
    /// Names of the classes, from 0 on, where `classes.txt` says them.
    pub names: Option<Vec<String>>,
    /// Files that were passed over because of their name.
    pub skipped: Vec<PathBuf>,
}

impl Pairs {
    /// Lists the pairs of folder `root`; of more than `limit` pictures that many are taken, chosen by names and `seed`.
    ///
    /// # Errors
    /// [`Error::Sample`] for a folder that is missing or empty, for a picture without a mask or a mask without a
    /// picture, and for two pictures of one name; each is named.
    pub fn read(root: &Path, limit: Option<usize>, seed: u64) -> Result<Self, Error> {
        let (pictures, masks) = (root.join(PICTURES), root.join(MASKS));
        if !fs::is_dir(&pictures) || !fs::is_dir(&masks) {
            return Err(Error::sample(root, SampleProblem::NoMaskFolders));
        }
        let flat = |folder: &Path| {
            let found = Dataset::unlabelled(folder)?;
            match found.classes.first() {
                Some(name) => Err(Error::sample(&folder.join(name), SampleProblem::NestedFolder)),
                None => Ok(found),
            }
        };
        let (mut found, of_masks) = (flat(&pictures)?, flat(&masks)?);
        let stem = |path: &Path| path.file_stem().unwrap_or_default().to_owned();
        let mut by_stem: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for sample in &found.samples {
            if by_stem.insert(stem(&sample.path), sample.path.clone()).is_some() {
                return Err(Error::sample(&sample.path, SampleProblem::SameName));
            }
        }
        for mask in &of_masks.samples {
            if !by_stem.contains_key(&stem(&mask.path)) {
                return Err(Error::sample(&mask.path, SampleProblem::NoPicture));
            }
        }
        if let Some(limit) = limit {
            found.limit(limit, seed);
        }
        let mut pairs = Vec::with_capacity(found.samples.len());
        for sample in found.samples {
            let mask = masks.join(stem(&sample.path)).with_added_extension("png");
            if !fs::is_file(&mask) {
                return Err(Error::sample(&sample.path, SampleProblem::NoMask { expected: mask }));
            }
            pairs.push(Pair { picture: sample.path, mask });
        }
        let skipped = [found.skipped, of_masks.skipped].concat();
        Ok(Self { pairs, names: names(&root.join(NAMES))?, skipped })
    }
}

/// Most bytes of the list of names.
const MAX_NAMES_BYTES: u64 = 1 << 20;

fn names(path: &Path) -> Result<Option<Vec<String>>, Error> {
    let refuse = |problem| Error::sample(path, problem);
    let text = match plain::read(path, MAX_NAMES_BYTES) {
        Ok(text) => text,
        Err(PlainProblem::Unreadable(e)) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(PlainProblem::Unreadable(e)) => return Err(refuse(SampleProblem::Unreadable(e))),
        Err(PlainProblem::NotPlain) => return Err(refuse(SampleProblem::NotAFile)),
        Err(PlainProblem::TooLong { bytes, limit }) => {
            return Err(refuse(SampleProblem::FileTooLarge { bytes, limit }));
        }
    };
    let text = String::from_utf8(text).map_err(|_| {
        refuse(SampleProblem::Unreadable(std::io::Error::new(
            ErrorKind::InvalidData,
            "it is not UTF-8",
        )))
    })?;
    let names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    let bad = |name: &String| {
        !(1..=MAX_CLASS_NAME_BYTES).contains(&name.len()) || name.chars().any(char::is_control)
    };
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    match names.iter().find(|name| bad(name)).or(twice.map(|(_, name)| name)) {
        Some(name) => Err(Error::sample(path, SampleProblem::ClassLine(name.clone()))),
        None => Ok(Some(names)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(files: &[&str]) -> String {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x\nx").unwrap();
        }
        Pairs::read(root.path(), None, 0).unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_is_named() {
        for (files, named) in [
            (&["images/a.jpg", "mask/a.png"][..], "images and masks"),
            (&["images/a.jpg", "images/b.jpg", "masks/b.png"], "images/a.jpg"),
            (&["images/a.jpg", "masks/a.png", "masks/b.png"], "masks/b.png"),
            (&["images/a.jpg", "images/a.png", "masks/a.png"], "images/a.png"),
            (&["images/dog/a.jpg", "masks/a.png"], "images/dog"),
            (&["images/a.jpg", "masks/a.png", "classes.txt"], "classes.txt"),
        ] {
            let text = refusal(files);
            assert!(text.contains(named), "{files:?}: {text}");
        }
    }
}
