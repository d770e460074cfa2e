//! What a connection keeps of its transaction: the commands that are queued from MULTI on, and the keys that it
//! watches.

use std::collections::BTreeMap;
use tessera_command::{Command, Flags};
use tessera_keyspace::WatchStamp;
use tessera_resp::Args;
use tessera_resp::args::Span;
use tessera_routing::intents::{Access, Wants};
use tessera_routing::message::WatchedNames;

/// What EXEC has of its commands, so that it meets the gates that these would have met.
const TAKEN_OVER: [Flags; 5] =
    [Flags::READONLY, Flags::WRITE, Flags::DENY_OOM, Flags::MAY_REPLICATE, Flags::NO_ASYNC_LOADING];
/// Redis counts a pointer for each word, in bytes.
const WORD_COUNTED_BYTES: usize = 8;

/// The room of a queue that is kept for the next one, in bytes.
const KEPT_MAX_BYTES: usize = 64 * 1024;

struct Queued {
    command: &'static Command,
    first_span: usize,
    spans_len: usize,
}

/// The commands of a transaction, in order.
#[derive(Default)]
pub struct Queue {
    commands: Vec<Queued>,
    /// All words, one behind the other.
    bytes: Vec<u8>,
    spans: Vec<Span>,
    /// Of those in [`TAKEN_OVER`], which some command has.
    flags: Flags,
    /// Some command may not run while the server is loading.
    must_be_loaded: bool,
    is_aborted: bool,
}

impl Queue {
    /// Takes in a command. Of a transaction that will not run nothing is kept.
    pub(crate) fn push(&mut self, command: &'static Command, args: Args<'_>) {
        if self.is_aborted {
            return;
        }
        let first_span = self.spans.len();
        for word in args.iter() {
            self.spans.push(Span { start: self.bytes.len(), len: word.len() });
            self.bytes.extend_from_slice(word);
        }
        self.commands.push(Queued { command, first_span, spans_len: args.len() });
        let taken_over = TAKEN_OVER.into_iter().filter(|flag| command.flags.has(*flag));
        self.flags = taken_over.fold(self.flags, Flags::with);
        self.must_be_loaded |= !command.flags.has(Flags::LOADING);
    }

    /// Forgets all and keeps the room, unless that is uncommonly much: then false.
    pub(crate) fn clear(&mut self) -> bool {
        self.commands.clear();
        self.bytes.clear();
        self.spans.clear();
        (self.flags, self.must_be_loaded, self.is_aborted) = (Flags::NONE, false, false);
        self.allocated_bytes() <= KEPT_MAX_BYTES
    }

    /// The commands and their words.
    pub(crate) fn commands(&self) -> impl ExactSizeIterator<Item = (&'static Command, Args<'_>)> + Clone {
        self.commands.iter().map(|Queued { command, first_span, spans_len }| {
            (*command, Args::new(&self.bytes, &self.spans[*first_span..][..*spans_len]))
        })
    }

    /// One of the commands.
    pub(crate) fn get(&self, index: usize) -> Option<(&'static Command, Args<'_>)> {
        let Queued { command, first_span, spans_len } = self.commands.get(index)?;
        Some((*command, Args::new(&self.bytes, &self.spans[*first_span..][..*spans_len])))
    }

    /// How many commands are queued.
    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    /// EXEC will run nothing.
    pub(crate) fn abort(&mut self) {
        self.is_aborted = true;
    }

    /// Whether something that was to be queued was refused.
    pub(crate) fn is_aborted(&self) -> bool {
        self.is_aborted
    }

    /// The flags by which EXEC, whose own are `flags`, is let through the gates.
    pub(crate) fn flags_of_exec(&self, flags: Flags) -> Flags {
        let all = flags.with(self.flags);
        if self.must_be_loaded { all.without(Flags::LOADING) } else { all }
    }

    /// What CLIENT LIST calls `multi-mem`, in bytes.
    pub(crate) fn counted_bytes(&self) -> usize {
        self.bytes.len() + self.spans.len() * WORD_COUNTED_BYTES
    }

    /// Memory held, in bytes.
    pub(crate) fn allocated_bytes(&self) -> usize {
        size_of::<Queue>()
            + self.commands.capacity() * size_of::<Queued>()
            + self.bytes.capacity()
            + self.spans.capacity() * size_of::<Span>()
    }
}

/// A key that is watched.
struct Watched {
    owner: usize,
    /// How it was; not known yet while its owner is asked.
    stamp: Option<WatchStamp>,
}

/// The keys that a client watches, each once.
#[derive(Default)]
pub struct Watches {
    keys: BTreeMap<(u16, Box<[u8]>), Watched>,
    names_len_bytes: usize,
}

impl Watches {
    /// None.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// This key is watched already.
    pub(crate) fn has(&self, db: u16, key: &[u8]) -> bool {
        self.keys.contains_key(&(db, key.into()))
    }

    /// What is watched at an owner.
    pub(crate) fn wants_of(&self, owner: usize) -> Wants {
        Wants::keys(self.of_owner(owner).map(|(_, key, _)| (key, Access::Read)))
    }

    /// One more key, of that owner.
    pub(crate) fn add(&mut self, db: u16, key: &[u8], owner: usize, stamp: Option<WatchStamp>) {
        self.names_len_bytes += key.len();
        self.keys.insert((db, key.into()), Watched { owner, stamp });
    }

    /// An owner has said how the keys of its were that it was asked for, in their order.
    pub(crate) fn take_stamps(&mut self, owner: usize, stamps: Vec<WatchStamp>) {
        let asked = self.keys.values_mut().filter(|key| key.owner == owner && key.stamp.is_none());
        asked.zip(stamps).for_each(|(key, stamp)| key.stamp = Some(stamp));
    }

    /// The keys of an owner that it has not been asked for, in order.
    pub(crate) fn unasked(&self, owner: usize) -> WatchedNames {
        let unasked = self.keys.iter().filter(|(_, key)| key.owner == owner && key.stamp.is_none());
        unasked.map(|(name, _)| name.clone()).collect()
    }

    /// The keys of an owner, and how they were.
    pub(crate) fn of_owner(&self, owner: usize) -> impl Iterator<Item = (u16, &[u8], WatchStamp)> {
        let of_owner = self.keys.iter().filter(move |(_, key)| key.owner == owner);
        of_owner.filter_map(|((db, name), key)| Some((*db, &name[..], key.stamp?)))
    }

    /// All keys are of this owner.
    pub(crate) fn are_of(&self, owner: usize) -> bool {
        self.keys.values().all(|key| key.owner == owner)
    }

    /// All keys with their owners, and how they were.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, u16, &[u8], WatchStamp)> {
        self.keys.iter().filter_map(|((db, name), key)| Some((key.owner, *db, &name[..], key.stamp?)))
    }

    /// Forgets all: the keys, by owner.
    pub(crate) fn take(&mut self) -> BTreeMap<usize, WatchedNames> {
        self.names_len_bytes = 0;
        let mut by_owner: BTreeMap<usize, WatchedNames> = BTreeMap::new();
        for (name, Watched { owner, .. }) in std::mem::take(&mut self.keys) {
            by_owner.entry(owner).or_default().push(name);
        }
        by_owner
    }

    /// Memory held, in bytes, about.
    pub(crate) fn allocated_bytes(&self) -> usize {
        self.names_len_bytes + self.keys.len() * (size_of::<(u16, Box<[u8]>)>() + size_of::<Watched>())
    }
}
