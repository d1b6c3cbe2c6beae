//! `learn`, `predict` and `eval` where the pack answers a class for each place of a picture.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::Context;
use headstart::pack::{Pack, Resize};
use headstart_device::engine::Backend;
use headstart_device::extract::Job;
use headstart_device::samples::{Decoded, InputShape, Problem, SampleFile, SampleId};
use headstart_device::segmentation::{Mask, Pair, Pairs, Score, VOID, overlay, row_len};
use headstart_device::state::{self, Commit, FeatureCache, Insertion, StateFolder};
use headstart_device::{Error, Head, PackFile};
use image::RgbImage;
use serde::Serialize;

use super::classes::{self, Class};
use crate::cli::{Eval, Learn, Predict};
use crate::output::{self, Report};

#[derive(Serialize)]
struct Learned {
    /// Pictures that were learned from, those of earlier calls included.
    samples: usize,
    new_samples: usize,
    /// Pictures that were there with another mask: the newest stands.
    corrected_samples: usize,
    skipped_files: usize,
    seconds: f64,
    training_seconds: f64,
    peak_rss_bytes: u64,
    /// Share of the held-out pictures' places that are answered as most of their pixels are.
    held_out_accuracy: Option<f64>,
    classes: Vec<Class>,
    head_bytes: usize,
    /// Why the head was not made current; `null` where it was.
    rejected: Option<String>,
}

/// Trains the tail and the layer of classes on pictures and their masks.
pub(super) fn learn(
    args: &Learn,
    backend: Option<Backend>,
    file: &PackFile,
) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let (pack, counter) = file.trusted()?;
    let digest = pack.backbone_digest();
    let at_state = |problem| Error::State { path: args.state.clone(), problem };
    for (given, option) in [
        (args.views.is_some(), "--views"),
        (!args.report.is_empty(), "--report"),
        (args.max_bytes.is_some(), "--max-bytes"),
        (args.kept_bits.is_some(), "--kept-bits"),
    ] {
        if given {
            return Err(at_state(state::Problem::NotOfPlaces(option)).into());
        }
    }
    let limit = args.selection.limit.map(|limit| limit as usize);
    let data = Pairs::read(&args.selection.data, limit, args.selection.seed)?;
    output::warn_skipped(&data.skipped);
    let folder = StateFolder::new(&args.state);
    let of_pack = super::pack_head(file, &pack)?;
    let load = || -> Result<(Option<Head>, FeatureCache, Vec<String>), Error> {
        let of_state = super::state_head(&folder, &pack)?;
        let cache = folder.features(&digest, row_len(&pack))?;
        if of_state.is_some() && cache.is_none() {
            return Err(at_state(state::Problem::NoFeatures));
        }
        let known = of_state.as_ref().or(of_pack.as_ref()).map(|head| head.labels().to_vec());
        let names = names(args, &pack, &data, known)?;
        Ok((of_state, cache.unwrap_or_else(|| FeatureCache::new(row_len(&pack))), names))
    };
    // Before the lock, so that a refused call leaves no folder behind.
    let paths: Vec<&Path> = data.pairs.iter().map(|pair| pair.picture.as_path()).collect();
    folder.refuse_files(&load()?.1, &paths, None)?;
    let lock = folder.lock()?;
    file.raise_counter(counter, &lock)?;
    let (of_state, mut cache, names) = load()?;
    cache.order(&names);
    let known = cache.clone();

    let (mut new_samples, mut corrected_samples) = (0, 0);
    for (id, label, mask, features) in extract(args, backend, pack, &data.pairs, &cache)? {
        match features {
            Some(features) => {
                let row = [&features[..], &mask].concat();
                new_samples += usize::from(cache.insert(id, label, &row) == Insertion::New);
            }
            None => {
                cache.label(&id, label);
                corrected_samples += usize::from(cache.set_end(&id, &mask) == Some(true));
            }
        }
    }
    cache.order(&names);

    let training = Instant::now();
    let record = super::tail::train(args, backend, &cache, &pack, of_pack.as_ref(), &lock)
        .map_err(at_state)?;
    let training_seconds = training.elapsed().as_secs_f64();
    let head = Head::parse_for(&folder.head_path(), &record, &pack)?;
    let rejected = match &of_state {
        Some(before) if !args.force => {
            super::tail::setback(args, &known, &cache, &pack, [before, &head]).map_err(at_state)?
        }
        _ => None,
    };
    match &rejected {
        Some(reason) => lock.reject(&Commit::new(0, reason, &cache, &record), &digest)?,
        None => lock.commit(&cache, &digest, &record, "learn")?,
    }
    drop(lock);
    let report = Learned {
        samples: cache.len(),
        new_samples,
        corrected_samples,
        skipped_files: data.skipped.len(),
        seconds: start.elapsed().as_secs_f64(),
        training_seconds,
        peak_rss_bytes: super::bench::peak_rss_bytes()?,
        held_out_accuracy: head.held_out_accuracy(),
        classes: classes::of(&head),
        head_bytes: record.len(),
        rejected,
    };
    output::print(&report, args.common.json)?;
    Ok(ExitCode::from(u8::from(report.rejected.is_some())))
}

