//! Which keys of a shard are held by transactions, and who waits for them: the *intents* of one owner.
//!
//! A transaction holds what it reads and writes, wherever that is, from before its first look until after its last
//! change, so that all of it happens at one moment. It asks all owners at once. An owner gives it all of its keys or
//! none, and takes those that want the same keys by their age: who is older comes before whoever does not hold yet, and
//! whoever holds and is younger is *wounded*: its home is told, and has it give way unless its outcome is decided. So
//! nobody waits for a younger one for long, and nobody waits in a circle. (Rosenkrantz, Stearns, Lewis: "System Level
//! Concurrency Control for Distributed Database Systems", 1978, there called wound-wait.)
//!
//! Keys are known by a hash of their names, the same in all databases: two that share one wait for each other, and
//! nothing worse. Whoever reads or writes the whole shard meets all others ("Granularity of Locks", Gray et al., 1976).

use ahash::RandomState;
use std::collections::{BTreeMap, BTreeSet};

/// A transaction under way; the smaller is the older.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId {
    /// When it began, in monotonic nanoseconds.
    pub began_ns: u64,
    /// Its node.
    pub home: u16,
    /// The connection there.
    pub connection: u64,
    /// Which of the connection's commands.
    pub sequence: u32,
}

/// What is done with a key, or with a whole shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// It is read: others may read it, too.
    Read,
    /// It may be changed.
    Write,
}

impl Access {
    /// Two who want this of the same key cannot have it at once.
    fn conflicts(self, other: Access) -> bool {
        self == Access::Write || other == Access::Write
    }
}

/// A key as intents know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of this key.
    #[inline]
    pub fn of(key: &[u8]) -> Fingerprint {
        // Who finds names that share one could as well name the key that he wants to hold.
        const SEEDS: [u64; 4] = [0x7465_7373, 0x6572_6121, 0x696e_7465, 0x6e74_7321];
        Fingerprint(RandomState::with_seeds(SEEDS[0], SEEDS[1], SEEDS[2], SEEDS[3]).hash_one(key))
    }
}

/// What a transaction wants of one shard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Keys, in ascending order, each once.
    keys: Vec<(Fingerprint, Access)>,
    /// The whole shard.
    whole: Option<Access>,
}

impl Wants {
    /// These keys. One that is named twice counts as written if it is once.
    pub fn keys<'a>(keys: impl IntoIterator<Item = (&'a [u8], Access)>) -> Wants {
        let mut keys: Vec<_> = keys.into_iter().map(|(key, access)| (Fingerprint::of(key), access)).collect();
        // What is written comes first of those that are the same.
        keys.sort_unstable_by_key(|(key, access)| (*key, *access == Access::Read));
        keys.dedup_by_key(|(key, _)| *key);
        Wants { keys, whole: None }
    }

    /// All of the shard.
    pub fn whole(access: Access) -> Wants {
        Wants { keys: Vec::new(), whole: Some(access) }
    }

    /// The whole shard as well.
    pub fn and_whole(mut self, access: Access) -> Wants {
        self.whole = Some(self.whole.map_or(access, |other| other.max(access)));
        self
    }

    /// Nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.whole.is_none()
    }

    /// What it does at most with any key.
    fn strongest(&self) -> Access {
        let keys = self.keys.iter().map(|(_, access)| *access);
        keys.chain(self.whole).max().unwrap_or(Access::Read)
    }

    /// One of both wants the whole shard, so that the other is in its way.
    fn meets(&self, other: &Wants) -> bool {
        self.whole.is_some_and(|access| access.conflicts(other.strongest()))
            || other.whole.is_some_and(|access| access.conflicts(self.strongest()))
    }
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission<W> {
    /// It has its keys: do this.
    Granted(W),
    /// It waits, and will be handed out by [`Intents::next_ready`]. Those who are in its way and younger are to be
    /// told, see [`Intents::take_wounded`].
    Waits,
}

/// Who holds a key: one that writes, or some that read. Mostly it is one, and needs no memory of its own.
#[derive(Debug, Default)]
struct Holders {
    first: Option<(TransactionId, Access)>,
    others: Vec<(TransactionId, Access)>,
}

