//! Looks at what was learned.

use headstart_device::Duplicate;
use serde::Serialize;

use super::Call;
use super::reply::{Reply, json};

#[derive(Serialize)]
struct Classes {
    classes: Vec<Class>,
}

#[derive(Serialize)]
struct Class {
    name: String,
    samples: u32,
    waiting: usize,
}

#[derive(Serialize)]
struct Pairs {
    pairs: Vec<Duplicate>,
}

pub(super) fn status(Call { app, .. }: Call<'_>) -> Reply {
    json(&app.looks.run(|| Ok(app.device.status()?))?)
}

pub(super) fn classes(Call { app, .. }: Call<'_>) -> Reply {
    let mut classes = Vec::new();
    if let Ok(head) = app.device.head() {
        let counts = head.labels().iter().cloned().zip(head.samples().iter().copied());
        classes.extend(counts.map(|(name, samples)| Class { name, samples, waiting: 0 }));
    }
    for picture in app.teacher.listing().waiting {
        match classes.iter_mut().find(|class| class.name == picture.class) {
            Some(class) => class.waiting += 1,
            None => classes.push(Class { name: picture.class, samples: 0, waiting: 1 }),
        }
    }
    json(&Classes { classes })
}

pub(super) fn confusion(Call { app, .. }: Call<'_>) -> Reply {
    json(&app.looks.run(|| Ok(app.device.confusion()?))?)
}

pub(super) fn duplicates(Call { app, .. }: Call<'_>) -> Reply {
    json(&Pairs { pairs: app.looks.run(|| Ok(app.device.duplicates()?))? })
}

pub(super) fn history(Call { app, .. }: Call<'_>) -> Reply {
    json(&app.looks.run(|| Ok(app.device.history()?))?)
}
