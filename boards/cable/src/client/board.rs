//! Asks a board for all that it can do.

use std::time::{Duration, Instant};

use super::link::Link;
use super::{Error, Port, Timing};
use crate::{DATA, Input, Refusal, Reply, Request, Status, UNKNOWN_CLASS, VERSION};

/// How often what was lost is sent again.
pub(super) const RESTARTS: u32 = 32;

/// Most bytes of a head record: more than any board's flash has for one.
const MOST_HEAD: u32 = 16 << 20;

/// Least bytes of a part of a head record, but for its last: a record in single bytes would take days.
const LEAST_PART: usize = 128;

/// Most classes that a head has, as in packs.
const MOST_CLASSES: u16 = 4096;

/// A board at the other end of a cable.
pub struct Board {
    pub(super) link: Link,
    pub(super) greeting: Greeting,
}

/// The board's description of itself when it was greeted; see [`Hello`](crate::Hello).
#[derive(Clone, Debug, PartialEq)]
pub struct Greeting {
    /// The board's name.
    pub board: String,
    /// The version of its firmware.
    pub firmware: String,
    /// The SHA-256 in the header of its pack.
    pub pack: [u8; 32],
    /// The digest of the backbone, which heads are bound to.
    pub backbone: [u8; 32],
    /// The shape of a sample.
    pub input: Input,
    /// The most classes that the head can have.
    pub max_classes: u16,
    /// How many classes the head has.
    pub classes: u16,
    /// The most bytes of a new pack.
    pub room: u32,
    /// The transaction that is open, or 0.
    pub transaction: u64,
    /// How many samples of the open transaction the board has learned.
    pub learned: u32,
    /// Why nothing can be learned or predicted, if that is so.
    pub problem: Option<Refusal>,
}

/// The answer to one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The best class.
    pub class: u16,
    /// The name of the best class.
    pub label: String,
    /// The probability of the best class.
    pub probability: f32,
    /// Whether the probability is too low to name the class.
    pub unknown: bool,
    /// The class of the label that it was evaluated with, if the head has it.
    pub truth: Option<u16>,
}

/// A class of the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The class's name.
    pub name: String,
    /// How many samples the class was learned from.
    pub samples: u32,
}

impl Board {
    /// Greets the board at that port.
    ///
    /// # Errors
    /// [`Error::Port`]; [`Error::Silent`]; [`Refusal::Version`].
    pub fn open(port: Box<dyn Port>, timing: Timing) -> Result<Self, Error> {
        let mut link = Link::open(port, timing)?;
        let greeting = greet(&mut link)?;
        Ok(Self { link, greeting })
    }

    /// The board's description of itself when it was greeted last.
    #[must_use]
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Does something, and does it again after a greeting if the board has lost what it takes.
    pub(super) fn surely<T>(
        &mut self,
        mut work: impl FnMut(&mut Link) -> Result<T, Error>,
    ) -> Result<T, Error> {
        for _ in 0..RESTARTS {
            match work(&mut self.link) {
                Err(error) if error.is_lost() => self.greeting = greet(&mut self.link)?,
                done => return done,
            }
        }
        Err(Error::Restarts(RESTARTS))
    }

    /// Asks for the class of a sample, int8 `[height, width, channels]`.
    ///
    /// # Errors
    /// Those of the line, and what the board refuses.
    pub fn predict(&mut self, input: &[i8]) -> Result<Answer, Error> {
        self.answer(input, &Request::Predict)
    }

