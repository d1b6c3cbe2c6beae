//! Makes a film of pictures, which browsers and the device take for a camera: motion JPEG of 640 x 480, shown at 30 frames a second.
//!
//! `film FRAMES FILM.mjpeg FOLDER...`: each picture of the folders, one folder after another, for so many frames. `FILM.json` beside it says
//! how each picture looks, small and grey, so that a test can tell what a camera shows: `[{"class", "grey": [16 x 12 levels]}]`.

use std::fs;
use std::io::{Error, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;

const FRAME: (u32, u32) = (640, 480);
const SMALL: (u32, u32) = (16, 12);
const QUALITY: u8 = 90;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match &arguments[..] {
        [frames, film, folders @ ..] if !folders.is_empty() => {
            frames.parse().ok().map(|frames: usize| (frames, film, folders))
        }
        _ => None,
    };
    let Some((frames, film, folders)) = parsed else {
        eprintln!("usage: film FRAMES FILM.mjpeg FOLDER...");
        return ExitCode::FAILURE;
    };
    match write(Path::new(film), folders, frames) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("film: {error}");
            ExitCode::from(2)
        }
    }
}

fn write(film: &Path, folders: &[String], frames: usize) -> Result<(), Error> {
    let mut out = std::io::BufWriter::new(fs::File::create(film)?);
    let mut shown = Vec::new();
    for folder in folders.iter().map(Path::new) {
        let class = folder.file_name().unwrap_or_default().to_string_lossy();
        for path in pictures(folder)? {
            let failed = |error| Error::other(format!("{}: {error}", path.display()));
            let picture = image::open(&path).map_err(failed)?;
            let frame = picture.resize_exact(FRAME.0, FRAME.1, FilterType::CatmullRom).into_rgb8();
            let mut jpeg = Vec::new();
            JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
                .encode_image(&frame)
                .map_err(failed)?;
            for _ in 0..frames {
                out.write_all(&jpeg)?;
            }
            let small = picture.resize_exact(SMALL.0, SMALL.1, FilterType::Triangle).into_luma8();
            shown.push(serde_json::json!({"class": class, "grey": small.into_raw()}));
        }
    }
    out.flush()?;
    fs::write(film.with_extension("json"), serde_json::to_vec(&shown)?)
}

fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let listed = fs::read_dir(folder);
    let listed = listed.map_err(|error| Error::other(format!("{}: {error}", folder.display())))?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Error>>()?;
    paths.sort();
    Ok(paths)
}
