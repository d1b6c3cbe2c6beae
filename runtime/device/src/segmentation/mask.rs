//! A mask: the class of each pixel, as a PNG of grey levels or of a palette.

use std::io::Cursor;
use std::path::Path;

use headstart::pack::Input;
use headstart::preprocess;
use png::{BitDepth, ColorType, Decoder, Encoder, Limits, Transformations};

use super::colour;
use crate::Error;
use crate::samples::{SampleFile, SampleProblem};

/// The number of a pixel that has no class: it is neither learned from nor measured.
pub const VOID: u8 = 255;
/// The longest side, in pixels.
const MAX_SIDE: u32 = 20_000;
/// The most bytes of decoded pixels.
const MAX_BYTES: usize = 256 << 20;

/// The class of each pixel, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    height: usize,
    width: usize,
    classes: Vec<u8>,
}

impl Mask {
    /// Makes a mask of `height · width` classes, row by row.
    ///
    /// # Panics
    /// Where there are more or fewer.
    pub fn new(height: usize, width: usize, classes: Vec<u8>) -> Self {
        assert_eq!(classes.len(), height * width, "a mask of another size");
        Self { height, width, classes }
    }

    /// Reads a PNG whose grey levels or palette numbers are classes below `classes`, or [`VOID`].
    ///
    /// # Errors
    /// [`Error::Sample`] for a file that is no such picture, or holds a class that there is not.
    pub fn read(path: &Path, classes: usize) -> Result<Self, Error> {
        let file = SampleFile::read(path)?;
        let mask = Self::decode(file.content()).map_err(|problem| Error::sample(path, problem))?;
        mask.of(path, classes)
    }

    /// The mask, where it holds classes below `classes` alone, or [`VOID`].
    pub(crate) fn of(self, path: &Path, classes: usize) -> Result<Self, Error> {
        let wrong = |&class: &u8| class != VOID && usize::from(class) >= classes;
        let Some(at) = self.classes.iter().position(wrong) else { return Ok(self) };
        let (row, column) = (at / self.width, at % self.width);
        let class = self.classes[at];
        Err(Error::sample(path, SampleProblem::MaskClass { class, row, column, classes }))
    }

    /// Reads a mask from the content of a PNG, whatever classes it holds.
    ///
    /// # Errors
    /// [`SampleProblem::NotAMask`] and [`SampleProblem::ImageTooLarge`].
    pub fn decode(content: &[u8]) -> Result<Self, SampleProblem> {
        let unreadable = |e: png::DecodingError| SampleProblem::NotAMask(e.to_string());
        let mut decoder =
            Decoder::new_with_limits(Cursor::new(content), Limits { bytes: MAX_BYTES });
        // Numbers of the palette, not its colours.
        decoder.set_transformations(Transformations::IDENTITY);
        let mut reader = decoder.read_info().map_err(unreadable)?;
        let info = reader.info();
        let (width, height) = (info.width, info.height);
        let depth = match (info.color_type, info.bit_depth) {
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::One) => 1,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Two) => 2,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Four) => 4,
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight) => 8,
            (colours, depth) => {
                let colours = match colours {
                    ColorType::Grayscale => "grey values",
                    ColorType::GrayscaleAlpha => "grey values with transparency",
                    ColorType::Rgb => "colours",
                    ColorType::Rgba => "colours with transparency",
                    ColorType::Indexed => "a palette",
                };
                let what = format!("it holds {colours} of {} bits", depth as u8);
                return Err(SampleProblem::NotAMask(what));
            }
        };
        if width > MAX_SIDE || height > MAX_SIDE {
            let mebibytes = MAX_BYTES as u64 >> 20;
            return Err(SampleProblem::ImageTooLarge { width, height, side: MAX_SIDE, mebibytes });
        }
        let size = reader.output_buffer_size().filter(|&size| size <= MAX_BYTES);
        let size = size.ok_or_else(|| SampleProblem::NotAMask("it is too large".into()))?;
        let mut lines = vec![0; size];
        reader.next_frame(&mut lines).map_err(unreadable)?;
        let (width, height) = (width as usize, height as usize);
        let line = (width * depth).div_ceil(8);
        let mut classes = Vec::with_capacity(width * height);
        for line in lines.chunks_exact(line).take(height) {
            let number = |at: usize| {
                let (byte, bit) = (line[at * depth / 8], at * depth % 8);
                (byte >> (8 - depth - bit)) & (0xFF >> (8 - depth))
            };
            classes.extend((0..width).map(number));
        }
        Ok(Self { height, width, classes })
    }

    /// The mask as a PNG with a palette, which holds the classes as numbers and shows them as colours.
    ///
    /// # Errors
    /// The encoder's, in words.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let extent = |n: usize| u32::try_from(n).map_err(|e| e.to_string());
        let mut encoder = Encoder::new(&mut bytes, extent(self.width)?, extent(self.height)?);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette((0..=255).flat_map(colour).collect::<Vec<u8>>());
        let mut writer = encoder.write_header().map_err(|e| e.to_string())?;
        writer.write_image_data(&self.classes).map_err(|e| e.to_string())?;
        writer.finish().map_err(|e| e.to_string())?;
        Ok(bytes)
    }

    /// The mask's rows and columns.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The classes, row by row.
    pub fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// The class of a pixel.
    ///
    /// # Panics
    /// Outside of the mask.
    pub fn at(&self, row: usize, column: usize) -> u8 {
        self.classes[row * self.width + column]
    }

    /// The mask at the model's input: resized and cropped as its picture is, each place the nearest pixel.
    ///
    /// # Errors
    /// Those of [`preprocess::nearest`].
    pub fn at_input(&self, input: &Input) -> Result<Self, headstart::Error> {
        let (height, width) = (input.height as usize, input.width as usize);
        let place = |row, column| preprocess::nearest(input, self.size(), [row, column]);
        let rows = (0..height).map(|row| Ok(place(row, 0)?[0])).collect::<Result<Vec<_>, _>>()?;
        let columns =
            (0..width).map(|column| Ok(place(0, column)?[1])).collect::<Result<Vec<_>, _>>()?;
        let line = |&row: &usize| columns.iter().map(move |&column| self.at(row, column));
        Ok(Self { height, width, classes: rows.iter().flat_map(line).collect() })
    }

    /// Maps an answer at the input's rows and columns onto the picture of that size; what the input does not show is [`VOID`].
    ///
    /// # Errors
    /// Those of [`preprocess::nearest`].
    pub fn onto_picture(&self, input: &Input, size: [usize; 2]) -> Result<Self, headstart::Error> {
        let [height, width] = size;
        // Where each row and column of the picture is seen first.
        let mut rows = vec![None; height];
        let mut columns = vec![None; width];
        for row in 0..self.height {
            rows[preprocess::nearest(input, size, [row, 0])?[0]] = Some(row);
        }
        for column in 0..self.width {
            columns[preprocess::nearest(input, size, [0, column])?[1]] = Some(column);
        }
        for seen in [&mut rows, &mut columns] {
            fill_between(seen);
        }
        let class = |row: &Option<usize>, column: &Option<usize>| match (row, column) {
            (&Some(row), &Some(column)) => self.at(row, column),
            _ => VOID,
        };
        let line = |row| columns.iter().map(move |column| class(row, column));
        Ok(Self { height, width, classes: rows.iter().flat_map(line).collect() })
    }
}

