//! From a cut graph and samples to the bytes of a pack.

use std::path::Path;

use headstart::graph::Graph;
use headstart::head::HeadRecord;
use headstart::pack::{Preprocessing, Provenance, TailStorage};

use crate::error::{Error, HeadProblem};
use crate::float::FloatGraph;
use crate::import::model::Model;
use crate::import::scales;
use crate::quantise::calibrate::{Ranges, calibrate};
use crate::quantise::equalise::equalise;
use crate::quantise::lower::{lower, lower_for_tail};
use crate::quantise::own_scales;
use crate::quantise::plan::Aim;
use crate::quantise::sample::Sample;
use crate::quantise::write::{Description, pack_bytes};

/// How a backbone becomes a pack.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The tensor at which the model was cut, for the record.
    pub freeze_point: String,
    /// Grid to which a feature map is pooled.
    pub grid: usize,
    /// From pixels to values.
    pub preprocessing: Preprocessing,
    /// Most classes that the head may grow to.
    pub max_classes: u32,
    /// What the arena's plan is good at.
    pub arena: Aim,
    /// The graph behind the features that the device trains, and how its weights are stored.
    pub tail: Option<(Graph, TailStorage)>,
    /// Whether the head reads each place of the tail's result by itself.
    pub per_place: bool,
}

/// A quantised backbone and the pack without a head that holds it.
#[derive(Clone, Debug)]
pub struct Quantised {
    /// The pack's bytes.
    pub bytes: Vec<u8>,
    /// Where the backbone differs from what a quantised model says, a line each.
    pub differences: Vec<String>,
    /// Whether the model brought scales along.
    pub own_scales: bool,
    settings: Settings,
    lowered: crate::quantise::lowered::Lowered,
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
    };
    if !samples.is_empty() {
        let runner = FloatGraph::new(&model.path, &equalised)?;
        ranges = calibrate(&equalised, &runner, samples, grid, done)?;
    }
    let mut differences = Vec::new();
    if own_scales {
        let known = own_scales::known(&equalised);
        ranges.channel_means.clear();
        ranges.quantisation.iter_mut().zip(known.quantisation).for_each(|(range, known)| {
            *range = known.or(*range);
        });
        differences = known.differences;
    }
    let refuse = |problem| Error::Lower { model: model.path.clone(), problem };
    let (lowered, tail) = match &settings.tail {
        None => (lower(&equalised, &ranges, grid).map_err(refuse)?, None),
        Some((graph, storage)) => {
            let (lowered, places) = lower_for_tail(&equalised, &ranges).map_err(refuse)?;
            let mut graph = graph.clone();
            let mut inputs = vec![0; places.len()];
            places.iter().zip(&graph.inputs).for_each(|(&place, &input)| inputs[place] = input);
            graph.inputs = inputs;
            let emit = match settings.per_place {
                true => headstart::tail::emit_per_place,
                false => headstart::tail::emit,
            };
            let tail = emit(&graph, &lowered.crossing, *storage)
                .map_err(|problem| Error::Pack { pack: model.path.clone(), problem })?;
            (lowered, Some(tail))
        }
    };
    differences.extend(lowered.differences.iter().cloned());
    let mut quantised = Quantised {
        bytes: Vec::new(),
        differences,
        own_scales,
        settings,
        lowered,
        tail,
        source_sha256: model.imported.source_sha256,
        samples: samples.len(),
        multiply_accumulates: graph.nodes.iter().map(|n| graph.multiply_accumulates(n)).sum(),
    };
    quantised.bytes = quantised.with_head(&model.path, None)?;
    Ok(quantised)
}

impl Quantised {
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
                None => format!("{0} x {0} grid", self.settings.grid),
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
