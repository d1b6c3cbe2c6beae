//! A picture's size and its components.

use super::block::SIDE;
use super::component::Component;

pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) is_progressive: bool,
    /// One or three.
    pub(super) components: Vec<Component>,
    /// Units of scans that interleave components, across and down.
    pub(super) units: [usize; 2],
}

impl Frame {
    /// Reads a frame's header (T.81, B.2.2) and makes room for its samples, of `limit` bytes at the most.
    pub(super) fn read(body: &[u8], is_progressive: bool, limit: u64) -> Option<Self> {
        let &[8, high, low, wide, narrow, count, ref rest @ ..] = body else { return None };
        let height = usize::from(u16::from_be_bytes([high, low]));
        let width = usize::from(u16::from_be_bytes([wide, narrow]));
        if height == 0
            || width == 0
            || !matches!(count, 1 | 3)
            || rest.len() != 3 * usize::from(count)
        {
            return None;
        }
        let factors = |entry: &[u8]| [usize::from(entry[1] >> 4), usize::from(entry[1] & 15)];
        let entries: Vec<&[u8]> = rest.chunks_exact(3).collect();
        if entries.iter().flat_map(|entry| factors(entry)).any(|factor| !(1..=4).contains(&factor))
        {
            return None;
        }
        let finest = [0, 1].map(|axis| entries.iter().map(|e| factors(e)[axis]).max().unwrap_or(1));
        let units = [width.div_ceil(SIDE * finest[0]), height.div_ceil(SIDE * finest[1])];
        let mut components: Vec<Component> = Vec::with_capacity(entries.len());
        let mut bytes = width as u64 * height as u64 * entries.len() as u64;
        for entry in entries {
            let factors = factors(entry);
            // Filters are known for whole steps only.
            let is_whole = (0..2).all(|axis| finest[axis].is_multiple_of(factors[axis]));
            if !is_whole || components.iter().any(|component| component.id == entry[0]) {
                return None;
            }
            let step = [0, 1].map(|axis| finest[axis] / factors[axis]);
            let blocks = [0, 1].map(|axis| units[axis] * factors[axis]);
            let samples = (blocks[0] * SIDE) as u64 * (blocks[1] * SIDE) as u64;
            // A coefficient has two bytes.
            bytes += if is_progressive { 3 * samples } else { samples };
            components.push(Component {
                id: entry[0],
                factors,
                step,
                quantisation_index: usize::from(entry[2]),
                quantisation: None,
                width: width.div_ceil(step[0]),
                height: height.div_ceil(step[1]),
                blocks,
                samples: Vec::new(),
                coefficients: Vec::new(),
                precision: [None; 64],
            });
        }
        if bytes > limit {
            return None;
        }
        for component in &mut components {
            component.make_room(is_progressive);
        }
        Some(Self { width, height, is_progressive, components, units })
    }

    /// Turns coefficients that several scans have brought into samples. `None` where a part is missing: libjpeg would smooth it over.
    pub(super) fn transform(&mut self) -> Option<()> {
        for component in &mut self.components {
            if component.precision.iter().any(|low| *low != Some(0)) {
                return None;
            }
            if self.is_progressive {
                component.transform()?;
            }
        }
        Some(())
    }
}