/// Names of the classes, from 0 on: those that are known, else the data's, else numbers.
fn names(
    args: &Learn,
    pack: &Pack<'_>,
    data: &Pairs,
    known: Option<Vec<String>>,
) -> Result<Vec<String>, Error> {
    let classes = pack.plan().max_classes as usize;
    let of_data = data.names.as_ref();
    if let Some(found) = of_data.map(Vec::len).filter(|&found| found != classes) {
        let path = args.selection.data.join("classes.txt");
        return Err(Error::Sample { path, problem: Problem::ClassCount { found, classes } });
    }
    let numbers = || (0..classes).map(|class| format!("class {class}")).collect();
    Ok(known.or_else(|| of_data.cloned()).unwrap_or_else(numbers))
}

/// A picture's name, its most frequent class but the background, its mask at the input's size, and its features
/// unless they are cached.
type Extracted = (SampleId, u16, Vec<i8>, Option<Vec<i8>>);

fn extract(
    args: &Learn,
    backend: Option<Backend>,
    pack: Pack<'_>,
    pairs: &[Pair],
    cache: &FeatureCache,
) -> Result<Vec<Extracted>, Error> {
    let paths: Vec<&Path> = pairs.iter().map(|pair| pair.picture.as_path()).collect();
    let bar = output::progress("reading", paths.len());
    let backend = backend.filter(|backend| backend.is_on_gpu());
    let extraction = super::warned(args.compute.with(backend).open_exact(pack));
    let job = Job { extraction: &extraction, views: 1, done: &|| bar.inc(1) };
    let is_new = |file: &SampleFile| !cache.contains(&file.id());
    let extracted = job.all(&paths, is_new, |file, features| {
        let mask = mask_of(&pack, pairs, file, &decoded(&pack, file)?)?;
        let mask = mask.at_input(pack.input()).map_err(of(file))?;
        let mut counts = [0_usize; 256];
        mask.classes().iter().for_each(|&class| counts[usize::from(class)] += 1);
        let label = (1..usize::from(VOID)).max_by_key(|&class| (counts[class], 256 - class));
        let label = label.filter(|&class| counts[class] > 0).unwrap_or(0) as u16;
        let mask: Vec<i8> = mask.classes().iter().map(|class| class.cast_signed()).collect();
        let features = (!features.is_empty()).then(|| features.to_vec());
        Ok((file.id(), label, mask, features))
    });
    bar.finish_and_clear();
    extracted
}

/// The runtime's error as one of that file.
fn of(file: &SampleFile) -> impl Fn(headstart::Error) -> Error {
    |problem| Error::Pack { path: file.path().to_owned(), problem }
}

fn decoded(pack: &Pack<'_>, file: &SampleFile) -> Result<Decoded, Error> {
    file.decode(&InputShape::from(pack.input()))
}

/// A picture's mask, which is as large as the picture.
fn mask_of(
    pack: &Pack<'_>,
    pairs: &[Pair],
    file: &SampleFile,
    decoded: &Decoded,
) -> Result<Mask, Error> {
    // Pictures are sorted by their names.
    let place = pairs.binary_search_by(|pair| {
        pair.picture.as_os_str().as_encoded_bytes().cmp(file.path().as_os_str().as_encoded_bytes())
    });
    let path = place.map(|at| pairs[at].mask.as_path()).unwrap_or(file.path());
    let mask = Mask::read(path, pack.plan().max_classes as usize)?;
    let picture = decoded.size(&InputShape::from(pack.input()));
    if mask.size() != picture {
        let problem = Problem::MaskSize { mask: mask.size(), picture };
        return Err(Error::Sample { path: path.to_owned(), problem });
    }
    Ok(mask)
}

/// The answer for a picture of these rows and columns, as large as it.
fn answer(
    pack: &Pack<'_>,
    head: &Head,
    features: &[i8],
    size: [usize; 2],
) -> Result<Mask, headstart::Error> {
    let input = pack.input();
    let whole = matches!(input.preprocessing.resize, Resize::Stretch);
    let seen = if whole { size } else { [input.height as usize, input.width as usize] };
    let mask = head.mask(features, seen)?.ok_or(headstart::Error::BadTail)?;
    if whole { Ok(mask) } else { mask.onto_picture(input, size) }
}

