use headstart::graph::{Activation, Binary, Gemm, Graph, Node, Op, ValueId};

use super::depends_on_input;

/// The last layer that learns, which a new head replaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Classifier {
    /// The classifier's node: an index of the graph's nodes.
    pub node: usize,
    /// The value that the classifier reads: `[1, features]`, or a feature map if averaging follows the classifier.
    pub features: ValueId,
    /// The classifier's weights, if what follows is linear up to the final normalisation.
    pub linear: Option<Linear>,
}

/// A linear layer: `logits = weights · features + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Linear {
    /// Number of logits.
    pub classes: usize,
    /// Number of features. Those of a feature map that is averaged are its channels.
    pub features: usize,
    /// The weights, `[class][feature]`, row-major. A flattened feature map has its features in the order channel, row, column.
    pub weights: Vec<f32>,
    /// The bias of each class.
    pub bias: Vec<f32>,
}

/// Constants behind a classifier beyond which it does not count as linear: of real networks, one or two are left.
const MAX_STEPS: usize = 64;

/// A constant that was applied after the classifier.
type Step = (Binary, ValueId);

/// How a layer reads its weights.
struct Form {
    /// Whether each row of the weights is a class; else each column is.
    rows_are_classes: bool,
    /// Factor of the product.
    alpha: f32,
    /// Factor of the bias.
    beta: f32,
}

impl Form {
    const CONV: Self = Self { rows_are_classes: true, alpha: 1.0, beta: 1.0 };
    const MATMUL: Self = Self { rows_are_classes: false, alpha: 1.0, beta: 1.0 };

    fn gemm(gemm: &Gemm) -> Self {
        Self { rows_are_classes: gemm.trans_b, alpha: gemm.alpha, beta: gemm.beta }
    }
}

/// Finds the classifier: the last `Gemm`, `MatMul` or 1×1 `Conv` before the first output, seen
/// through normalisation, shapes, averaging and constants. `None` if something else comes first.
#[must_use]
pub fn find_classifier(graph: &Graph) -> Option<Classifier> {
    let depends = depends_on_input(graph);
    let mut value = *graph.outputs.first()?;
    let mut steps = Vec::new();
    let (mut normalised, mut linear) = (false, true);
    loop {
        let index = graph.producer(value)?;
        let node = &graph.nodes[index];
        let shape = |id: ValueId| graph.values[id].shape.as_slice();
        match &node.op {
            op if op.facts().gives_probabilities && steps.is_empty() => normalised = true,
            // What a quantised model does to round its logits or probabilities. Logits from 0 on would be a ReLU's.
            Op::Activation(Activation::Clip { min, max })
                if graph.values[value].scale.is_some()
                    && (*min < 0.0 && *max > 0.0 || is_normalised(graph, node.inputs[0])) => {}
            // SqueezeNet's classes are rectified and averaged before the softmax. Without one,
            // this is the end of a backbone that has no classifier.
            Op::Activation(Activation::Relu | Activation::Clip { .. }) if normalised => {
                linear = false;
            }
            Op::Reshape { .. } | Op::Transpose { .. } | Op::GlobalAveragePool => {}
            Op::ReduceMean { .. } | Op::AveragePool(_) => {}
            Op::Binary(binary) => {
                let constant_first = !depends[node.inputs[0]];
                let constant = node.inputs[usize::from(!constant_first)];
                graph.values[constant].constant.as_ref()?;
                if constant_first && matches!(binary, Binary::Sub | Binary::Div) {
                    return None;
                }
                linear &= steps.len() < MAX_STEPS;
                if linear {
                    steps.push((*binary, constant));
                }
                value = node.inputs[usize::from(constant_first)];
                continue;
            }
            Op::Gemm(gemm) if !gemm.trans_a && depends[node.inputs[0]] => {
                return Some(classifier(graph, index, linear.then(|| Form::gemm(gemm)), &steps));
            }
            Op::MatMul if depends[node.inputs[0]] && !depends[node.inputs[1]] => {
                return Some(classifier(graph, index, linear.then_some(Form::MATMUL), &steps));
            }
            Op::Conv(conv) if conv.groups == 1 && conv.window.kernel.iter().all(|&k| k == 1) => {
                let is_pixel = shape(node.inputs[0])[2..].iter().all(|&n| n == 1);
                // A 1×1 convolution of a map, averaged: a classifier only if classes follow.
                let form = linear.then_some(Form::CONV);
                return (is_pixel || normalised).then(|| classifier(graph, index, form, &steps));
            }
            Op::Conv(_)
            | Op::Gemm(_)
            | Op::MatMul
            | Op::BatchNormalization { .. }
            | Op::Activation(_)
            | Op::PRelu
            | Op::MaxPool(_)
            | Op::MaxPoolIndices(_)
            | Op::Softmax { .. }
            | Op::Concat { .. }
            | Op::Pad(_)
            | Op::Resize(_) => return None,
        }
        value = node.inputs[0];
    }
}

