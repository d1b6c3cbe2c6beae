//! The rules that tie the manifest, the network, tail and head together.

use super::{MAX_NODES, Pack, TailSection};
use crate::Error;
use crate::network::{MAX_EXTENT, Network};
use crate::record::{HeadRecord, MAX_FEATURES};

/// Gives the number of features.
pub(super) fn verify(pack: &Pack<'_>) -> Result<u32, Error> {
    verify_manifest(pack)?;
    let arena_end = pack.network.verify()?;
    if arena_end != pack.plan().arena_bytes as usize {
        return Err(Error::PlanMismatch);
    }
    let (features, inputs) = match pack.tail() {
        Some(tail) => (verify_crossing(&pack.network, tail)?, tail.head_inputs),
        None => pack.feature_value().map(|last| (last.elements(), last.elements()))?,
    };
    if let Some(bytes) = pack.head {
        verify_head(pack, bytes, inputs as usize)?;
    }
    Ok(features)
}

/// What a tail reads is whole, and stays until the last node has run. Gives its elements.
fn verify_crossing(network: &Network<'_>, tail: &TailSection<'_>) -> Result<u32, Error> {
    let (mut elements, mut least) = (0_u32, 0_u32);
    for id in tail.crossing() {
        let value = network.value(id).map_err(|_| Error::BadTail)?;
        let kept = value.range();
        let stays = |later| {
            let range = network.value(later).map_or(kept.clone(), |value| value.range());
            range.end <= kept.start || kept.end <= range.start
        };
        if id < least
            || value.kept_rows != 0
            || !(id.saturating_add(1)..=network.node_count()).all(stays)
        {
            return Err(Error::BadTail);
        }
        elements = elements.saturating_add(value.elements());
        least = id.saturating_add(1);
    }
    if elements as usize > MAX_FEATURES {
        return Err(Error::ShapeOverflow);
    }
    Ok(elements)
}

fn verify_head(pack: &Pack<'_>, bytes: &[u8], expected: usize) -> Result<(), Error> {
    let head = HeadRecord::parse_for(bytes, &pack.digest)?;
    if head.feature_len() != expected {
        return Err(Error::BufferLength { expected, found: head.feature_len() });
    }
    if head.classes() > pack.plan().max_classes as usize {
        return Err(Error::PlanMismatch);
    }
    Ok(())
}

fn verify_manifest(pack: &Pack<'_>) -> Result<(), Error> {
    let nodes = pack.node_count();
    // A tail may read the input itself.
    if (nodes == 0 && pack.tail().is_none()) || nodes > MAX_NODES {
        return Err(Error::ShapeOverflow);
    }
    if !pack.network.is_whole() {
        return Err(Error::BadManifest);
    }
    let (input, first) = (pack.input(), pack.value(0)?);
    let preprocessing = &input.preprocessing;
    let finite = preprocessing.mean.iter().chain(&preprocessing.std).all(|v| v.is_finite());
    let large_enough = preprocessing
        .resize
        .short_side()
        .is_none_or(|side| side >= input.height.max(input.width) && side <= MAX_EXTENT);
    if (input.height, input.width, input.channels) != (first.height, first.width, first.channels)
        || !finite
        || preprocessing.std.contains(&0.0)
        || !large_enough
    {
        return Err(Error::BadManifest);
    }
    let plan = pack.plan();
    let features = match pack.tail() {
        Some(tail) => tail.head_inputs,
        None => pack.feature_value()?.elements(),
    };
    if super::Plan::new(plan.arena_bytes, features, plan.max_classes) != Some(*plan) {
        return Err(Error::PlanMismatch);
    }
    Ok(())
}
