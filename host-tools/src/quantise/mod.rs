//! Quantises a cut float graph to the bytes of a pack, and measures what that cost.

pub mod calibrate;
pub mod choice;
pub mod compare;
pub mod equalise;
pub mod inputs;
pub mod loss;
pub mod lower;
pub mod lowered;
pub mod own_scales;
pub mod plan;
pub mod quantised;
pub mod rounding;
pub mod rules;
pub mod sample;
pub mod write;
