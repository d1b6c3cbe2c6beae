//! What a model costs before and while it runs, and how much of that is accepted: files come from anywhere, and one of
//! a few hundred bytes can ask for hours.
//!
//! A model may cost more the more weights it holds: whoever sends a hundred megabytes of them gets the time for a large
//! network, and a small file does not. What is accepted for small files is far above what they need.

use headstart::graph::{Graph, Node, Op, ValueId};

use crate::error::{Problem, TooCostly};

/// Most nodes of the graph that a file becomes; the largest networks for pictures have two thousand.
pub(super) const MAX_GRAPH_NODES: usize = 8192;

/// Most operands of one node.
pub(super) const MAX_NODE_OPERANDS: usize = 1024;

/// Most operations of one sample, whatever the model: sums of them stay far from what 64 bits hold.
const MAX_OPERATIONS: u64 = 1 << 44;

/// An amount that is accepted for any model, and more of it for each weight in the file.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    any: u64,
    a_weight: u64,
}

impl Allowance {
    const fn of(self, weights: u64) -> u64 {
        self.any.saturating_add(self.a_weight.saturating_mul(weights))
    }
}

/// Elements of constants that are not in the file: filled, turned to real numbers, folded. Real models have about as
/// many as weights.
const MADE: Allowance = Allowance { any: 1 << 23, a_weight: 4 };

/// Operations on what is known before the model runs. Moving each weight a few times is what real models need.
const FOLDED: Allowance = Allowance { any: 1 << 29, a_weight: 256 };

/// Operations for one sample. A U-Net for 512 × 512 pixels has 7,000 a weight, a classifier a few hundred.
const RUN: Allowance = Allowance { any: 1 << 30, a_weight: 1 << 13 };

/// Elements of tensors that are there at the same time, for one sample.
const ALIVE: Allowance = Allowance { any: 1 << 24, a_weight: 4 };

/// Elements of all tensors of a sample, where all are kept to be compared.
const KEPT: Allowance = Allowance { any: 1 << 27, a_weight: 16 };

/// Products that an element that is made, or that a window sees, takes the time of. Those of groups take longer than others, too.
const AN_ELEMENT: u64 = 16;
const A_GROUPED_PRODUCT: u64 = 4;

/// Weights of all nodes, those that nodes share counted for each.
const READ: Allowance = Allowance { any: 1 << 23, a_weight: 4 };

/// Elements that constants beside the file's may have, for a file of so many weights.
pub(super) fn made(weights: u64) -> u64 {
    MADE.of(weights)
}

/// Elements of known tensors that may be read, for a file of so many weights.
pub(super) fn folded(weights: u64) -> u64 {
    FOLDED.of(weights) / AN_ELEMENT
}

/// Refuses a graph that would take long before any sample is there: nodes of known operands are computed when the graph
/// is simplified. `weights` is how many elements the constants of its file have.
///
/// # Errors
///
/// [`Problem::Node`] with the node that costs most, and what.
pub(super) fn check_constants(graph: &Graph, weights: u64) -> Result<(), Problem> {
    let depends = graph.depends_on_inputs();
    let known = || graph.nodes.iter().filter(|node| !depends[node.output]);
    let folded = "export the model with its constants folded, or without this node";
    let refuse = |(node, cost): (&Node, u64), what: &str, most: u64, advice: &str| Problem::Node {
        node: node.name.clone(),
        operator: node.op.name().to_owned(),
        what: format!(
            "{what}: {cost} here; at most {most} in all are accepted for a file of {weights} weights: {advice}"
        ),
    };
    let most = MADE.of(weights);
    if let Some(node) = past(known(), |node| elements(graph, node.output), most) {
        return Err(refuse(
            node,
            "is known before the model runs and has many elements",
            most,
            folded,
        ));
    }
    let most = FOLDED.of(weights);
    if let Some(node) = past(known(), |node| operations(graph, node), most) {
        return Err(refuse(
            node,
            "is computed before the model runs, by many operations",
            most,
            folded,
        ));
    }
    if let Some(node) = past(graph.nodes.iter(), |node| operations(graph, node), MAX_OPERATIONS) {
        return Err(refuse(
            node,
            "takes many operations",
            MAX_OPERATIONS,
            "export it for smaller inputs, or without this node",
        ));
    }
    Ok(())
}