impl Holders {
    fn iter(&self) -> impl Iterator<Item = &(TransactionId, Access)> {
        self.first.iter().chain(&self.others)
    }

    fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    fn push(&mut self, id: TransactionId, access: Access) {
        match self.first {
            None => self.first = Some((id, access)),
            Some(_) => self.others.push((id, access)),
        }
    }

    fn remove(&mut self, id: TransactionId) {
        if self.first.is_some_and(|(first, _)| first == id) {
            self.first = self.others.pop();
        } else {
            self.others.retain(|(other, _)| *other != id);
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    holders: Holders,
    /// Who waits for it, the oldest first.
    waiters: BTreeMap<TransactionId, Access>,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.waiters.is_empty()
    }

    fn is_held_against(&self, access: Access) -> bool {
        self.holders.iter().any(|(_, held)| held.conflicts(access))
    }

    /// It can be had: nobody holds it who must not, nor waits for it who is older.
    fn is_free_for(&self, id: TransactionId, access: Access) -> bool {
        !self.is_held_against(access)
            && match access {
                Access::Write => self.waiters.first_key_value().is_none_or(|(first, _)| *first >= id),
                Access::Read => self.waiters.range(..id).all(|(_, other)| *other == Access::Read),
            }
    }

    /// Those for whom it may be free now: the first, and as long as they read those behind it.
    fn next_waiters(&self) -> impl Iterator<Item = TransactionId> {
        let mut has_writer = false;
        self.waiters
            .iter()
            .enumerate()
            .take_while(move |(index, (_, access))| {
                let is_next = !has_writer && (*index == 0 || **access == Access::Read);
                has_writer |= **access == Access::Write;
                is_next
            })
            .map(|(_, (id, _))| *id)
    }
}

#[derive(Debug)]
struct Entry<W> {
    wants: Wants,
    /// What is to be done in its turn; `None` once it has its keys.
    work: Option<W>,
    /// Its home has been told that an older one wants what it holds.
    is_wounded: bool,
}

/// Some transactions, by what they do at most with any key, and those that want the whole shard by what for: enough to
/// know who is in whose way there.
#[derive(Debug, Default)]
struct Crowd {
    by_strongest: [BTreeSet<TransactionId>; 2],
    by_whole: [BTreeSet<TransactionId>; 2],
}

impl Crowd {
    fn insert(&mut self, id: TransactionId, wants: &Wants) {
        self.by_strongest[wants.strongest() as usize].insert(id);
        if let Some(access) = wants.whole {
            self.by_whole[access as usize].insert(id);
        }
    }

    fn remove(&mut self, id: TransactionId, wants: &Wants) {
        self.by_strongest[wants.strongest() as usize].remove(&id);
        if let Some(access) = wants.whole {
            self.by_whole[access as usize].remove(&id);
        }
    }

    /// The oldest of those in whose way it is, or who are in its way, as one of both wants the whole shard.
    fn first_met(&self, wants: &Wants) -> Option<TransactionId> {
        let strongest = wants.strongest();
        let met = [Access::Read, Access::Write].into_iter().flat_map(|access| {
            let by_strongest = wants.whole.is_some_and(|whole| whole.conflicts(access));
            let by_strongest = by_strongest.then(|| self.by_strongest[access as usize].first());
            let by_whole = access.conflicts(strongest).then(|| self.by_whole[access as usize].first());
            [by_strongest, by_whole]
        });
        met.flatten().flatten().min().copied()
    }
}

/// How many hold what, of what they do at most with any key, and how many hold the whole shard.
#[derive(Debug, Default)]
struct Holding {
    by_strongest: [usize; 2],
    by_whole: [usize; 2],
}

impl Holding {
    fn note(&mut self, wants: &Wants, holds: bool) {
        let change = |count: &mut usize| *count = if holds { *count + 1 } else { *count - 1 };
        change(&mut self.by_strongest[wants.strongest() as usize]);
        if let Some(access) = wants.whole {
            change(&mut self.by_whole[access as usize]);
        }
    }

