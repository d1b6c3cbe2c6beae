//! The classes of a head, as reports show them.

use headstart_device::Head;
use serde::Serialize;

use crate::output;

/// A class, and the samples that it was learned from; for places, the pictures that show it.
#[derive(Serialize)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) samples: u32,
}

/// Those of a head, in its order.
pub(super) fn of(head: &Head) -> Vec<Class> {
    let counts = head.samples().iter().copied();
    let classes = head.labels().iter().cloned().zip(counts);
    classes.map(|(name, samples)| Class { name, samples }).collect()
}

/// The same for a reader; `samples` says what they are.
pub(super) fn table(classes: &[Class], samples: &str) -> String {
    let rows = classes.iter().map(|class| vec![class.name.clone(), class.samples.to_string()]);
    output::table(&["class", samples], rows)
}
