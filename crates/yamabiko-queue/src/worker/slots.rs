//! How many jobs of which queues a worker has room for.

use std::collections::BTreeMap;

use crate::{
    job::{EVENTS, OUTBOX},
    store::{Signal, Want},
};

/// Free places: `events`, `outbox` and queues with a limit have their own, all others share the rest by weight (C6).
///
/// A turn that is under way has what it asks for to itself until it is answered.
#[derive(Debug)]
pub(super) struct Slots {
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    queues: Vec<(String, u32)>,
    free: usize,
}

impl Slots {
    pub(super) fn new(
        each: usize,
        queues: &[(String, u32)],
        limits: &BTreeMap<String, usize>,
    ) -> Self {
        let limit = |name: &str| limits.get(name).copied();
        let own = |name: &str| {
            let weight =
                queues.iter().find(|(queue, _)| queue == name).map_or(1, |(_, weight)| *weight);
            let free = limit(name).unwrap_or(each);
            Group { queues: vec![(name.to_owned(), weight)], free }
        };
        let others = queues.iter().filter(|(name, _)| name != EVENTS && name != OUTBOX);
        let (limited, shared): (Vec<_>, Vec<_>) =
            others.cloned().partition(|(name, _)| limit(name).is_some());
        let mut groups = vec![own(EVENTS), own(OUTBOX), Group { queues: shared, free: each }];
        groups.extend(limited.iter().map(|(name, _)| own(name)));
        for group in &mut groups {
            group.queues.retain(|(_, weight)| *weight > 0);
        }
        groups.retain(|group| !group.queues.is_empty());
        Self { groups }
    }

    /// Gives all the room that there is now to a turn; `chance`, from 0 to 1, draws the order of the queues.
    pub(super) fn ask(&mut self, chance: impl Fn() -> f64) -> Vec<Want> {
        let with_room = self.groups.iter_mut().filter(|group| group.free > 0);
        with_room
            .map(|group| Want {
                queues: draw(&group.queues, &chance),
                at_most: std::mem::take(&mut group.free),
            })
            .collect()
    }

    /// Takes back what a turn asked for; `take` follows for each job that it claimed.
    pub(super) fn answered(&mut self, wants: &[Want]) {
        for want in wants {
            self.group(&want.queues[0]).free += want.at_most;
        }
    }

    /// Returns all queues that are served.
    pub(super) fn queues(&self) -> Vec<String> {
        let names = self.groups.iter().flat_map(|group| &group.queues);
        names.map(|(name, _)| name.clone()).collect()
    }

    /// Returns what to wait for.
    pub(super) fn signals(&self) -> Vec<Signal> {
        let with_room = self.groups.iter().filter(|group| group.free > 0);
        with_room
            .flat_map(|group| &group.queues)
            .map(|(queue, _)| Signal::Queue(queue.clone()))
            .collect()
    }

    pub(super) fn take(&mut self, queue: &str) {
        let group = self.group(queue);
        group.free = group.free.saturating_sub(1);
    }

    pub(super) fn give_back(&mut self, queue: &str) {
        self.group(queue).free += 1;
    }

    fn group(&mut self, queue: &str) -> &mut Group {
        let found =
            self.groups.iter().position(|group| group.queues.iter().any(|(name, _)| name == queue));
        &mut self.groups[found.expect("only queues of a group are claimed")]
    }
}

/// Draws an order of queues: the heavier a queue, the likelier it comes early.
fn draw(queues: &[(String, u32)], mut chance: impl FnMut() -> f64) -> Vec<String> {
    let mut left: Vec<_> = queues.iter().collect();
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let total: u32 = left.iter().map(|(_, weight)| weight).sum();
        let mut point = chance() * f64::from(total);
        let drawn = left.iter().position(|(_, weight)| {
            point -= f64::from(*weight);
            point < 0.0
        });
        order.push(left.remove(drawn.unwrap_or(left.len() - 1)).0.clone());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(list: &[(&str, u32)]) -> Vec<(String, u32)> {
        list.iter().map(|&(name, weight)| (name.to_owned(), weight)).collect()
    }

    fn slots(each: usize, list: &[(&str, u32)]) -> Slots {
        Slots::new(each, &queues(list), &BTreeMap::new())
    }

    #[test]
    fn c6_events_and_outbox_have_slots_of_their_own() {
        let mut slots = slots(2, &[("high", 4), ("low", 1)]);
        slots.take("low");
        slots.take("high");
        let wants = slots.ask(|| 0.5);
        let asked: Vec<_> = wants.iter().map(|want| (&want.queues[..], want.at_most)).collect();
        assert_eq!(asked, [(&[EVENTS.to_owned()][..], 2), (&[OUTBOX.to_owned()], 2)]);
        slots.answered(&wants);
        slots.give_back("low");
        assert_eq!(slots.ask(|| 0.5)[2].at_most, 1);
    }

    #[test]
    fn c6_two_turns_under_way_do_not_ask_for_the_same_slots() {
        let mut slots = slots(2, &[("events", 0), ("outbox", 0), ("low", 1)]);
        let first = slots.ask(|| 0.5);
        assert_eq!((first[0].at_most, slots.ask(|| 0.5)), (2, Vec::new()));
        slots.answered(&first);
        slots.take("low");
        assert_eq!(slots.ask(|| 0.5)[0].at_most, 1);
    }

    #[test]
    fn c6_a_queue_with_weight_zero_is_not_served() {
        let slots = slots(1, &[("events", 0), ("low", 1), ("high", 0)]);
        assert_eq!(slots.queues(), [OUTBOX, "low"]);
        assert_eq!(slots.signals(), [Signal::Queue(OUTBOX.into()), Signal::Queue("low".into())]);
    }

    #[test]
    fn a_queue_with_a_limit_has_so_many_slots_of_its_own() {
        let limits = BTreeMap::from([("heavy".to_owned(), 2)]);
        let mut slots = Slots::new(8, &queues(&[("default", 2), ("heavy", 1)]), &limits);
        slots.take("default");
        slots.take("heavy");
        let wants = slots.ask(|| 0.5);
        let asked: Vec<_> = wants.iter().map(|want| (&*want.queues[0], want.at_most)).collect();
        assert_eq!(asked, [(EVENTS, 8), (OUTBOX, 8), ("default", 7), ("heavy", 1)]);
    }

    #[test]
    fn a_heavier_queue_comes_first_more_often() {
        let queues = queues(&[("high", 4), ("default", 2), ("low", 1)]);
        let mut chances = (0..70).map(|n| f64::from(n) / 70.0).flat_map(|first| [first, 0.0, 0.0]);
        let firsts: Vec<_> =
            (0..70).map(|_| draw(&queues, || chances.next().unwrap()).remove(0)).collect();
        let count = |name: &str| firsts.iter().filter(|first| *first == name).count();
        assert_eq!((count("high"), count("default"), count("low")), (40, 20, 10));
    }
}
