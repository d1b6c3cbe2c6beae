//! The int8 kernels at work on one sample after another.

use headstart::backbone::{Backbone, Threads};
use headstart::kernels::Kernels;
use headstart::pack::Pack;
use headstart::preprocess::{self, Picture};

use crate::Error;
use crate::samples::{Decoded, InputShape, SampleFile};

/// Where crops stand, as parts of what is cut off: before the first row and the first column.
const CORNERS: [[usize; 2]; 4] = [[0, 0], [1, 1], [0, 1], [1, 0]];

/// One worker's share of the int8 kernels' work: the pack's arena and input buffer.
#[derive(Debug)]
pub struct Extractor<'p> {
    pack: Pack<'p>,
    kernels: Kernels,
    threads: Threads,
    arena: Vec<u8>,
    input: Vec<i8>,
    features: Vec<i8>,
}

impl<'p> Extractor<'p> {
    /// Allocates what the pack's plan says. All of the threads work on one sample.
    pub fn new(pack: Pack<'p>, kernels: Kernels, threads: usize) -> Self {
        let input = pack.input();
        let elements = input.height as usize * input.width as usize * input.channels as usize;
        let arena = pack.plan().arena_bytes as usize;
        let features = vec![0; pack.feature_len()];
        let (arena, input) = (vec![0; arena], vec![0; elements]);
        Self { pack, kernels, threads: Threads::new(threads), arena, input, features }
    }

    /// The int8 features of a file's content and, for pictures, of up to `views − 1` crops of it, each
    /// an eighth smaller on each axis: upper left, lower right, upper right, lower left. An array has one view.
    ///
    /// # Errors
    /// [`Error::Sample`] where the content does not decode or does not fit the model.
    pub fn views(&mut self, file: &SampleFile, views: usize) -> Result<Vec<i8>, Error> {
        self.each_view(file, views, |extractor, rows| {
            rows.extend_from_slice(extractor.run()?);
            Ok(())
        })
    }

    /// The same views as the backbone takes them.
    pub(super) fn inputs(&mut self, file: &SampleFile, views: usize) -> Result<Vec<i8>, Error> {
        self.each_view(file, views, |extractor, rows| {
            rows.extend_from_slice(&extractor.input);
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

    /// Fills the input buffer.
    ///
    /// # Errors
    /// The runtime's, where the sample does not fit the model.
    pub fn preprocess(&mut self, decoded: &Decoded) -> Result<(), headstart::Error> {
        match decoded {
            Decoded::Pixels { width, height, channels, bytes } => {
                let (width, height, channels) = (*width, *height, *channels);
                let picture = Picture { pixels: bytes, width, height, channels };
                preprocess::picture(&self.pack, picture, &mut self.input)
            }
            Decoded::Values { values, .. } => {
                preprocess::values(&self.pack, values.iter().copied(), &mut self.input)
            }
        }
    }

    /// The input buffer.
    pub fn input(&self) -> &[i8] {
        &self.input
    }

    /// Runs the backbone on a sample as it takes it.
    pub(super) fn run_on(&mut self, input: &[i8]) -> Result<&[i8], headstart::Error> {
        self.input.copy_from_slice(input);
        self.run()
    }

    /// Runs the backbone on the input buffer.
    ///
    /// # Errors
    /// None for a pack that was opened.
    pub fn run(&mut self) -> Result<&[i8], headstart::Error> {
        let mut backbone = Backbone::new(self.pack, &mut self.arena)?
            .with_kernels(self.kernels)
            .with_threads(&mut self.threads);
        backbone.features_into(&self.input, &mut self.features)?;
        Ok(&self.features)
    }
}
