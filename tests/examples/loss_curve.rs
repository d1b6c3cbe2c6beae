//! A training of a tail, written out so that another trainer can repeat it:
//! `cargo run --release -p headstart-tests --features flex --example loss_curve -- PACK CACHE ENGINE adamw|sgd EPOCHS OUT`
//!
//! It is what `learn` does by default, with nothing held out, on all samples of the cache, which `learn --views 1` made. `OUT/whole` gets that;
//! `OUT/step` the same of one epoch on the samples of the first step alone, which are one step. The last layer
//! starts from noise of the size that PyTorch's `Linear` starts from, so that the very first gradients reach all of the tail.
//!
//! Numbers are little-endian float32. `inputs.f32` has the tail's inputs, a row a sample; `start.f32` and `learned.f32` the trained
//! tensors one after another, weights and bias of the last layer behind those of the tail; `run.json` says the rest.

use std::path::Path;

use headstart::head::{HeadParts, LinearHead, Random};
use headstart::pack::Pack;
use headstart::tail::{Tail, TailRecord};
use headstart_device::engine::{Backend, Engine};
use headstart_device::state::FeatureCache;
use headstart_device::training::tail::{Step, TailOptions, steps, train};
use headstart_device::{Head, PackFile};
use serde_json::json;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pack, cache_path, engine, optimiser, epochs, out] = &arguments[..] else {
        anyhow::bail!("usage: loss_curve PACK CACHE ENGINE adamw|sgd EPOCHS OUT");
    };
    let file = PackFile::open(Path::new(pack))?;
    let pack = file.pack()?;
    let cache = FeatureCache::parse(
        &std::fs::read(cache_path)?,
        &pack.backbone_digest(),
        pack.feature_len(),
    )?;
    anyhow::ensure!(cache.again().1.is_empty(), "{cache_path} has crops: learn with --views 1");
    let mut engines = [Engine::Flex, Engine::Ndarray, Engine::Candle].into_iter();
    let engine = engines.find(|known| known.name() == engine);
    let engine = engine.ok_or_else(|| anyhow::anyhow!("no engine has this name"))?;
    let usual = TailOptions {
        backend: Some(Backend::choose(engine, None)?.0),
        epochs: epochs.parse()?,
        held_out: 0,
        half: false,
        ..TailOptions::usual()
    };
    let options = match optimiser.as_str() {
        "adamw" => usual,
        "sgd" => usual.by_sgd(0.9),
        _ => anyhow::bail!("the optimiser is adamw or sgd"),
    };
    let start = noise(&cache, &pack)?;
    let first = steps(&cache, &options).swap_remove(0).swap_remove(0);
    let one = TailOptions { epochs: 1, ..options.clone() };
    write(&Path::new(out).join("step"), &only(&cache, &first), &pack, &start, &one)?;
    write(&Path::new(out).join("whole"), &cache, &pack, &start, &options)
}

/// A head whose numbers are uniform, at most `1 / √inputs`.
fn noise(cache: &FeatureCache, pack: &Pack<'_>) -> anyhow::Result<Head> {
    let (width, labels) = (pack.head_inputs(), cache.classes());
    let mut random = Random::new(1);
    let most = 1.0 / (width as f32).sqrt();
    let mut numbers = |count: usize| -> Vec<f32> {
        (0..count).map(|_| most * (random.next_u32() as f32 / 2_f32.powi(31) - 1.0)).collect()
    };
    let (weights, bias) = (numbers(labels.len() * width), numbers(labels.len()));
    let record = HeadParts::new(
        LinearHead::new(&weights, &bias, width)?,
        pack.backbone_digest(),
        &labels.iter().map(String::as_str).collect::<Vec<_>>(),
        &vec![1; labels.len()],
    )
    .to_vec()?;
    Ok(Head::parse(Path::new("noise"), &record, &pack.backbone_digest())?)
}

/// The samples of that step, with all classes.
fn only(cache: &FeatureCache, step: &Step) -> FeatureCache {
    let mut few = FeatureCache::new(cache.feature_len());
    cache.classes().iter().for_each(|name| _ = few.class(name));
    for &at in &step.samples {
        let row = &cache.features()[at * cache.feature_len()..][..cache.feature_len()];
        few.insert(cache.ids()[at], cache.labels()[at], row);
    }
    few
}

/// Trains, and writes what was trained from what.
fn write(
    out: &Path,
    cache: &FeatureCache,
    pack: &Pack<'_>,
    start: &Head,
    options: &TailOptions,
) -> anyhow::Result<()> {
    let tail = Tail::parse(pack)?.ok_or_else(|| anyhow::anyhow!("the pack keeps no tail"))?;
    let parameters = tail.parameters();
    let shapes: Vec<&[usize]> =
        parameters.iter().map(|&id| &tail.graph.values[id].shape[..]).collect();
    let mut inputs = Vec::new();
    for row in cache.features().chunks_exact(cache.feature_len()) {
        let [input] = &tail.inputs(row).unwrap_or_default()[..] else {
            anyhow::bail!("the tail has several inputs");
        };
        inputs.extend_from_slice(input);
    }
    let mut losses = Vec::new();
    let mut epoch = |_, loss| {
        losses.push(loss);
        Ok(())
    };
    let record = train(cache, pack, Some(start), options, None, &mut epoch)?;
    let (learned, _) = TailRecord::split(&record, &tail, &pack.backbone_digest())?;
    let head = Head::parse_for(out, &record, pack)?;

    std::fs::create_dir_all(out)?;
    let floats = |name: &str, parts: &[&[f32]]| {
        let bytes: Vec<u8> =
            parts.iter().copied().flatten().flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(out.join(name), bytes)
    };
    floats("inputs.f32", &[&inputs])?;
    let before = |id: &usize| tail.graph.values[*id].constant.as_deref().unwrap_or_default();
    floats("start.f32", &with_last(parameters.iter().map(before), start))?;
    floats(
        "learned.f32",
        &with_last(parameters.iter().map(|id| &learned.constants[id][..]), &head),
    )?;
    let steps: Vec<Vec<_>> = steps(cache, options)
        .iter()
        .map(|epoch| epoch.iter().map(|step| json!([step.rate, step.samples])).collect())
        .collect();
    let run = json!({
        "input": &tail.graph.values[tail.graph.inputs[0]].shape[1..],
        "shapes": shapes,
        "classes": cache.classes().len(),
        "labels": cache.labels(),
        "steps": steps,
        "losses": losses,
        "weight_decay": options.weight_decay,
        "clip": options.clip,
        "label_smoothing": options.label_smoothing,
        "rate": options.rate,
        "warm_up": options.warm_up,
    });
    Ok(std::fs::write(out.join("run.json"), run.to_string())?)
}

/// The numbers of the tail, and of the last layer behind them.
fn with_last<'a>(tail: impl Iterator<Item = &'a [f32]>, head: &'a Head) -> Vec<&'a [f32]> {
    tail.chain(head.layers().flat_map(|layer| [layer.weights, layer.bias])).collect()
}
