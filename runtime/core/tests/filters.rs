//! Pictures resized as Pillow and OpenCV resize them: `filters/make.py` wrote the expected levels.

use headstart::pack::{Filter, Input, Preprocessing, Resize};
use headstart::preprocess::{self, Picture};

const GOLDEN: &[u8] = include_bytes!("filters/golden.bin");

const FILTERS: [Filter; 5] = [
    Filter::PilBilinear,
    Filter::PilBicubic,
    Filter::OpenCvBilinear,
    Filter::OpenCvBicubic,
    Filter::OpenCvArea,
];

/// Columns, rows and channels of the picture; what the shorter side is scaled to (0: both sides to the input); the input's
/// rows and columns.
const CASES: [[usize; 6]; 7] = [
    [61, 47, 3, 0, 24, 20],
    [61, 47, 1, 0, 23, 61],
    [13, 9, 3, 0, 20, 28],
    [300, 5, 3, 0, 11, 24],
    [67, 50, 3, 27, 24, 24],
    [41, 64, 3, 24, 24, 21],
    [9, 40, 1, 18, 16, 16],
];

fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn levels(resize: Resize, picture: Picture<'_>, [height, width]: [usize; 2]) -> Vec<u8> {
    let input = Input {
        height: height as u32,
        width: width as u32,
        channels: picture.channels as u32,
        channels_first: false,
        preprocessing: Preprocessing { resize, mean: [0.0; 3], std: [1.0; 3] },
    };
    let mut levels = vec![0; height * width * picture.channels];
    preprocess::levels(&input, picture, |index, _, level| levels[index] = level).unwrap();
    levels
}

#[test]
fn pictures_are_resized_as_pillow_and_opencv_resize_them() {
    let mut rest = GOLDEN;
    for [width, height, channels, side, rows, columns] in CASES {
        let pixels = noise(width * height * channels);
        let picture = Picture { pixels: &pixels, width, height, channels };
        for filter in FILTERS {
            let resize = match side {
                0 => Resize::StretchBy(filter),
                side => Resize::ShortSideBy(side as u32, filter),
            };
            let found = levels(resize, picture, [rows, columns]);
            let (expected, behind) = rest.split_at(found.len());
            rest = behind;
            let apart = found.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            // OpenCV's own paths differ by one level with the machine.
            let allowed = match filter {
                Filter::PilBilinear | Filter::PilBicubic => 0,
                Filter::OpenCvBilinear | Filter::OpenCvBicubic | Filter::OpenCvArea => 1,
            };
            assert!(
                apart <= allowed,
                "{filter:?} of {width}×{height} to {columns}×{rows}: {apart}"
            );
        }
    }
    assert!(rest.is_empty());
}

#[test]
fn more_taps_than_are_kept_give_the_same_levels() {
    // A ramp of 7,000 columns: every target pixel is the mean of its part of it, by every filter that is widened.
    let width = 7000;
    let pixels: Vec<u8> = (0..width).map(|column| (column * 250 / width) as u8).collect();
    for rows in [1, 90] {
        let pixels = pixels.repeat(rows);
        let picture = Picture { pixels: &pixels, width, height: rows, channels: 1 };
        for filter in [Filter::PilBilinear, Filter::PilBicubic, Filter::OpenCvArea] {
            let found = levels(Resize::StretchBy(filter), picture, [1, 3]);
            for (level, expected) in found.iter().zip([41_u8, 125, 208]) {
                // At the ends a wider filter sees one side only.
                assert!(level.abs_diff(expected) < 16, "{filter:?}: {found:?}");
            }
            assert!(found[1].abs_diff(125) <= 1, "{filter:?}: {found:?}");
        }
    }
}
