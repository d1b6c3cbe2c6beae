//! Which sample comes next.

use crate::Error;
use crate::head::numeric::Scratch;
use crate::head::samples::Groups;
use crate::head::{Random, Samples};

/// One sample in this many of each class is held out to decide when to stop.
const HELD_OUT: usize = 8;

/// The order in which samples are drawn: the classes in turn, shuffled within each class.
pub(super) struct Order<'a> {
    /// Of each class the held-out samples stand first.
    groups: Groups<'a>,
    /// Where the next sample of each class is.
    cursors: &'a mut [u32],
    /// The classes that have samples, in the order of this round.
    turns: &'a mut [u32],
    turn: usize,
    /// Samples that are held out, over all classes.
    pub(super) held: usize,
}

impl<'a> Order<'a> {
    pub(super) fn new(
        samples: Samples<'_>,
        classes: usize,
        mut scratch: Scratch<'a, u32>,
        random: &mut Random,
    ) -> Result<Self, Error> {
        let groups = Groups::new(samples, classes, random, &mut scratch)?;
        let cursors = scratch.take(classes)?;
        let turns = scratch.take(classes)?;
        let mut present = 0;
        for class in 0..classes {
            if !groups.class(class).is_empty() {
                turns[present] = class as u32;
                present += 1;
            }
        }
        let mut order = Self { groups, cursors, turns: &mut turns[..present], turn: 0, held: 0 };
        order.rewind();
        Ok(order)
    }

    /// Holds out a part of each class and says how many samples that is.
    pub(super) fn hold_out(&mut self) -> usize {
        self.held =
            (0..self.cursors.len()).map(|class| self.groups.class(class).len() / HELD_OUT).sum();
        self.rewind();
        self.held
    }

    pub(super) fn hold_out_none(&mut self) {
        self.held = 0;
        self.rewind();
    }

    fn rewind(&mut self) {
        for class in 0..self.cursors.len() {
            self.cursors[class] = self.first(class);
        }
        self.turn = self.turns.len();
    }

    /// How many samples of a class are held out.
    fn held_of(&self, class: usize) -> usize {
        if self.held > 0 { self.groups.class(class).len() / HELD_OUT } else { 0 }
    }

    /// The first sample of a class that is trained on.
    fn first(&self, class: usize) -> u32 {
        self.groups.starts[class] + self.held_of(class) as u32
    }

    /// Samples that are trained on.
    pub(super) fn trained(&self) -> usize {
        self.groups.samples.len() - self.held
    }

    pub(super) fn held_out(&self) -> impl Iterator<Item = u32> {
        (0..self.cursors.len())
            .flat_map(|class| &self.groups.class(class)[..self.held_of(class)])
            .copied()
    }

    pub(super) fn next(&mut self, random: &mut Random) -> usize {
        if self.turn == self.turns.len() {
            random.shuffle(self.turns);
            self.turn = 0;
        }
        let class = self.turns[self.turn] as usize;
        self.turn += 1;
        let (first, end) = (self.first(class), self.groups.starts[class + 1]);
        if self.cursors[class] == end {
            random.shuffle(&mut self.groups.samples[first as usize..end as usize]);
            self.cursors[class] = first;
        }
        let sample = self.groups.samples[self.cursors[class] as usize];
        self.cursors[class] += 1;
        sample as usize
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn a_rare_class_is_drawn_as_often_as_a_frequent_one() {
        let labels: Vec<u16> = (0..40).map(|sample| u16::from(sample % 10 == 0)).collect();
        let features = vec![0; 40];
        let samples = Samples::new(&features, &labels, 1).unwrap();
        let mut memory = vec![0; 40 + 12];
        let (mut random, scratch) = (Random::new(1), Scratch::new(&mut memory, 52).unwrap());
        let mut order = Order::new(samples, 3, scratch, &mut random).unwrap();
        assert_eq!(order.hold_out(), 4);
        let held: Vec<u32> = order.held_out().collect();
        assert!(held.iter().all(|&sample| labels[sample as usize] == 0));
        let mut drawn = [0; 40];
        for _ in 0..64 {
            drawn[order.next(&mut random)] += 1;
        }
        let rare: u32 = drawn.iter().step_by(10).sum();
        assert_eq!(rare, 32);
        assert!(drawn.iter().step_by(10).all(|&count| count == 8), "{drawn:?}");
        assert!(held.iter().all(|&sample| drawn[sample as usize] == 0));
    }
}