    /// Asks for the class of a sample whose class is known.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn evaluate(&mut self, input: &[i8], label: &str) -> Result<Answer, Error> {
        self.answer(input, &Request::Evaluate { label })
    }

    fn answer(&mut self, input: &[i8], request: &Request<'_>) -> Result<Answer, Error> {
        self.surely(|link| {
            send_sample(link, input)?;
            match link.call(request)? {
                Reply::Answer(answer) => Ok(Answer {
                    class: answer.class,
                    label: answer.label.to_owned(),
                    probability: answer.probability,
                    unknown: answer.unknown,
                    truth: (answer.truth != UNKNOWN_CLASS).then_some(answer.truth),
                }),
                _ => Err(Error::Answer),
            }
        })
    }

    /// Asks what the board has learned.
    ///
    /// # Errors
    /// [`Error::TooManyClasses`] for more than packs have; as [`predict`](Self::predict).
    pub fn status(&mut self) -> Result<(Status, Vec<Class>), Error> {
        self.surely(|link| {
            let found = status(link)?;
            if found.classes > MOST_CLASSES {
                return Err(Error::TooManyClasses { found: found.classes, most: MOST_CLASSES });
            }
            let (mut classes, start) = (Vec::new(), Instant::now());
            for index in 0..found.classes {
                let Reply::Class { label, samples } = link.call(&Request::Class { index })? else {
                    return Err(Error::Answer);
                };
                classes.push(Class { name: label.to_owned(), samples });
                link.on_time(start, Duration::from_secs(u64::from(found.classes)))?;
            }
            Ok((found, classes))
        })
    }

    /// Makes what was learned durable, and gives the number of the commit.
    ///
    /// # Errors
    /// [`Error::NothingLearned`] where no transaction with a sample in it is open; [`Error::Gone`] if the board
    /// was started again before it had committed; as [`predict`](Self::predict).
    pub fn commit(&mut self) -> Result<u64, Error> {
        let Greeting { transaction, learned, .. } = self.greeting;
        if transaction == 0 || learned == 0 {
            return Err(Error::NothingLearned);
        }
        let mut again = false;
        let number = self.surely(|link| {
            if again {
                // The answer was lost, or the board: only its journal tells whether this was committed.
                match link.call(&Request::Begin { transaction })? {
                    Reply::Learned { committed: true, .. } => return commits(link),
                    Reply::Learned { samples, .. } if samples == learned => {}
                    Reply::Learned { .. } => return Err(Error::Gone { samples: learned }),
                    _ => return Err(Error::Answer),
                }
            }
            match link.call(&Request::Commit) {
                Ok(Reply::Committed { number }) => Ok(number),
                Ok(_) => Err(Error::Answer),
                Err(error) => {
                    again = error.is_lost();
                    Err(error)
                }
            }
        })?;
        (self.greeting.transaction, self.greeting.learned) = (0, 0);
        Ok(number)
    }

    /// Forgets a class, or everything, and gives the number of classes that are left.
    ///
    /// # Errors
    /// [`Refusal::NoSuchClass`]; [`Refusal::LastClass`]; as [`predict`](Self::predict).
    pub fn forget(&mut self, label: Option<&str>) -> Result<u16, Error> {
        let known = match label {
            Some(label) => self.status()?.1.iter().any(|class| class.name == label),
            None => false,
        };
        let mut again = false;
        let classes = self.surely(|link| match link.call(&Request::Forget { label }) {
            Ok(Reply::Forgotten { classes }) => Ok(classes),
            Ok(_) => Err(Error::Answer),
            // It was forgotten before the board was reset, which has finished it when it started.
            Err(Error::Refused(Refusal::NoSuchClass)) if again && known => {
                Ok(status(link)?.classes)
            }
            Err(error) => {
                again |= error.is_lost();
                Err(error)
            }
        })?;
        (self.greeting.transaction, self.greeting.learned) = (0, 0);
        Ok(classes)
    }

    /// Reads the head record that was committed last; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Answer`] if the board says that it is longer than 16 MiB or not as long as it said before, or gives it in parts of
    /// a few bytes; as [`predict`](Self::predict).
    pub fn head(&mut self) -> Result<Option<Vec<u8>>, Error> {
        self.surely(|link| {
            let (mut record, mut first, start) = (Vec::new(), None, Instant::now());
            loop {
                let offset = u32::try_from(record.len()).map_err(|_| Error::Answer)?;
                let Reply::Head { bytes, part } = link.call(&Request::Head { offset })? else {
                    return Err(Error::Answer);
                };
                if bytes > MOST_HEAD || *first.get_or_insert(bytes) != bytes {
                    return Err(Error::Answer);
                }
                record.extend(part);
                let short = part.len() < LEAST_PART && record.len() < bytes as usize;
                if record.len() > bytes as usize || short {
                    return Err(Error::Answer);
                }
                if record.len() == bytes as usize {
                    return Ok((bytes > 0).then_some(record));
                }
                // A kilobyte a second is what the slowest line carries.
                link.on_time(start, Duration::from_millis(record.len() as u64))?;
            }
        })
    }
}

pub(super) fn status(link: &mut Link) -> Result<Status, Error> {
    match link.call(&Request::Status)? {
        Reply::Status(found) => Ok(found),
        _ => Err(Error::Answer),
    }
}

/// The number of the last commit.
fn commits(link: &mut Link) -> Result<u64, Error> {
    status(link).map(|found| found.commits)
}

/// Begins a session.
pub(super) fn greet(link: &mut Link) -> Result<Greeting, Error> {
    for _ in 0..RESTARTS {
        link.begin();
        let hello = match link.call(&Request::Hello { version: VERSION }) {
            Ok(Reply::Hello(hello)) => hello,
            Ok(_) => return Err(Error::Answer),
            // A board that was reset between the copies of this request.
            Err(error) if error.is_lost() => continue,
            Err(error) => return Err(error),
        };
        if hello.version != VERSION {
            return Err(Error::Refused(Refusal::Version { board: hello.version }));
        }
        return Ok(Greeting {
            board: hello.board.to_owned(),
            firmware: hello.firmware.to_owned(),
            pack: hello.pack,
            backbone: hello.backbone,
            input: hello.input,
            max_classes: hello.max_classes,
            classes: hello.classes,
            room: hello.room,
            transaction: hello.transaction,
            learned: hello.learned,
            problem: hello.problem,
        });
    }
    Err(Error::Restarts(RESTARTS))
}

/// Sends a whole sample.
pub(super) fn send_sample(link: &mut Link, input: &[i8]) -> Result<(), Error> {
    let mut buffer = [0; DATA];
    for (at, part) in input.chunks(DATA).enumerate() {
        let bytes = &mut buffer[..part.len()];
        bytes.iter_mut().zip(part).for_each(|(to, from)| *to = from.cast_unsigned());
        let offset = u32::try_from(at * DATA).map_err(|_| Error::TooLong)?;
        match link.call(&Request::Sample { offset, bytes })? {
            Reply::Received { .. } => {}
            _ => return Err(Error::Answer),
        }
    }
    Ok(())
}