/// Whether a value is probabilities.
fn is_normalised(graph: &Graph, value: ValueId) -> bool {
    let producer = graph.producer(value);
    producer.is_some_and(|index| graph.nodes[index].op.facts().gives_probabilities)
}

/// Finds the layer that classifies every place of a map: the last 1×1 `Conv` before the first output, seen
/// through resizing and normalisation. `None` if the output is no map or something else comes first.
#[must_use]
pub fn find_pixel_classifier(graph: &Graph) -> Option<Classifier> {
    let mut value = *graph.outputs.first()?;
    let is_map = |id: ValueId| matches!(graph.values[id].shape[..], [1, _, h, w] if h * w > 1);
    while is_map(value) {
        let index = graph.producer(value)?;
        let node = &graph.nodes[index];
        match &node.op {
            Op::Softmax { axis: 1, flatten: false } | Op::Resize(_) => value = node.inputs[0],
            Op::Conv(conv) => {
                let window = &conv.window;
                let plain = conv.groups == 1
                    && window.kernel == [1, 1]
                    && window.strides == [1, 1]
                    && [&window.pads_begin, &window.pads_end].iter().all(|pads| **pads == [0, 0]);
                return plain.then(|| classifier(graph, index, Some(Form::CONV), &[]));
            }
            Op::BatchNormalization { .. }
            | Op::Activation(_)
            | Op::PRelu
            | Op::Binary(_)
            | Op::MaxPool(_)
            | Op::MaxPoolIndices(_)
            | Op::AveragePool(_)
            | Op::GlobalAveragePool
            | Op::ReduceMean { .. }
            | Op::Softmax { .. }
            | Op::Concat { .. }
            | Op::Pad(_)
            | Op::Reshape { .. }
            | Op::Transpose { .. }
            | Op::Gemm(_)
            | Op::MatMul => return None,
        }
    }
    None
}

/// The classifier; `form` if what follows is linear.
fn classifier(graph: &Graph, node: usize, form: Option<Form>, steps: &[Step]) -> Classifier {
    Classifier {
        node,
        features: graph.nodes[node].inputs[0],
        linear: form.and_then(|form| weights(graph, &graph.nodes[node], form, steps)),
    }
}

