//! Procedural pictures: data that the project makes itself, wherever it is needed.
//!
//! The carried model (`tests/carried-model`) was trained on the random figures; the icons are the
//! classes that it has never seen. Transcendental functions come from `libm` and sums keep one order, so
//! that a seed gives the same bytes on every machine.

use std::fs;
use std::path::Path;

pub mod figure;
pub mod picture;
pub mod random;

use figure::Figure;
use random::Random;

/// Writes `per_class` PNG files for each class as `FOLDER/<name>/<number>.png`.
///
/// # Errors
/// What the file system or the PNG encoder says, with the path that it was about.
pub fn write_folder(
    folder: &Path,
    classes: &[(String, Figure)],
    per_class: usize,
    seed: u64,
) -> Result<(), std::io::Error> {
    for (class, (name, figure)) in classes.iter().enumerate() {
        let class_folder = folder.join(name);
        let about = |path: &Path, error: &dyn std::fmt::Display| {
            std::io::Error::other(format!("{}: {error}", path.display()))
        };
        fs::create_dir_all(&class_folder).map_err(|error| about(&class_folder, &error))?;
        for number in 0..per_class {
            let mut random = Random::keyed(seed, class as u64, number as u64);
            let pixels = picture::picture(figure, &mut random);
            let path = class_folder.join(format!("{number:04}.png"));
            let side = picture::SIDE as u32;
            image::save_buffer(&path, &pixels, side, side, image::ColorType::Rgb8)
                .map_err(|error| about(&path, &error))?;
        }
    }
    Ok(())
}

/// The ten icons with their names.
pub fn icons() -> Vec<(String, Figure)> {
    let named = figure::ICONS.iter().enumerate();
    named.map(|(index, name)| ((*name).to_owned(), figure::icon(index))).collect()
}

/// `count` figures of the family `seed`, named `figure-00`, `figure-01`, …
pub fn random_figures(seed: u64, count: usize) -> Vec<(String, Figure)> {
    (0..count)
        .map(|class| (format!("figure-{class:02}"), figure::random_figure(seed, class)))
        .collect()
}
