//! Pictures that are not learned yet.

use std::sync::Arc;

use serde::Serialize;

use crate::options::Limits;

/// Pictures that wait, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pictures: Vec<Picture>,
    bytes: u64,
    /// The number of the last one.
    last: u64,
    pub(super) held: Option<Held>,
}

/// A picture that waits.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) number: u64,
    pub(crate) class: String,
    /// Its class and its file's name, as a data folder has them.
    pub(crate) file: String,
    pub(crate) content: Arc<[u8]>,
}

/// Why pictures are not learned by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Held {
    /// Nothing was learned before, and they show one class.
    #[serde(rename = "one class")]
    OneClass,
    /// The last learn of them was rejected.
    #[serde(rename = "rejected")]
    Rejected,
    /// Whoever gave them asked for it.
    #[serde(rename = "asked")]
    Asked,
    /// The last learn of them could not be done.
    #[serde(rename = "failed")]
    Failed,
}

/// A picture that was not taken.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Refused {
    pub(crate) file: String,
    pub(crate) class: String,
    pub(crate) error: String,
}

/// A list of what waits.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Listing {
    pub(crate) pictures: usize,
    pub(crate) bytes: u64,
    pub(crate) held: Option<Held>,
    pub(crate) waiting: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) file: String,
    pub(crate) class: String,
    pub(crate) bytes: usize,
}

impl Waiting {
    /// Adds one, unless there is no room.
    pub(super) fn add(
        &mut self,
        limits: &Limits,
        class: &str,
        file: &str,
        content: &[u8],
    ) -> Result<(), String> {
        let bytes = self.bytes + content.len() as u64;
        if bytes > limits.waiting_bytes || self.pictures.len() >= limits.waiting_pictures {
            return Err(format!(
                "{} pictures of {} bytes wait already: learn them, or drop some",
                self.pictures.len(),
                self.bytes
            ));
        }
        self.last += 1;
        self.bytes = bytes;
        let name = if file.is_empty() { self.last.to_string() } else { file.to_owned() };
        self.pictures.push(Picture {
            number: self.last,
            class: class.to_owned(),
            file: format!("{class}/{name}"),
            content: content.into(),
        });
        Ok(())
    }

    /// Drops some, and says how many.
    pub(super) fn drop_those(&mut self, which: impl Fn(&Picture) -> bool) -> usize {
        let before = self.pictures.len();
        self.pictures.retain(|picture| !which(picture));
        self.bytes = self.pictures.iter().map(|picture| picture.content.len() as u64).sum();
        before - self.pictures.len()
    }

    pub(super) fn pictures(&self) -> &[Picture] {
        &self.pictures
    }

    pub(super) fn is_of_one_class(&self) -> bool {
        self.pictures.windows(2).all(|pair| pair[0].class == pair[1].class)
    }

    pub(super) fn listing(&self) -> Listing {
        let entry = |picture: &Picture| Entry {
            number: picture.number,
            file: picture.file.clone(),
            class: picture.class.clone(),
            bytes: picture.content.len(),
        };
        Listing {
            pictures: self.pictures.len(),
            bytes: self.bytes,
            held: self.held.filter(|_| !self.pictures.is_empty()),
            waiting: self.pictures.iter().map(entry).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::LIMITS;

    #[test]
    fn what_waits_is_bounded_in_bytes_and_in_number() {
        let mut waiting = Waiting::default();
        let limits = Limits { waiting_bytes: 10, waiting_pictures: 3, ..LIMITS };
        assert!(waiting.add(&limits, "mug", "a.png", &[0; 6]).is_ok());
        assert!(waiting.add(&limits, "mug", "b.png", &[0; 5]).is_err());
        assert!(waiting.add(&limits, "cup", "", &[0; 2]).is_ok());
        assert!(waiting.add(&limits, "cup", "c.png", &[0; 2]).is_ok());
        assert!(waiting.add(&limits, "cup", "d.png", &[]).is_err());
        let listing = waiting.listing();
        assert_eq!((listing.pictures, listing.bytes), (3, 10));
        let files: Vec<&str> = listing.waiting.iter().map(|entry| entry.file.as_str()).collect();
        assert_eq!(files, ["mug/a.png", "cup/2", "cup/c.png"]);
        // Room that was given back is taken again, and no number twice.
        assert_eq!(waiting.drop_those(|picture| picture.class == "mug"), 1);
        assert!(waiting.is_of_one_class());
        assert!(waiting.add(&limits, "mug", "e.png", &[0; 6]).is_ok());
        assert_eq!(waiting.pictures().last().unwrap().number, 4);
        assert!(!waiting.is_of_one_class());
    }
}
