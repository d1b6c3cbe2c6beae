//! Takes over a file's nodes one after another. One that cannot be taken over is a boundary, and what needs it lies behind.

use rten_onnx::onnx::{NodeProto, ValueInfoProto};

use super::attributes::NodeView;
use super::context::{Bound, Context};
use super::order::reads;
use super::{Parts, handler, quantise};
use crate::error::Problem;
use crate::import::boundaries::{Boundaries, Boundary};
use crate::import::cost::MAX_GRAPH_NODES;
use crate::import::ends::end_at;
use crate::import::finite::Finite;
use crate::import::imported::{Aliases, Data, Known, Output, Source, Tensor};
use headstart::graph::{Scale, ValueId};

/// The work in progress.
pub(super) struct Reading<'a> {
    context: Context<'a>,
    aliases: Aliases,
    boundaries: Boundaries,
    finite: Finite,
    /// What nodes that were not taken over read of the graph, for outputs.
    frontier: Vec<ValueId>,
    problem: Option<Problem>,
    /// Whether the first values of the graph depend on its inputs, and how many nodes that was asked of.
    depends: (Vec<bool>, usize),
}

impl<'a> Reading<'a> {
    /// With all inputs and constants there.
    pub(super) fn new(context: Context<'a>) -> Self {
        Self {
            context,
            aliases: Aliases::default(),
            boundaries: Boundaries::default(),
            finite: Finite::new(),
            frontier: Vec::new(),
            problem: None,
            depends: (Vec::new(), 0),
        }
    }

    /// Leaves out an input beside others.
    pub(super) fn input(
        &mut self,
        name: &str,
        problem: Problem,
        is_needed: bool,
    ) -> Result<(), Problem> {
        let number = self.boundaries.add(Boundary {
            node: name.to_owned(),
            operator: "input".to_owned(),
            reads: Vec::new(),
            why: problem.to_string(),
            is_needed,
        });
        let bound = self.context.bind(name, Bound::Behind(number));
        bound.map_err(|what| Problem::tensor(name, what))
    }

    /// Takes over a node, if it can be.
    ///
    /// # Errors
    ///
    /// [`Problem::Node`] for a result that is defined already, or a graph that becomes too large.
    pub(super) fn node(
        &mut self,
        proto: &NodeProto,
        opset: i64,
        is_needed: bool,
    ) -> Result<(), Problem> {
        let node = NodeView::new(proto, opset);
        let wrong = |what: String| Problem::Node {
            node: node.name.clone(),
            operator: node.operator().to_owned(),
            what,
        };
        let behind = proto.input.iter().find_map(|name| match self.context.find(name) {
            Some(&Bound::Behind(number)) => Some(number),
            _ => None,
        });
        if let Some(number) = behind {
            return self.put_behind(proto, &node, number, is_needed).map_err(wrong);
        }
        let mark = self.context.mark();
        let bound = match self.take_over(&node) {
            Ok(bound) => bound,
            Err(problem) => {
                self.context.go_back(mark, &proto.output);
                self.finite.forget_from(mark[0]);
                let number = self.add_boundary(proto, &node, &problem, is_needed);
                if is_needed {
                    self.problem.get_or_insert(problem);
                }
                return self.put_behind(proto, &node, number, is_needed).map_err(wrong);
            }
        };
        if self.context.graph.nodes.len() > MAX_GRAPH_NODES {
            return Err(wrong(format!(
                "makes it more than {MAX_GRAPH_NODES} nodes, those that its operators consist of counted: run a simplifier \
                 over the model, which merges and folds them"
            )));
        }
        if let Bound::Float(value) | Bound::Quantised(value, _) = bound {
            let target = &self.context.graph.values[value].name;
            if target != node.output() {
                self.aliases.insert(node.output(), target);
                self.aliases.insert(&node.name, target);
            }
        }
        self.context.bind(node.output(), bound).map_err(wrong)
    }

    fn take_over(&mut self, node: &NodeView<'_>) -> Result<Bound, Problem> {
        let wrong = |what: String| Problem::Node {
            node: node.name.clone(),
            operator: node.operator().to_owned(),
            what,
        };
        let handler = handler(node)?;
        let first = self.context.graph.nodes.len();
        self.context.take_operands(node).map_err(wrong)?;
        let bound = handler(&mut self.context, node).map_err(wrong)?;
        let graph = &self.context.graph;
        graph.nodes[first..].iter().try_for_each(|node| self.finite.check(graph, node))?;
        match bound {
            Bound::Float(value) => {
                let kind = quantise::kind_of_moved(&self.context, node).map_err(wrong)?;
                Ok(kind.map_or(bound, |kind| Bound::Quantised(value, kind)))
            }
            bound => Ok(bound),
        }
    }

    fn add_boundary(
        &mut self,
        proto: &NodeProto,
        node: &NodeView<'_>,
        problem: &Problem,
        is_needed: bool,
    ) -> usize {
        self.find_dependent();
        let depends = &self.depends.0;
        let mut read: Vec<String> = self
            .values(proto)
            .into_iter()
            .filter(|&value| depends[value])
            .map(|value| self.context.graph.values[value].name.clone())
            .collect();
        read.sort_unstable();
        read.dedup();
        self.boundaries.add(Boundary {
            node: node.name.clone(),
            operator: match node.domain() {
                "" => node.operator().to_owned(),
                domain => format!("{domain}.{}", node.operator()),
            },
            reads: read,
            why: problem.to_string(),
            is_needed,
        })
    }