/// Refuses to run a part of a model that would take minutes or gigabytes a sample.
///
/// # Errors
///
/// The node that costs most, and what.
pub(super) fn check_run(graph: &Graph, weights: u64) -> Result<(), TooCostly> {
    let refuse = |(node, found): (&Node, u64), what, limit| TooCostly {
        node: node.name.clone(),
        operator: node.op.name(),
        what,
        found,
        limit,
        weights,
    };
    let nodes = || graph.nodes.iter();
    let most = RUN.of(weights);
    if let Some(node) = past(nodes(), |node| operations(graph, node), most) {
        return Err(refuse(node, "operations for one sample", most));
    }
    let most = READ.of(weights);
    let read = |node: &Node| {
        let constants = node.inputs.iter().filter(|&&id| graph.values[id].constant.is_some());
        constants.map(|&id| elements(graph, id)).sum()
    };
    if let Some(node) = past(nodes(), read, most) {
        return Err(refuse(node, "weights", most));
    }
    let most = ALIVE.of(weights);
    match most_alive(graph) {
        Some((node, found)) if found > most => {
            Err(refuse((node, found), "elements of tensors at the same time", most))
        }
        _ => Ok(()),
    }
}

/// Refuses to keep all tensors of a sample where they take gigabytes.
///
/// # Errors
///
/// The node that costs most, and what.
pub(super) fn check_kept(graph: &Graph, weights: u64) -> Result<(), TooCostly> {
    let limit = KEPT.of(weights);
    match past(graph.nodes.iter(), |node| elements(graph, node.output), limit) {
        None => Ok(()),
        Some((node, found)) => Err(TooCostly {
            node: node.name.clone(),
            operator: node.op.name(),
            what: "elements of all tensors",
            found,
            limit,
            weights,
        }),
    }
}

/// The node that costs most, if all of them cost more than `most`.
fn past<'a>(
    nodes: impl Iterator<Item = &'a Node>,
    cost: impl Fn(&Node) -> u64,
    most: u64,
) -> Option<(&'a Node, u64)> {
    let (mut total, mut worst) = (0_u64, None);
    for node in nodes {
        let cost = cost(node);
        total = total.saturating_add(cost);
        if worst.is_none_or(|(_, most)| cost > most) {
            worst = Some((node, cost));
        }
    }
    worst.filter(|_| total > most)
}

fn elements(graph: &Graph, id: ValueId) -> u64 {
    graph.values[id].shape.iter().fold(1, |product, &n| product.saturating_mul(n as u64))
}

/// Products, elements that windows see, and elements that are read and made.
fn operations(graph: &Graph, node: &Node) -> u64 {
    let made = elements(graph, node.output);
    let seen = match &node.op {
        Op::MaxPool(pool) => taps(&pool.window.kernel).saturating_mul(AN_ELEMENT),
        Op::MaxPoolIndices(pool) => taps(&pool.window.kernel).saturating_mul(AN_ELEMENT),
        Op::AveragePool(pool) => taps(&pool.window.kernel).saturating_mul(AN_ELEMENT),
        // A product with a matrix of shares an axis.
        Op::Resize(_) => graph.values[node.inputs[0]].shape.iter().skip(2).map(|&n| n as u64).sum(),
        _ => AN_ELEMENT,
    };
    let grouped = matches!(&node.op, Op::Conv(conv) if conv.groups > 1);
    let read = node.inputs.iter().fold(0_u64, |sum, &id| sum.saturating_add(elements(graph, id)));
    graph
        .multiply_accumulates(node)
        .saturating_mul(if grouped { A_GROUPED_PRODUCT } else { 1 })
        .saturating_add(made.saturating_mul(seen))
        .saturating_add(read)
}

fn taps(kernel: &[usize]) -> u64 {
    kernel.iter().fold(1, |product, &n| product.saturating_mul(n as u64))
}

/// The most elements of computed tensors that are there at the same time, inputs included, and the node at which they are.
pub(crate) fn most_alive(graph: &Graph) -> Option<(&Node, u64)> {
    let mut last_read = vec![0; graph.values.len()];
    for (index, node) in graph.nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&input| last_read[input] = index);
    }
    graph.outputs.iter().for_each(|&output| last_read[output] = graph.nodes.len());
    let mut freed = vec![0_u64; graph.nodes.len() + 1];
    let mut free = |id: ValueId, at: usize| freed[at] += elements(graph, id);
    let mut alive: u64 = 0;
    for &input in &graph.inputs {
        alive = alive.saturating_add(elements(graph, input));
        free(input, last_read[input]);
    }
    for (index, node) in graph.nodes.iter().enumerate() {
        free(node.output, last_read[node.output].max(index));
    }
    let mut most = None;
    for (index, node) in graph.nodes.iter().enumerate() {
        // What a window reads is copied with its padding around it.
        let padded = if node.op.facts().slides_window { padded(graph, node) } else { 0 };
        alive = alive.saturating_add(elements(graph, node.output));
        let here = alive.saturating_add(padded);
        if most.is_none_or(|(_, found)| here > found) {
            most = Some((node, here));
        }
        alive = alive.saturating_sub(freed[index]);
    }
    most
}

