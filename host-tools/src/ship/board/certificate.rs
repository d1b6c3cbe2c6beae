//! Computes how much of a board's flash and RAM a pack takes, and whether that is there.

use headstart::graph::{Graph, elements};
use headstart::pack::Pack;
use serde::Serialize;

use super::Board;

/// Memory of a pack on a board, in bytes. What the pack plans is exact; code, static data and stack are
/// the most that the board's firmware takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The board's name.
    pub board: String,
    /// Bytes of flash for code and constants, at most.
    pub code_bytes: u64,
    /// Bytes of flash for the pack.
    pub pack_bytes: u64,
    /// Bytes of flash for another pack, which comes over the cable.
    pub second_pack_bytes: u64,
    /// Bytes of flash for head records.
    pub slots_bytes: u64,
    /// Bytes of flash for the journal and the features of samples.
    pub log_bytes: u64,
    /// Bytes of flash that the board has.
    pub flash_bytes: u64,
    /// Bytes of RAM for activations.
    pub arena_bytes: u64,
    /// Bytes of RAM for weights and biases of the head.
    pub head_bytes: u64,
    /// Bytes of RAM for the learner beside the head.
    pub learner_bytes: u64,
    /// Bytes of RAM for a session: head, learner, and the larger of activations and the longest head record.
    pub session_bytes: u64,
    /// Bytes of RAM for static data, at most.
    pub static_bytes: u64,
    /// Bytes of RAM for the stack, at most.
    pub stack_bytes: u64,
    /// Bytes of RAM that the board has.
    pub ram_bytes: u64,
    /// Multiply-accumulates of one sample.
    pub multiply_accumulates: u64,
}

impl Certificate {
    /// The certificate of a pack of so many bytes.
    #[must_use]
    pub fn new(board: &Board, pack: &Pack<'_>, pack_bytes: usize) -> Self {
        let plan = pack.plan();
        Self {
            board: board.name.clone(),
            code_bytes: board.code_bytes,
            pack_bytes: pack_bytes as u64,
            second_pack_bytes: board.flashing().map_or(0, |flashing| {
                u64::from(flashing.pack_places.saturating_sub(1)) * u64::from(flashing.pack_room)
            }),
            slots_bytes: board.slots * board.slot_bytes,
            log_bytes: board.log_bytes,
            flash_bytes: board.flash_bytes,
            arena_bytes: plan.arena_bytes.into(),
            head_bytes: plan.head_bytes.into(),
            learner_bytes: plan.learner_bytes.into(),
            session_bytes: plan.ram_bytes(),
            static_bytes: board.static_bytes,
            stack_bytes: board.stack_bytes,
            ram_bytes: board.ram_bytes,
            multiply_accumulates: pack.provenance().multiply_accumulates,
        }
    }

    /// Bytes of flash that the pack takes with all that it needs.
    #[must_use]
    pub fn flash(&self) -> u64 {
        self.code_bytes
            + self.pack_bytes
            + self.second_pack_bytes
            + self.slots_bytes
            + self.log_bytes
    }

    /// Bytes of RAM that the pack takes with all that it needs.
    #[must_use]
    pub fn ram(&self) -> u64 {
        self.session_bytes + self.static_bytes + self.stack_bytes
    }

    /// Checks that the board has as much memory as the pack takes.
    ///
    /// # Errors
    ///
    /// [`Shortage`].
    pub fn check(&self, board: &Board, pack: &Pack<'_>, graph: &Graph) -> Result<(), Shortage> {
        let (name, plan) = (self.board.clone(), pack.plan());
        if let Some(missing) = beyond(self.ram(), self.ram_bytes) {
            return Err(Shortage::Ram {
                board: name,
                missing,
                taken: self.ram(),
                of: self.ram_bytes,
                activations: self.arena_bytes,
                layer: largest(graph),
                head: self.head_bytes,
            });
        }
        // A slot keeps up to 512 bytes for itself.
        let record = u64::from(plan.record_bytes());
        if let Some(missing) = beyond(record + 512, board.slot_bytes) {
            let classes = plan.max_classes;
            return Err(Shortage::Slot { board: name, classes, record, missing });
        }
        let room = board.flashing().map_or(u64::MAX, |flashing| flashing.pack_room.into());
        if let Some(missing) = beyond(self.pack_bytes, room) {
            let (pack, layer) = (self.pack_bytes, heaviest(graph));
            return Err(Shortage::PackRoom { board: name, pack, missing, layer });
        }
        if let Some(missing) = beyond(self.flash(), self.flash_bytes) {
            return Err(Shortage::Flash {
                board: name,
                missing,
                taken: self.flash(),
                of: self.flash_bytes,
                pack: self.pack_bytes,
                layer: heaviest(graph),
            });
        }
        Ok(())
    }
}

