//! Turns a cut graph and samples into the bytes of a pack.

use std::collections::HashSet;
use std::path::Path;

use headstart::graph::Graph;
use headstart::head::{HeadRecord, MAX_FEATURES};
use headstart::pack::{Pack, Preprocessing, Provenance, TailStorage};

use crate::cut::layout::order_of;
use crate::error::{Error, HeadProblem, Instead, LowerError, ModelProblem, NoForm};
use crate::float::FloatGraph;
use crate::import::model::Model;
use crate::import::scales;
use crate::quantise::calibrate::{Ranges, Statistics};
use crate::quantise::choice::{self, HeldOut, Tried};
use crate::quantise::lower::{
    NOTHING_LEFT, freeze_points_of, lower, lower_for_tail, outline, outline_for_tail,
};
use crate::quantise::lowered::{Lowered, LoweredValue};
use crate::quantise::own_scales;
use crate::quantise::plan::Aim;
use crate::quantise::rounding::Quantisation;
use crate::quantise::rules::Rules;
use crate::quantise::sample::Sample;
use crate::quantise::write::{Description, pack_bytes};

/// The least number that rounds to infinity as float16.
const LEAST_PAST_HALF: f32 = 65_520.0;

/// Settings of turning a backbone into a pack.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the tensor at which the model was cut, for the record.
    pub freeze_point: String,
    /// Grid to which a feature map is pooled.
    pub grid: usize,
    /// How pixels become input values.
    pub preprocessing: Preprocessing,
    /// The most classes that the head may grow to.
    pub max_classes: u32,
    /// The aim of the arena's plan.
    pub arena: Aim,
    /// The graph behind the features that the device trains, and how its weights are stored.
    pub tail: Option<(Graph, TailStorage)>,
    /// Whether the head reads each place of the tail's result by itself.
    pub per_place: bool,
}

/// A quantised backbone, and the pack without a head that holds it.
#[derive(Clone, Debug)]
pub struct Quantised {
    /// The pack's bytes.
    pub bytes: Vec<u8>,
    /// Differences between the backbone and what a quantised model says, a line each.
    pub differences: Vec<String>,
    /// Whether the model brought scales along.
    pub own_scales: bool,
    /// Whether the features are pooled over the places of the tensor at the cut, however many it has. If not, they are
    /// all of it: a tail reads them, or it is not known which of its axes are places.
    pub is_pooled: bool,
    /// The rules by which ranges and scales were found, where the model brought none.
    pub rules: Rules,
    /// All rules that were compared on held-out samples, the best first; none where there was no choice.
    pub tried: Vec<Tried>,
    settings: Settings,
    lowered: Lowered,
    tail: Option<Vec<u8>>,
    source_sha256: [u8; 32],
    samples: usize,
    multiply_accumulates: u64,
}

/// The samples that show what the device will see.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calibration<'a> {
    /// Those from which ranges are chosen.
    pub samples: &'a [Sample],
    /// Those by which the rules of that choice are compared; without any, the usual rules hold.
    pub held_out: &'a [Sample],
}

impl<'a> From<&'a [Sample]> for Calibration<'a> {
    /// Samples of which none is held out.
    fn from(samples: &'a [Sample]) -> Self {
        Self { samples, held_out: &[] }
    }
}

/// Calibrates, quantises, lowers and plans `graph`, a part of `model`, by the rules that leave the features of held-out samples the least error.
/// A model that is quantised already keeps its own scales; samples then measure those tensors only of which it says nothing.
///
/// `done` is called twice for each sample that ranges are chosen from.
///
/// # Errors
///
/// [`Error::Execute`] and [`Error::Lower`] for a node that cannot be run or quantised,
/// [`Error::Pack`] for a network past a limit of the format.
pub fn quantise(
    model: &Model,
    graph: &Graph,
    calibration: Calibration<'_>,
    settings: Settings,
    done: impl Fn() + Sync,
) -> Result<Quantised, Error> {
    check_numbers(model, graph, &settings)?;
    model.check_run(graph)?;
    let Calibration { samples, held_out } = calibration;
    let grid = settings.tail.is_none().then_some(settings.grid);
    let start = Quantised { samples: samples.len(), ..Quantised::new(model, graph, settings) };
    if samples.is_empty() {
        return start.with_ranges(model, graph, Ranges::unknown(graph));
    }
    let float = FloatGraph::new(&model.path, graph)?;
    let seen = Statistics::gather(graph, &float, samples, grid.unwrap_or(usize::MAX), done)?;
    if start.own_scales || held_out.is_empty() {
        return start.with_ranges(model, graph, seen.ranges(Rules::default()));
    }
    let held_out = HeldOut::new(graph, &float, held_out, grid)?;
    let (best, tried) = choice::choose(seen.has_scales(), |rules| {
        let start = Quantised { rules, ..start.clone() };
        let made = start.with_ranges(model, graph, seen.ranges(rules))?;
        let pack = Pack::open(&made.bytes).map_err(Error::NewPack)?;
        Ok((held_out.error(&pack, &made.lowered)?, made))
    })?;
    Ok(Quantised { tried, ..best })
}

