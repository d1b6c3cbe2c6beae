//! Samples and what they show.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::samples::{Dataset, Sample};
use crate::segmentation::{Mask, Pairs};

/// Samples with what each of them shows: a class, or a mask with a class for each place.
#[derive(Clone, Debug, Default)]
pub struct Labelled<'a> {
    /// The folder that they are from; what errors about all of them name.
    pub(crate) origin: PathBuf,
    /// Whether all that lies in that folder was listed.
    pub(crate) is_listed: bool,
    pub(crate) classes: Vec<String>,
    pub(crate) samples: Vec<Sample<'a>>,
    /// As many as there are samples.
    pub(crate) targets: Vec<Target>,
    /// Names of a mask's classes, from 0 on, where they are said.
    pub(crate) places: Option<Vec<String>>,
    pub(crate) skipped: Vec<PathBuf>,
    pub(crate) skips_bad: bool,
}

/// What a sample shows.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// One of the classes.
    Class(usize),
    /// A class for each place, in a file.
    MaskFile(PathBuf),
    /// A class for each place.
    Mask(Mask),
}

/// A limit on the samples of a folder: at most so many of each class, or of all pictures with masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    /// The most samples of each class, or of all pictures.
    pub count: usize,
    /// Seed of the choice, which depends on names and this number alone.
    pub seed: u64,
}

impl<'a> Labelled<'a> {
    /// An empty list of samples.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: PathBuf::from("the samples given"), ..Self::default() }
    }

    /// An empty list of samples that come from this place: errors about all of them name it, and a sample below it is called what stands
    /// behind it.
    #[must_use]
    pub fn from_place(origin: impl Into<PathBuf>) -> Self {
        Self { origin: origin.into(), ..Self::default() }
    }

    /// Lists the files of a folder that has one folder a class. They are not read.
    ///
    /// # Errors
    /// Those of [`Dataset::labelled`].
    pub fn folder(root: &Path, most: Option<Most>) -> Result<Self, Error> {
        let mut data = Dataset::labelled(root)?;
        if let Some(most) = most {
            data.limit(most.count, most.seed);
        }
        let targets = data.samples.iter().map(|file| Target::Class(file.label)).collect();
        Ok(Self {
            origin: root.to_owned(),
            is_listed: true,
            classes: data.classes,
            samples: data.samples.into_iter().map(|file| Sample::file(file.path)).collect(),
            targets,
            places: None,
            skipped: data.skipped,
            skips_bad: false,
        })
    }

    /// Lists the pictures of a folder, `images/NAME.jpg`, with their masks, `masks/NAME.png`. They are not read.
    ///
    /// # Errors
    /// Those of [`Pairs::read`].
    pub fn masks(root: &Path, most: Option<Most>) -> Result<Self, Error> {
        let most = most.map_or((None, 0), |most| (Some(most.count), most.seed));
        let data = Pairs::read(root, most.0, most.1)?;
        let (samples, targets) = data
            .pairs
            .into_iter()
            .map(|pair| (Sample::file(pair.picture), Target::MaskFile(pair.mask)))
            .unzip();
        Ok(Self {
            origin: root.to_owned(),
            is_listed: true,
            classes: Vec::new(),
            samples,
            targets,
            places: data.names,
            skipped: data.skipped,
            skips_bad: false,
        })
    }

    /// Goes on without samples that cannot be read or shown to the model; reports name them. Otherwise they are refused,
    /// all at once.
    #[must_use]
    pub fn skipping_bad(self, skip: bool) -> Self {
        Self { skips_bad: skip, ..self }
    }

    /// Those at these places are left out.
    pub(crate) fn without(&self, places: &[usize]) -> Self {
        let mut rest = self.clone();
        let stays = |at: usize| !places.contains(&at);
        let samples = self.samples.iter().enumerate().filter(|(at, _)| stays(*at));
        rest.samples = samples.map(|(_, sample)| sample.clone()).collect();
        let targets = self.targets.iter().enumerate().filter(|(at, _)| stays(*at));
        rest.targets = targets.map(|(_, target)| target.clone()).collect();
        rest
    }

    /// Adds a sample of a class; a name that is new is a new class.
    pub fn add(&mut self, sample: Sample<'a>, class: &str) -> &mut Self {
        let known = self.classes.iter().position(|name| name == class);
        let label = known.unwrap_or_else(|| {
            self.classes.push(class.to_owned());
            self.classes.len() - 1
        });
        self.push(sample, Target::Class(label))
    }

    /// Adds a picture with a class for each of its pixels.
    pub fn add_mask(&mut self, sample: Sample<'a>, mask: Mask) -> &mut Self {
        self.push(sample, Target::Mask(mask))
    }

    fn push(&mut self, sample: Sample<'a>, target: Target) -> &mut Self {
        self.samples.push(sample);
        self.targets.push(target);
        self
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The classes that samples show, in the order in which they came; empty for masks.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Files that were passed over because neither their name nor their content is a sample's.
    #[must_use]
    pub fn skipped(&self) -> &[PathBuf] {
        &self.skipped
    }

    /// The samples' files, without samples that are in memory.
    #[must_use]
    pub fn pictures(&self) -> Vec<&Path> {
        self.samples.iter().filter_map(Sample::path).collect()
    }

    /// The files of samples and masks.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        let masks = self.targets.iter().filter_map(|target| match target {
            Target::MaskFile(path) => Some(path.as_path()),
            Target::Class(_) | Target::Mask(_) => None,
        });
        self.samples.iter().filter_map(Sample::path).chain(masks).collect()
    }
}