/// What of `taken` is more than there is.
fn beyond(taken: u64, there: u64) -> Option<u64> {
    taken.checked_sub(there).filter(|&missing| missing > 0)
}

/// Shortage of memory on a board for a pack, in bytes: which layer takes most of it, and a smaller choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Shortage {
    /// The board has too little RAM.
    #[error(
        "{board}: {missing} bytes of RAM are missing ({taken} of {of}): activations take {activations}{}, and the \
         head {head}; freeze before that layer, pack a smaller model, or take fewer classes",
        most("most of them", layer)
    )]
    Ram {
        /// The board's name.
        board: String,
        /// How many bytes are missing.
        missing: u64,
        /// How many bytes would be taken.
        taken: u64,
        /// How many bytes the board has.
        of: u64,
        /// How many bytes activations take.
        activations: u64,
        /// The layer with the most activations, in words; nothing for a network without one.
        layer: Option<String>,
        /// How many bytes the head takes.
        head: u64,
    },
    /// A slot of the board's flash is too small for a head record.
    #[error(
        "{board}: a head record of {classes} classes takes {record} bytes, {missing} more than a slot of its flash \
         holds; take fewer classes, or an earlier cut with a coarser grid"
    )]
    Slot {
        /// The board's name.
        board: String,
        /// The most classes of the pack.
        classes: u32,
        /// How many bytes their record takes.
        record: u64,
        /// How many bytes are missing.
        missing: u64,
    },
    /// The part of the board's flash that keeps a pack is too small.
    #[error(
        "{board}: the pack takes {pack}, {missing} bytes more than its flash has for one{}; freeze before that \
         layer, or pack a smaller model",
        most("most of it", layer)
    )]
    PackRoom {
        /// The board's name.
        board: String,
        /// How many bytes the pack takes.
        pack: u64,
        /// How many bytes are missing.
        missing: u64,
        /// The layer with the most weights, in words.
        layer: Option<String>,
    },
    /// The board has too little flash.
    #[error(
        "{board}: {missing} bytes of flash are missing ({taken} of {of}): the pack takes {pack}{}; freeze before \
         that layer, or pack a smaller model",
        most("most of it", layer)
    )]
    Flash {
        /// The board's name.
        board: String,
        /// How many bytes are missing.
        missing: u64,
        /// How many bytes would be taken.
        taken: u64,
        /// How many bytes the board has.
        of: u64,
        /// How many bytes the pack takes.
        pack: u64,
        /// The layer with the most weights, in words.
        layer: Option<String>,
    },
}

fn most(of: &str, layer: &Option<String>) -> String {
    layer.as_ref().map_or_else(String::new, |layer| format!(", {of} at {layer}"))
}

/// The node whose operands and result are the most elements, in words.
fn largest(graph: &Graph) -> Option<String> {
    let size = |value: usize| {
        let value = &graph.values[value];
        match value.constant {
            Some(_) => 0,
            None => elements(&value.shape).expect("a graph counts the elements of all it holds"),
        }
    };
    let node = graph.nodes.iter().max_by_key(|node| {
        size(node.output) + node.inputs.iter().map(|&input| size(input)).sum::<usize>()
    })?;
    Some(format!("'{}' ({:?})", node.name, graph.values[node.output].shape))
}

