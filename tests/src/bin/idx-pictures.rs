//! Writes pictures of an IDX file, the format of MNIST and Fashion-MNIST, as folders of PNG files, one a class.
//!
//! `idx-pictures IMAGES LABELS PER_CLASS FOLDER` takes the first PER_CLASS of each class.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments[..] {
        [images, labels, per_class, folder] => write(images, labels, per_class, Path::new(folder)),
        _ => Err(anyhow::anyhow!("usage: idx-pictures IMAGES LABELS PER_CLASS FOLDER")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("idx-pictures: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(images: &str, labels: &str, per_class: &str, folder: &Path) -> anyhow::Result<()> {
    let per_class: usize = per_class.parse().context("PER_CLASS is a number")?;
    let (extents, pixels) = read::<3>(images)?;
    let (_, labels) = read::<1>(labels)?;
    let [count, height, width] = extents;
    ensure!(labels.len() == count, "{count} pictures and {} labels", labels.len());
    let mut written = BTreeMap::<u8, usize>::new();
    for (picture, label) in pixels.chunks_exact(height * width).zip(labels) {
        let number = written.entry(label).or_default();
        if *number == per_class {
            continue;
        }
        let class = folder.join(label.to_string());
        std::fs::create_dir_all(&class).with_context(|| class.display().to_string())?;
        let path = class.join(format!("{number:05}.png"));
        let (width, height) = (width as u32, height as u32);
        image::save_buffer(&path, picture, width, height, image::ColorType::L8)
            .with_context(|| path.display().to_string())?;
        *number += 1;
    }
    Ok(())
}

/// Extents and bytes of a file: two zeros, type 8 (bytes), the rank, big-endian extents, row-major bytes.
fn read<const RANK: usize>(path: &str) -> anyhow::Result<([usize; RANK], Vec<u8>)> {
    let file = std::fs::read(path).with_context(|| path.to_owned())?;
    let start = 4 + 4 * RANK;
    if file.len() < start || file[..4] != [0, 0, 8, RANK as u8] {
        bail!("{path} is no IDX file of bytes in {RANK} dimensions: unpack it with gunzip first");
    }
    let mut extents = [0; RANK];
    for (extent, bytes) in extents.iter_mut().zip(file[4..start].chunks_exact(4)) {
        *extent = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    }
    let size = extents.iter().try_fold(1_usize, |size, extent| size.checked_mul(*extent));
    ensure!(size == Some(file.len() - start), "{path} does not hold {extents:?} bytes");
    Ok((extents, file[start..].to_vec()))
}