    /// Somebody is in the way, as one of both wants the whole shard.
    fn meets(&self, wants: &Wants) -> bool {
        let strongest = wants.strongest();
        [Access::Read, Access::Write].into_iter().any(|access| {
            wants.whole.is_some_and(|whole| whole.conflicts(access)) && self.by_strongest[access as usize] > 0
                || access.conflicts(strongest) && self.by_whole[access as usize] > 0
        })
    }
}

/// See the module. `W` is what is done once a transaction has its keys.
#[derive(Debug)]
pub struct Intents<W> {
    queues: BTreeMap<Fingerprint, Queue>,
    entries: BTreeMap<TransactionId, Entry<W>>,
    holding: Holding,
    waiting: Crowd,
    /// Those that wait and may be able to go on.
    ready: BTreeSet<TransactionId>,
    /// Those to be told that they are in the way of an older one.
    wounded: Vec<TransactionId>,
}

impl<W> Default for Intents<W> {
    fn default() -> Intents<W> {
        Intents {
            queues: BTreeMap::new(),
            entries: BTreeMap::new(),
            holding: Holding::default(),
            waiting: Crowd::default(),
            ready: BTreeSet::new(),
            wounded: Vec::new(),
        }
    }
}

impl<W> Intents<W> {
    /// Nobody holds or wants anything: the one question that a command on keys has to ask.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Somebody holds this key, so that it cannot be had for this. Whoever only waits is in nobody's way.
    pub fn is_held(&self, key: &[u8], access: Access) -> bool {
        [Access::Read, Access::Write]
            .into_iter()
            .any(|held| held.conflicts(access) && self.holding.by_whole[held as usize] > 0)
            || self.queues.get(&Fingerprint::of(key)).is_some_and(|queue| queue.is_held_against(access))
    }

    /// Nobody holds or waits for what is wanted, so that it could be had and given back at once.
    pub fn are_free(&self, id: TransactionId, wants: &Wants) -> bool {
        self.is_empty() || self.is_free_for(id, wants)
    }

    /// What is wanted can be had now: nobody holds it, and nobody waits for it who is older.
    fn is_free_for(&self, id: TransactionId, wants: &Wants) -> bool {
        !self.holding.meets(wants)
            && self.waiting.first_met(wants).is_none_or(|first| first >= id)
            && wants
                .keys
                .iter()
                .all(|(key, access)| self.queues.get(key).is_none_or(|queue| queue.is_free_for(id, *access)))
    }

    /// Takes in a request. `gives_way`: keys have been let go of that single commands wait for; so nobody is to hold
    /// any before they have run, whose turn only [`Intents::next_ready`] says.
    pub fn admit(&mut self, id: TransactionId, wants: Wants, work: W, gives_way: bool) -> Admission<W> {
        debug_assert!(!self.entries.contains_key(&id), "a transaction asks an owner once");
        let is_free = self.is_free_for(id, &wants);
        if is_free && !gives_way {
            for (key, access) in &wants.keys {
                self.queues.entry(*key).or_default().holders.push(id, *access);
            }
            self.holding.note(&wants, true);
            self.entries.insert(id, Entry { wants, work: None, is_wounded: false });
            return Admission::Granted(work);
        }
        if is_free {
            self.ready.insert(id);
        } else {
            self.wound(id, &wants);
        }
        self.enqueue(id, wants, work);
        Admission::Waits
    }

    /// Has somebody wait for their turn who is younger than all that hold or want anything here, see
    /// [`Intents::youngest`]: so nobody is to be told to give way, and nobody waits in a circle. Of an older one that
    /// would not be so, even if it holds nothing: a transaction that waits for it may hold what those want whom it
    /// waits for.
    pub fn wait(&mut self, id: TransactionId, wants: Wants, work: W) {
        debug_assert!(self.youngest().is_none_or(|youngest| youngest < id), "somebody is younger");
        self.enqueue(id, wants, work);
    }

    /// The youngest that holds or wants anything here.
    pub fn youngest(&self) -> Option<TransactionId> {
        self.entries.last_key_value().map(|(id, _)| *id)
    }

    fn enqueue(&mut self, id: TransactionId, wants: Wants, work: W) {
        for (key, access) in &wants.keys {
            self.queues.entry(*key).or_default().waiters.insert(id, *access);
        }
        self.waiting.insert(id, &wants);
        self.entries.insert(id, Entry { wants, work: Some(work), is_wounded: false });
    }

