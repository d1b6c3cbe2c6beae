//! What a pack takes of a board's flash and RAM, and whether that is there.

use headstart::graph::{Graph, elements};
use headstart::pack::Pack;
use serde::Serialize;

use super::Board;

/// Memory of a pack on a board, in bytes. What the pack plans is exact; code, static data and stack are
/// the most that the board's firmware takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The board.
    pub board: String,
    /// Flash for code and constants, at most.
    pub code_bytes: u64,
    /// Flash for the pack.
    pub pack_bytes: u64,
    /// Flash for head records.
    pub slots_bytes: u64,
    /// Flash for features of samples.
    pub log_bytes: u64,
    /// Flash that the board has.
    pub flash_bytes: u64,
    /// RAM for activations.
    pub arena_bytes: u64,
    /// RAM for weights and biases of the head.
    pub head_bytes: u64,
    /// RAM for the learner beside the head.
    pub learner_bytes: u64,
    /// RAM of a session: the three, and what a head record needs beyond the arena.
    pub session_bytes: u64,
    /// RAM for static data, at most.
    pub static_bytes: u64,
    /// RAM for the stack, at most.
    pub stack_bytes: u64,
    /// RAM that the board has.
    pub ram_bytes: u64,
    /// Multiply-accumulates of a sample.
    pub multiply_accumulates: u64,
}

impl Certificate {
    /// Of a pack of so many bytes.
    #[must_use]
    pub fn new(board: &Board, pack: &Pack<'_>, pack_bytes: usize) -> Self {
        let plan = pack.plan();
        Self {
            board: board.name.clone(),
            code_bytes: board.code_bytes,
            pack_bytes: pack_bytes as u64,
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

    /// Flash that is taken.
    #[must_use]
    pub fn flash(&self) -> u64 {
        self.code_bytes + self.pack_bytes + self.slots_bytes + self.log_bytes
    }

    /// RAM that is taken.
    #[must_use]
    pub fn ram(&self) -> u64 {
        self.session_bytes + self.static_bytes + self.stack_bytes
    }

    /// Whether the board has that much.
    ///
    /// # Errors
    ///
    /// What is missing, which layer takes most, and a smaller choice.
    pub fn check(&self, board: &Board, pack: &Pack<'_>, graph: &Graph) -> Result<(), String> {
        let record = u64::from(pack.plan().record_bytes());
        if let Some(missing) = self.ram().checked_sub(self.ram_bytes).filter(|&n| n > 0) {
            let layer = largest(graph).unwrap_or_default();
            return Err(format!(
                "{}: {missing} bytes of RAM are missing ({} of {}): activations take {}, most of them at {layer}, \
                 and the head {}; freeze before that layer, pack a smaller model, or take fewer --max-classes",
                self.board,
                self.ram(),
                self.ram_bytes,
                self.arena_bytes,
                self.head_bytes,
            ));
        }
        // A slot keeps up to 512 bytes for itself.
        if let Some(missing) = (record + 512).checked_sub(board.slot_bytes).filter(|&n| n > 0) {
            return Err(format!(
                "{}: a head record of {} classes takes {record} bytes, {missing} more than a slot of its flash holds; \
                 take fewer --max-classes, or an earlier cut with --pool 1",
                self.board,
                pack.plan().max_classes,
            ));
        }
        let room = board.flashing().map_or(u64::MAX, |flashing| flashing.pack_room.into());
        if let Some(missing) = self.pack_bytes.checked_sub(room).filter(|&n| n > 0) {
            let layer = heaviest(graph).unwrap_or_default();
            return Err(format!(
                "{}: the pack takes {}, {missing} bytes more than its flash has for one, most of it at {layer}; \
                 freeze before that layer, or pack a smaller model",
                self.board, self.pack_bytes,
            ));
        }
        if let Some(missing) = self.flash().checked_sub(self.flash_bytes).filter(|&n| n > 0) {
            let layer = heaviest(graph).unwrap_or_default();
            return Err(format!(
                "{}: {missing} bytes of flash are missing ({} of {}): the pack takes {}, most of it at {layer}; \
                 freeze before that layer, or pack a smaller model",
                self.board,
                self.flash(),
                self.flash_bytes,
                self.pack_bytes,
            ));
        }
        Ok(())
    }
}

/// The node whose operands and result are the most elements, in words.
fn largest(graph: &Graph) -> Option<String> {
    let size = |value: usize| {
        let value = &graph.values[value];
        if value.constant.is_some() { 0 } else { elements(&value.shape).unwrap_or(0) }
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
    use crate::quantise::calibrate::calibrate;
    use crate::quantise::lower::lower;
    use crate::quantise::plan::Aim;
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
        let samples: Vec<Vec<f32>> = (1..4_u8)
            .map(|sample| {
                (0..768_u16).map(|at| f32::from(at * u16::from(sample) % 13) - 6.0).collect()
            })
            .collect();
        let float = FloatGraph::new(Path::new("test"), graph).unwrap();
        let ranges = calibrate(graph, &float, &samples, 1, || ()).unwrap();
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
        let refused = |board: &Board| of(board).check(board, &pack, &graph).unwrap_err();
        let fits = |board: &Board| of(board).check(board, &pack, &graph) == Ok(());
        let says = |message: &str, parts: &[&str]| {
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        };
        let all = of(&roomy);
        assert!(fits(&roomy));

        let ram = |ram_bytes| Board { ram_bytes, ..roomy.clone() };
        assert!(fits(&ram(all.ram())));
        says(
            &refused(&ram(all.ram() - 10)),
            &["10 bytes of RAM are missing", "'wide'", "freeze before", "--max-classes"],
        );

        let record = u64::from(pack.plan().record_bytes());
        let slot = |slot_bytes| Board { slot_bytes, ..roomy.clone() };
        assert!(fits(&slot(record + 512)));
        says(
            &refused(&slot(record + 505)),
            &["head record of 4 classes", "7 more than a slot", "--max-classes", "--pool 1"],
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
