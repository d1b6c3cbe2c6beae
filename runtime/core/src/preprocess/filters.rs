//! The filters of other libraries, by name: which source pixels a target pixel reads, with integer weights.
//!
//! A network sees pictures in training as its framework resizes them. These are the same numbers as those of Pillow 13 (bit by
//! bit) and of OpenCV 5 (one level apart where it rounds in another place).

use crate::pack::Filter;

/// What Pillow's weights are multiples of one part of: `PRECISION_BITS` of its `Resample.c`.
const PIL_BITS: u32 = 22;
/// What OpenCV's weights are multiples of one part of: `INTER_RESIZE_COEF_BITS`.
const OPENCV_BITS: u32 = 11;
/// OpenCV's areas are float32; so many bits tell a part of the largest picture.
const AREA_BITS: u32 = 20;

/// One axis of a resize by such a filter: `source` pixels to `target`, of which those from `offset` are used.
pub(super) struct FilterAxis {
    pub(super) filter: Filter,
    pub(super) source: usize,
    pub(super) target: usize,
    pub(super) offset: usize,
    /// Whether the picture shrinks, or keeps its size, on both axes: OpenCV's areas are such only then.
    pub(super) shrinks: bool,
}

/// What one target pixel reads: `count` pixels from `first`, which may lie before the picture's first or behind its last and then
/// is that one.
#[derive(Clone, Copy)]
pub(super) struct FilterTaps {
    pub(super) first: isize,
    pub(super) count: usize,
    /// The target pixel's middle, or for areas its beginning, in source pixels.
    place: f64,
    /// Divides Pillow's weights, so that they sum to 1.
    total: f64,
}

/// Bits of one weight.
pub(super) fn bits(filter: Filter) -> u32 {
    match filter {
        Filter::PilBilinear | Filter::PilBicubic => PIL_BITS,
        Filter::OpenCvBilinear | Filter::OpenCvBicubic => OPENCV_BITS,
        Filter::OpenCvArea => AREA_BITS,
    }
}

/// Whether what comes of the rows is rounded to levels before columns are put together.
pub(super) fn rounds_between(filter: Filter) -> bool {
    matches!(filter, Filter::PilBilinear | Filter::PilBicubic)
}

impl FilterAxis {
    fn scale(&self) -> f64 {
        self.source as f64 / self.target as f64
    }

    /// How far Pillow's filters are widened.
    fn widened(&self) -> f64 {
        self.scale().max(1.0)
    }

    /// The source pixel that a place of the target lies in the middle of.
    pub(super) fn nearest(&self, index: usize) -> usize {
        let centre = ((index + self.offset) as f64 + 0.5) * self.scale();
        (centre as usize).min(self.source - 1)
    }

    pub(super) fn taps(&self, index: usize) -> FilterTaps {
        let (scale, at) = (self.scale(), (index + self.offset) as f64);
        let taps = |first: isize, count, place| FilterTaps { first, count, place, total: 1.0 };
        match self.filter {
            Filter::PilBilinear => self.pil((at + 0.5) * scale, 1.0),
            Filter::PilBicubic => self.pil((at + 0.5) * scale, 2.0),
            Filter::OpenCvBilinear => {
                let place = (at + 0.5) * scale - 0.5;
                taps(floor(place), 2, place)
            }
            Filter::OpenCvBicubic => {
                let place = (at + 0.5) * scale - 0.5;
                taps(floor(place) - 1, 4, place)
            }
            Filter::OpenCvArea if !self.shrinks => {
                let first = floor(at * scale);
                let part = (at + 1.0) - (first + 1) as f64 / scale;
                let part = if part > 0.0 { part - libm::floor(part) } else { 0.0 };
                taps(first, 2, first as f64 + part)
            }
            Filter::OpenCvArea => {
                let (begin, end) = (at * scale, (at + 1.0) * scale);
                let last = (-floor(-end)).min(self.source as isize);
                let first = floor(begin).min(last - 1);
                taps(first, (last - first).unsigned_abs(), begin)
            }
        }
    }

    /// Pixels whose middles lie within the filter's support of a place.
    fn pil(&self, place: f64, support: f64) -> FilterTaps {
        let support = support * self.widened();
        // Conversions cut off, as in C.
        let first = ((place - support + 0.5) as usize).min(self.source - 1);
        let end = ((place + support + 0.5) as usize).clamp(first + 1, self.source);
        let mut taps = FilterTaps { first: first as isize, count: end - first, place, total: 1.0 };
        let total: f64 = (0..taps.count).map(|at| self.real(&taps, at)).sum();
        if total != 0.0 {
            taps.total = total;
        }
        taps
    }

    /// The weight of tap `at`, in units of one part of 2 to the power of the filter's [`bits`].
    pub(super) fn weight(&self, taps: &FilterTaps, at: usize) -> i32 {
        let weight = self.real(taps, at) / taps.total * f64::from(1_u32 << bits(self.filter));
        (if weight < 0.0 { weight - 0.5 } else { weight + 0.5 }) as i32
    }

    fn real(&self, taps: &FilterTaps, at: usize) -> f64 {
        let pixel = (taps.first + at as isize) as f64;
        let distance = |from: f64| if from < 0.0 { -from } else { from };
        match self.filter {
            Filter::PilBilinear | Filter::PilBicubic => {
                let distance = distance((pixel - taps.place + 0.5) * (1.0 / self.widened()));
                if self.filter == Filter::PilBilinear {
                    (1.0 - distance).max(0.0)
                } else {
                    cubic(distance, -0.5)
                }
            }
            Filter::OpenCvArea if self.shrinks => {
                let (scale, begin) = (self.scale(), taps.place);
                let covered = (pixel + 1.0).min(begin + scale) - pixel.max(begin);
                covered.max(0.0) / scale
            }
            Filter::OpenCvBicubic => cubic(distance(pixel - taps.place), -0.75),
            Filter::OpenCvBilinear | Filter::OpenCvArea => {
                (1.0 - distance(pixel - taps.place)).max(0.0)
            }
        }
    }
}

/// Keys' cubic convolution (1981); `a` is its slope at 1.
fn cubic(x: f64, a: f64) -> f64 {
    if x < 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * a
    } else {
        0.0
    }
}

fn floor(x: f64) -> isize {
    libm::floor(x) as isize
}
