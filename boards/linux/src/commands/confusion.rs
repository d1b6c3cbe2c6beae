//! What is answered as what.

use headstart_device::ClassEvaluation;

use crate::output;

/// So many classes fit a screen.
const FITS: usize = 16;
/// So many mistakes are listed where they do not.
const MISTAKES: usize = 10;

/// The whole matrix where it fits a screen, else the most frequent mistakes.
pub(super) fn table(evaluation: &ClassEvaluation) -> String {
    if evaluation.classes.len() <= FITS { matrix(evaluation) } else { mistakes(evaluation) }
}

fn matrix(evaluation: &ClassEvaluation) -> String {
    let names: Vec<&str> = evaluation.classes.iter().map(|class| class.name.as_str()).collect();
    let mut header = vec!["shown \\ answered"];
    header.extend(&names);
    let rows = evaluation.confusion.iter().zip(&names).map(|(row, name)| {
        let counts = row.iter().map(|n| if *n == 0 { "·".to_owned() } else { n.to_string() });
        std::iter::once((*name).to_owned()).chain(counts).collect()
    });
    output::table(&header, rows)
}

fn mistakes(evaluation: &ClassEvaluation) -> String {
    let name = |class: usize| evaluation.classes[class].name.clone();
    let mut mistakes: Vec<(u32, usize, usize)> = Vec::new();
    for (shown, row) in evaluation.confusion.iter().enumerate() {
        for (answered, count) in row.iter().enumerate() {
            if shown != answered && *count > 0 {
                mistakes.push((*count, shown, answered));
            }
        }
    }
    mistakes.sort_unstable_by_key(|(count, shown, answered)| (u32::MAX - count, *shown, *answered));
    let rows = mistakes
        .into_iter()
        .take(MISTAKES)
        .map(|(count, shown, answered)| vec![name(shown), name(answered), count.to_string()]);
    output::table(&["shown", "answered", "samples"], rows)
}
