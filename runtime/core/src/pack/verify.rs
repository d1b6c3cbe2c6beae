//! The rules that tie the manifest, the network, tail and head together.

use super::{MAX_NODES, Pack, Resize};
use crate::Error;
use crate::network::MAX_EXTENT;
use crate::record::{HeadRecord, MAX_FEATURES};

pub(super) fn verify(pack: &Pack<'_>) -> Result<(), Error> {
    verify_manifest(pack)?;
    let arena_end = pack.network.verify()?;
    if arena_end != pack.plan().arena_bytes as usize {
        return Err(Error::PlanMismatch);
    }
    verify_crossing(pack)?;
    match pack.head {
        Some(bytes) => verify_head(pack, bytes),
        None => Ok(()),
    }
}

/// What a tail reads is whole, and stays until the last node has run.
fn verify_crossing(pack: &Pack<'_>) -> Result<(), Error> {
    let Some(tail) = pack.tail() else { return Ok(()) };
    let mut elements = 0_u32;
    let mut least = 0_u32;
    for id in tail.crossing() {
        let value = pack.value(id).map_err(|_| Error::BadTail)?;
        elements = elements.checked_add(value.elements()).ok_or(Error::ShapeOverflow)?;
        if id < least || id > pack.node_count() || value.kept_rows != 0 {
            return Err(Error::BadTail);
        }
        least = id.saturating_add(1);
        let kept = value.range();
        for later in id.saturating_add(1)..=pack.node_count() {
            let range = pack.value(later)?.range();
            if range.start < kept.end && kept.start < range.end {
                return Err(Error::BadTail);
            }
        }
    }
    if elements as usize > MAX_FEATURES {
        return Err(Error::ShapeOverflow);
    }
    Ok(())
}

fn verify_head(pack: &Pack<'_>, bytes: &[u8]) -> Result<(), Error> {
    let head = HeadRecord::parse_for(bytes, &pack.digest)?;
    let expected = pack.head_inputs();
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
    let large_enough = match preprocessing.resize {
        Resize::Stretch => true,
        Resize::ShortSide(side) => side >= input.height.max(input.width) && side <= MAX_EXTENT,
    };
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
