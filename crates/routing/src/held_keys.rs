//! Which keys of a shard are held by commands that change keys of several shards.
//!
//! Such a command holds all its keys, wherever they are, from before it looks at them until its last change is made, so
//! that nothing comes between. It asks all owners at once. If one of them refuses, because somebody else is there
//! already, it lets go of what it got and asks the owners one after the other, in the order of their numbers, and waits
//! at each for its turn. Whoever waits holds keys of lower shards only, so nobody waits in a circle. An owner gives a
//! command all of its keys or none, and takes commands that want the same key in the order in which they came.
//!
//! Keys are held by their names, in all databases at once. Whoever changes whole databases holds whole shards: he waits
//! for all that came before, and all that come later wait for him.

use crate::message::{Errand, ErrandKind, HoldMode};
use std::collections::{BTreeMap, VecDeque};

/// A command under way at its home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHolder {
    /// Its node.
    pub home: usize,
    /// The connection there.
    pub connection: u64,
    /// Which of the connection's commands.
    pub sequence: u32,
}

impl KeyHolder {
    /// Whoever sent `errand` from `home`.
    pub fn of(home: usize, errand: &Errand) -> KeyHolder {
        KeyHolder { home, connection: errand.ticket.connection, sequence: errand.ticket.sequence }
    }
}

/// What is to be done with an errand.
#[derive(Debug)]
pub enum Admission {
    /// Run it.
    Run(Errand),
    /// It waits, and will be handed out by [`HeldKeys::next_ready`].
    Waits,
    /// It would have to wait and does not want to.
    Refused(Errand),
}

#[derive(Debug)]
struct Entry {
    /// What is to be done in its turn; `None` once it has the keys.
    errand: Option<Errand>,
    /// Each of its keys once.
    keys: Vec<Box<[u8]>>,
    /// For how many of its keys others come first; and how many come first that want the whole shard. Of one that does
    /// itself: how many come first.
    behind: usize,
    /// When it came.
    number: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct HeldKeys {
    /// Who wants each key, in order. The first has it, if that is first everywhere.
    queues: BTreeMap<Box<[u8]>, VecDeque<KeyHolder>>,
    entries: BTreeMap<KeyHolder, Entry>,
    /// Who wants the whole shard, in order.
    of_shard: VecDeque<KeyHolder>,
    /// Those that wait and are first everywhere.
    ready: VecDeque<KeyHolder>,
    /// How many have come.
    next_number: u64,
}

impl HeldKeys {
    /// Nobody holds or wants anything: the one question that a command on other keys has to ask.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.of_shard.is_empty()
    }

    /// Somebody holds this key.
    pub fn is_held(&self, key: &[u8]) -> bool {
        let has = |first: &KeyHolder| self.entries.get(first).is_some_and(|entry| entry.errand.is_none());
        self.of_shard.front().is_some_and(has)
            || self.queues.get(key).and_then(|queue| queue.front()).is_some_and(has)
    }

