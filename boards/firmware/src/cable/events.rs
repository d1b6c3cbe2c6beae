//! What a board tells of its learning by `defmt`, a few bytes an event; nothing without that feature.

/// A sample was learned: its class and its loss before the step.
pub(super) fn learned(class: u16, loss: f32) {
    #[cfg(feature = "defmt")]
    defmt::info!("class {=u16} loss {=f32}", class, loss);
    let _ = (class, loss);
}

/// A pass over all samples, and their mean loss in it.
pub(super) fn epoch(epoch: u32, loss: f32) {
    #[cfg(feature = "defmt")]
    defmt::info!("epoch {=u16} loss {=f32}", epoch as u16, loss);
    let _ = (epoch, loss);
}

/// The head was trained on so many samples; it has so many classes.
pub(super) fn trained(samples: u32, classes: u16) {
    #[cfg(feature = "defmt")]
    defmt::info!("trained on {=u16}, {=u16} classes", samples as u16, classes);
    let _ = (samples, classes);
}

/// The head is durable, as the commit of that number.
pub(super) fn committed(number: u64) {
    #[cfg(feature = "defmt")]
    defmt::info!("commit {=u32}", number as u32);
    let _ = number;
}

/// Something was forgotten, and so many classes are left.
pub(super) fn forgotten(classes: u16) {
    #[cfg(feature = "defmt")]
    defmt::info!("forgotten, {=u16} classes left", classes);
    let _ = classes;
}

/// What was learned and not committed was dropped: so many samples.
pub(super) fn dropped(samples: u32) {
    #[cfg(feature = "defmt")]
    defmt::info!("dropped {=u32} samples", samples);
    let _ = samples;
}
