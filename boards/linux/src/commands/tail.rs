//! Training a tail as the command line asks for it.

use headstart::pack::Pack;
use headstart_device::Head;
use headstart_device::engine::Backend;
use headstart_device::segmentation::is_per_place;
use headstart_device::state::{FeatureCache, Problem, StateLock};
use headstart_device::training::tail::{self, Augment, TailOptions};

use crate::cli::Learn;
use crate::cli::learn::{AugmentChoice, OptimiserChoice, StorageChoice};

/// So much of a training is lost with the power, at most, and the time of an epoch.
const KEPT_EVERY: std::time::Duration = std::time::Duration::from_secs(30);

/// The record of a trained tail.
pub(super) fn train(
    args: &Learn,
    backend: Option<Backend>,
    cache: &FeatureCache,
    pack: &Pack<'_>,
    initial: Option<&Head>,
    lock: &StateLock,
) -> Result<Vec<u8>, Problem> {
    let mut options = TailOptions { backend, ..options(args, is_per_place(pack)) };
    let (trusted, apart) = tail::trusted(cache, pack, initial, &options)?;
    if let (Some(wrong), Some(cpu), Some(apart)) = (options.backend, trusted, apart) {
        let percent = 100.0 * apart;
        crate::output::warn(&format!(
            "{wrong} gives gradients that are {percent:.0} % from the CPU's: {cpu} trains instead"
        ));
    }
    options.backend = trusted;
    let bar = crate::output::progress("training", options.epochs);
    let keep = Some(tail::Keep::new(lock, KEPT_EVERY));
    let mut epoch = |done, loss| {
        bar.set_message(format!("loss {loss:.3}"));
        bar.set_position(done as u64);
        Ok(())
    };
    let record = tail::train(cache, pack, initial, &options, keep, &mut epoch);
    bar.finish_and_clear();
    record
}

/// Why the tail that was trained does not take the place of the one before.
pub(super) fn setback(
    args: &Learn,
    known: &FeatureCache,
    cache: &FeatureCache,
    pack: &Pack<'_>,
    heads: [&Head; 2],
) -> Result<Option<String>, Problem> {
    let options = options(args, is_per_place(pack));
    let found = tail::setback(known, cache, pack, &options, heads)?;
    Ok(found.map(|found| {
        let [before, after] = [found.before, found.after].map(|part| 100.0 * part);
        format!(
            "the tail that was trained answers {after:.0} % of {} known samples that it did not see, the one before {before:.0} % of such: train longer or with another --rate, or add --force",
            found.samples
        )
    }))
}

fn options(args: &Learn, per_place: bool) -> TailOptions {
    let mut options = TailOptions::usual();
    if per_place {
        // A picture has many places.
        (options.batch, options.label_smoothing) = (8, 0.0);
    }
    let given = &args.tail;
    if given.optimiser == Some(OptimiserChoice::Sgd) {
        options = options.by_sgd(given.momentum.unwrap_or(0.9));
    }
    let counts = [
        (given.epochs, &mut options.epochs),
        (given.batch, &mut options.batch),
        (given.patience, &mut options.patience),
    ];
    for (given, option) in counts {
        *option = given.map_or(*option, usize::from);
    }
    options.rate = given.rate.unwrap_or(options.rate);
    options.warm_up = given.warm_up.unwrap_or(options.warm_up);
    options.weight_decay = given.weight_decay.unwrap_or(options.weight_decay);
    options.clip = given.clip.or(options.clip).filter(|&longest| longest > 0.0);
    options.label_smoothing = given.label_smoothing.unwrap_or(options.label_smoothing);
    options.balanced = given.balanced;
    options.held_out = given.held_out.unwrap_or(options.held_out);
    options.seed = given.training_seed.unwrap_or(options.seed);
    options.train.clone_from(&given.train);
    options.freeze.clone_from(&given.freeze);
    options.augment = Augment {
        flip: given.augment.contains(&AugmentChoice::Flip),
        crop: given.augment.contains(&AugmentChoice::Crop),
        colour: given.augment.contains(&AugmentChoice::Colour),
    };
    options.half = given.storage != Some(StorageChoice::F32);
    options
}
