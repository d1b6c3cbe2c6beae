//! How pixels become input values, as a pack says it.

use headstart::graph::Scale;
use headstart::pack::{Filter, Input, Preprocessing, Resize};

use super::error::{Error, Usage};
use super::options::PreprocessOptions;
use crate::import::model::Model;
use crate::quantise::inputs;

/// What is asked for, before the model's input is known.
#[derive(Debug)]
pub(super) struct Wanted {
    preprocessing: Preprocessing,
    /// Whether the shorter side is 8/7 of the input: torchvision's 256 for 224, and timm's `crop_pct` of 0.875.
    with_margin: bool,
}

impl Wanted {
    /// The same for a model of this input.
    pub(super) fn of(self, input: &Input) -> Preprocessing {
        let Self { mut preprocessing, with_margin } = self;
        if let (true, Resize::StretchBy(filter)) = (with_margin, preprocessing.resize) {
            // `floor(side / 0.875)`.
            let side = u64::from(input.height.max(input.width)) * 8 / 7;
            let side = u32::try_from(side).unwrap_or(u32::MAX);
            preprocessing.resize = Resize::ShortSideBy(side, filter);
        }
        preprocessing
    }
}

/// Mean and standard deviation in pixel units. `imagenet` and the transforms: the channel statistics of torchvision's
/// models, times 255.
fn named(name: &str) -> ([f32; 3], [f32; 3]) {
    match name {
        "imagenet" | "torchvision" | "timm" => ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
        "tf" => ([127.5; 3], [127.5; 3]),
        "unit" => ([0.0; 3], [255.0; 3]),
        _ => ([0.0; 3], [1.0; 3]),
    }
}

/// What is asked for, for this model.
pub(super) fn of_model(wanted: Wanted, model: &Model) -> Result<Preprocessing, Error> {
    if !wanted.with_margin {
        return Ok(wanted.preprocessing);
    }
    let input = inputs::describe(&model.path, &model.imported.graph, wanted.preprocessing)?;
    Ok(wanted.of(&input))
}

/// Names and numbers of what an input may be scaled to, by what the option calls them.
const PRESETS: [&str; 4] = ["raw", "unit", "tf", "imagenet"];

/// Refuses a scale that leaves the input's own one: most of the pixels' range would be cut off, or most of the input's unused.
///
/// A model without a scale of its own takes any. `raw` is also what is said of samples that are no pictures: it is refused where
/// `of_pictures` says that there are some.
pub(super) fn check_scale(
    model: &Model,
    preprocessing: &Preprocessing,
    of_pictures: bool,
) -> Result<(), Error> {
    let graph = &model.imported.graph;
    let input = &graph.values[graph.inputs[0]];
    let Some(Scale::Tensor { scale, zero_point }) = &input.scale else { return Ok(()) };
    let is_raw = preprocessing.mean == [0.0; 3] && preprocessing.std == [1.0; 3];
    let dims = input.shape.get(1..).unwrap_or_default();
    if (is_raw && !of_pictures) || dims.len() != 3 {
        return Ok(());
    }
    let end = |q: i8| (f32::from(q) - f32::from(*zero_point)) * scale;
    let own = [end(i8::MIN), end(i8::MAX)];
    let given = range(preprocessing.mean, preprocessing.std);
    if fits(own, given) {
        return Ok(());
    }
    let fitting = PRESETS.iter().filter(|name| fits(own, scaled(name)));
    let best =
        fitting.max_by(|a, b| agreement(own, scaled(a)).total_cmp(&agreement(own, scaled(b))));
    let (model, preset) = (model.path.clone(), best.copied());
    Err(Usage::OtherScale { model, own, given, preset }.into())
}

fn scaled(name: &str) -> [f32; 2] {
    let (mean, std) = named(name);
    range(mean, std)
}

/// The least and the greatest value that a pixel may become.
fn range(mean: [f32; 3], std: [f32; 3]) -> [f32; 2] {
    let ends = mean.iter().zip(&std).flat_map(|(m, s)| [-m / s, (255.0 - m) / s]);
    ends.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
}

/// The part of both ranges together that they share.
fn agreement(a: [f32; 2], b: [f32; 2]) -> f32 {
    let shared = (a[1].min(b[1]) - a[0].max(b[0])).max(0.0);
    shared / (a[1].max(b[1]) - a[0].min(b[0]))
}

/// Whether a preprocessing fits an input: most of what pixels become lies inside its own range, and fills a part of it. Quantisers that leave
/// out the rarest values, and photos without black or white, make that range smaller; none makes it four times as wide.
fn fits(own: [f32; 2], given: [f32; 2]) -> bool {
    let shared = own[1].min(given[1]) - own[0].max(given[0]);
    shared >= 0.6 * (given[1] - given[0]) && shared >= 0.25 * (own[1] - own[0])
}

/// The name of a filter.
pub(super) fn name(filter: Filter) -> &'static str {
    match filter {
        Filter::PilBilinear => "pil-bilinear",
        Filter::PilBicubic => "pil-bicubic",
        Filter::OpenCvBilinear => "opencv-bilinear",
        Filter::OpenCvBicubic => "opencv-bicubic",
        Filter::OpenCvArea => "opencv-area",
    }
}

fn filter(options: &PreprocessOptions) -> Option<Filter> {
    let of_transform = match options.preprocess.as_deref() {
        Some("torchvision") => Some(Filter::PilBilinear),
        Some("timm") => Some(Filter::PilBicubic),
        _ => None,
    };
    options.filter.or(of_transform)
}

