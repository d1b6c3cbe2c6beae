//! What the engines do that are compiled in. Burn is named nowhere else.

mod backbone;
mod backends;
mod head;
mod tail;

pub(super) use backbone::upload_backbone;
pub(crate) use head::fit_head;
pub(crate) use tail::train_tail;
pub(super) use tail::upload_tail;
