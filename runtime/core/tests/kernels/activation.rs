//! An activation to test kernels with: its numbers, its elements, and what it must give.

extern crate alloc;

use alloc::{boxed::Box, format, vec::Vec};

use headstart::kernels::Kernels;
use headstart::kernels::generic::{self, Activation, Curve, Output, Points};

#[derive(Clone, Debug)]
pub(crate) struct Function {
    factors: Vec<[f32; 2]>,
    points: Option<Vec<f32>>,
    elements: Vec<i8>,
    zero_points: [i8; 2],
}

impl Function {
    pub(crate) fn new(pixels: usize, channels: usize, lines: bool, seed: u64) -> Self {
        let mut state = seed | 1;
        let mut below = move |bound: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as usize % bound
        };
        // Most results within int8, some anywhere, and the greatest that a pack may hold.
        let mut number = |usual: f32| match below(24) {
            0 => [0.0, 1e12, -1e12, 1e-30][below(4)],
            1 => usual * (below(2000) as f32 - 1000.0),
            _ => usual * (below(2000) as f32 / 1000.0 - 0.3),
        };
        let usual = if lines { 5.0 } else { 0.01 };
        let factors = (0..channels).map(|_| [number(usual), number(60.0)]).collect();
        let points = lines.then(|| (0..1025).map(|_| number(1.0)).collect());
        let element = |at: usize| match below(8) {
            0 => [-128, 127, 0, -1][at % 4],
            _ => below(256) as u8 as i8,
        };
        let elements = (0..pixels * channels).map(element).collect();
        let zero_points = [below(256) as u8 as i8, below(256) as u8 as i8];
        Self { factors, points, elements, zero_points }
    }

    /// The results, from the formula: every step in double precision, and rounded to float32 then. So no product is part of a sum.
    fn definition(&self) -> Vec<i8> {
        let sum = |a: f32, b: f32| (f64::from(a) + f64::from(b)) as f32;
        let product = |a: f32, b: f32| (f64::from(a) * f64::from(b)) as f32;
        let result = |(&q, &[inner, outer]): (&i8, &[f32; 2])| {
            let u = product(f32::from(q) - f32::from(self.zero_points[0]), inner);
            let real = match &self.points {
                None => product(u, sum(u, 0.5).clamp(0.0, 1.0)),
                Some(points) => {
                    let t = sum(u, 512.0);
                    let line = libm::floorf(t).clamp(0.0, 1023.0);
                    let [from, to] = [0, 1].map(|next| points[line as usize + next]);
                    sum(from, product(sum(to, -from), sum(t, -line)))
                }
            };
            let rounded = libm::rint(f64::from(product(real, outer)));
            (rounded + f64::from(self.zero_points[1])).clamp(-128.0, 127.0) as i8
        };
        self.elements.iter().zip(self.factors.iter().cycle()).map(result).collect()
    }

    /// Whether all kernels, and the portable one by its own name, give what the formula says.
    pub(crate) fn check(&self, kernels: &[Kernels]) {
        let factor = |&[inner, outer]: &[f32; 2]| {
            let bytes = [inner.to_le_bytes(), outer.to_le_bytes()].concat();
            <[u8; 8]>::try_from(bytes).unwrap()
        };
        let factors: Vec<[u8; 8]> = self.factors.iter().map(factor).collect();
        let points: Option<Box<Points>> = self.points.as_ref().map(|points| {
            let bytes: Vec<[u8; 4]> = points.iter().map(|point| point.to_le_bytes()).collect();
            bytes.try_into().unwrap()
        });
        let curve = points.as_ref().map_or(Curve::HardSwish, |points| Curve::Lines(points));
        let activation = Activation { factors: &factors, curve, zero_point: self.zero_points[0] };
        let channels = factors.len();
        let to = Output {
            height: 1,
            width: self.elements.len() / channels,
            channels,
            zero_point: self.zero_points[1],
            min: i8::MIN,
            max: i8::MAX,
        };
        let expected = self.definition();
        let what = format!("{} pixels of {channels} channels", to.width);
        let mut found = self.elements.clone();
        generic::activation(&activation, to, &mut found);
        assert_eq!(found, expected, "the definition on {what}");
        for kernels in kernels {
            let mut found = self.elements.clone();
            kernels.activation(&activation, to, &mut found);
            assert_eq!(found, expected, "{} on {what}", kernels.isa());
        }
    }
}