/// Tensors of a quantised model that are rounded to what samples showed, since the model says no scale of them, a line each.
fn measured(graph: &Graph, lowered: &Lowered, known: &[Option<Quantisation>]) -> Vec<String> {
    let seen = lowered.views.iter().enumerate();
    let seen = seen.filter_map(|(tensor, view)| Some((tensor, view.as_ref()?.value)));
    // What holds the elements of several tensors has the scale that is known of one.
    let mut told: HashSet<u32> =
        seen.clone().filter(|(tensor, _)| known[*tensor].is_some()).map(|(_, at)| at).collect();
    let line = |(tensor, at): (usize, u32)| {
        let name = &graph.values[tensor].name;
        let scale = lowered.values[at as usize].quantisation.scale;
        format!(
            "tensor '{name}' has no scale in the model: it is rounded in steps of {scale}, which samples show"
        )
    };
    seen.filter(|(_, at)| told.insert(*at)).map(line).collect()
}

/// Outlines what [`quantise`] gives: a pack of the right shape and size that nothing can be computed with, since it lacks every number that
/// samples decide. Whoever asks for it first learns of what cannot be packed before the work is done.
///
/// # Errors
///
/// As [`quantise`].
pub fn outlined(model: &Model, graph: &Graph, settings: Settings) -> Result<Quantised, Error> {
    check_numbers(model, graph, &settings)?;
    let lowered = match &settings.tail {
        None => outline(graph, settings.grid).map(|lowered| (lowered, Vec::new())),
        Some(_) => outline_for_tail(graph),
    };
    let (lowered, places) = lowered.map_err(|problem| refused(model, graph, problem))?;
    Quantised::new(model, graph, settings).with_network(&model.path, lowered, &places)
}

fn refused(model: &Model, graph: &Graph, problem: LowerError) -> Error {
    let instead = match &problem {
        LowerError { why: NoForm::NoRange { .. }, .. } => None,
        LowerError { why: NoForm::Unsupported(why), .. } if why == NOTHING_LEFT => {
            let whole = freeze_points_of(model, &model.simplified());
            Some(whole.into_iter().next().map_or(Instead::Nothing, |p| Instead::Behind(p.tensor)))
        }
        _ => {
            let before = freeze_points_of(model, graph);
            Some(before.into_iter().next_back().map_or(Instead::Nothing, |p| Instead::At(p.tensor)))
        }
    };
    Error::Lower { model: model.path.clone(), problem, instead: instead.map(Box::new) }
}

/// Refuses constants that are no numbers, in the backbone and in the tail: int8 would take NaN for 0 without a word.
fn check_numbers(model: &Model, graph: &Graph, settings: &Settings) -> Result<(), Error> {
    let tail = settings.tail.as_ref();
    let parts = [Some((graph, TailStorage::F32)), tail.map(|(graph, storage)| (graph, *storage))];
    for (graph, storage) in parts.into_iter().flatten() {
        let read = graph.nodes.iter().flat_map(|node| &node.inputs).map(|&id| &graph.values[id]);
        for value in read {
            let Some(constant) = &value.constant else { continue };
            let most = match storage {
                TailStorage::F16 if value.shape.len() > 1 => LEAST_PAST_HALF,
                _ => f32::INFINITY,
            };
            let is_wrong = |x: &f32| !x.is_finite() || x.abs() >= most;
            let Some(element) = constant.iter().position(is_wrong) else { continue };
            let (tensor, found) = (value.name.clone(), constant[element]);
            return Err(model.lacks(match found.is_finite() {
                true => ModelProblem::PastHalf { tensor, found, element },
                false => ModelProblem::NotFinite { tensor, found, element },
            }));
        }
    }
    Ok(())
}