#[derive(Serialize)]
struct Predictions {
    files: Vec<Prediction>,
}

#[derive(Serialize)]
struct Prediction {
    file: String,
    /// Where the answer was written; `null` for a file that was refused.
    mask: Option<PathBuf>,
    /// Shares of the picture's pixels, by class; those without an answer are none.
    shares: Vec<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Share {
    name: String,
    share: f64,
}

/// Writes the answers for files as masks.
pub(super) fn predict(
    args: &Predict,
    backend: Option<Backend>,
    pack: &Pack<'_>,
    head: &Head,
) -> anyhow::Result<ExitCode> {
    let no_masks =
        || Error::State { path: args.common.pack.clone(), problem: state::Problem::NoMasks };
    let folder = args.masks.as_deref().ok_or_else(no_masks)?;
    let paths: Vec<&Path> = args.files.iter().map(AsRef::as_ref).collect();
    outputs(folder, &paths, &paths)?;
    let bar = output::progress("predicting", paths.len());
    let extraction = super::warned(args.compute.with(backend).open(*pack));
    let job = Job { extraction: &extraction, views: 1, done: &|| bar.inc(1) };
    let answers = job.one_by_one(&paths, |file, features| {
        let size = decoded(pack, file)?.size(&InputShape::from(pack.input()));
        let mask = answer(pack, head, features, size).map_err(of(file))?;
        let path = output(folder, file.path());
        write(&path, mask.encode())?;
        Ok((path, mask))
    });
    bar.finish_and_clear();
    let (status, files) = super::rows(&paths, answers, |file, answer| match answer {
        Ok((path, mask)) => {
            let shares = shares(&mask, head.labels());
            Prediction { file, mask: Some(path), shares, error: None }
        }
        Err(error) => {
            Prediction { file, mask: None, shares: Vec::new(), error: Some(error.to_string()) }
        }
    });
    output::print(&Predictions { files }, args.common.json)?;
    Ok(ExitCode::from(status))
}

fn shares(mask: &Mask, labels: &[String]) -> Vec<Share> {
    let count = |class: usize| mask.classes().iter().filter(|&&c| usize::from(c) == class).count();
    let all = mask.classes().len() as f64;
    let share = |(class, name): (usize, &String)| {
        let share = count(class) as f64 / all;
        Share { name: name.clone(), share }
    };
    labels.iter().enumerate().map(share).filter(|share| share.share > 0.0).collect()
}

/// Where the answer for a picture goes.
fn output(folder: &Path, picture: &Path) -> PathBuf {
    folder.join(picture.file_stem().unwrap_or_default()).with_added_extension("png")
}

/// Makes the folder, and makes sure that no answer goes over one of the `inputs` or over another answer.
fn outputs(folder: &Path, pictures: &[&Path], inputs: &[&Path]) -> anyhow::Result<()> {
    let whole = |path: &Path| path.canonicalize().ok();
    let inputs: HashSet<PathBuf> = inputs.iter().filter_map(|path| whole(path)).collect();
    let mut taken = HashSet::new();
    for picture in pictures {
        let path = output(folder, picture);
        let over_input = whole(&path).is_some_and(|path| inputs.contains(&path));
        if over_input || !taken.insert(path.clone()) {
            let problem = Problem::WrittenOver { picture: picture.to_path_buf() };
            return Err(Error::Sample { path, problem }.into());
        }
    }
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())
}

fn write(path: &Path, content: Result<Vec<u8>, String>) -> Result<(), Error> {
    let failed = |reason| Error::Machine { path: path.to_owned(), action: "writing", reason };
    let content = content.map_err(|e| failed(std::io::Error::other(e)))?;
    std::fs::write(path, content).map_err(failed)
}

#[derive(Serialize)]
struct Evaluation {
    /// Intersection over union, the mean over the classes that occur or are answered.
    mean_iou: Option<f64>,
    /// Share of pixels that are answered right.
    pixel_accuracy: Option<f64>,
    samples: usize,
    pixels: u64,
    classes: Vec<ClassScore>,
}

#[derive(Serialize)]
struct ClassScore {
    name: String,
    pixels: u64,
    /// `null` where the class neither occurs nor is answered.
    iou: Option<f64>,
}

