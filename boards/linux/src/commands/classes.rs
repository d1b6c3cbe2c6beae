//! The classes of a head, as reports show them.

use headstart_device::ClassCount;

use crate::output;

/// A table; `samples` says what they were learned from.
pub(super) fn table(classes: &[ClassCount], samples: &str) -> String {
    let rows = classes.iter().map(|class| vec![class.name.clone(), class.samples.to_string()]);
    output::table(&["class", samples], rows)
}
