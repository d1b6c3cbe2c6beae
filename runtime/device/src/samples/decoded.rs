//! A sample as the pack's preprocessing takes it.

/// What a model takes: rows, columns and channels, in which order, and how photos are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// Number of rows.
    pub height: usize,
    /// Number of columns.
    pub width: usize,
    /// Channels of each position.
    pub channels: usize,
    /// Whether the model's own axes are `[channels, height, width]` (otherwise `[height, width,
    /// channels]`).
    pub channels_first: bool,
    /// Whether JPEG files are decoded to the level as libjpeg-turbo does, which Pillow, OpenCV and torchvision use: where a pack
    /// names a filter of theirs. Otherwise a faster decoder rounds colours by up to four levels otherwise.
    pub to_the_level: bool,
}

impl From<&headstart::pack::Input> for InputShape {
    fn from(input: &headstart::pack::Input) -> Self {
        Self {
            height: input.height as usize,
            width: input.width as usize,
            channels: input.channels as usize,
            channels_first: input.channels_first,
            to_the_level: input.preprocessing.resize.filter().is_some(),
        }
    }
}

impl InputShape {
    /// The model's own axes, without batch.
    pub fn axes(&self) -> [usize; 3] {
        if self.channels_first {
            [self.channels, self.height, self.width]
        } else {
            [self.height, self.width, self.channels]
        }
    }
}

/// The content of a file, ready for the pack's preprocessing.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// An image: rows of RGB (3 channels) or grey (1 channel) bytes without padding, as the file
    /// has it.
    Pixels {
        /// How many pixels a row has.
        width: usize,
        /// Number of rows.
        height: usize,
        /// Channels of a pixel, 1 or 3.
        channels: usize,
        /// The pixels, `height * width * channels` levels, 0…255.
        bytes: Vec<u8>,
    },
    /// An array: the model's own input values, not preprocessed.
    Values {
        /// The shape that the file states.
        shape: Vec<usize>,
        /// The values, finite, row-major.
        values: Vec<f32>,
    },
}

impl Decoded {
    /// Rows and columns of the picture; those of the model's input for an array.
    pub fn size(&self, input: &InputShape) -> [usize; 2] {
        match self {
            Self::Pixels { width, height, .. } => [*height, *width],
            Self::Values { .. } => [input.height, input.width],
        }
    }

    /// Crops a picture: an eighth less on each axis, cut off before it where `corner` (row, column) is 1 and behind it where it is 0;
    /// `None` for an array, or a picture of fewer than 8 rows or columns.
    pub fn crop(&self, corner: [usize; 2]) -> Option<Self> {
        let Self::Pixels { width, height, channels, bytes } = self else { return None };
        let (less_rows, less_columns) = (height / 8, width / 8);
        if less_rows == 0 || less_columns == 0 {
            return None;
        }
        let (rows, columns) = (height - less_rows, width - less_columns);
        let (top, left) = (corner[0].min(1) * less_rows, corner[1].min(1) * less_columns);
        let lines = bytes.chunks_exact(width * channels).skip(top).take(rows);
        let cut = lines.flat_map(|line| &line[left * channels..(left + columns) * channels]);
        let bytes = cut.copied().collect();
        Some(Self::Pixels { width: columns, height: rows, channels: *channels, bytes })
    }
}
