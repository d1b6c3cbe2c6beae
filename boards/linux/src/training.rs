//! From cached features to a head record.

use headstart::head::{HeadParts, Learner, LinearHead, Samples, Storage, imprint};
use headstart::pack::Pack;

use crate::Head;
use crate::state::{FeatureCache, Problem};

/// How the head is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Picks and regularises by held-out accuracy.
    Auto,
    /// Softmax regression by stochastic gradients.
    Sgd,
    /// Least squares in closed form.
    Ridge,
    /// Class means.
    Imprint,
}

/// The record.
///
/// # Errors
/// [`Problem::Head`].
pub fn train(
    cache: &FeatureCache,
    _base: Option<&Head>,
    _choice: Choice,
    pack: &Pack<'_>,
) -> Result<Vec<u8>, Problem> {
    (|| {
        let feature_len = pack.feature_len();
        let classes = cache.classes().len();
        let samples = Samples::new(cache.features(), cache.labels(), feature_len)?;
        let mut weights = vec![0.0; classes * feature_len];
        let mut bias = vec![0.0; classes];
        let mut counts = vec![0; classes];
        imprint::train(samples, &mut counts, &mut weights, &mut bias)?;
        let labels: Vec<&str> = cache.classes().iter().map(String::as_str).collect();
        let parts = HeadParts {
            head: LinearHead::new(&weights, &bias, feature_len)?,
            backbone_digest: pack.backbone_digest(),
            labels: &labels,
            samples: &counts,
            learner: Learner::Imprint,
            storage: Storage::F32,
            temperature: 1.0,
            unknown_threshold: 0.0,
            held_out: None,
        };
        let mut record = vec![0; parts.encoded_len()?];
        parts.emit(&mut record)?;
        Ok(record)
    })()
    .map_err(Problem::Head)
}