/// Elements of a window's operand with its padding.
fn padded(graph: &Graph, node: &Node) -> u64 {
    let window = match &node.op {
        Op::Conv(conv) => &conv.window,
        Op::MaxPool(pool) => &pool.window,
        Op::MaxPoolIndices(pool) => &pool.window,
        Op::AveragePool(pool) => &pool.window,
        _ => return 0,
    };
    let shape = &graph.values[node.inputs[0]].shape;
    let pads = window.pads_begin.iter().zip(&window.pads_end).map(|(a, b)| a.saturating_add(*b));
    let own = shape.iter().take(2).map(|&n| n as u64);
    let spatial = shape.iter().skip(2).zip(pads).map(|(&n, pad)| n.saturating_add(pad) as u64);
    own.chain(spatial).fold(1, u64::saturating_mul)
}

#[cfg(test)]
mod tests {
    use headstart::graph::{Activation, Binary, Conv, MaxPool, Window};

    use super::*;

    fn relu() -> Op {
        Op::Activation(Activation::Relu)
    }

    /// `x [1, 1, extent, extent]`, and a constant of that shape.
    fn graph(extent: usize) -> (Graph, ValueId, ValueId) {
        let mut graph = Graph::default();
        let x = graph.add_value("x", vec![1, 1, extent, extent]);
        graph.inputs.push(x);
        let data = vec![1.0; extent * extent];
        let known = graph.add_constant("known", vec![1, 1, extent, extent], data).unwrap();
        (graph, x, known)
    }

    #[test]
    fn what_is_known_may_cost_what_its_weights_allow() {
        let (mut graph, x, known) = graph(512);
        let mut window = Window::new(&[255, 255]);
        window.pads_begin = vec![127; 2];
        window.pads_end = vec![127; 2];
        let pool =
            graph.add_node("pool", Op::MaxPool(MaxPool { window }), vec![known], "p").unwrap();
        let y = graph.add_node("sum", Op::Binary(Binary::Add), vec![x, pool], "y").unwrap();
        graph.outputs.push(y);
        // 2^18 results of 255² elements each.
        let refused = check_constants(&graph, 1 << 18).unwrap_err().to_string();
        assert!(
            refused.contains("\"pool\" (MaxPool)") && refused.contains("272734879744"),
            "{refused}"
        );
        check_constants(&graph, 1 << 31).unwrap();
        assert!(check_run(&graph, 0).unwrap_err().to_string().contains("'pool'"));
    }

    #[test]
    fn many_small_nodes_are_as_much_as_one_large() {
        let (mut graph, x, mut known) = graph(1024);
        for index in 0..20 {
            known = graph
                .add_node(format!("r{index}"), relu(), vec![known], format!("k{index}"))
                .unwrap();
        }
        let y = graph.add_node("sum", Op::Binary(Binary::Add), vec![x, known], "y").unwrap();
        graph.outputs.push(y);
        assert!(check_constants(&graph, 1 << 20).is_err(), "20 tensors from one");
        check_constants(&graph, 20 << 20).unwrap();
    }

    #[test]
    fn a_run_is_refused_by_operations_by_shared_weights_and_by_memory() {
        let (mut graph, x, _) = graph(1024);
        let weight = graph.add_constant("w", vec![1, 1, 3, 3], vec![1.0; 9]).unwrap();
        let mut window = Window::new(&[3, 3]);
        window.pads_begin = vec![1; 2];
        window.pads_end = vec![1; 2];
        let mut y = x;
        for index in 0..400 {
            let conv = Op::Conv(Conv { window: window.clone(), groups: 1 });
            y = graph
                .add_node(format!("c{index}"), conv, vec![y, weight], format!("y{index}"))
                .unwrap();
        }
        graph.outputs.push(y);
        assert_eq!(check_run(&graph, 9).unwrap_err().what, "operations for one sample");
        assert_eq!(most_alive(&graph).unwrap().1, 2 * 1024 * 1024 + 1026 * 1026);

        let (mut graph, x, known) = self::graph(1024);
        let mut y = x;
        for index in 0..9 {
            y = graph
                .add_node(
                    format!("s{index}"),
                    Op::Binary(Binary::Add),
                    vec![y, known],
                    format!("y{index}"),
                )
                .unwrap();
        }
        graph.outputs.push(y);
        assert_eq!(check_run(&graph, 0).unwrap_err().what, "weights");
        check_run(&graph, 1 << 20).unwrap();

        let (mut graph, x, _) = self::graph(4096);
        let y = graph.add_node("relu", relu(), vec![x], "y").unwrap();
        graph.outputs.push(y);
        assert_eq!(check_run(&graph, 0).unwrap_err().what, "elements of tensors at the same time");
    }
}
