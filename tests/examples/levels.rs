//! The levels that a backbone of some input sees of pictures: `levels FILTER SIDE SIZE OUTPUT PICTURE...`
//!
//! `FILTER` is `own` or one of `headstart pack --resize-filter`, `SIDE` what the shorter side is scaled to (0: both sides to the
//! input), `SIZE` the input's rows and columns. Writes `[picture][row][column][red, green, blue]`, a byte each, for
//! `tests/accuracy/resizing.py`.

use std::path::Path;

use anyhow::{Context, bail};
use headstart::pack::{Filter, Input, Preprocessing, Resize};
use headstart::preprocess::{self, Picture};
use headstart_device::samples::{Decoded, InputShape, SampleFile};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [filter, side, size, output, pictures @ ..] = &arguments[..] else {
        bail!("levels FILTER SIDE SIZE OUTPUT PICTURE...")
    };
    let filter = match filter.as_str() {
        "own" => None,
        "pil-bilinear" => Some(Filter::PilBilinear),
        "pil-bicubic" => Some(Filter::PilBicubic),
        "opencv-bilinear" => Some(Filter::OpenCvBilinear),
        "opencv-bicubic" => Some(Filter::OpenCvBicubic),
        "opencv-area" => Some(Filter::OpenCvArea),
        other => bail!("{other} is no filter"),
    };
    let resize = match (side.parse()?, filter) {
        (0, None) => Resize::Stretch,
        (0, Some(filter)) => Resize::StretchBy(filter),
        (side, None) => Resize::ShortSide(side),
        (side, Some(filter)) => Resize::ShortSideBy(side, filter),
    };
    let size: u32 = size.parse()?;
    let preprocessing = Preprocessing { resize, mean: [0.0; 3], std: [1.0; 3] };
    let input =
        Input { height: size, width: size, channels: 3, channels_first: false, preprocessing };
    let mut all = Vec::new();
    for path in pictures {
        let decoded = SampleFile::read(Path::new(path))?.decode(&InputShape::from(&input))?;
        let Decoded::Pixels { width, height, channels, bytes } = decoded else {
            bail!("{path} is no picture")
        };
        let picture = Picture { pixels: &bytes, width, height, channels };
        let mut levels = vec![0; (size * size * 3) as usize];
        preprocess::levels(&input, picture, |index, _, level| levels[index] = level)?;
        all.extend(levels);
    }
    std::fs::write(output, all).with_context(|| output.clone())
}
