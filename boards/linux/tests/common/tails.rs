//! Packs with a part that is trained, and what they are taught.

use headstart::graph::{Activation, Conv, Graph, Op, Window};
use headstart::pack::{Pack, TailStorage};
use headstart::tail::{emit, emit_per_place};
use headstart_device::segmentation::Mask;
use image::{Rgb, RgbImage};

use super::{BLUE, Bench, GREEN, RED, tiny_pack, weights, with_tail};

const COLOURS: [[u8; 3]; 3] = [RED, GREEN, BLUE];
/// Of the pictures with masks.
pub(crate) const SIDE: u32 = 16;

/// A convolution of the 2×2 features to six channels, a ReLU, another to four, and their means.
pub(crate) fn tail() -> Graph {
    let window = Window::new(&[1; 2]);
    let conv = || Op::Conv(Conv { window: window.clone(), groups: 1 });
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 2, 2]);
    graph.inputs.push(x);
    let first = graph.add_constant("features.1.weight", vec![6, 3, 1, 1], weights(18)).unwrap();
    let second = graph.add_constant("features.2.weight", vec![4, 6, 1, 1], weights(24)).unwrap();
    let x = graph.add_node("/features/features.1/Conv", conv(), vec![x, first], "a").unwrap();
    let relu = Op::Activation(Activation::Relu);
    let x = graph.add_node("relu", relu, vec![x], "b").unwrap();
    let x = graph.add_node("/features/features.2/Conv", conv(), vec![x, second], "c").unwrap();
    let x = graph.add_node("mean", Op::GlobalAveragePool, vec![x], "d").unwrap();
    graph.outputs.push(x);
    graph
}

/// The tiny pack with that tail.
pub(crate) fn bench_with_tail() -> Bench {
    let bench = Bench::new();
    let bytes = std::fs::read(&bench.pack).unwrap();
    let max_classes = Pack::open(&bytes).unwrap().plan().max_classes;
    let section = emit(&tail(), &[1], TailStorage::F32).unwrap();
    std::fs::write(&bench.pack, with_tail(&bytes, max_classes, section).unwrap()).unwrap();
    bench.colours("data", 0, 12);
    bench.colours("test", 100, 4);
    bench
}

/// The tiny pack with a tail for every place: six channels of the 4×4 map of colours, for three classes.
pub(crate) fn bench_with_decoder() -> Bench {
    let window = Window::new(&[1; 2]);
    let mut graph = Graph::default();
    let x = graph.add_value("x", vec![1, 3, 4, 4]);
    graph.inputs.push(x);
    let weight = graph.add_constant("decoder.weight", vec![6, 3, 1, 1], weights(18)).unwrap();
    let conv = Op::Conv(Conv { window, groups: 1 });
    let x = graph.add_node("decoder", conv, vec![x, weight], "a").unwrap();
    let relu = Op::Activation(Activation::LeakyRelu { alpha: 0.1 });
    let x = graph.add_node("relu", relu, vec![x], "b").unwrap();
    graph.outputs.push(x);

    let bench = Bench::new();
    let section = emit_per_place(&graph, &[1], TailStorage::F32).unwrap();
    let pack = with_tail(&tiny_pack(4, None), 3, section).unwrap();
    std::fs::write(&bench.pack, pack).unwrap();
    bench.scenes("data", 0, 12);
    bench.scenes("test", 100, 4);
    bench
}

impl Bench {
    /// Pictures of one colour left and another right, with the numbers of the colours as masks.
    pub(crate) fn scenes(&self, data: &str, first: usize, count: usize) {
        for part in ["images", "masks"] {
            std::fs::create_dir_all(self.path(data).join(part)).unwrap();
        }
        std::fs::write(self.path(data).join("classes.txt"), "red\ngreen\nblue\n").unwrap();
        for number in first..first + count {
            let border = 4 * (1 + number as u32 % 3);
            let class = |x: u32| (number / 3 + usize::from(x >= border)) % 3;
            let picture = RgbImage::from_fn(SIDE, SIDE, |x, y| {
                Rgb(COLOURS[class(x)]
                    .map(|level| level + (x * 7 + y * 5 + number as u32) as u8 % 50))
            });
            picture.save(self.path(data).join(format!("images/{number}.png"))).unwrap();
            let classes = (0..SIDE * SIDE).map(|at| class(at % SIDE) as u8).collect();
            self.mask(data, number, &Mask::new(SIDE as usize, SIDE as usize, classes));
        }
    }

    pub(crate) fn mask(&self, data: &str, number: usize, mask: &Mask) {
        let path = self.path(data).join(format!("masks/{number}.png"));
        std::fs::write(path, mask.encode().unwrap()).unwrap();
    }
}
