//! Makes pictures with masks for segmentation, of stamps: pictures whose transparency says what the thing is.
//!
//! Debian's package `tuxpaint-stamps-default` has some hundred photographs of animals, food, plants and vehicles. Of
//! each class every fourth stamp is kept for the test pictures, which so show things that no training picture
//! shows. A seed gives the same pictures on every machine, but for the rounding of the decoders and of the
//! enlargement.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{GrayImage, Luma, Rgb, Rgb32FImage, RgbImage, Rgba, Rgba32FImage};

use crate::drawings::random::Random;

/// The names of the classes, from 0 on, and the folder of each class's stamps.
pub const CLASSES: [(&str, &str); 5] = [
    ("background", ""),
    ("animal", "animals"),
    ("food", "food"),
    ("plant", "plants"),
    ("vehicle", "vehicles"),
];
/// One stamp of so many is for the test pictures.
const FOR_TEST: usize = 4;
/// The longest side at which a stamp is kept.
const KEPT_SIDE: u32 = 256;

/// The part of the stamps that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Stamps to learn from.
    Train,
    /// Stamps to test with.
    Test,
}

/// Stamps of every class; their colours are multiplied by their opacity.
pub struct Stamps {
    of_class: Vec<Vec<Rgba32FImage>>,
    photos: Vec<RgbImage>,
}

impl Stamps {
    /// Reads the stamps of a part from the package's folder `stamps`, and photographs to paste them on, if there is
    /// a folder of them.
    ///
    /// # Errors
    /// What the file system or a decoder says, with the path that it was about.
    pub fn read(root: &Path, part: Part, photos: Option<&Path>) -> io::Result<Self> {
        let mut of_class = vec![Vec::new()];
        for (_, folder) in &CLASSES[1..] {
            let files = pictures(&root.join(folder))?;
            let chosen = files.iter().enumerate().filter(|(at, _)| match part {
                Part::Train => at % FOR_TEST != FOR_TEST - 1,
                Part::Test => at % FOR_TEST == FOR_TEST - 1,
            });
            let mut stamps = Vec::new();
            for (_, path) in chosen {
                stamps.extend(stamp(path)?);
            }
            if stamps.is_empty() {
                return Err(about(&root.join(folder), &"holds no stamps with transparency"));
            }
            of_class.push(stamps);
        }
        let photos = photos.map_or(Ok(Vec::new()), pictures)?;
        let photos =
            photos.iter().map(|path| Ok(opened(path)?.to_rgb8())).collect::<io::Result<_>>()?;
        Ok(Self { of_class, photos })
    }