    /// Finds out of the nodes that were added since whether they depend on the inputs.
    fn find_dependent(&mut self) {
        let (depends, nodes) = (&mut self.depends.0, &mut self.depends.1);
        let graph = &self.context.graph;
        depends.resize(graph.values.len(), false);
        graph.inputs.iter().for_each(|&input| depends[input] = true);
        for node in &graph.nodes[*nodes..] {
            depends[node.output] = node.inputs.iter().any(|&input| depends[input]);
        }
        *nodes = graph.nodes.len();
    }

    /// The values of the graph that a node reads.
    fn values(&self, proto: &NodeProto) -> Vec<ValueId> {
        let value = |name: &str| match self.context.find(name) {
            Some(
                &(Bound::Float(value)
                | Bound::Quantised(value, _)
                | Bound::Indices(value, _)
                | Bound::Unrounded(value, _)),
            ) => Some(value),
            _ => None,
        };
        reads(proto).into_iter().filter_map(value).collect()
    }

    fn put_behind(
        &mut self,
        proto: &NodeProto,
        node: &NodeView<'_>,
        number: usize,
        is_needed: bool,
    ) -> Result<(), String> {
        self.boundaries.put_behind(&node.name, number);
        for name in proto.output.iter().filter(|name| !name.is_empty()) {
            self.boundaries.put_behind(name, number);
            self.context.bind(name, Bound::Behind(number))?;
        }
        if is_needed {
            let values = self.values(proto);
            let count = |value: &ValueId| self.context.graph.values[*value].constant.as_ref();
            let has_weights = values.iter().filter_map(count).any(|data| data.len() > 1);
            let holds_bytes =
                |name: &String| matches!(self.context.find(name), Some(Bound::Bytes(_)));
            if has_weights || proto.input.iter().any(holds_bytes) {
                self.boundaries.has_weights(number);
            }
            self.frontier.extend(values);
        }
        Ok(())
    }

    /// All that was read. Where an output lies behind a boundary, what the boundary reads takes its place among the graph's outputs.
    ///
    /// # Errors
    ///
    /// [`Problem::Tensor`] for an output that no node defines, [`Problem::Model`] for a model without one.
    pub(super) fn finish(mut self, infos: &[ValueInfoProto]) -> Result<Parts, Problem> {
        let mut outputs = Vec::new();
        for info in infos {
            let name = info.name.as_deref().unwrap_or_default();
            let place = self.context.graph.outputs.len();
            let source = match self.context.find(name) {
                None => return Err(Problem::tensor(name, "is an output that no node defines")),
                Some(Bound::Float(_)) => Source::Floats(place),
                Some(&Bound::Indices(_, kind)) => Source::Indices(place, kind),
                Some(&Bound::Quantised(_, kind)) => Source::Quantised(place, kind),
                Some(&Bound::Unrounded(value, kind)) => {
                    self.frontier.push(value);
                    let what =
                        format!("is an output of {}, which is not rounded here", kind.name());
                    self.boundaries.add(Boundary {
                        node: name.to_owned(),
                        operator: "output".to_owned(),
                        reads: vec![self.context.graph.values[value].name.clone()],
                        why: Problem::tensor(name, what).to_string(),
                        is_needed: true,
                    });
                    Source::Behind
                }
                Some(Bound::Integers(integers)) => {
                    let data = Data::Integers(integers.data.clone(), integers.kind);
                    Source::Known(Known::Tensor(Tensor { shape: integers.shape.clone(), data }))
                }
                Some(Bound::Bytes(bytes)) => {
                    let data = Data::Bytes(bytes.data.to_vec(), bytes.kind);
                    Source::Known(Known::Tensor(Tensor { shape: bytes.shape.clone(), data }))
                }
                Some(Bound::Structure(known)) => Source::Known(known.clone()),
                Some(Bound::Other(data_type)) => {
                    return Err(Problem::tensor(name, format!("is an output of type {data_type}")));
                }
                Some(Bound::Behind(_)) => Source::Behind,
            };
            if let Some(
                &(Bound::Float(value) | Bound::Quantised(value, _) | Bound::Indices(value, _)),
            ) = self.context.find(name)
            {
                self.context.graph.outputs.push(value);
            }
            outputs.push(Output { name: name.to_owned(), source });
        }
        if outputs.is_empty() {
            return Err(Problem::Model("the model has no output".to_owned()));
        }
        // Weights alone that are held as integers make no quantised model: the device holds weights as its own rules say.
        let values = &mut self.context.graph.values;
        if !values.iter().any(|value| matches!(value.scale, Some(Scale::Tensor { .. }))) {
            values.iter_mut().for_each(|value| value.scale = None);
        }
        end_at(&mut self.context.graph, &mut outputs, self.frontier);
        Ok(Parts {
            weights: self.context.weights(),
            training: self.context.training,
            graph: self.context.graph,
            outputs,
            aliases: self.aliases,
            boundaries: self.boundaries,
            problem: self.problem,
        })
    }
}
