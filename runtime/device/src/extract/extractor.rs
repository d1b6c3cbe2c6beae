//! The int8 kernels at work on one sample after another.

use std::borrow::BorrowMut;

use headstart::backbone::{Backbone, Threads};
use headstart::kernels::Kernels;
use headstart::pack::Pack;
use headstart::preprocess::{self, Picture};

use crate::Error;
use crate::samples::{
    Content, Decoded, InputShape, Sample, SampleFile, checked_pixels, checked_values,
};

/// Where crops stand, as parts of what is cut off: before the first row and the first column.
const CORNERS: [[usize; 2]; 4] = [[0, 0], [1, 1], [0, 1], [1, 0]];

/// Buffers that computing features needs: kept, they are used again for the next sample.
#[derive(Debug)]
pub struct Buffers {
    threads: Threads,
    arena: Vec<u8>,
    input: Vec<i8>,
    features: Vec<i8>,
}

impl Buffers {
    /// Allocates what the pack's plan says, and starts the threads, all of which work on one sample.
    pub(crate) fn new(pack: &Pack<'_>, threads: usize) -> Self {
        let input = pack.input();
        let elements = input.height as usize * input.width as usize * input.channels as usize;
        let arena = vec![0; pack.plan().arena_bytes as usize];
        let features = vec![0; pack.feature_len()];
        Self { threads: Threads::new(threads), arena, input: vec![0; elements], features }
    }
}

/// One worker's share of the int8 kernels' work: the pack's arena and input buffer, its own or lent.
#[derive(Debug)]
pub struct Extractor<'p, B = Buffers> {
    pack: Pack<'p>,
    kernels: Kernels,
    buffers: B,
}

impl<'p> Extractor<'p> {
    /// Allocates the memory that the pack's plan states. All of the threads work on one sample.
    pub fn new(pack: Pack<'p>, kernels: Kernels, threads: usize) -> Self {
        Self::with(pack, kernels, Buffers::new(&pack, threads))
    }

    /// Computes the int8 features of a file's content and, for pictures, of up to `views − 1` crops of it, each an eighth smaller on each
    /// axis: upper left, lower right, upper right, lower left. An array has one view.
    ///
    /// # Errors
    /// [`Error::Sample`] where the content does not decode or does not fit the model.
    pub fn views(&mut self, file: &SampleFile, views: usize) -> Result<Vec<i8>, Error> {
        self.each_view(file, views, |extractor, rows| {
            rows.extend_from_slice(extractor.run()?);
            Ok(())
        })
    }

    /// Refuses a file that cannot be shown to the backbone, without running that.
    pub(super) fn check(&mut self, file: &SampleFile) -> Result<(), Error> {
        let decoded = file.decode(&InputShape::from(self.pack.input()))?;
        self.preprocess(&decoded).map_err(|e| Error::pack(file.path(), e))
    }

    /// Preprocesses the views of a file, as the backbone takes them.
    pub(super) fn inputs(&mut self, file: &SampleFile, views: usize) -> Result<Vec<i8>, Error> {
        self.each_view(file, views, |extractor, rows| {
            rows.extend_from_slice(&extractor.buffers.input);
            Ok(())
        })
    }

    fn each_view(
        &mut self,
        file: &SampleFile,
        views: usize,
        mut with: impl FnMut(&mut Self, &mut Vec<i8>) -> Result<(), headstart::Error>,
    ) -> Result<Vec<i8>, Error> {
        let decoded = file.decode(&InputShape::from(self.pack.input()))?;
        let mut rows = Vec::new();
        let mut add = |view: &Decoded| {
            self.preprocess(view)?;
            with(self, &mut rows)
        };
        let crops = CORNERS.iter().take(views.saturating_sub(1));
        add(&decoded)
            .and_then(|()| {
                crops.filter_map(|corner| decoded.crop(*corner)).try_for_each(|crop| add(&crop))
            })
            .map_err(|e| Error::pack(file.path(), e))?;
        Ok(rows)
    }
}

impl<'p, B: BorrowMut<Buffers>> Extractor<'p, B> {
    /// In memory that was made for this pack.
    pub(crate) fn with(pack: Pack<'p>, kernels: Kernels, buffers: B) -> Self {
        Self { pack, kernels, buffers }
    }

    /// Fills the input buffer from a sample, which stands at this place among others, and gives the rows and columns of its picture.
    /// Pixels and values in memory are read where they lie.
    ///
    /// # Errors
    /// [`Error::Sample`] and [`Error::Pack`] for a sample that cannot be read or does not fit the model.
    pub(crate) fn show(&mut self, sample: &Sample<'_>, place: usize) -> Result<[usize; 2], Error> {
        let input = InputShape::from(self.pack.input());
        let wrong = |problem| Error::sample(&sample.title(place), problem);
        let refuse = |problem| Error::pack(&sample.title(place), problem);
        match &sample.0 {
            Content::Pixels { width, height, channels, bytes } => {
                let (width, height, channels) = (*width, *height, *channels);
                checked_pixels(width, height, channels, bytes.len()).map_err(wrong)?;
                let picture = Picture { pixels: bytes, width, height, channels };
                self.picture(picture).map_err(refuse)?;
                Ok([height, width])
            }
            Content::Values(values) => {
                checked_values(values, &input).map_err(wrong)?;
                self.values(values).map_err(refuse)?;
                Ok([input.height, input.width])
            }
            Content::File(_) | Content::Encoded { .. } => {
                let decoded = sample.load(&input, place)?.decode(&input)?;
                self.preprocess(&decoded).map_err(refuse)?;
                Ok(decoded.size(&input))
            }
        }
    }

    /// Preprocesses a sample into the input buffer.
    ///
    /// # Errors
    /// The runtime's, where the sample does not fit the model.
    pub fn preprocess(&mut self, decoded: &Decoded) -> Result<(), headstart::Error> {
        match decoded {
            Decoded::Pixels { width, height, channels, bytes } => {
                let (width, height, channels) = (*width, *height, *channels);
                self.picture(Picture { pixels: bytes, width, height, channels })
            }
            Decoded::Values { values, .. } => self.values(values),
        }
    }

    /// Fills the input buffer from pixels.
    pub(crate) fn picture(&mut self, picture: Picture<'_>) -> Result<(), headstart::Error> {
        preprocess::picture(&self.pack, picture, &mut self.buffers.borrow_mut().input)
    }

    /// Fills the input buffer from the model's own values.
    pub(crate) fn values(&mut self, values: &[f32]) -> Result<(), headstart::Error> {
        let input = &mut self.buffers.borrow_mut().input;
        preprocess::values(&self.pack, values.iter().copied(), input)
    }

    /// The input buffer, as the last sample left it.
    pub fn input(&self) -> &[i8] {
        &self.buffers.borrow().input
    }

    /// Runs the backbone on a sample as it takes it.
    pub(super) fn run_on(&mut self, input: &[i8]) -> Result<&[i8], headstart::Error> {
        self.buffers.borrow_mut().input.copy_from_slice(input);
        self.run()
    }

    /// Runs the backbone on the input buffer and gives the features.
    ///
    /// # Errors
    /// None for a pack that was opened.
    pub fn run(&mut self) -> Result<&[i8], headstart::Error> {
        let Buffers { threads, arena, input, features } = self.buffers.borrow_mut();
        let mut backbone =
            Backbone::new(self.pack, arena)?.with_kernels(self.kernels).with_threads(threads);
        backbone.features_into(input, features)?;
        Ok(features)
    }
}
