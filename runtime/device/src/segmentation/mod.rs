//! Answers a class for every place of a picture: pictures with masks, and how well answers fit them.
//!
//! The samples are then a folder with `images/` and `masks/`: `images/NAME.jpg` (or `.png`, `.npy`) and
//! `masks/NAME.png`, whose pixels are class numbers. `classes.txt`, one name a line, may stand beside them.

mod colours;
mod mask;
mod overlay;
mod pairs;
mod score;

pub use colours::colour;
pub use mask::{Mask, VOID};
pub use overlay::overlay;
pub use pairs::{Pair, Pairs};
pub use score::Score;

use headstart::pack::Pack;

/// Whether the pack's head answers a class for each place.
pub fn is_per_place(pack: &Pack<'_>) -> bool {
    pack.tail().is_some_and(|tail| tail.per_place)
}

/// Bytes of a sample in the feature cache: its features, and behind them the mask if there is one, at the input's rows and columns.
pub fn row_len(pack: &Pack<'_>) -> usize {
    pack.feature_len() + if is_per_place(pack) { mask_len(pack) } else { 0 }
}

/// How many places a mask has at the input's rows and columns.
pub fn mask_len(pack: &Pack<'_>) -> usize {
    pack.input().height as usize * pack.input().width as usize
}