/// The node with the most weights, in words.
fn heaviest(graph: &Graph) -> Option<String> {
    let weights = |node: &headstart::graph::Node| {
        let constants =
            node.inputs.iter().filter_map(|&input| graph.values[input].constant.as_ref());
        constants.map(|constant| constant.len()).sum::<usize>()
    };
    let node = graph.nodes.iter().max_by_key(|node| weights(node))?;
    Some(format!("'{}' ({} weights)", node.name, weights(node)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use headstart::graph::{Conv, Op, Window};
    use headstart::pack::{Preprocessing, Provenance, Resize};

    use super::*;
    use crate::float::FloatGraph;
    use crate::quantise::calibrate::Statistics;
    use crate::quantise::lower::lower;
    use crate::quantise::plan::Aim;
    use crate::quantise::rules::Rules;
    use crate::quantise::sample::Sample;
    use crate::quantise::write::{Description, pack_bytes};

    /// Three convolutions: `wide` has the largest tensors, `heavy` the most weights.
    fn graph() -> Graph {
        let mut graph = Graph::default();
        let mut last = graph.add_value("x", vec![1, 3, 16, 16]);
        graph.inputs.push(last);
        for (name, inputs, outputs, kernel, stride) in
            [("wide", 3, 16, 1, 1), ("thin", 16, 8, 1, 4), ("heavy", 8, 64, 3, 1)]
        {
            let shape = vec![outputs, inputs, kernel, kernel];
            let weights = (0..shape.iter().product()).map(|at: usize| (at % 7) as f32 * 0.1 - 0.3);
            let weights: Vec<f32> = weights.collect();
            let weight = graph.add_constant(format!("{name}.w"), shape, weights).unwrap();
            let window = Window {
                kernel: vec![kernel; 2],
                strides: vec![stride; 2],
                dilations: vec![1; 2],
                pads_begin: vec![kernel / 2; 2],
                pads_end: vec![kernel / 2; 2],
            };
            let conv = Op::Conv(Conv { window, groups: 1 });
            last = graph.add_node(name, conv, vec![last, weight], format!("{name}.y")).unwrap();
        }
        graph.outputs.push(last);
        graph
    }

    fn pack(graph: &Graph) -> Vec<u8> {
        let sample = |of: u8| -> Vec<f32> {
            (0..768_u16).map(|at| f32::from(at * u16::from(of) % 13) - 6.0).collect()
        };
        let samples: Vec<Sample> = (1..4_u8).map(|of| sample(of).into()).collect();
        let float = FloatGraph::new(Path::new("test"), graph).unwrap();
        let seen = Statistics::gather(graph, &float, &samples, 1, || ()).unwrap();
        let ranges = seen.ranges(Rules::default());
        let description = Description {
            provenance: Provenance {
                model: "test",
                source_sha256: [0; 32],
                tool_version: "0",
                freeze_point: "heavy",
                calibration: "",
                calibration_samples: 3,
                multiply_accumulates: 1,
            },
            preprocessing: Preprocessing { resize: Resize::Stretch, mean: [0.0; 3], std: [1.0; 3] },
            max_classes: 4,
            arena: Aim::Speed,
            tail: None,
            head: None,
        };
        pack_bytes(&lower(graph, &ranges, 1).unwrap(), &description).unwrap()
    }

    #[test]
    fn a_pack_that_does_not_fit_is_refused_with_layer_missing_bytes_and_a_smaller_choice() {
        let graph = graph();
        let bytes = pack(&graph);
        let pack = Pack::open(&bytes).unwrap();
        let roomy = Board::named("pico2").unwrap();
        let of = |board: &Board| Certificate::new(board, &pack, bytes.len());
        let refused =
            |board: &Board| of(board).check(board, &pack, &graph).unwrap_err().to_string();
        let fits = |board: &Board| of(board).check(board, &pack, &graph) == Ok(());
        let says = |message: &str, parts: &[&str]| {
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        let all = of(&roomy);
        assert!(fits(&roomy));

        let flashing = roomy.flashing().unwrap();
        assert_eq!(all.second_pack_bytes, u64::from(flashing.pack_room));
        let mut single = roomy.clone();
        single.flashing.as_mut().unwrap().pack_places = 1;
        assert_eq!(of(&single).flash() + u64::from(flashing.pack_room), all.flash());

        let ram = |ram_bytes| Board { ram_bytes, ..roomy.clone() };
        assert!(fits(&ram(all.ram())));
        says(
            &refused(&ram(all.ram() - 10)),
            &[
                "10 bytes of RAM are missing",
                "most of them at 'wide'",
                "freeze before",
                "fewer classes",
            ],
        );

        let record = u64::from(pack.plan().record_bytes());
        let slot = |slot_bytes| Board { slot_bytes, ..roomy.clone() };
        assert!(fits(&slot(record + 512)));
        says(
            &refused(&slot(record + 505)),
            &["head record of 4 classes", "7 more than a slot", "fewer classes", "coarser grid"],
        );

        let room = |pack_room| {
            let mut board = roomy.clone();
            board.flashing.as_mut().unwrap().pack_room = pack_room;
            board
        };
        assert!(fits(&room(bytes.len() as u32)));
        says(
            &refused(&room(bytes.len() as u32 - 3)),
            &["3 bytes more than its flash has for one", "'heavy' (4608 weights)", "smaller model"],
        );

        let flash = |flash_bytes| Board { flash_bytes, ..roomy.clone() };
        assert!(fits(&flash(all.flash())));
        says(
            &refused(&flash(all.flash() - 5)),
            &["5 bytes of flash are missing", "'heavy' (4608 weights)", "freeze before"],
        );
    }
}