impl Quantised {
    fn new(model: &Model, graph: &Graph, settings: Settings) -> Self {
        Self {
            bytes: Vec::new(),
            differences: Vec::new(),
            own_scales: scales::is_quantised(graph),
            rules: Rules::default(),
            tried: Vec::new(),
            is_pooled: settings.tail.is_none() && order_of(graph, graph.outputs[0]).is_some(),
            settings,
            lowered: Lowered::default(),
            tail: None,
            source_sha256: model.imported.source_sha256,
            samples: 0,
            multiply_accumulates: graph.nodes.iter().map(|n| graph.multiply_accumulates(n)).sum(),
        }
    }

    /// The int8 network, before it had places in an arena.
    #[must_use]
    pub fn lowered(&self) -> &Lowered {
        &self.lowered
    }

    /// Lowers the graph by these ranges, where the model has no scales of its own.
    fn with_ranges(
        mut self,
        model: &Model,
        graph: &Graph,
        mut ranges: Ranges,
    ) -> Result<Self, Error> {
        let known = self.own_scales.then(|| own_scales::known(graph));
        if let Some(known) = &known {
            ranges.channel_means.clear();
            ranges.integer_means.clone_from(&model.imported.integer_means);
            ranges.quantisation.iter_mut().zip(&known.quantisation).for_each(|(range, known)| {
                *range = known.or(*range);
            });
        }
        let lowered = match &self.settings.tail {
            None => lower(graph, &ranges, self.settings.grid).map(|lowered| (lowered, Vec::new())),
            Some(_) => lower_for_tail(graph, &ranges),
        };
        let (lowered, places) = lowered.map_err(|problem| refused(model, graph, problem))?;
        let mut differences =
            known.as_ref().map_or_else(Vec::new, |known| known.differences.clone());
        differences.extend(lowered.differences.iter().cloned());
        if let Some(known) = &known {
            differences.extend(measured(graph, &lowered, &known.quantisation));
        }
        self.differences = differences;
        self.with_network(&model.path, lowered, &places)
    }

    /// `places` are those of the tail's inputs among the values that cross.
    fn with_network(
        mut self,
        model: &Path,
        lowered: Lowered,
        places: &[usize],
    ) -> Result<Self, Error> {
        self.lowered = lowered;
        self.check_features(model)?;
        if let Some((graph, storage)) = &self.settings.tail {
            let mut graph = graph.clone();
            let mut inputs = vec![0; places.len()];
            places.iter().zip(&graph.inputs).for_each(|(&place, &input)| inputs[place] = input);
            graph.inputs = inputs;
            let emit = match self.settings.per_place {
                true => headstart::tail::emit_per_place,
                false => headstart::tail::emit,
            };
            let tail = emit(&graph, &self.lowered.crossing, *storage);
            let refuse = |problem| Error::Pack { pack: model.to_owned(), problem };
            self.tail = Some(tail.map_err(refuse)?);
        }
        self.bytes = self.with_head(model, None)?;
        Ok(self)
    }

    /// Refuses more features than are read, by the tensors that they come from.
    fn check_features(&self, model: &Path) -> Result<(), Error> {
        let Lowered { values, crossing, .. } = &self.lowered;
        let elements = |value: &LoweredValue| {
            value.extents.iter().fold(1_u64, |n, &extent| n.saturating_mul(extent as u64))
        };
        let crossing = crossing.iter().filter_map(|&at| values.get(at as usize));
        let found = match &self.settings.tail {
            Some(_) => crossing.map(elements).fold(0, u64::saturating_add),
            None => values.last().map_or(0, elements),
        };
        if found <= MAX_FEATURES as u64 {
            return Ok(());
        }
        let (tensors, limit) = (self.settings.freeze_point.clone(), MAX_FEATURES);
        let problem = ModelProblem::TooManyFeatures { tensors, found, limit };
        Err(Error::Model { model: model.to_owned(), problem })
    }