    /// Takes in an errand from `home`. `gives_way`: keys have been let go of that commands wait for which do not hold;
    /// so nobody is to hold any before they have run, whose turn only [`HeldKeys::next_ready`] says.
    pub fn admit(&mut self, home: usize, errand: Errand, gives_way: bool) -> Admission {
        let (needs, hold) = match &errand.kind {
            ErrandKind::Look { needs, hold, .. } => (needs, hold),
            ErrandKind::HoldAll => return self.admit_to_all(home, errand, gives_way),
            _ => return Admission::Run(errand),
        };
        let holder = KeyHolder::of(home, &errand);
        if self.entries.contains_key(&holder) {
            // It looks once more at what it has.
            return Admission::Run(errand);
        }
        if self.is_empty() && *hold == HoldMode::Not {
            return Admission::Run(errand);
        }
        let mut keys: Vec<Box<[u8]>> = needs.iter().map(|need| need.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        let behind = keys.iter().filter(|key| self.queues.contains_key(*key)).count() + self.of_shard.len();
        match (behind, hold) {
            (0, HoldMode::Not) => return Admission::Run(errand),
            (1.., HoldMode::OrRefuse) => return Admission::Refused(errand),
            (_, HoldMode::Not | HoldMode::OrRefuse | HoldMode::Wait) => {}
        }
        for key in &keys {
            self.queues.entry(key.clone()).or_default().push_back(holder);
        }
        self.enter(holder, errand, keys, behind, gives_way)
    }

    /// The same for one that wants the whole shard.
    #[cold]
    fn admit_to_all(&mut self, home: usize, errand: Errand, gives_way: bool) -> Admission {
        let holder = KeyHolder::of(home, &errand);
        if self.entries.contains_key(&holder) {
            return Admission::Run(errand);
        }
        let behind = self.entries.len();
        self.of_shard.push_back(holder);
        self.enter(holder, errand, Vec::new(), behind, gives_way)
    }

    fn enter(
        &mut self,
        holder: KeyHolder,
        errand: Errand,
        keys: Vec<Box<[u8]>>,
        behind: usize,
        gives_way: bool,
    ) -> Admission {
        let number = self.next_number;
        self.next_number += 1;
        if behind == 0 && !gives_way {
            self.entries.insert(holder, Entry { errand: None, keys, behind, number });
            return Admission::Run(errand);
        }
        if behind == 0 {
            self.ready.push_back(holder);
        }
        self.entries.insert(holder, Entry { errand: Some(errand), keys, behind, number });
        Admission::Waits
    }

    /// One that came before `holder` has gone.
    fn move_up(&mut self, holder: KeyHolder) {
        if let Some(entry) = self.entries.get_mut(&holder) {
            entry.behind = entry.behind.saturating_sub(1);
            if entry.behind == 0 {
                self.ready.push_back(holder);
            }
        }
    }

    /// Those wait no longer for one that has gone who wait for all that came before, or waited for it because it had
    /// all.
    #[cold]
    fn release_all(&mut self, holder: KeyHolder, number: u64) {
        let had_all = self.of_shard.contains(&holder);
        self.of_shard.retain(|other| *other != holder);
        let mut later: Vec<(u64, KeyHolder)> = if had_all {
            self.entries.iter().map(|(other, entry)| (entry.number, *other)).collect()
        } else {
            let of_shard = self.of_shard.iter();
            of_shard.filter_map(|other| Some((self.entries.get(other)?.number, *other))).collect()
        };
        later.retain(|(other, _)| *other > number);
        later.sort_unstable();
        later.into_iter().for_each(|(_, other)| self.move_up(other));
    }

    /// Lets go of all that a command holds here. False if that was nothing.
    pub fn release(&mut self, holder: KeyHolder) -> bool {
        let Some(entry) = self.entries.remove(&holder) else { return false };
        if !self.of_shard.is_empty() {
            self.release_all(holder, entry.number);
        }
        for key in entry.keys {
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            if queue.front() != Some(&holder) {
                queue.retain(|other| *other != holder);
                continue;
            }
            queue.pop_front();
            let Some(next) = queue.front().copied() else {
                self.queues.remove(&key);
                continue;
            };
            self.move_up(next);
        }
        true
    }

    /// Somebody's turn has come.
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The next whose turn has come has its keys now: the errand to run, and from where. One that does not hold
    /// is to be released when it has run.
    pub fn next_ready(&mut self) -> Option<(usize, Errand)> {
        loop {
            let holder = self.ready.pop_front()?;
            if let Some(errand) = self.entries.get_mut(&holder).and_then(|entry| entry.errand.take()) {
                return Some((holder.home, errand));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Look, Ticket};
    use tessera_command::gather::What;

    fn look(connection: u64, keys: &[&str], hold: HoldMode) -> Errand {
        let ticket = Ticket { connection, sequence: 7, part: 0 };
        let need = |key: &&str| Look { key: key.as_bytes().into(), db: 0, what: What::Presence };
        let kind = ErrandKind::Look { needs: keys.iter().map(need).collect(), hold };
        Errand { ticket, db: 0, touch: true, key: Box::default(), kind }
    }

    fn holder(connection: u64) -> KeyHolder {
        KeyHolder { home: 1, connection, sequence: 7 }
    }

    fn next(holds: &mut HeldKeys) -> Option<u64> {
        holds.next_ready().map(|(_, errand)| errand.ticket.connection)
    }

    #[test]
    fn who_came_first_is_first() {
        let mut holds = HeldKeys::default();
        assert!(matches!(
            holds.admit(1, look(1, &["a", "b", "a"], HoldMode::OrRefuse), false),
            Admission::Run(_)
        ));
        assert!(holds.is_held(b"a") && holds.is_held(b"b") && !holds.is_held(b"c"));
        assert!(matches!(
            holds.admit(1, look(2, &["b", "c"], HoldMode::OrRefuse), false),
            Admission::Refused(_)
        ));
        assert!(matches!(holds.admit(1, look(2, &["b", "c"], HoldMode::Wait), false), Admission::Waits));
        // The third waits for the second, though its key is free: neither waits for ever.
        assert!(matches!(holds.admit(1, look(3, &["c"], HoldMode::Wait), false), Admission::Waits));
        assert!(!holds.is_held(b"c"));
        assert!(holds.release(holder(1)) && !holds.release(holder(1)));
        // Between two of them there is a moment for everybody else.
        assert!(!holds.is_held(b"b"));
        assert_eq!((next(&mut holds), next(&mut holds)), (Some(2), None));
        assert!(holds.is_held(b"b") && holds.is_held(b"c"));
        holds.release(holder(2));
        assert_eq!(next(&mut holds), Some(3));
        holds.release(holder(3));
        assert!(holds.is_empty() && holds.entries.is_empty());
    }

    #[test]
    fn who_only_reads_waits_and_holds_nothing() {
        let mut holds = HeldKeys::default();
        assert!(matches!(holds.admit(0, look(1, &["a"], HoldMode::Not), false), Admission::Run(_)));
        assert!(holds.is_empty());
        holds.admit(1, look(2, &["a"], HoldMode::Wait), false);
        // Who holds a key may look at it again.
        assert!(matches!(holds.admit(1, look(2, &["a"], HoldMode::Wait), false), Admission::Run(_)));
        assert!(matches!(holds.admit(0, look(1, &["b"], HoldMode::Not), false), Admission::Run(_)));
        assert!(matches!(holds.admit(0, look(1, &["a"], HoldMode::Not), false), Admission::Waits));
        holds.release(holder(2));
        assert_eq!(next(&mut holds), Some(1));
    }

    fn look_at_all(connection: u64) -> Errand {
        let ticket = Ticket { connection, sequence: 7, part: 0 };
        Errand { ticket, db: 0, touch: true, key: Box::default(), kind: ErrandKind::HoldAll }
    }

    #[test]
    fn who_wants_all_waits_for_those_before_and_those_behind_wait_for_it() {
        let mut holds = HeldKeys::default();
        assert!(matches!(holds.admit(1, look(1, &["a", "b"], HoldMode::OrRefuse), false), Admission::Run(_)));
        assert!(matches!(holds.admit(1, look(2, &["a"], HoldMode::Wait), false), Admission::Waits));
        assert!(matches!(holds.admit(1, look_at_all(3), false), Admission::Waits));
        assert!(!holds.is_held(b"c"));
        // Also who wants something else.
        assert!(matches!(holds.admit(1, look(4, &["c"], HoldMode::OrRefuse), false), Admission::Refused(_)));
        assert!(matches!(holds.admit(1, look(4, &["c"], HoldMode::Wait), false), Admission::Waits));
        assert!(matches!(holds.admit(1, look(5, &["d"], HoldMode::Not), false), Admission::Waits));
        assert!(matches!(holds.admit(1, look_at_all(6), false), Admission::Waits));
        holds.release(holder(1));
        assert_eq!((next(&mut holds), next(&mut holds)), (Some(2), None));
        holds.release(holder(2));
        assert!(!holds.is_held(b"c"));
        assert_eq!((next(&mut holds), next(&mut holds)), (Some(3), None));
        assert!(holds.is_held(b"c") && holds.is_held(b"whatever"));
        // Who has all may ask again.
        assert!(matches!(holds.admit(1, look_at_all(3), false), Admission::Run(_)));
        holds.release(holder(3));
        assert_eq!((next(&mut holds), next(&mut holds), next(&mut holds)), (Some(4), Some(5), None));
        assert!(holds.is_held(b"c") && !holds.is_held(b"whatever"));
        holds.release(holder(5));
        holds.release(holder(4));
        assert_eq!(next(&mut holds), Some(6));
        holds.release(holder(6));
        assert!(holds.is_empty() && holds.entries.is_empty());
        assert!(matches!(holds.admit(1, look_at_all(7), false), Admission::Run(_)));
        holds.release(holder(7));
        assert!(holds.is_empty());
    }

    #[test]
    fn who_gives_up_while_it_waits_for_all_keeps_nobody() {
        let mut holds = HeldKeys::default();
        holds.admit(1, look(1, &["a"], HoldMode::OrRefuse), false);
        holds.admit(1, look_at_all(2), false);
        holds.admit(1, look(3, &["b"], HoldMode::Wait), false);
        holds.release(holder(2));
        assert_eq!((next(&mut holds), next(&mut holds)), (Some(3), None));
    }

    #[test]
    fn who_comes_again_at_once_gives_way_to_those_that_waited() {
        let mut holds = HeldKeys::default();
        assert!(matches!(holds.admit(1, look(1, &["a"], HoldMode::OrRefuse), false), Admission::Run(_)));
        holds.release(holder(1));
        assert!(matches!(holds.admit(1, look(1, &["a"], HoldMode::OrRefuse), true), Admission::Waits));
        // Now those have their turn that wanted the key while it was held.
        assert!(!holds.is_held(b"a") && holds.has_ready());
        assert_eq!((next(&mut holds), next(&mut holds)), (Some(1), None));
        assert!(holds.is_held(b"a"));
        holds.release(holder(1));
        assert!(holds.is_empty());
        // Who only reads takes nothing from them.
        assert!(matches!(holds.admit(1, look(1, &["a"], HoldMode::Not), true), Admission::Run(_)));
    }
}
