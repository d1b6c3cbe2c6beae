//! Shows pictures otherwise: blurred, inverted, noisy or dark.

use std::fs;
use std::io;
use std::path::Path;

use image::{RgbImage, imageops};

use crate::drawings::random::Random;

/// A change to a picture, as another place or camera would make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// Blurs with a Gaussian of a standard deviation of a thirtieth of the shorter side.
    Blur,
    /// Inverts the light: bright is dark.
    Invert,
    /// Adds noise of a standard deviation of 50 to each level.
    Noise,
    /// Leaves a quarter of the light.
    Dark,
}

impl Shift {
    /// Finds the shift by its name; `None` for an unknown one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "blur" => Self::Blur,
            "invert" => Self::Invert,
            "noise" => Self::Noise,
            "dark" => Self::Dark,
            _ => return None,
        })
    }

    /// Applies the shift to a picture.
    #[must_use]
    pub fn apply(self, mut picture: RgbImage, random: &mut Random) -> RgbImage {
        match self {
            Self::Blur => {
                let side = picture.width().min(picture.height()) as f32;
                return imageops::blur(&picture, side / 30.0);
            }
            Self::Invert => picture.iter_mut().for_each(|level| *level = 255 - *level),
            Self::Noise => {
                for level in picture.iter_mut() {
                    *level = (f32::from(*level) + 50.0 * random.bell()).clamp(0.0, 255.0) as u8;
                }
            }
            Self::Dark => picture.iter_mut().for_each(|level| *level /= 4),
        }
        picture
    }
}

/// Writes all pictures of `from/CLASS/`, shifted, as PNG files of the same names to `to/CLASS/`.
///
/// # Errors
/// What the file system, a decoder or the encoder says, with the path that it was about.
pub fn shift_folder(shift: Shift, from: &Path, to: &Path, seed: u64) -> io::Result<()> {
    let about = |path: &Path, error: &dyn std::fmt::Display| {
        io::Error::other(format!("{}: {error}", path.display()))
    };
    let sorted = |folder: &Path| -> io::Result<Vec<_>> {
        let entries = fs::read_dir(folder).map_err(|error| about(folder, &error))?;
        let mut paths: Vec<_> =
            entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        paths.sort();
        Ok(paths)
    };
    for (class, folder) in sorted(from)?.iter().enumerate().filter(|(_, path)| path.is_dir()) {
        let target = to.join(folder.file_name().unwrap_or_default());
        fs::create_dir_all(&target).map_err(|error| about(&target, &error))?;
        for (number, path) in sorted(folder)?.iter().enumerate() {
            let picture = image::open(path).map_err(|error| about(path, &error))?.to_rgb8();
            let mut random = Random::keyed(seed, class as u64, number as u64);
            let name = path.file_stem().unwrap_or_default();
            let shifted = target.join(name).with_added_extension("png");
            let picture = shift.apply(picture, &mut random);
            picture.save(&shifted).map_err(|error| about(&shifted, &error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn a_folder_is_shifted_file_by_file() {
        let root = tempfile::tempdir().unwrap();
        let (from, to) = (root.path().join("from"), root.path().join("to"));
        fs::create_dir_all(from.join("a")).unwrap();
        let picture = RgbImage::from_fn(60, 60, |x, _| Rgb([if x < 30 { 0 } else { 200 }; 3]));
        picture.save(from.join("a/1.png")).unwrap();
        let level = |shift: Shift, x: u32| {
            shift_folder(shift, &from, &to, 1).unwrap();
            image::open(to.join("a/1.png")).unwrap().to_rgb8().get_pixel(x, 30).0[0]
        };
        assert_eq!([0, 59].map(|x| level(Shift::Invert, x)), [255, 55]);
        assert_eq!([0, 59].map(|x| level(Shift::Dark, x)), [0, 50]);
        assert!((60..140).contains(&level(Shift::Blur, 30)));
        let noisy = Shift::Noise.apply(picture, &mut Random::new(1));
        let mean = noisy.pixels().map(|p| f64::from(p.0[0])).sum::<f64>() / 3600.0;
        assert!((mean - 110.0).abs() < 5.0, "{mean}");
        assert_eq!(Shift::named("dim"), None);
    }
}
