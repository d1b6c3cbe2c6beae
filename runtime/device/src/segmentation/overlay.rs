//! Shows an answer over its picture.

use image::{Rgb, RgbImage};

use super::{Mask, VOID, colour};

/// Mixes a picture half and half with the colours of its classes; the background and what does not count show the picture.
#[must_use]
pub fn overlay(picture: &RgbImage, mask: &Mask) -> RgbImage {
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let pixel = picture.get_pixel(x, y);
        match mask.at(y as usize, x as usize) {
            0 | VOID => *pixel,
            class => {
                let colour = colour(class);
                Rgb(std::array::from_fn(|c| pixel.0[c] / 2 + colour[c] / 2))
            }
        }
    })
}
