//! Options of packing, as plain data.

use std::path::PathBuf;

use headstart::pack::{Filter, TailStorage};

use super::error::Usage;
use crate::quantise::plan::Aim;

/// What a device learns to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// A class for a picture.
    Classification,
    /// A class for each place of a picture.
    Segmentation,
}

/// What becomes of the model behind the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// One new layer stands for it.
    Drop,
    /// The device trains it.
    Keep,
}

/// Which samples of a folder are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// The most samples of each class.
    pub limit: Option<u32>,
    /// Seed of the choice.
    pub seed: u64,
    /// Goes on without files that cannot be read or decoded; without, they are refused, all at once.
    pub skip_bad: bool,
}

/// How pixels become input values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PreprocessOptions {
    /// `(pixel − mean) / std` by name, or a whole transform: one of [`NAMES`](Self::NAMES).
    pub preprocess: Option<String>,
    /// Mean in pixel units, one number or one a channel, where no name is given.
    pub mean: Option<Vec<f32>>,
    /// Standard deviation in pixel units, one number or one a channel.
    pub std: Option<Vec<f32>>,
    /// Pixels of the shorter side, of which the middle is cut out; without, both sides are scaled to the input.
    pub resize: Option<u32>,
    /// How pixels are put together; without, a bilinear filter of our own.
    pub filter: Option<Filter>,
}

impl PreprocessOptions {
    /// The names that there are.
    pub const NAMES: [&str; 6] = ["imagenet", "tf", "unit", "raw", "torchvision", "timm"];
}

/// How a model is packed. The default is what suits most; how pixels become input values must be said.
#[derive(Clone, Debug, PartialEq)]
pub struct PackOptions {
    /// The folder of samples that show what the device will see. A model that is already quantised needs none.
    pub calib: Option<PathBuf>,
    /// The most samples of it that are used, at least 1; 100 by default.
    pub calib_limit: u32,
    /// Where the backbone ends: `head`, `auto`, `none`, or names.
    pub freeze: String,
    /// Names of what is trained, though `freeze` names it too.
    pub train: Vec<String>,
    /// What the device learns to answer.
    pub task: Task,
    /// Classes of a segmentation, 2 to 255, the background included.
    pub classes: Option<u32>,
    /// Channels of a segmentation's decoder, 1 to 1024.
    pub decoder: u16,
    /// Input pixels for one place of the decoder's map, on each axis.
    pub stride: u16,
    /// Seed of the decoder's weights.
    pub decoder_seed: u64,
    /// Rows and columns of the input, for a model that takes pictures of any size.
    pub input_size: Option<[usize; 2]>,
    /// What becomes of the model behind the cut.
    pub tail: Tail,
    /// How the weights of a kept tail are stored.
    pub tail_storage: TailStorage,
    /// The grid to which a feature map is pooled, 1 to 4.
    pub pool: Option<u8>,
    /// Labelled samples for `auto`: one folder a class.
    pub data: Option<PathBuf>,
    /// Which of them are taken.
    pub sampling: Sampling,
    /// Bytes of the largest head that `auto` may choose.
    pub max_head: Option<u64>,
    /// The most multiply-accumulates of a backbone that `auto` may choose.
    pub max_macs: Option<u64>,
    /// How pixels become input values.
    pub preprocess: PreprocessOptions,
    /// The head to start from: `new`, `keep`, or a state folder.
    pub head: String,
    /// A file of the names of the classes, one a line.
    pub labels: Option<PathBuf>,
    /// The secret key that signs the pack.
    pub sign: Option<PathBuf>,
    /// The boards that a signed pack is for.
    pub family: Option<String>,
    /// Security counter of a signed pack.
    pub counter: u64,
    /// The most classes that the device may learn, 1 to 4096.
    pub max_classes: Option<u32>,
    /// The board that the pack must fit.
    pub board: Option<String>,
    /// What the plan of the arena is good at.
    pub arena: Aim,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            calib: None,
            calib_limit: 100,
            freeze: "head".to_owned(),
            train: Vec::new(),
            task: Task::Classification,
            classes: None,
            decoder: 48,
            stride: 4,
            decoder_seed: 1,
            input_size: None,
            tail: Tail::Drop,
            tail_storage: TailStorage::F16,
            pool: None,
            data: None,
            sampling: Sampling::default(),
            max_head: None,
            max_macs: None,
            preprocess: PreprocessOptions::default(),
            head: "new".to_owned(),
            labels: None,
            sign: None,
            family: None,
            counter: 0,
            max_classes: None,
            board: None,
            arena: Aim::Speed,
        }
    }
}

impl PackOptions {
    /// Refuses numbers out of their ranges, and settings that miss another one.
    pub(super) fn check(&self) -> Result<(), Usage> {
        let outside = |setting, found: u64, allowed| Usage::OutOfRange { setting, found, allowed };
        let number = |setting, found: Option<u64>, least: u64, most: u64, allowed| match found
            .filter(|found| !(least..=most).contains(found))
        {
            Some(found) => Err(outside(setting, found, allowed)),
            None => Ok(()),
        };
        number("calib_limit", Some(self.calib_limit.into()), 1, u64::MAX, "a number from 1 on")?;
        number("limit", self.sampling.limit.map(u64::from), 1, u64::MAX, "a number from 1 on")?;
        number("classes", self.classes.map(u64::from), 2, 255, "a number from 2 to 255")?;
        number("decoder", Some(self.decoder.into()), 1, 1024, "a number from 1 to 1024")?;
        number("stride", Some(self.stride.into()), 1, u64::MAX, "a number from 1 on")?;
        number("pool", self.pool.map(u64::from), 1, 4, "a number from 1 to 4")?;
        number("max_classes", self.max_classes.map(u64::from), 1, 4096, "a number from 1 to 4096")?;
        for side in self.input_size.into_iter().flatten() {
            number("input_size", Some(side as u64), 1, 1 << 14, "a number from 1 to 16384")?;
        }
        if self.task == Task::Segmentation && self.classes.is_none() {
            return Err(Usage::Missing { setting: "classes", by: "a segmentation" });
        }
        match (&self.sign, &self.family) {
            (Some(_), None) => Err(Usage::Missing { setting: "family", by: "a signed pack" }),
            (None, Some(_)) => Err(Usage::Missing { setting: "sign", by: "a pack with a family" }),
            _ => Ok(()),
        }
    }
}
