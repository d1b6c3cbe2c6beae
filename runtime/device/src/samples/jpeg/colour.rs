//! Components to pixels: colours at half size are spread by triangle filters, then become red, green and blue.

use super::component::Component;
use super::frame::Frame;
use super::segments::Colours;

/// All pixels, in rows.
pub(super) fn convert(frame: &Frame, colours: Colours) -> Vec<u8> {
    let channels = frame.components.len();
    let mut pixels = vec![0; frame.width * frame.height * channels];
    let mut rows: Vec<Vec<u8>> = vec![Vec::new(); channels];
    for (at, line) in pixels.chunks_exact_mut(frame.width * channels).enumerate() {
        for (component, row) in frame.components.iter().zip(&mut rows) {
            row.clear();
            spread(component, at, row);
        }
        match (colours, &rows[..]) {
            (Colours::Differences, [brightness, blue, red]) => {
                let values = brightness.iter().zip(blue).zip(red);
                for (pixel, ((&brightness, &blue), &red)) in
                    line.as_chunks_mut::<3>().0.iter_mut().zip(values)
                {
                    *pixel = rgb(brightness, blue, red);
                }
            }
            // Grey.
            _ => line.copy_from_slice(&rows[0][..frame.width]),
        }
    }
    pixels
}

/// The row of pixels `at` of one component, at least as wide as the picture: libjpeg's "fancy" upsampling, where a sample at half size
/// weighs three times as much as the next one. Its roundings go up and down in turn.
fn spread(component: &Component, at: usize, out: &mut Vec<u8>) {
    let [across, down] = component.step;
    let near = component.row(at / down);
    // Too narrow for a filter: libjpeg repeats samples then, in both directions.
    let is_filtered = component.width > 2;
    match (across, down) {
        (1, 1) => out.extend_from_slice(near),
        (1, 2) => {
            let bias = 1 + (at % 2) as u16;
            let pairs = near.iter().zip(component.row(far(component, at)));
            out.extend(
                pairs.map(|(&near, &far)| {
                    ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8
                }),
            );
        }
        (2, 1) if is_filtered => double(near.iter().map(|&near| u16::from(near)), [1, 2], 2, out),
        (2, 2) if is_filtered => {
            let pairs = near.iter().zip(component.row(far(component, at)));
            let sums = pairs.map(|(&near, &far)| 3 * u16::from(near) + u16::from(far));
            double(sums, [8, 7], 4, out);
        }
        _ => out.extend(near.iter().flat_map(|&near| std::iter::repeat_n(near, across))),
    }
}

/// The row on the other side of the row of pixels `at`; at the picture's edge the nearest one itself.
fn far(component: &Component, at: usize) -> usize {
    let near = at / 2;
    if at.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(component.height - 1) }
}

/// Two values for each: three parts of it and one of that before, or that behind, `bias` added and `shift` bits cut off.
fn double(
    values: impl Iterator<Item = u16> + Clone,
    bias: [u16; 2],
    shift: u32,
    out: &mut Vec<u8>,
) {
    let mut behind = values.clone().skip(1);
    let mut before = None;
    for value in values {
        let mix =
            |other: Option<u16>, bias| ((3 * value + other.unwrap_or(value) + bias) >> shift) as u8;
        out.extend([mix(before, bias[0]), mix(behind.next(), bias[1])]);
        before = Some(value);
    }
}

/// JFIF's conversion with 16 bits behind the point.
fn rgb(brightness: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let brightness = i32::from(brightness);
    let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
    let level = |difference: i32| (brightness + (difference >> 16)).clamp(0, 255) as u8;
    // 1.402, 0.34414, 0.71414 and 1.772.
    [
        level(91_881 * red + HALF),
        level(HALF - 22_554 * blue - 46_802 * red),
        level(116_130 * blue + HALF),
    ]
}
