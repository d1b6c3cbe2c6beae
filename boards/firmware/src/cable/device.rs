//! Does what each request asks of a board.

use core::cell::RefCell;

use headstart::pack::Pack;
use headstart_cable::{DATA, Hello, Input, Refusal, Reply, Request, VERSION};

use super::boot::{self, Active};
use super::layout::Layout;
use super::teach::Teacher;
use super::update::Update;
use crate::flash::Mapped;

/// A board's name and the version of its firmware.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    /// The name of the board in the host's list of boards, at most 64 bytes.
    pub name: &'static str,
    /// The version of the firmware, at most 64 bytes.
    pub firmware: &'static str,
}

/// A board: its pack, what it learned, and the flash that keeps both.
pub struct Device<'f, 'm, F: Mapped> {
    board: Board,
    pack: Option<(&'f Pack<'f>, [u8; 32])>,
    teacher: Result<Teacher<'f, 'm, F>, Refusal>,
    update: Update<'f, F>,
    flash: &'f RefCell<F>,
    layout: &'f Layout,
    restart: bool,
}

impl<'f, 'm, F: Mapped> Device<'f, 'm, F> {
    /// A board with the pack that [`active`](super::active) chose, in memory that starts at a multiple of 4.
    ///
    /// A pack that takes more memory, or a flash that holds what another backbone has learned, leaves a
    /// board that can only be updated or made to forget everything.
    #[inline(never)]
    pub fn new(
        board: Board,
        flash: &'f RefCell<F>,
        layout: &'f Layout,
        pack: Option<(&'f Pack<'f>, Active)>,
        memory: &'m mut [u8],
    ) -> Self {
        let available = memory.len();
        let place = pack.map(|(_, active)| active.place);
        let update = Update::new(flash, layout, pack.map(|(pack, _)| pack), place, available);
        let teacher = match pack {
            Some((pack, _)) => Teacher::open(flash, layout, pack, memory),
            None => Err(Refusal::NoPack),
        };
        let pack = pack.map(|(pack, active)| {
            let place = layout.packs[usize::from(active.place & 1)];
            (pack, boot::id(flash, place).unwrap_or_default())
        });
        Self { board, pack, teacher, update, flash, layout, restart: false }
    }

    /// Restricts the board to updates by this maker. Its pack was chosen by [`active_signed`](super::active_signed).
    #[cfg(feature = "signed")]
    #[must_use]
    pub fn trusting(mut self, maker: &'f super::Maker) -> Self {
        self.update.maker = Some(maker);
        self
    }

    pub(super) fn must_restart(&self) -> bool {
        self.restart
    }

    /// Does what is asked for.
    pub(super) fn reply(&mut self, request: Request<'_>) -> Reply<'_> {
        self.done(request).unwrap_or_else(Reply::Refused)
    }

    fn done(&mut self, request: Request<'_>) -> Result<Reply<'_>, Refusal> {
        match request {
            Request::Hello { .. } => Ok(Reply::Hello(self.hello())),
            Request::Update { bytes, id, forget } => {
                self.update.begin(bytes, id, forget).map(received)
            }
            Request::Write { offset, bytes } => self.update.write(offset, bytes).map(received),
            Request::Activate => {
                let learned = self.teacher.as_mut().is_ok_and(Teacher::is_personal);
                self.update.activate(learned || self.holds_other_head())?;
                self.restart = true;
                Ok(Reply::Activated)
            }
            Request::Forget { label: None } if self.teacher.is_err() => self.forget_unread(),
            _ => self.teach(request),
        }
    }

    fn teach(&mut self, request: Request<'_>) -> Result<Reply<'_>, Refusal> {
        let teacher = self.teacher.as_mut().map_err(|refusal| *refusal)?;
        match request {
            Request::Sample { offset, bytes } => teacher.sample(offset, bytes).map(received),
            Request::Predict => teacher.answer(None).map(Reply::Answer),
            Request::Evaluate { label } => teacher.answer(Some(label)).map(Reply::Answer),
            Request::Begin { transaction } => teacher.begin(transaction),
            Request::Learn { index, label } => teacher.learn(index, label),
            Request::Train { learner } => teacher.train(learner),
            Request::Commit => teacher.commit().map(|number| Reply::Committed { number }),
            Request::Status => teacher.status().map(Reply::Status),
            Request::Class { index } => teacher.class(index),
            Request::Forget { label } => {
                teacher.forget(self.layout, label).map(|classes| Reply::Forgotten { classes })
            }
            Request::Head { offset } => teacher.head(offset, DATA),
            // Done before.
            Request::Hello { .. }
            | Request::Update { .. }
            | Request::Write { .. }
            | Request::Activate => Err(Refusal::Malformed),
        }
    }

    fn hello(&self) -> Hello<'_> {
        let teacher = self.teacher.as_ref();
        let (pack, id) = self.pack.unzip();
        let input = pack.map(Pack::input);
        Hello {
            version: VERSION,
            board: self.board.name,
            firmware: self.board.firmware,
            pack: id.unwrap_or_default(),
            backbone: pack.map(Pack::backbone_digest).unwrap_or_default(),
            input: input.map_or_else(Input::default, |input| Input {
                height: input.height,
                width: input.width,
                channels: input.channels,
            }),
            max_classes: pack.map_or(0, |pack| pack.plan().max_classes as u16),
            classes: teacher.map_or(0, Teacher::classes),
            room: self.update.room(),
            transaction: teacher.map_or(0, Teacher::transaction),
            learned: teacher.map_or(0, Teacher::learned),
            problem: teacher.err().copied(),
        }
    }

    /// Whether the flash holds a head that the pack in use does not fit.
    fn holds_other_head(&self) -> bool {
        matches!(self.teacher, Err(Refusal::OtherBackbone))
    }

    /// Erases heads that cannot be read, and starts anew.
    fn forget_unread(&mut self) -> Result<Reply<'_>, Refusal> {
        let backbone = self.pack.map(|(pack, _)| pack.backbone_digest()).unwrap_or_default();
        Teacher::<F>::erase(self.flash, self.layout, &backbone)?;
        self.restart = true;
        Ok(Reply::Forgotten { classes: 0 })
    }
}

fn received(bytes: u32) -> Reply<'static> {
    Reply::Received { bytes }
}
