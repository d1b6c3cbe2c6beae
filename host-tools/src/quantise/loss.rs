//! What int8 cost a pack: at the features, for a head, and at which node.

use headstart::graph::{Graph, Node, ValueId};
use headstart::pack::Pack;

use crate::cut::inspect::FreezeKind;
use crate::error::Error;
use crate::float::FloatGraph;
use crate::import::model::Model;
use crate::import::scales;
use crate::quantise::compare::{Comparison, FeatureCosines, Heads, Noise, Pair};
use crate::quantise::equalise::ChannelScales;
use crate::quantise::lower::freeze_points_of;
use crate::quantise::lowered::Lowered;
use crate::quantise::quantised::Quantised;
use crate::quantise::sample::Sample;

/// Below this mean cosine of int8 to float features much is lost, and it is worth to know where.
pub const LEAST_COSINE: f64 = 0.95;

/// The part of a channel that may be noise, the mean over all channels: that of a cosine of [`LEAST_COSINE`].
pub const MOST_LOST: f64 = 1.0 - LEAST_COSINE * LEAST_COSINE;

/// What int8 cost.
#[derive(Clone, Debug)]
pub struct Loss {
    /// How int8 features differ from float ones.
    pub cosines: FeatureCosines,
    /// What heads reach on both; `None` without labels, or with too few samples of two classes.
    pub heads: Option<Heads>,
    /// How many samples show it.
    pub samples: usize,
    /// Where most of it is lost.
    pub worst: Option<Worst>,
}

/// The node that adds most noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Worst {
    /// Its name.
    pub node: String,
    /// The tensor that it makes.
    pub tensor: String,
    /// The part of its channels that is noise, the mean over all, above that of what went into the node.
    pub added: f64,
    /// The nearest cut before it of whose channels no more is lost than [`MOST_LOST`], if there is one.
    pub instead: Option<String>,
}

impl Loss {
    /// Whether so much is lost that it is worth to freeze elsewhere: the cosine is below [`LEAST_COSINE`], a head is less right by more
    /// than its standard error, or int8 features never change though float ones do.
    #[must_use]
    pub fn is_much(&self) -> bool {
        let is_low = self.cosines.plain.is_some_and(|cosines| cosines.mean < LEAST_COSINE);
        let is_dead =
            self.cosines.still.is_some_and(|still| still.is_dead() && still.float < still.of);
        is_low || is_dead || self.heads.as_ref().is_some_and(Heads::fall)
    }

    /// Measures it on samples, which have these labels if any; `None` where there are fewer than two, or a tail reads the features.
    ///
    /// # Errors
    ///
    /// Whatever either graph refuses.
    pub fn measure(
        model: &Model,
        graph: &Graph,
        quantised: &Quantised,
        samples: &[&Sample],
        labels: Option<&[usize]>,
    ) -> Result<Option<Self>, Error> {
        let pack = Pack::open(&quantised.bytes).map_err(Error::NewPack)?;
        if samples.len() < 2 || pack.tail().is_some() {
            return Ok(None);
        }
        let lowered = quantised.lowered();
        let is_seen =
            |value: ValueId| lowered.views[value].is_some() || graph.outputs.contains(&value);
        let float = FloatGraph::new(&model.path, graph)?.showing(is_seen);
        let equalised = equalised(graph);
        let pair = Pair { pack, graph, float: &float, lowered, equalised: &equalised };
        let load = |at: usize| Ok::<_, Error>(samples[at].values().into_owned());
        let (found, _) = pair.compare(samples.len(), false, load, || ())?;
        let (real, int8) = (&found.float_features, &found.int8_features);
        let heads = labels.and_then(|labels| Heads::of(real, int8, labels));
        let cosines = FeatureCosines::of(real, int8);
        let worst = worst(model, graph, lowered, &found);
        Ok(Some(Self { cosines, heads, samples: samples.len(), worst }))
    }
}

/// The tensors whose channels may have scales of their own.
#[must_use]
pub fn equalised(graph: &Graph) -> Vec<ValueId> {
    let scaled = match scales::is_quantised(graph) {
        true => ChannelScales::default(),
        false => ChannelScales::ones(graph),
    };
    (0..graph.values.len()).filter(|&value| scaled.of(value).is_some()).collect()
}

/// The node that adds most noise to its tensor, above that of the tensors that it reads.
fn worst(model: &Model, graph: &Graph, lowered: &Lowered, found: &Comparison) -> Option<Worst> {
    let noise = |value: ValueId| {
        let at = lowered.views[value].as_ref()?.value;
        found.noise.get(at as usize)?.as_ref()
    };
    // A tensor that lies within another node's int8 form has the noise of what goes into it.
    let mut parts = vec![0.0; graph.values.len()];
    let mut most: Option<(f64, usize)> = None;
    for (index, node) in graph.nodes.iter().enumerate() {
        let read = node.inputs.iter().map(|&input| parts[input]).fold(0.0, f64::max);
        let part = noise(node.output).and_then(Noise::lost);
        parts[node.output] = part.unwrap_or(read);
        let added = parts[node.output] - read;
        if part.is_some() && most.is_none_or(|(most, _)| added > most) {
            most = Some((added, index));
        }
    }
    let (added, index) = most?;
    let Node { name, output, .. } = &graph.nodes[index];
    let tensor = &graph.values[*output].name;
    let (node, tensor) = (name.clone(), tensor.clone());
    Some(Worst { instead: instead(model, graph, index, noise), node, tensor, added })
}

/// The last cut before a node of which little is lost.
fn instead<'a>(
    model: &Model,
    graph: &Graph,
    node: usize,
    noise: impl Fn(ValueId) -> Option<&'a Noise>,
) -> Option<String> {
    let whole = model.simplified();
    // A branch sees only part of what a head would read.
    let points = freeze_points_of(model, &whole).into_iter();
    let points = points.filter(|point| point.kind != FreezeKind::Branch);
    let good = points.filter_map(|point| {
        let value = graph.value_named(&point.tensor)?;
        let made = graph.producer(value)?;
        let lost = noise(value)?.lost()?;
        (made < node && lost <= MOST_LOST).then_some((made, point.tensor))
    });
    good.max_by_key(|&(made, _)| made).map(|(_, tensor)| tensor)
}
