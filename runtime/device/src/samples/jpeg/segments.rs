//! A file's segments (ITU-T T.81, B), and the tables that they bring along.

use super::MAX_BYTES;
use super::frame::Frame;
use super::huffman::{Bits, Table};
use super::inverse::{NATURAL, Quantisation};
use super::scan::{Part, Scan};

pub(super) const START_OF_SCAN: u8 = 0xDA;
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;
const BASELINE: u8 = 0xC0;
const EXTENDED: u8 = 0xC1;
const PROGRESSIVE: u8 = 0xC2;
const HUFFMAN_TABLES: u8 = 0xC4;
const QUANTISATION_TABLES: u8 = 0xDB;
const RESTART_INTERVAL: u8 = 0xDD;
const JFIF: u8 = 0xE0;
const ADOBE: u8 = 0xEE;

/// What the components of a picture mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Colours {
    Grey,
    /// Brightness, and how much bluer and redder than grey (JFIF's YCbCr).
    Differences,
}

/// A file read from its begin, and what was read so far.
pub(super) struct Segments<'a> {
    rest: &'a [u8],
    frame: Option<Frame>,
    quantisation: [Option<Quantisation>; 4],
    direct: [Option<Table>; 4],
    alternating: [Option<Table>; 4],
    restart_interval: usize,
    is_jfif: bool,
    adobe_transform: Option<u8>,
}

impl<'a> Segments<'a> {
    pub(super) fn new(content: &'a [u8]) -> Option<Self> {
        Some(Self {
            rest: content.strip_prefix(&[0xFF, START_OF_IMAGE])?,
            frame: None,
            quantisation: [None; 4],
            direct: [const { None }; 4],
            alternating: [const { None }; 4],
            restart_interval: 0,
            is_jfif: false,
            adobe_transform: None,
        })
    }

    /// The next segment's marker and body, or that the image has ended; `None` outside for bytes that are no segment.
    pub(super) fn next(&mut self) -> Option<Option<(u8, &'a [u8])>> {
        let (&first, mut rest) = self.rest.split_first()?;
        if first != 0xFF {
            return None;
        }
        // Any number of fill bytes.
        while let [0xFF, tail @ ..] = rest {
            rest = tail;
        }
        let (&marker, rest) = rest.split_first()?;
        if marker == END_OF_IMAGE {
            return Some(None);
        }
        // The others without a length stand in scans only.
        if marker < 0xC0 || (0xD0..=START_OF_IMAGE).contains(&marker) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let body = rest.get(2..length)?;
        self.rest = rest.get(length..)?;
        Some(Some((marker, body)))
    }

    /// Takes up what a segment says. `None` for one that is damaged, or of a kind that is not read.
    pub(super) fn read(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        match marker {
            BASELINE | EXTENDED | PROGRESSIVE => {
                if self.frame.is_some() {
                    return None;
                }
                self.frame = Some(Frame::read(body, marker == PROGRESSIVE, MAX_BYTES)?);
            }
            HUFFMAN_TABLES => self.read_huffman(body)?,
            QUANTISATION_TABLES => self.read_quantisation(body)?,
            RESTART_INTERVAL => {
                self.restart_interval = usize::from(u16::from_be_bytes(*body.first_chunk()?));
            }
            JFIF => self.is_jfif |= body.starts_with(b"JFIF\0"),
            ADOBE if body.starts_with(b"Adobe") => self.adobe_transform = body.get(11).copied(),
            // Other frames: arithmetic coding, hierarchies, nothing lost.
            0xC3 | 0xC5..=0xCF => return None,
            _ => {}
        }
        Some(())
    }

    fn read_huffman(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&class, rest)) = body.split_first() {
            let (table, rest) = Table::read(rest)?;
            let tables = match class >> 4 {
                0 => &mut self.direct,
                1 => &mut self.alternating,
                _ => return None,
            };
            *tables.get_mut(usize::from(class & 15))? = Some(table);
            body = rest;
        }
        Some(())
    }

    fn read_quantisation(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((&class, rest)) = body.split_first() {
            let wide = class >> 4 != 0;
            let (values, rest) = rest.split_at_checked(if wide { 128 } else { 64 })?;
            let mut table = [0; 64];
            for (k, &place) in NATURAL.iter().enumerate() {
                table[usize::from(place)] = if wide {
                    u16::from_be_bytes([values[2 * k], values[2 * k + 1]])
                } else {
                    u16::from(values[k])
                };
            }
            *self.quantisation.get_mut(usize::from(class & 15))? = Some(table);
            body = rest;
        }
        Some(())
    }

    /// Decodes the scan whose header is `body` and whose data follow.
    pub(super) fn scan(&mut self, body: &[u8]) -> Option<()> {
        let frame = self.frame.as_mut()?;
        let (&count, rest) = body.split_first()?;
        let (named, rest) = rest.split_at_checked(2 * usize::from(count))?;
        let &[first, last, bits, ..] = rest else { return None };
        let mut parts = Vec::with_capacity(named.len() / 2);
        for pair in named.chunks_exact(2) {
            let component = frame.components.iter().position(|c| c.id == pair[0])?;
            if parts.iter().any(|part: &Part<'_>| part.component == component) {
                return None;
            }
            // The table that holds when a component is first met is the one that it keeps.
            let kept = &mut frame.components[component];
            if kept.quantisation.is_none() {
                kept.quantisation = Some((*self.quantisation.get(kept.quantisation_index)?)?);
            }
            let (direct, alternating) = (usize::from(pair[1] >> 4), usize::from(pair[1] & 15));
            parts.push(Part {
                component,
                direct: self.direct.get(direct)?.as_ref(),
                alternating: self.alternating.get(alternating)?.as_ref(),
            });
        }
        let scan = Scan {
            parts,
            band: [usize::from(first), usize::from(last)],
            high: bits >> 4,
            low: bits & 15,
            restart_interval: self.restart_interval,
        };
        let mut bits = Bits::new(self.rest);
        scan.decode(frame, &mut bits)?;
        self.rest = bits.rest()?;
        Some(())
    }

    /// The frame with all that its scans have brought, and what its components mean: as libjpeg concludes it from markers
    /// and names.
    pub(super) fn finish(self) -> Option<(Frame, Colours)> {
        let frame = self.frame?;
        let names: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        let colours = match (names.len(), self.is_jfif, self.adobe_transform) {
            (1, ..) => Colours::Grey,
            (3, true, _) | (3, false, Some(1)) => Colours::Differences,
            (3, false, None) if names != *b"RGB" => Colours::Differences,
            _ => return None,
        };
        Some((frame, colours))
    }
}
