//! A head's record written again: in its smallest form, or with another threshold.

use headstart::head::{HeadParts, HeadRecord, LinearHead, Storage};

use crate::hidden::HiddenLayer;
use crate::training::TrainingProblem;

/// Rewrites a record with 2 bytes a weight; a hidden layer before it stays as it is. Prototypes are for a device that gets the
/// head without its samples: there, without them, a class is stood for by what its weights say.
///
/// # Errors
/// [`TrainingProblem::Samples`] for bytes that are no record of this backbone.
pub fn compact(bytes: &[u8], backbone: [u8; 32]) -> Result<Vec<u8>, TrainingProblem> {
    let centred = |weights: &mut [f32], bias: &mut [f32]| {
        centre(weights, bias.len());
        centre(bias, bias.len());
    };
    rewrite(bytes, backbone, centred, |parts| {
        (parts.storage, parts.prototypes) = (Storage::F16, None);
    })
}

/// Rewrites a record with another threshold below which answers are "unknown", 0 to 1.
///
/// # Errors
/// [`TrainingProblem::Samples`] for bytes that are no record of this backbone.
pub fn with_threshold(
    bytes: &[u8],
    backbone: [u8; 32],
    threshold: f32,
) -> Result<Vec<u8>, TrainingProblem> {
    rewrite(bytes, backbone, |_, _| {}, |parts| parts.unknown_threshold = threshold)
}

/// Takes from `[class][input]` what all classes have in common. No probability depends on it, and what is left has smaller
/// roundings: the biases of linear discriminants are some 6,000, and differ by 50.
fn centre(numbers: &mut [f32], classes: usize) {
    let inputs = numbers.len() / classes;
    for input in 0..inputs {
        let column = || (0..classes).map(|class| class * inputs + input);
        let mean = column().map(|at| f64::from(numbers[at])).sum::<f64>() / classes as f64;
        for at in column() {
            numbers[at] = (f64::from(numbers[at]) - mean) as f32;
        }
    }
}

fn rewrite(
    bytes: &[u8],
    backbone: [u8; 32],
    numbers: impl FnOnce(&mut [f32], &mut [f32]),
    change: impl FnOnce(&mut HeadParts<'_>),
) -> Result<Vec<u8>, TrainingProblem> {
    let (_, last) = HiddenLayer::split(bytes)?;
    let record = HeadRecord::parse_for(last, &backbone)?;
    let (classes, features) = (record.classes(), record.feature_len());
    let (mut weights, mut bias) = (vec![0.0; classes * features], vec![0.0; classes]);
    record.read(&mut weights, &mut bias)?;
    numbers(&mut weights, &mut bias);
    let (labels, samples): (Vec<&str>, Vec<u32>) = record.labels().zip(record.samples()).unzip();
    let mut parts = HeadParts {
        head: LinearHead::new(&weights, &bias, features)?,
        backbone_digest: backbone,
        labels: &labels,
        samples: &samples,
        learner: record.learner(),
        storage: record.storage(),
        temperature: record.temperature(),
        unknown_threshold: record.unknown_threshold(),
        held_out: record.held_out(),
        prototypes: record.prototypes(),
    };
    change(&mut parts);
    let written = parts.to_vec()?;
    let hidden = &bytes[..bytes.len() - last.len()];
    Ok([hidden, &written].concat())
}

#[cfg(test)]
mod tests {
    use headstart::head::Learner;

    use super::*;

    #[test]
    fn what_all_classes_have_in_common_is_not_rounded() {
        let parts = HeadParts {
            learner: Learner::Lda,
            ..HeadParts::new(
                LinearHead::new(&[900.5, 1.0, 901.5, -1.0], &[-70_000.0, -70_001.5], 2).unwrap(),
                [7; 32],
                &["mug", "cup"],
                &[3, 4],
            )
        };
        let bytes = parts.to_vec().unwrap();
        let smallest = compact(&bytes, [7; 32]).unwrap();
        let record = HeadRecord::parse_for(&smallest, &[7; 32]).unwrap();
        let (mut weights, mut bias) = ([0.0; 4], [0.0; 2]);
        record.read(&mut weights, &mut bias).unwrap();
        assert_eq!(record.storage(), Storage::F16);
        assert_eq!((weights, bias), ([-0.5, 1.0, 0.5, -1.0], [0.75, -0.75]));
        assert!(compact(&bytes, [8; 32]).is_err());
    }
}
