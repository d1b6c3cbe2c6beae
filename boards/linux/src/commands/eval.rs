//! `eval`: how often the head is right.

use std::path::Path;
use std::process::ExitCode;

use headstart_device::extract::Job;
use headstart_device::samples::{Dataset, Problem};
use headstart_device::segmentation::is_per_place;
use headstart_device::state;
use headstart_device::{Answer, Error};
use serde::Serialize;

use crate::cli::Eval;
use crate::output::{self, Report};

#[derive(Serialize)]
struct Evaluation {
    /// Share of samples whose most probable class is the right one, "unknown" or not.
    accuracy: f64,
    samples: usize,
    /// Share of samples whose probability is below the threshold.
    unknown: f64,
    /// Classes that were shown or answered.
    classes: Vec<Class>,
    /// `confusion[shown][answered]`, in the order of `classes`.
    confusion: Vec<Vec<u32>>,
}

#[derive(Serialize)]
struct Class {
    name: String,
    samples: u32,
    /// Of the answers with this class, the share that was right; `null` without any.
    precision: Option<f64>,
    /// Of the samples of this class, the share that was answered right; `null` without any.
    recall: Option<f64>,
}

pub(crate) fn run(args: &Eval) -> anyhow::Result<ExitCode> {
    let file = super::pack_file(&args.common.pack, args.state.as_deref())?;
    let (pack, counter) = file.trusted()?;
    let head = super::required_head(args.state.as_deref(), &file, &pack)?;
    super::keep_counter(&file, args.state.as_deref(), counter)?;
    let refuse = |problem| Error::State { path: args.common.pack.clone(), problem };
    let backend = args.backend.choose().map_err(refuse)?;
    if is_per_place(&pack) {
        return super::segmentation::eval(args, backend, &pack, &head);
    }
    if args.overlays.is_some() {
        return Err(refuse(state::Problem::OfPlaces("--overlays")).into());
    }
    let mut data = Dataset::labelled(&args.selection.data)?;
    output::warn_skipped(&data.skipped);
    if let Some(limit) = args.selection.limit {
        data.limit(limit as usize, args.selection.seed);
    }
    let truth = known_classes(&data, head.labels())
        .map_err(|problem| Error::Sample { path: args.selection.data.clone(), problem })?;

    let paths: Vec<&Path> = data.samples.iter().map(|s| s.path.as_path()).collect();
    let bar = output::progress("evaluating", paths.len());
    let extraction = super::warned(args.compute.with(backend).open(pack));
    let job = Job { extraction: &extraction, views: 1, done: &|| bar.inc(1) };
    let answers = job.all(
        &paths,
        |_| true,
        |file, features| {
            head.answer(features)
                .map_err(|problem| Error::Pack { path: file.path().to_owned(), problem })
        },
    );
    bar.finish_and_clear();
    let shown: Vec<usize> = data.samples.iter().map(|s| truth[s.label]).collect();
    output::print(&Evaluation::new(&shown, &answers?, head.labels()), args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// The head's class for each of the data's.
fn known_classes(data: &Dataset, labels: &[String]) -> Result<Vec<usize>, Problem> {
    let found: Vec<Option<usize>> =
        data.classes.iter().map(|name| labels.iter().position(|label| label == name)).collect();
    let names = data.classes.iter().zip(&found);
    let unknown: Vec<&str> =
        names.filter(|(_, class)| class.is_none()).map(|(name, _)| name.as_str()).collect();
    if unknown.is_empty() {
        Ok(found.into_iter().flatten().collect())
    } else {
        Err(Problem::UnknownClasses(unknown.join(", ")))
    }
}

impl Evaluation {
    fn new(shown: &[usize], answers: &[Answer], labels: &[String]) -> Self {
        let mut used = vec![false; labels.len()];
        for class in shown.iter().copied().chain(answers.iter().map(|a| a.class)) {
            used[class] = true;
        }
        let mut place = vec![0; labels.len()];
        let names: Vec<&String> =
            labels.iter().zip(&used).filter(|(_, u)| **u).map(|(l, _)| l).collect();
        for (at, (class, _)) in used.iter().enumerate().filter(|(_, used)| **used).enumerate() {
            place[class] = at;
        }
        let mut confusion = vec![vec![0_u32; names.len()]; names.len()];
        for (class, answer) in shown.iter().zip(answers) {
            confusion[place[*class]][place[answer.class]] += 1;
        }
        let share = |part: u32, whole: u32| (whole > 0).then(|| f64::from(part) / f64::from(whole));
        let classes = names.into_iter().enumerate().map(|(at, name)| {
            let samples = confusion[at].iter().sum();
            let answered = confusion.iter().map(|row| row[at]).sum();
            let right = confusion[at][at];
            let (precision, recall) = (share(right, answered), share(right, samples));
            Class { name: name.clone(), samples, precision, recall }
        });
        let classes = classes.collect();
        let of_all = |count: usize| count as f64 / shown.len() as f64;
        let right = shown.iter().zip(answers).filter(|(class, a)| **class == a.class).count();
        Self {
            accuracy: of_all(right),
            samples: shown.len(),
            unknown: of_all(answers.iter().filter(|a| a.unknown).count()),
            classes,
            confusion,
        }
    }

    /// The whole matrix where it fits a screen, else the ten most frequent mistakes.
    fn confusion_text(&self) -> String {
        const FITS: usize = 16;
        let name = |class: usize| self.classes[class].name.clone();
        if self.classes.len() <= FITS {
            let names: Vec<String> = (0..self.classes.len()).map(name).collect();
            let mut header = vec!["shown \\ answered"];
            header.extend(names.iter().map(String::as_str));
            let rows = self.confusion.iter().zip(&names).map(|(row, name)| {
                let counts =
                    row.iter().map(|n| if *n == 0 { "·".to_owned() } else { n.to_string() });
                std::iter::once(name.clone()).chain(counts).collect()
            });
            return output::table(&header, rows);
        }
        let mut mistakes: Vec<(u32, usize, usize)> = Vec::new();
        for (shown, row) in self.confusion.iter().enumerate() {
            for (answered, count) in row.iter().enumerate() {
                if shown != answered && *count > 0 {
                    mistakes.push((*count, shown, answered));
                }
            }
        }
        mistakes
            .sort_unstable_by_key(|(count, shown, answered)| (u32::MAX - count, *shown, *answered));
        let rows = mistakes
            .into_iter()
            .take(10)
            .map(|(count, shown, answered)| vec![name(shown), name(answered), count.to_string()]);
        output::table(&["shown", "answered", "samples"], rows)
    }
}

impl Report for Evaluation {
    fn text(&self) -> String {
        let rows = self.classes.iter().map(|class| {
            vec![
                class.name.clone(),
                class.samples.to_string(),
                output::percent(class.precision),
                output::percent(class.recall),
            ]
        });
        format!(
            "accuracy {} on {} samples; {} called unknown\n\n{}\n\n{}",
            output::percent(Some(self.accuracy)),
            output::thousands(self.samples),
            output::percent(Some(self.unknown)),
            output::table(&["class", "samples", "precision", "recall"], rows),
            self.confusion_text()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(class: usize, unknown: bool) -> Answer {
        Answer { class, probability: 0.5, unknown }
    }

    #[test]
    fn counts_precision_and_recall_are_those_of_the_matrix() {
        let labels = ["a", "unused", "b", "c"].map(str::to_owned);
        let answers = [answer(0, false), answer(2, false), answer(2, true), answer(3, true)];
        let result = Evaluation::new(&[0, 0, 2, 2], &answers, &labels);
        assert_eq!((result.accuracy, result.samples, result.unknown), (0.5, 4, 0.5));
        assert_eq!(result.confusion, [[1, 1, 0], [0, 1, 1], [0, 0, 0]]);
        let shares: Vec<_> = result
            .classes
            .iter()
            .map(|c| (c.name.as_str(), c.samples, c.precision, c.recall))
            .collect();
        assert_eq!(
            shares,
            [
                ("a", 2, Some(1.0), Some(0.5)),
                ("b", 2, Some(0.5), Some(0.5)),
                ("c", 0, Some(0.0), None)
            ]
        );
        assert!(result.text().contains("accuracy 50.0 % on 4 samples"));
    }

    #[test]
    fn the_classes_that_the_head_does_not_know_are_named() {
        let data = Dataset {
            classes: ["a", "x", "y"].map(str::to_owned).to_vec(),
            samples: Vec::new(),
            skipped: Vec::new(),
        };
        let problem = known_classes(&data, &["b".to_owned(), "a".to_owned()]).unwrap_err();
        assert!(problem.to_string().contains("(x, y)"));
    }
}