/// Weights and bias of a classifier with all that is applied to its result.
fn weights(graph: &Graph, node: &Node, form: Form, steps: &[Step]) -> Option<Linear> {
    let weight = &graph.values[node.inputs[1]];
    let data = weight.constant.as_ref()?;
    let [first, second] = match weight.shape[..] {
        [first, second] => [first, second],
        [first, second, ..] if weight.shape[2..].iter().all(|&n| n == 1) => [first, second],
        _ => return None,
    };
    let Form { rows_are_classes, alpha, beta } = form;
    let (classes, features) = if rows_are_classes { (first, second) } else { (second, first) };
    let at = |class: usize, feature: usize| match rows_are_classes {
        true => data[class * features + feature],
        false => data[feature * classes + class],
    };
    let each_class = |id: ValueId| -> Option<Vec<f32>> {
        match graph.values[id].constant.as_deref()? {
            &[number] => Some(vec![number; classes]),
            numbers => (numbers.len() == classes).then(|| numbers.to_vec()),
        }
    };
    let mut bias = match node.inputs.get(2) {
        Some(&bias) => each_class(bias)?,
        None => vec![0.0; classes],
    };
    bias.iter_mut().for_each(|bias| *bias *= beta);
    let mut scale = vec![alpha; classes];
    for &(binary, constant) in steps.iter().rev() {
        for (class, number) in each_class(constant)?.into_iter().enumerate() {
            match binary {
                Binary::Add => bias[class] += number,
                Binary::Sub => bias[class] -= number,
                Binary::Mul => {
                    bias[class] *= number;
                    scale[class] *= number;
                }
                Binary::Div => {
                    bias[class] /= number;
                    scale[class] /= number;
                }
            }
        }
    }
    let weights = (0..classes * features)
        .map(|i| (i / features, i % features))
        .map(|(class, feature)| at(class, feature) * scale[class])
        .collect();
    Some(Linear { classes, features, weights, bias })
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Conv, Window};

    use super::*;
    use crate::reference;

    struct Sketch(Graph);

    impl Sketch {
        fn new(shape: &[usize]) -> Self {
            let mut graph = Graph::default();
            let x = graph.add_value("x", shape.to_vec());
            graph.inputs.push(x);
            Self(graph)
        }

        fn weight(&mut self, shape: &[usize]) -> ValueId {
            let count = shape.iter().product::<usize>();
            let data = (0..count).map(|i| (i * 7 % 11) as f32 - 4.5).collect();
            self.0.add_constant("w", shape.to_vec(), data).unwrap()
        }

        fn node(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
            let name = format!("t{}", self.0.values.len());
            self.0.add_node(name.clone(), op, inputs.to_vec(), name).unwrap()
        }

        fn conv1x1(&mut self, x: ValueId, classes: usize) -> ValueId {
            let channels = self.0.values[x].shape[1];
            let weight = self.weight(&[classes, channels, 1, 1]);
            let window = Window::new(&[1; 2]);
            self.node(Op::Conv(Conv { window, groups: 1 }), &[x, weight])
        }

        fn found(&mut self, output: ValueId) -> Option<Classifier> {
            self.0.outputs = vec![output];
            find_classifier(&self.0)
        }
    }

    fn softmax() -> Op {
        Op::Softmax { axis: 1, flatten: false }
    }

    #[test]
    fn its_weights_give_the_logits_of_the_graph() {
        for trans_b in [false, true] {
            let mut sketch = Sketch::new(&[1, 5]);
            let weight = sketch.weight(if trans_b { &[3, 5] } else { &[5, 3] });
            let bias = sketch.weight(&[3]);
            let scale = sketch.weight(&[1]);
            let gemm = Op::Gemm(Gemm { alpha: 0.5, beta: 2.0, trans_a: false, trans_b });
            let y = sketch.node(gemm, &[0, weight, bias]);
            let y = sketch.node(Op::Binary(Binary::Add), &[y, bias]);
            let logits = sketch.node(Op::Binary(Binary::Mul), &[scale, y]);
            let y = sketch.node(softmax(), &[logits]);
            let found = sketch.found(y).unwrap();
            assert_eq!((found.node, found.features), (0, 0));
            let linear = found.linear.unwrap();
            assert_eq!((linear.classes, linear.features), (3, 5));

            sketch.0.outputs = vec![logits];
            let input = reference::noise(&sketch.0, 1);
            let expected = &reference::run(&sketch.0, &input)[0];
            for ((row, bias), expected) in
                linear.weights.chunks_exact(5).zip(&linear.bias).zip(expected)
            {
                let product: f32 = row.iter().zip(&input[0]).map(|(w, x)| w * x).sum();
                assert!((product + bias - expected).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn a_convolution_classifies_pixels_and_averaged_maps() {
        let mut sketch = Sketch::new(&[1, 4, 3, 3]);
        let pooled = sketch.node(Op::GlobalAveragePool, &[0]);
        let y = sketch.conv1x1(pooled, 2);
        let y = sketch.node(Op::Reshape { shape: vec![1, 2] }, &[y]);
        let found = sketch.found(y).unwrap();
        assert_eq!(found.features, pooled);
        assert!(found.linear.is_some());

        let map = sketch.conv1x1(0, 2);
        let relu = sketch.node(Op::Activation(Activation::Relu), &[map]);
        let pooled = sketch.node(Op::GlobalAveragePool, &[relu]);
        let classes = sketch.node(Op::Reshape { shape: vec![1, 2] }, &[pooled]);
        let y = sketch.node(softmax(), &[classes]);
        let found = sketch.found(y).unwrap();
        assert_eq!((found.features, found.linear), (0, None), "rectified classes");
        assert_eq!(sketch.found(classes), None, "a backbone without a classifier");
    }

    #[test]
    fn a_graph_that_ends_in_something_else_has_none() {
        let mut sketch = Sketch::new(&[1, 4, 3, 3]);
        let y = sketch.node(Op::Concat { axis: 1 }, &[0, 0]);
        assert_eq!(sketch.found(y), None);
        assert_eq!(sketch.found(0), None);
    }
}
