//! Answers as files: masks, and pictures with the answer over them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use headstart_device::samples::Decoded;
use headstart_device::segmentation::overlay;
use headstart_device::{Error, Prediction, Shown};
use image::RgbImage;

/// Makes the folder, and makes sure that no answer goes over one of the `inputs` or over another answer.
pub(super) fn prepare(folder: &Path, pictures: &[&Path], inputs: &[&Path]) -> anyhow::Result<()> {
    let whole = |path: &Path| path.canonicalize().ok();
    let inputs: HashSet<PathBuf> = inputs.iter().filter_map(|path| whole(path)).collect();
    let mut taken = HashSet::new();
    for picture in pictures {
        let path = place(folder, picture);
        let over_input = whole(&path).is_some_and(|path| inputs.contains(&path));
        if over_input || !taken.insert(path.clone()) {
            bail!(
                "{}: would be written over by the answer for {}: name another folder",
                path.display(),
                picture.display()
            );
        }
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

/// Where the answer for a picture goes.
fn place(folder: &Path, picture: &Path) -> PathBuf {
    folder.join(picture.file_stem().unwrap_or_default()).with_added_extension("png")
}

/// Writes an answer as a mask, and says where.
pub(super) fn write(folder: &Path, picture: &Path, answer: &Prediction) -> Result<PathBuf, Error> {
    let path = place(folder, picture);
    let failed = |reason| Error::Machine { path: path.clone(), action: "writing", reason };
    let mask = answer.mask().expect("a pack of this kind answers with masks");
    let content = mask.encode().map_err(|e| failed(std::io::Error::other(e)))?;
    std::fs::write(&path, content).map_err(failed)?;
    Ok(path)
}

/// Writes a picture with the answer over it; an array has no picture to show.
pub(super) fn write_overlay(folder: &Path, shown: Shown<'_>) -> Result<(), Error> {
    let Decoded::Pixels { width, height, channels, bytes } = shown.picture else { return Ok(()) };
    let colours = match channels {
        1 => bytes.iter().flat_map(|&level| [level; 3]).collect(),
        _ => bytes.clone(),
    };
    let Some(picture) = RgbImage::from_raw(*width as u32, *height as u32, colours) else {
        return Ok(());
    };
    let path = place(folder, shown.path);
    let failed = |e: image::ImageError| Error::Machine {
        path: path.clone(),
        action: "writing",
        reason: std::io::Error::other(e),
    };
    overlay(&picture, shown.mask).save(&path).map_err(failed)
}