    /// Makes a picture of `side` pixels on each side with one to three things, and its mask.
    #[must_use]
    pub fn picture(&self, side: u32, random: &mut Random) -> (RgbImage, GrayImage) {
        let mut picture = self.background(side, random);
        let mut mask = GrayImage::new(side, side);
        for _ in 0..1 + random.below(3) {
            let class = 1 + random.below(self.of_class.len() - 1);
            let stamps = &self.of_class[class];
            let stamp = &stamps[random.below(stamps.len())];
            let longest = random.between(0.35, 0.8) * side as f32;
            let scale = longest / stamp.width().max(stamp.height()) as f32;
            let extent = |n: u32| ((n as f32 * scale) as u32).max(1);
            let (width, height) = (extent(stamp.width()), extent(stamp.height()));
            let mut stamp = imageops::resize(stamp, width, height, FilterType::Triangle);
            if random.below(2) == 1 {
                imageops::flip_horizontal_in_place(&mut stamp);
            }
            let light = random.between(0.7, 1.2);
            let mut start = |extent: u32| {
                let middle = random.between(0.15, 0.85) * side as f32;
                middle as i64 - i64::from(extent / 2)
            };
            let (left, top) = (start(width), start(height));
            for (x, y, &Rgba([r, g, b, alpha])) in stamp.enumerate_pixels() {
                let (x, y) = (left + i64::from(x), top + i64::from(y));
                let inside = |at: i64| (0..i64::from(side)).contains(&at);
                if !inside(x) || !inside(y) {
                    continue;
                }
                let below = picture.get_pixel_mut(x as u32, y as u32);
                for (below, above) in below.0.iter_mut().zip([r, g, b]) {
                    *below = *below * (1.0 - alpha) + above * light;
                }
                if alpha >= 0.5 {
                    mask.put_pixel(x as u32, y as u32, Luma([class as u8]));
                }
            }
        }
        let level = |x: f32| (x.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        let picture =
            RgbImage::from_fn(side, side, |x, y| Rgb(picture.get_pixel(x, y).0.map(level)));
        (picture, mask)
    }

    /// A photograph's part, or a gradient, blurred noise or stripes, with a little noise over it.
    fn background(&self, side: u32, random: &mut Random) -> Rgb32FImage {
        let colour = |random: &mut Random| [(); 3].map(|()| random.between(0.0, 1.0));
        let (a, b) = (colour(random), colour(random));
        let kind = random.below(if self.photos.is_empty() { 3 } else { 6 });
        let mut picture = match kind {
            0 => {
                let (dx, dy) = (random.between(-1.0, 1.0), random.between(-1.0, 1.0));
                mixed(side, a, b, |x, y| 0.5 + 0.5 * (dx * (2.0 * x - 1.0) + dy * (2.0 * y - 1.0)))
            }
            1 => {
                let cells = 2 + random.below(7) as u32;
                let noise = Rgb32FImage::from_fn(cells, cells, |_, _| Rgb(colour(random)));
                imageops::resize(&noise, side, side, FilterType::CatmullRom)
            }
            2 => {
                let (fx, fy) = (random.between(-20.0, 20.0), random.between(-20.0, 20.0));
                mixed(side, a, b, |x, y| 0.5 + 0.5 * libm::sinf(fx * x + fy * y))
            }
            _ => {
                let photo = &self.photos[random.below(self.photos.len())];
                let part = photo.width().min(photo.height());
                let part = ((part as f32 * random.between(0.4, 1.0)) as u32).max(1);
                let left = random.below((photo.width() - part + 1) as usize) as u32;
                let top = random.below((photo.height() - part + 1) as usize) as u32;
                let part = imageops::crop_imm(photo, left, top, part, part).to_image();
                let part = imageops::resize(&part, side, side, FilterType::Triangle);
                Rgb32FImage::from_fn(side, side, |x, y| {
                    Rgb(part.get_pixel(x, y).0.map(|level| f32::from(level) / 255.0))
                })
            }
        };
        let noise = random.between(0.0, 0.06);
        for level in picture.iter_mut() {
            *level += noise * random.bell();
        }
        picture
    }
}

/// Writes `count` pictures as `FOLDER/images/NUMBER.png`, their masks as `FOLDER/masks/NUMBER.png`, and the names of
/// the classes as `FOLDER/classes.txt`.
///
/// # Errors
/// What the file system or the encoder says, with the path that it was about.
pub fn write_folder(
    stamps: &Stamps,
    folder: &Path,
    count: usize,
    side: u32,
    seed: u64,
) -> io::Result<()> {
    for part in ["images", "masks"] {
        let path = folder.join(part);
        fs::create_dir_all(&path).map_err(|error| about(&path, &error))?;
    }
    let names: String = CLASSES.iter().map(|(name, _)| format!("{name}\n")).collect();
    let path = folder.join("classes.txt");
    fs::write(&path, names).map_err(|error| about(&path, &error))?;
    for number in 0..count {
        let mut random = Random::keyed(seed, side.into(), number as u64);
        let (picture, mask) = stamps.picture(side, &mut random);
        let path = |part: &str| folder.join(part).join(format!("{number:04}.png"));
        let (image, classes) = (path("images"), path("masks"));
        picture.save(&image).map_err(|error| about(&image, &error))?;
        mask.save(&classes).map_err(|error| about(&classes, &error))?;
    }
    Ok(())
}

fn mixed(side: u32, a: [f32; 3], b: [f32; 3], share: impl Fn(f32, f32) -> f32) -> Rgb32FImage {
    let place = |at: u32| (at as f32 + 0.5) / side as f32;
    Rgb32FImage::from_fn(side, side, |x, y| {
        let share = share(place(x), place(y)).clamp(0.0, 1.0);
        Rgb(std::array::from_fn(|c| a[c] * (1.0 - share) + b[c] * share))
    })
}

/// A stamp, without what is around it; `None` for a picture without transparency.
fn stamp(path: &Path) -> io::Result<Option<Rgba32FImage>> {
    let picture = opened(path)?;
    if !picture.color().has_alpha() {
        return Ok(None);
    }
    let picture = if picture.width().max(picture.height()) > KEPT_SIDE {
        picture.thumbnail(KEPT_SIDE, KEPT_SIDE)
    } else {
        picture
    };
    let picture = picture.to_rgba32f();
    let opaque = picture.enumerate_pixels().filter(|(.., pixel)| pixel.0[3] >= 0.5);
    let ends = opaque.fold(None, |ends: Option<[u32; 4]>, (x, y, _)| {
        let [left, top, right, bottom] = ends.unwrap_or([x, y, x, y]);
        Some([left.min(x), top.min(y), right.max(x), bottom.max(y)])
    });
    let Some([left, top, right, bottom]) = ends else { return Ok(None) };
    let is_whole = picture.pixels().all(|pixel| pixel.0[3] >= 0.5);
    let part = imageops::crop_imm(&picture, left, top, right - left + 1, bottom - top + 1);
    let mut part = part.to_image();
    for Rgba([r, g, b, alpha]) in part.pixels_mut() {
        [r, g, b].into_iter().for_each(|level| *level *= *alpha);
    }
    Ok((!is_whole).then_some(part))
}

fn opened(path: &Path) -> io::Result<image::DynamicImage> {
    let reader = image::ImageReader::open(path).map_err(|error| about(path, &error))?;
    let reader = reader.with_guessed_format().map_err(|error| about(path, &error))?;
    reader.decode().map_err(|error| about(path, &error))
}

/// All pictures below a folder in the byte order of their paths; turned copies, which the package has of some
/// stamps, are left out.
fn pictures(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| about(&folder, &error))? {
            let path = entry.map_err(|error| about(&folder, &error))?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
            let end = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if matches!(end.as_str(), "png" | "jpg" | "jpeg")
                && !name.ends_with("_mirror")
                && !name.ends_with("_flip")
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn about(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use image::RgbaImage;

    use super::*;

    #[test]
    fn masks_show_the_stamps_and_parts_share_none() {
        let root = tempfile::tempdir().unwrap();
        for (class, (_, folder)) in CLASSES.iter().enumerate().skip(1) {
            let folder = root.path().join(folder).join("inside");
            fs::create_dir_all(&folder).unwrap();
            for number in 0..4_u8 {
                // An opaque square of a colour of its own in the middle.
                let square = RgbaImage::from_fn(20, 20, |x, y| {
                    let inside = (5..15).contains(&x) && (5..15).contains(&y);
                    Rgba([10 * class as u8, 60 * number, 0, if inside { 255 } else { 0 }])
                });
                square.save(folder.join(format!("{number}.png"))).unwrap();
            }
            RgbImage::new(3, 3).save(folder.join("opaque.png")).unwrap();
            RgbaImage::new(3, 3).save(folder.join("0_mirror.png")).unwrap();
        }
        let counts = |part| {
            let stamps = Stamps::read(root.path(), part, None).unwrap();
            stamps.of_class[1..].iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(counts(Part::Train), [3; 4]);
        assert_eq!(counts(Part::Test), [1; 4]);
        let stamps = Stamps::read(root.path(), Part::Test, None).unwrap();
        // Its edges were cut off, and its colour is the fourth one's.
        let square = &stamps.of_class[2][0];
        assert_eq!(square.dimensions(), (10, 10));
        assert!((square.get_pixel(5, 5).0[1] - 180.0 / 255.0).abs() < 1e-3);
        let folder = root.path().join("written");
        write_folder(&stamps, &folder, 5, 48, 7).unwrap();
        let mut seen = [0_usize; CLASSES.len()];
        for number in 0..5 {
            let mask = opened(&folder.join(format!("masks/{number:04}.png"))).unwrap().to_luma8();
            assert_eq!(mask.dimensions(), (48, 48));
            mask.iter().for_each(|&class| seen[usize::from(class)] += 1);
        }
        assert!(seen[0] > 0 && seen[1..].iter().sum::<usize>() > 5 * 16 * 16, "{seen:?}");
        let names = fs::read_to_string(folder.join("classes.txt")).unwrap();
        assert_eq!(names.lines().count(), CLASSES.len());
    }
}
