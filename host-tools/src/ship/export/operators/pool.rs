use headstart::graph::{AveragePool, MaxPool};
use rten_onnx::onnx::NodeProto;

use super::Outcome;
use super::attributes::{int, ints, window};

pub(super) fn write_max(pool: &MaxPool, proto: &mut NodeProto) {
    proto.attribute = window(&pool.window);
    proto.attribute.push(ints("dilations", &pool.window.dilations));
}

pub(super) fn refuse_max_indices() -> Outcome {
    Err("the places of the maxima are integers, and only floats are written")
}

pub(super) fn write_average(pool: &AveragePool, proto: &mut NodeProto) -> Outcome {
    if pool.window.dilations.iter().any(|&n| n != 1) {
        return Err("an average pool with dilations needs operator set 19");
    }
    let mut stated = pool.window.clone();
    let rounds_up = pool.ceil_extra.iter().any(|&n| n > 0);
    for (end, extra) in stated.pads_end.iter_mut().zip(&pool.ceil_extra) {
        *end -= extra;
    }
    proto.attribute = window(&stated);
    proto.attribute.push(int("ceil_mode", usize::from(rounds_up)));
    proto.attribute.push(int("count_include_pad", usize::from(pool.count_include_pad)));
    Ok(())
}
