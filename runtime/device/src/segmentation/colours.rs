//! Classes as colours.

/// The colour of a class, as PASCAL VOC's development kit has it: bits of the number, from the lowest on, fill red,
/// green and blue in turn from their highest bits down. Class 0 is black.
#[must_use]
pub fn colour(class: u8) -> [u8; 3] {
    let mut channels = [0_u8; 3];
    for bit in 0..8 {
        channels[bit % 3] |= (class >> bit & 1) << (7 - bit / 3);
    }
    channels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_those_of_pascal_voc() {
        for (class, expected) in [
            (0, [0, 0, 0]),
            (1, [128, 0, 0]),
            (2, [0, 128, 0]),
            (3, [128, 128, 0]),
            (4, [0, 0, 128]),
            (8, [64, 0, 0]),
            (15, [192, 128, 128]),
            (255, [224, 224, 192]),
        ] {
            assert_eq!(colour(class), expected, "{class}");
        }
    }
}