/// Gives what lies between two places that are seen to the one before it.
fn fill_between(seen: &mut [Option<usize>]) {
    let Some(last) = seen.iter().rposition(Option::is_some) else { return };
    let mut before = None;
    for place in &mut seen[..=last] {
        before = place.or(before);
        *place = before;
    }
}

#[cfg(test)]
mod tests {
    use headstart::pack::{Preprocessing, Resize};

    use super::*;

    fn mask() -> Mask {
        Mask::new(3, 5, (0..15).map(|at| if at == 7 { VOID } else { at % 4 }).collect())
    }

    fn input(resize: Resize) -> Input {
        let preprocessing = Preprocessing { resize, mean: [0.0; 3], std: [1.0; 3] };
        Input { height: 4, width: 4, channels: 3, channels_first: true, preprocessing }
    }

    #[test]
    fn what_is_written_is_read_and_classes_are_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.png");
        std::fs::write(&path, mask().encode().unwrap()).unwrap();
        assert_eq!(Mask::read(&path, 4).unwrap(), mask());
        let text = Mask::read(&path, 3).unwrap_err().to_string();
        assert!(text.contains("mask.png") && text.contains("class 3"), "{text}");
        assert!(text.contains("row 0, column 3"), "{text}");
        image::RgbImage::new(2, 2).save(&path).unwrap();
        let text = Mask::read(&path, 3).unwrap_err().to_string();
        assert!(text.contains("colours of 8 bits"), "{text}");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
        assert!(Mask::read(&path, 3).is_err());
    }

    #[test]
    fn grey_levels_and_packed_bits_are_classes() {
        for (depth, bits) in [(BitDepth::One, 1), (BitDepth::Two, 2), (BitDepth::Four, 4)] {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 3, 2);
            encoder.set_color(ColorType::Grayscale);
            encoder.set_depth(depth);
            let mut writer = encoder.write_header().unwrap();
            // 1, 0, 1 in each row.
            let line: u16 = 1 << (16 - bits) | 1 << (16 - 3 * bits);
            let used = (3 * bits as usize).div_ceil(8);
            let line = &line.to_be_bytes()[..used];
            writer.write_image_data(&[line, line].concat()).unwrap();
            writer.finish().unwrap();
            assert_eq!(Mask::decode(&bytes).unwrap().classes, [1, 0, 1, 1, 0, 1], "{depth:?}");
        }
    }

    #[test]
    fn a_mask_is_cropped_and_resized_with_its_picture_and_back() {
        let stripes = Mask::new(4, 8, (0..32).map(|at| (at % 8) as u8).collect());
        let seen = stripes.at_input(&input(Resize::Stretch)).unwrap();
        assert_eq!(seen.classes()[..4], [1, 3, 5, 7]);
        let seen = stripes.at_input(&input(Resize::ShortSide(4))).unwrap();
        assert_eq!(seen.classes()[..4], [2, 3, 4, 5]);
        let back = seen.onto_picture(&input(Resize::ShortSide(4)), [4, 8]).unwrap();
        assert_eq!(back.classes()[..8], [VOID, VOID, 2, 3, 4, 5, VOID, VOID]);
    }
}