pub(super) fn wanted(options: &PreprocessOptions) -> Result<Wanted, Usage> {
    let resize = match (options.resize, filter(options)) {
        (None, None) => Resize::Stretch,
        (None, Some(filter)) => Resize::StretchBy(filter),
        (Some(side), None) => Resize::ShortSide(side),
        (Some(side), Some(filter)) => Resize::ShortSideBy(side, filter),
    };
    let name = options.preprocess.as_deref();
    if let Some(other) = name.filter(|name| !PreprocessOptions::NAMES.contains(name)) {
        return Err(Usage::PreprocessingName(other.to_owned()));
    }
    if name.is_some() && (options.mean.is_some() || options.std.is_some()) {
        return Err(Usage::NameAndNumbers);
    }
    let with_margin = options.resize.is_none() && matches!(name, Some("torchvision" | "timm"));
    if let Some(name) = name {
        let (mean, std) = named(name);
        return Ok(Wanted { preprocessing: Preprocessing { resize, mean, std }, with_margin });
    }
    let (Some(mean), Some(std)) = (&options.mean, &options.std) else {
        return Err(Usage::NoPreprocessing);
    };
    let (mean, std) = (three("mean", mean)?, three("std", std)?);
    if std.contains(&0.0) {
        return Err(Usage::ZeroDeviation);
    }
    Ok(Wanted { preprocessing: Preprocessing { resize, mean, std }, with_margin })
}

fn three(setting: &'static str, list: &[f32]) -> Result<[f32; 3], Usage> {
    match *list {
        [a] if a.is_finite() => Ok([a; 3]),
        [a, b, c] if list.iter().all(|v| v.is_finite()) => Ok([a, b, c]),
        _ => Err(Usage::NotNumbers(setting)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(
        name: Option<&str>,
        mean: Option<Vec<f32>>,
        std: Option<Vec<f32>>,
    ) -> PreprocessOptions {
        PreprocessOptions {
            preprocess: name.map(Into::into),
            mean,
            std,
            resize: None,
            filter: None,
        }
    }

    #[test]
    fn names_and_numbers_mean_what_the_frameworks_mean() {
        let tf = wanted(&args(Some("tf"), None, None)).unwrap().preprocessing;
        assert_eq!((tf.mean, tf.std), ([127.5; 3], [127.5; 3]));
        let own = wanted(&args(None, Some(vec![1.0]), Some(vec![2.0, 3.0, 4.0])));
        let own = own.unwrap().preprocessing;
        assert_eq!((own.mean, own.std), ([1.0; 3], [2.0, 3.0, 4.0]));
    }

    #[test]
    fn a_transform_is_its_size_its_filter_and_its_numbers() {
        let of = |args: &PreprocessOptions, height, width| {
            let wanted = wanted(args).unwrap();
            let (channels, channels_first) = (3, true);
            let preprocessing = wanted.preprocessing;
            wanted.of(&Input { height, width, channels, channels_first, preprocessing })
        };
        let torchvision = args(Some("torchvision"), None, None);
        let found = of(&torchvision, 224, 224);
        assert_eq!(found.resize, Resize::ShortSideBy(256, Filter::PilBilinear));
        assert_eq!(found.mean, [123.675, 116.28, 103.53]);
        let timm = args(Some("timm"), None, None);
        // As `math.floor(size / 0.875)` in Python.
        for (size, side) in [(224, 256), (299, 341), (160, 182), (96, 109)] {
            let expected = Resize::ShortSideBy(side, Filter::PilBicubic);
            assert_eq!(of(&timm, size, size / 2).resize, expected);
        }
        let own = PreprocessOptions { resize: Some(235), ..timm.clone() };
        assert_eq!(of(&own, 224, 224).resize, Resize::ShortSideBy(235, Filter::PilBicubic));
        let area = PreprocessOptions {
            filter: Some(Filter::OpenCvArea),
            ..args(Some("unit"), None, None)
        };
        assert_eq!(of(&area, 96, 96).resize, Resize::StretchBy(Filter::OpenCvArea));
    }

    #[test]
    fn a_range_fits_where_most_of_it_is_used_and_little_is_cut_off() {
        let (raw, unit, tf) = (scaled("raw"), scaled("unit"), scaled("tf"));
        assert_eq!((raw, unit, tf), ([0.0, 255.0], [0.0, 1.0], [-1.0, 1.0]));
        for (own, given, expected) in [
            (raw, tf, false),
            (tf, raw, false),
            (unit, raw, false),
            (raw, unit, false),
            (unit, tf, false),
            ([-0.9, 0.95], tf, true),
            // Quantised on dark photos, and by percentiles.
            ([-1.9, 1.2], scaled("imagenet"), true),
            ([-1.0, 0.4], tf, true),
        ] {
            assert_eq!(fits(own, given), expected, "{own:?} {given:?}");
        }
    }

    #[test]
    fn what_cannot_normalise_is_refused() {
        for broken in [
            args(None, None, None),
            args(None, Some(vec![1.0]), None),
            args(None, Some(vec![1.0, 2.0]), Some(vec![1.0])),
            args(None, Some(vec![f32::NAN]), Some(vec![1.0])),
            args(None, Some(vec![0.0]), Some(vec![0.0])),
            args(Some("imagenet"), Some(vec![1.0]), None),
            args(Some("imagine"), None, None),
        ] {
            assert!(wanted(&broken).is_err(), "{broken:?}");
        }
    }
}