/// Compares answers with masks, at the masks' size.
pub(super) fn eval(
    args: &Eval,
    backend: Option<Backend>,
    pack: &Pack<'_>,
    head: &Head,
) -> anyhow::Result<ExitCode> {
    let limit = args.selection.limit.map(|limit| limit as usize);
    let data = Pairs::read(&args.selection.data, limit, args.selection.seed)?;
    output::warn_skipped(&data.skipped);
    let paths: Vec<&Path> = data.pairs.iter().map(|pair| pair.picture.as_path()).collect();
    if let Some(folder) = &args.overlays {
        let masks = data.pairs.iter().map(|pair| pair.mask.as_path());
        outputs(folder, &paths, &masks.chain(paths.iter().copied()).collect::<Vec<_>>())?;
    }
    let bar = output::progress("evaluating", paths.len());
    let extraction = super::warned(args.compute.with(backend).open(*pack));
    let job = Job { extraction: &extraction, views: 1, done: &|| bar.inc(1) };
    let classes = head.labels().len();
    let score = Mutex::new(Score::new(classes));
    let compare = |file: &SampleFile, features: &[i8]| {
        let picture = decoded(pack, file)?;
        let truth = mask_of(pack, &data.pairs, file, &picture)?;
        let size = picture.size(&InputShape::from(pack.input()));
        let mask = answer(pack, head, features, size).map_err(of(file))?;
        score.lock().unwrap_or_else(|e| e.into_inner()).add(&truth, &mask);
        if let Some(folder) = &args.overlays {
            write_overlay(&output(folder, file.path()), &picture, &mask)?;
        }
        Ok(())
    };
    job.all(&paths, |_| true, compare)?;
    bar.finish_and_clear();
    let score = score.into_inner().unwrap_or_else(|e| e.into_inner());
    let of_class = |(class, name): (usize, &String)| ClassScore {
        name: name.clone(),
        pixels: score.of_class(class),
        iou: score.iou(class),
    };
    let evaluation = Evaluation {
        mean_iou: score.mean_iou(),
        pixel_accuracy: score.accuracy(),
        samples: data.pairs.len(),
        pixels: score.total(),
        classes: head.labels().iter().enumerate().map(of_class).collect(),
    };
    output::print(&evaluation, args.common.json)?;
    Ok(ExitCode::SUCCESS)
}

/// The answer over its picture; an array has no picture to show.
fn write_overlay(path: &Path, decoded: &Decoded, mask: &Mask) -> Result<(), Error> {
    let Decoded::Pixels { width, height, channels, bytes } = decoded else { return Ok(()) };
    let colours = match channels {
        1 => bytes.iter().flat_map(|&level| [level; 3]).collect(),
        _ => bytes.clone(),
    };
    let Some(picture) = RgbImage::from_raw(*width as u32, *height as u32, colours) else {
        return Ok(());
    };
    let failed = |e: image::ImageError| Error::Machine {
        path: path.to_owned(),
        action: "writing",
        reason: std::io::Error::other(e),
    };
    overlay(&picture, mask).save(path).map_err(failed)
}

impl Report for Learned {
    fn text(&self) -> String {
        if let Some(reason) = &self.rejected {
            return output::rejection(reason);
        }
        let corrected = match self.corrected_samples {
            0 => String::new(),
            corrected => format!(", {corrected} with another mask"),
        };
        let samples = output::thousands(self.samples);
        let facts = [
            ("pictures", format!("{samples} ({} new{corrected})", self.new_samples)),
            ("held-out places right", output::percent(self.held_out_accuracy)),
            ("head", format!("{} bytes", output::thousands(self.head_bytes))),
            (
                "time",
                format!("{:.1} s, training {:.1} s of it", self.seconds, self.training_seconds),
            ),
            ("peak memory", format!("{} bytes", output::thousands(self.peak_rss_bytes as usize))),
        ];
        format!("{}\n\n{}", output::facts(facts), classes::table(&self.classes, "pictures"))
    }
}

impl Report for Predictions {
    fn text(&self) -> String {
        let rows = self.files.iter().map(|p| {
            let shares = p.shares.iter().map(|s| format!("{} {:.0} %", s.name, 100.0 * s.share));
            let mask = p.mask.as_ref().map(|path| path.display().to_string());
            let mask = mask.unwrap_or_else(|| "refused".to_owned());
            vec![p.file.clone(), mask, shares.collect::<Vec<_>>().join(", ")]
        });
        output::table(&["file", "mask", "shows"], rows)
    }
}

impl Report for Evaluation {
    fn text(&self) -> String {
        let rows = self.classes.iter().map(|class| {
            let pixels = output::thousands(class.pixels as usize);
            vec![class.name.clone(), pixels, output::percent(class.iou)]
        });
        format!(
            "mean IoU {} on {} pictures; {} of {} pixels right\n\n{}",
            output::percent(self.mean_iou),
            output::thousands(self.samples),
            output::percent(self.pixel_accuracy),
            output::thousands(self.pixels as usize),
            output::table(&["class", "pixels", "IoU"], rows)
        )
    }
}
