//! Turns a cut graph and samples into the bytes of a pack.

use std::path::Path;

use headstart::graph::Graph;
use headstart::head::HeadRecord;
use headstart::pack::{Preprocessing, Provenance, TailStorage};

use crate::cut::layout::order_of;
use crate::error::{Error, HeadProblem, LowerError};
use crate::float::FloatGraph;
use crate::import::imported::IntegerMeans;
use crate::import::model::Model;
use crate::import::scales;
use crate::quantise::calibrate::{Ranges, calibrate};
use crate::quantise::equalise::equalise;
use crate::quantise::lower::{lower, lower_for_tail, outline, outline_for_tail};
use crate::quantise::lowered::Lowered;
use crate::quantise::own_scales;
use crate::quantise::plan::Aim;
use crate::quantise::sample::Sample;
use crate::quantise::write::{Description, pack_bytes};

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
    settings: Settings,
    lowered: Lowered,
    tail: Option<Vec<u8>>,
    source_sha256: [u8; 32],
    samples: usize,
    multiply_accumulates: u64,
}

/// Calibrates, quantises, lowers and plans `graph`, a part of `model`. A model that is quantised already keeps
/// its own scales; samples then measure those tensors only of which it says nothing.
///
/// # Errors
///
/// [`Error::Execute`] and [`Error::Lower`] for a node that cannot be run or quantised,
/// [`Error::Pack`] for a network past a limit of the format.
pub fn quantise(
    model: &Model,
    graph: &Graph,
    samples: &[Sample],
    settings: Settings,
    done: impl Fn() + Sync,
) -> Result<Quantised, Error> {
    model.check_run(graph)?;
    let grid = if settings.tail.is_some() { usize::MAX } else { settings.grid };
    let own_scales = scales::is_quantised(graph);
    let equalised = if own_scales {
        graph.clone()
    } else {
        equalise(graph, &FloatGraph::new(&model.path, graph)?, samples, &done)?
    };
    let mut ranges = Ranges {
        quantisation: vec![None; equalised.values.len()],
        channel_means: Vec::new(),
        features: None,
        integer_means: IntegerMeans::new(),
    };
    if !samples.is_empty() {
        let runner = FloatGraph::new(&model.path, &equalised)?;
        ranges = calibrate(&equalised, &runner, samples, grid, done)?;
    }
    let mut differences = Vec::new();
    if own_scales {
        let known = own_scales::known(&equalised);
        ranges.channel_means.clear();
        ranges.integer_means.clone_from(&model.imported.integer_means);
        ranges.quantisation.iter_mut().zip(known.quantisation).for_each(|(range, known)| {
            *range = known.or(*range);
        });
        differences = known.differences;
    }
    let lowered = match &settings.tail {
        None => lower(&equalised, &ranges, grid).map(|lowered| (lowered, Vec::new())),
        Some(_) => lower_for_tail(&equalised, &ranges),
    };
    let (lowered, places) = lowered.map_err(|problem| refused(model, problem))?;
    differences.extend(lowered.differences.iter().cloned());
    let quantised = Quantised {
        differences,
        own_scales,
        samples: samples.len(),
        ..Quantised::new(model, graph, settings)
    };
    quantised.with_network(&model.path, lowered, &places)
}

/// Outlines what [`quantise`] gives: a pack of the right shape and size that nothing can be computed with, since it lacks every number that
/// samples decide. Whoever asks for it first learns of what cannot be packed before the work is done.
///
/// # Errors
///
/// As [`quantise`].
pub fn outlined(model: &Model, graph: &Graph, settings: Settings) -> Result<Quantised, Error> {
    let lowered = match &settings.tail {
        None => outline(graph, settings.grid).map(|lowered| (lowered, Vec::new())),
        Some(_) => outline_for_tail(graph),
    };
    let (lowered, places) = lowered.map_err(|problem| refused(model, problem))?;
    Quantised::new(model, graph, settings).with_network(&model.path, lowered, &places)
}

fn refused(model: &Model, problem: LowerError) -> Error {
    Error::Lower { model: model.path.clone(), problem }
}

impl Quantised {
    fn new(model: &Model, graph: &Graph, settings: Settings) -> Self {
        Self {
            bytes: Vec::new(),
            differences: Vec::new(),
            own_scales: scales::is_quantised(graph),
            is_pooled: settings.tail.is_none() && order_of(graph, graph.outputs[0]).is_some(),
            settings,
            lowered: Lowered::default(),
            tail: None,
            source_sha256: model.imported.source_sha256,
            samples: 0,
            multiply_accumulates: graph.nodes.iter().map(|n| graph.multiply_accumulates(n)).sum(),
        }
    }

    /// `places` are those of the tail's inputs among the values that cross.
    fn with_network(
        mut self,
        model: &Path,
        lowered: Lowered,
        places: &[usize],
    ) -> Result<Self, Error> {
        self.lowered = lowered;
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
        let scales = if self.own_scales {
            "the model's own scales"
        } else {
            "cross-layer equalisation; weights per channel, symmetric, least squared error; activations per tensor, \
             asymmetric, least squared error over 2048 bins; bias correction"
        };
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
