//! Which source pixels a target pixel reads, and with what weights.

/// One axis of the resize: `source` pixels scaled to `target`, of which those from `offset` are used.
pub(super) struct Axis {
    source: usize,
    scale: f32,
    support: f32,
    offset: u32,
}

impl Axis {
    pub(super) fn new(source: usize, target: u32, offset: u32) -> Self {
        let scale = source as f32 / target as f32;
        Self { source, scale, support: if scale > 1.0 { scale } else { 1.0 }, offset }
    }

    /// Whether every target pixel is a source pixel.
    pub(super) fn keeps(&self) -> bool {
        self.scale == 1.0
    }

    /// Whether every target pixel reads two source pixels at most.
    pub(super) fn enlarges(&self) -> bool {
        self.scale <= 1.0
    }

    /// The first source pixel of the target's, where the axis [keeps](Self::keeps) its pixels.
    pub(super) fn first(&self) -> usize {
        self.offset as usize
    }

    /// The source pixel that the target's middle lies in.
    pub(super) fn nearest(&self, index: usize) -> usize {
        let centre = ((index + self.offset as usize) as f32 + 0.5) * self.scale;
        (centre as usize).min(self.source - 1)
    }

    pub(super) fn taps(&self, index: usize) -> Taps {
        let centre = ((index + self.offset as usize) as f32 + 0.5) * self.scale;
        let first = ((centre - self.support) as usize).min(self.source - 1);
        let end = ((centre + self.support) as usize + 1).min(self.source);
        let mut taps = Taps { first, end, centre, support: self.support };
        // Pixels of weight 0 add nothing.
        while taps.end - taps.first > 1 && taps.weight(taps.first) == 0.0 {
            taps.first += 1;
        }
        while taps.end - taps.first > 1 && taps.weight(taps.end - 1) == 0.0 {
            taps.end -= 1;
        }
        taps
    }
}

/// The source pixels of one target pixel on one axis.
pub(super) struct Taps {
    pub(super) first: usize,
    pub(super) end: usize,
    centre: f32,
    support: f32,
}

impl Taps {
    pub(super) fn weight(&self, index: usize) -> f32 {
        let distance = index as f32 + 0.5 - self.centre;
        let distance = if distance < 0.0 { -distance } else { distance };
        let weight = 1.0 - distance / self.support;
        if weight > 0.0 { weight } else { 0.0 }
    }

    pub(super) fn total(&self) -> f32 {
        (self.first..self.end).map(|index| self.weight(index)).sum()
    }
}
