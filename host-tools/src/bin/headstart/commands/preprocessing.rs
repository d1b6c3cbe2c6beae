//! `--preprocess`, `--mean`, `--std`, `--resize` and `--crop` as a pack says them.

use headstart::pack::{Preprocessing, Resize};

use crate::cli::PreprocessArgs;
use crate::error::Error;

/// Mean and standard deviation in pixel units. `imagenet`: the channel statistics of torchvision's
/// models, times 255.
fn named(name: &str) -> ([f32; 3], [f32; 3]) {
    match name {
        "imagenet" => ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
        "tf" => ([127.5; 3], [127.5; 3]),
        "unit" => ([0.0; 3], [255.0; 3]),
        _ => ([0.0; 3], [1.0; 3]),
    }
}

pub(super) fn preprocessing(args: &PreprocessArgs) -> Result<Preprocessing, Error> {
    let resize = args.resize.map_or(Resize::Stretch, Resize::ShortSide);
    if let Some(name) = &args.preprocess {
        let (mean, std) = named(name);
        return Ok(Preprocessing { resize, mean, std });
    }
    let (Some(mean), Some(std)) = (&args.mean, &args.std) else {
        return Err(Error::Usage(
            "how pixels become input values is not known: give --preprocess \
             imagenet|tf|unit|raw, or --mean and --std (.npy samples are never preprocessed: \
             `raw` is right for them)"
                .into(),
        ));
    };
    let (mean, std) = (three("--mean", mean)?, three("--std", std)?);
    if std.contains(&0.0) {
        return Err(Error::Usage("--std: a deviation of 0 would divide by 0".into()));
    }
    Ok(Preprocessing { resize, mean, std })
}

fn three(option: &str, list: &[f32]) -> Result<[f32; 3], Error> {
    match *list {
        [a] if a.is_finite() => Ok([a; 3]),
        [a, b, c] if list.iter().all(|v| v.is_finite()) => Ok([a, b, c]),
        _ => Err(Error::Usage(format!("{option}: one or three finite numbers are needed"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(name: Option<&str>, mean: Option<Vec<f32>>, std: Option<Vec<f32>>) -> PreprocessArgs {
        PreprocessArgs { preprocess: name.map(Into::into), mean, std, resize: None, crop: false }
    }

    #[test]
    fn names_and_numbers_mean_what_the_frameworks_mean() {
        let tf = preprocessing(&args(Some("tf"), None, None)).unwrap();
        assert_eq!((tf.mean, tf.std), ([127.5; 3], [127.5; 3]));
        let own = preprocessing(&args(None, Some(vec![1.0]), Some(vec![2.0, 3.0, 4.0]))).unwrap();
        assert_eq!((own.mean, own.std), ([1.0; 3], [2.0, 3.0, 4.0]));
    }

    #[test]
    fn what_cannot_normalise_is_refused() {
        for broken in [
            args(None, None, None),
            args(None, Some(vec![1.0]), None),
            args(None, Some(vec![1.0, 2.0]), Some(vec![1.0])),
            args(None, Some(vec![f32::NAN]), Some(vec![1.0])),
            args(None, Some(vec![0.0]), Some(vec![0.0])),
        ] {
            assert!(matches!(preprocessing(&broken), Err(Error::Usage(_))), "{broken:?}");
        }
    }
}
