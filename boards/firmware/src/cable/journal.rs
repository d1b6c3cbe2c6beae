//! What a board remembers besides heads: which pack is in use, and which transaction made the head.
//!
//! A commit takes two steps: first the journal names the transaction and the record that it is going to
//! make, then the record is committed. Whether the second step was done is seen by the record itself:
//! so a host that lost its board in between knows, after any reset, whether to teach it again.
//!
//! To forget a class takes a third one: all older records are erased, and then the journal names no record any
//! more. What a reset left undone of that is done by the next start.

use core::cell::RefCell;

use headstart::store::{Flash, FlashStore, Region, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::layout::{Layout, place};
use super::window::Window;

/// The journal is bound to no backbone: this is its digest for the store.
const JOURNAL: [u8; 32] = *b"Headstart journal, version 1\0\0\0\0";

/// Most bytes of an entry.
const ENTRY: usize = 128;

/// One entry replaces the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The place of the pack in use: 0 or 1.
    pub(super) active: u8,
    /// What the first place holds, or is going to hold by an update: another one there was flashed.
    pub(super) flashed: [u8; 32],
    /// The backbone whose activation may forget the head of another one.
    pub(super) forget_for: Option<[u8; 32]>,
    /// The transaction that was committed last, if the record has this digest; 0 for none.
    pub(super) transaction: u64,
    /// The first bytes of the digest at the end of the record.
    pub(super) record: [u8; 16],
    /// The highest security counter of a pack that was used, where packs must be signed. It stands last: entries of
    /// before end without it.
    pub(super) counter: u64,
}

impl Entry {
    /// Whether a class was being forgotten: only then a record is committed by no transaction, and named until
    /// all older ones are erased.
    fn is_forgetting(&self) -> bool {
        self.transaction == 0 && self.record != [0; 16]
    }
}

/// The journal's store.
pub(super) struct Journal<'f, F: Flash> {
    window: Window<'f, F>,
    region: Region,
}

impl<'f, F: Flash> Journal<'f, F> {
    pub(super) fn new(flash: &'f RefCell<F>, layout: &Layout) -> Self {
        let region = layout.journal;
        Self { window: Window::new(flash, place(region)), region: Region { start: 0, ..region } }
    }

    /// A store whose bytes are no journal is made one.
    fn store(&self) -> Result<FlashStore<Window<'f, F>>, StoreError<F::Error>> {
        let open = FlashStore::open(self.window.clone(), self.region, &JOURNAL);
        match open {
            Err(StoreError::Geometry | StoreError::Region | StoreError::Flash(_)) | Ok(_) => open,
            Err(_) => FlashStore::format(self.window.clone(), self.region, &JOURNAL),
        }
    }

    /// The last entry; one of zeros where there is none.
    pub(super) fn read(&self) -> Result<Entry, StoreError<F::Error>> {
        Ok(self.read_doubting()?.0)
    }

    /// The last entry, and whether a later one may have been lost.
    pub(super) fn read_doubting(&self) -> Result<(Entry, bool), StoreError<F::Error>> {
        let mut bytes = [0; ENTRY];
        let mut store = self.store()?;
        let length = store.load(&mut bytes)?;
        // A zero behind it is the counter of an entry that has none.
        let end = length.unwrap_or(0).saturating_add(1);
        let entry = bytes.get(..end).and_then(|bytes| postcard::from_bytes(bytes).ok());
        let doubtful = length.is_none() || store.damaged() > 0;
        Ok((entry.unwrap_or_default(), doubtful))
    }

    /// Writes an entry so often that a slot that is lost later loses nothing: for what must never go back.
    pub(super) fn write_to_all(&self, entry: &Entry) -> Result<(), StoreError<F::Error>> {
        for _ in 0..self.region.slots {
            self.write(entry)?;
        }
        Ok(())
    }

    pub(super) fn write(&self, entry: &Entry) -> Result<(), StoreError<F::Error>> {
        let mut bytes = [0; ENTRY];
        let bytes = postcard::to_slice(entry, &mut bytes).map_err(|_| StoreError::Damaged)?;
        self.store()?.commit(bytes)
    }
}

/// The store of head records, which tells the journal of each commit first.
pub(super) struct Heads<'f, F: Flash> {
    store: FlashStore<Window<'f, F>>,
    pub(super) journal: Journal<'f, F>,
    /// The transaction of the next commit.
    pub(super) transaction: u64,
}

impl<'f, F: Flash> Heads<'f, F> {
    fn window(flash: &'f RefCell<F>, layout: &Layout) -> (Window<'f, F>, Region) {
        (Window::new(flash, place(layout.heads)), Region { start: 0, ..layout.heads })
    }

    pub(super) fn open(
        flash: &'f RefCell<F>,
        layout: &Layout,
        backbone: &[u8; 32],
    ) -> Result<Self, StoreError<F::Error>> {
        let (window, region) = Self::window(flash, layout);
        let store = FlashStore::open(window, region, backbone)?;
        let mut heads = Self { store, journal: Journal::new(flash, layout), transaction: 0 };
        // A flash that does not take it has its last head all the same, and is asked again by what changes it.
        let _ = heads.finish_forgetting();
        Ok(heads)
    }

    /// Erases older records if a class was being forgotten: whether the record without it was committed or not,
    /// none that knows it is left behind the current one.
    pub(super) fn finish_forgetting(&mut self) -> Result<(), StoreError<F::Error>> {
        let entry = self.journal.read()?;
        if !entry.is_forgetting() {
            return Ok(());
        }
        self.store.erase_others()?;
        self.journal.write(&Entry { record: [0; 16], ..entry })
    }

    /// Erases all heads. The journal forgets their transaction first.
    pub(super) fn format(
        flash: &'f RefCell<F>,
        layout: &Layout,
        backbone: &[u8; 32],
    ) -> Result<Self, StoreError<F::Error>> {
        let journal = Journal::new(flash, layout);
        let entry = journal.read()?;
        journal.write(&Entry { transaction: 0, record: [0; 16], ..entry })?;
        let (window, region) = Self::window(flash, layout);
        let store = FlashStore::format(window, region, backbone)?;
        Ok(Self { store, journal, transaction: 0 })
    }

    /// The number of the last commit; 0 for none.
    pub(super) fn commits(&self) -> u64 {
        // The store counts from 1.
        self.store.sequence().unwrap_or(0)
    }

    pub(super) fn damaged(&self) -> u32 {
        self.store.damaged()
    }

    pub(super) fn capacity(&self) -> usize {
        self.store.capacity()
    }
}

impl<F: Flash> Store for Heads<'_, F> {
    type Error = StoreError<F::Error>;

    fn load(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Self::Error> {
        self.store.load(buffer)
    }

    fn commit(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        let limit = self.store.capacity();
        if record.len() > limit {
            return Err(StoreError::TooLong { limit, found: record.len() });
        }
        // Before the journal names another record.
        self.finish_forgetting()?;
        let entry = self.journal.read()?;
        let (transaction, record_end) = (self.transaction, digest(record));
        self.journal.write(&Entry { transaction, record: record_end, ..entry })?;
        self.store.commit(record)
    }
}

/// The first bytes of the digest that stands at a record's end.
pub(super) fn digest(record: &[u8]) -> [u8; 16] {
    let start = record.len().saturating_sub(32);
    let end = record.get(start..).and_then(|end| end.first_chunk());
    end.copied().unwrap_or_default()
}