    /// Those who hold what an older one wants are to be told.
    #[cold]
    fn wound(&mut self, id: TransactionId, wants: &Wants) {
        let mut in_way: BTreeSet<TransactionId> = BTreeSet::new();
        for (key, access) in &wants.keys {
            let holders = self.queues.get(key).into_iter().flat_map(|queue| queue.holders.iter());
            in_way.extend(holders.filter(|(_, held)| held.conflicts(*access)).map(|(holder, _)| *holder));
        }
        if self.holding.meets(wants) {
            let holders = self.entries.range(id..).filter(|(_, entry)| entry.work.is_none());
            in_way.extend(holders.filter(|(_, entry)| entry.wants.meets(wants)).map(|(other, _)| *other));
        }
        for holder in in_way.into_iter().filter(|holder| *holder > id) {
            if let Some(entry) = self.entries.get_mut(&holder)
                && !std::mem::replace(&mut entry.is_wounded, true)
            {
                self.wounded.push(holder);
            }
        }
    }

    /// Those to be told, each once for each time that it holds, that they are in the way of an older one.
    pub fn take_wounded(&mut self) -> Vec<TransactionId> {
        std::mem::take(&mut self.wounded)
    }

    /// An older one wants what this one holds.
    pub fn is_wounded(&self, id: TransactionId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.is_wounded)
    }

    /// Somebody is to be told.
    #[inline]
    pub fn has_wounded(&self) -> bool {
        !self.wounded.is_empty()
    }

    /// Lets go of all that a transaction holds here, or forgets that it waits: what it wanted, if anything.
    pub fn release(&mut self, id: TransactionId) -> Option<Wants> {
        let entry = self.entries.remove(&id)?;
        self.ready.remove(&id);
        for (key, _) in &entry.wants.keys {
            let Some(queue) = self.queues.get_mut(key) else { continue };
            queue.holders.remove(id);
            queue.waiters.remove(&id);
            if queue.is_empty() {
                self.queues.remove(key);
            } else {
                self.ready.extend(queue.next_waiters());
            }
        }
        match entry.work {
            None => self.holding.note(&entry.wants, false),
            Some(_) => self.waiting.remove(id, &entry.wants),
        }
        self.note_whole_waiters();
        if entry.wants.whole.is_some() {
            self.note_all_waiters();
        }
        Some(entry.wants)
    }

    /// The turn of those that want the whole shard may have come: of the oldest, whose follower is looked at when it
    /// has its turn.
    fn note_whole_waiters(&mut self) {
        let oldest = self.waiting.by_whole.iter().filter_map(|waiting| waiting.first());
        self.ready.extend(oldest);
    }

    /// Somebody has let go of the whole shard: the turn of all may have come before whom nobody waits for it.
    fn note_all_waiters(&mut self) {
        let [first_reader, first_writer] = self.waiting.by_whole.each_ref().map(|waiting| waiting.first());
        let before =
            |first: Option<&TransactionId>, id: &TransactionId| first.is_none_or(|first| id <= first);
        let [readers, writers] = &self.waiting.by_strongest;
        let readers = readers.iter().take_while(|id| before(first_writer, id));
        let writers = writers.iter().take_while(|id| before(first_writer, id) && before(first_reader, id));
        self.ready.extend(readers.chain(writers));
    }

    /// Somebody's turn may have come.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The oldest whose turn has come has its keys now: what is to be done.
    pub fn next_ready(&mut self) -> Option<(TransactionId, W)> {
        while let Some(id) = self.ready.pop_first() {
            let Some(entry) = self.entries.get(&id).filter(|entry| entry.work.is_some()) else { continue };
            if !self.is_free_for(id, &entry.wants) {
                continue;
            }
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            for (key, access) in &entry.wants.keys {
                let queue = self.queues.entry(*key).or_default();
                queue.waiters.remove(&id);
                queue.holders.push(id, *access);
            }
            self.waiting.remove(id, &entry.wants);
            self.holding.note(&entry.wants, true);
            let (is_whole, work) = (entry.wants.whole.is_some(), entry.work.take());
            if is_whole {
                self.note_whole_waiters();
            }
            if let Some(work) = work {
                return Some((id, work));
            }
        }
        None
    }
}