    /// The pack's bytes with a head record to ship.
    ///
    /// # Errors
    ///
    /// [`Error::Head`] for a head of more classes than the plan has room for, [`Error::Pack`] if it
    /// does not fit the backbone or the format.
    pub fn with_head(&self, model: &Path, head: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
        let classes = head.as_deref().map(HeadRecord::parse).transpose().map_err(Error::NewPack)?;
        if let Some(classes) = classes.map(|head| head.classes())
            && classes > self.settings.max_classes as usize
        {
            let most = self.settings.max_classes;
            return Err(HeadProblem::TooManyClasses { classes, most }.into());
        }
        let name = model.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        let rules = self.rules.to_string();
        let scales = if self.own_scales { "the model's own scales" } else { &rules };
        let calibration = format!(
            "int8; {scales}; {}",
            match self.tail {
                None if self.is_pooled => format!("{0} x {0} grid", self.settings.grid),
                None => "not pooled".to_owned(),
                Some(_) => "features as they are, for a trainable tail".to_owned(),
            }
        );
        let description = Description {
            provenance: Provenance {
                model: &name,
                source_sha256: self.source_sha256,
                tool_version: env!("CARGO_PKG_VERSION"),
                freeze_point: &self.settings.freeze_point,
                calibration: &calibration,
                calibration_samples: u32::try_from(self.samples)
                    .expect("samples that were held in memory"),
                multiply_accumulates: self.multiply_accumulates,
            },
            preprocessing: self.settings.preprocessing,
            max_classes: self.settings.max_classes,
            arena: self.settings.arena,
            tail: self.tail.clone(),
            head,
        };
        pack_bytes(&self.lowered, &description)
            .map_err(|problem| Error::Pack { pack: model.to_owned(), problem })
    }
}

#[cfg(test)]
mod tests {
    use headstart::pack::Resize;

    use super::*;
    use crate::cut::tail::{Parts, parts};
    use crate::import::onnx::testing::{Builder, int};

    /// A convolution with these weights, and a classifier.
    fn model(side: i64, weights: [f32; 6]) -> Model {
        let imported = Builder::new(13, &[1, 3, side, side])
            .floats("w", &[2, 3, 1, 1], &weights)
            .floats("v", &[4, 2], &[0.5; 8])
            .node("Conv", &["x", "w"], "a", vec![])
            .node("Relu", &["a"], "r", vec![])
            .node("GlobalAveragePool", &["r"], "p", vec![])
            .node("Flatten", &["p"], "f", vec![])
            .node("Gemm", &["f", "v"], "y", vec![int("transB", 1)])
            .import("y")
            .unwrap();
        Model { path: "test.onnx".into(), imported }
    }

    fn settings(tail: Option<(Graph, TailStorage)>) -> Settings {
        Settings {
            freeze_point: "x".to_owned(),
            grid: 1,
            preprocessing: Preprocessing { resize: Resize::Stretch, mean: [0.0; 3], std: [1.0; 3] },
            max_classes: 4,
            arena: Aim::Speed,
            tail,
            per_place: false,
        }
    }

    /// What is said where all of the model is trained.
    fn trained(model: &Model, storage: TailStorage) -> Result<Quantised, String> {
        let Parts { backbone, tail, .. } = parts(model, &[], &[]).unwrap();
        outlined(model, &backbone, settings(Some((tail, storage)))).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_no_number_is_refused_by_its_tensor_in_backbone_and_tail() {
        let sound = [0.5, 1.0, -0.5, 0.25, 0.0, 6e4];
        assert!(trained(&model(4, sound), TailStorage::F16).is_ok());
        for (found, named) in [(f32::NAN, "NaN"), (f32::NEG_INFINITY, "-inf")] {
            // The importer refuses such a weight; what it computes of weights may still be none.
            let mut model = model(4, sound);
            let values = &mut model.imported.graph.values;
            let weights = values.iter_mut().find(|value| value.name == "w").unwrap();
            let mut numbers = sound;
            numbers[2] = found;
            weights.constant = Some(numbers.into());
            let named = format!("tensor 'w' holds {named} at element 2");
            let refused = trained(&model, TailStorage::F32).unwrap_err();
            assert!(refused.contains(&named) && refused.contains("test.onnx"), "{refused}");
            let cut = model.cut_at("p").unwrap();
            let samples = [Sample::from(vec![0.5; 48])];
            let refused =
                quantise(&model, &cut, samples[..].into(), settings(None), || ()).unwrap_err();
            assert!(refused.to_string().contains(&named), "{refused}");
        }
        let mut weights = sound;
        weights[5] = 7e4;
        let model = model(4, weights);
        assert!(trained(&model, TailStorage::F32).is_ok());
        let refused = trained(&model, TailStorage::F16).unwrap_err();
        assert!(
            refused.contains("tensor 'w' holds 70000") && refused.contains("float16"),
            "{refused}"
        );
    }

    #[test]
    fn more_features_than_are_read_are_refused_by_their_tensor() {
        let refused = trained(&model(1024, [0.5; 6]), TailStorage::F16).unwrap_err();
        let words = ["test.onnx", "'x' gives 3145728 features", "1048576"];
        assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
    }
}
