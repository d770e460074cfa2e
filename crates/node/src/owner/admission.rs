//! Whether what wants keys of this node's shard may have them now, whoever it is for. It must wait if somebody holds
//! one of them; and to change one that is not saved yet, where saving it at once would take too long, or more memory
//! than there is for that; or one that clients are in the middle of reading, where keeping what they read takes several
//! steps.

use super::Owner;
use super::aside::Turn;
use crate::clock::Clock;
use crate::core::Core;
use crate::server::Server;
use tessera_command::keys::find_keys;
use tessera_command::{Command, KeyFlags};
use tessera_resp::Args;
use tessera_routing::intents::{Access, Wants};
use tessera_routing::message::{Acquire, ErrandKind, Work};
use tessera_routing::{Call, Errand};

/// A command may change a large value of this key where it is, or take it away to use it; others replace or remove it.
fn changes_in_place(command: &Command, flags: KeyFlags) -> bool {
    !command.spec.leaves_values && flags.has(KeyFlags::RW)
}

impl Owner {
    /// Whether a command, or part of one, has to wait for one of its keys on this shard to be saved, or kept for who
    /// reads it.
    #[cold]
    fn must_wait_to_write(
        &mut self,
        command: &'static Command,
        args: Args<'_>,
        db: u16,
        server: &Server,
    ) -> bool {
        if !command.is_write() {
            return false;
        }
        self.found_keys.clear();
        // A command whose keys the words do not tell is refused when it runs.
        find_keys(command, args, &mut self.found_keys);
        self.found_keys.iter().any(|found| {
            let key = &args[found.index];
            server.has_key(key)
                && (self.shard.must_wait_for_snapshot(db, key)
                    || changes_in_place(command, found.flags) && self.shard.must_wait_for_readers(db, key))
        })
    }

    /// Whether a command, or part of one, has to wait until one of its keys is let go of.
    #[inline]
    pub(crate) fn must_wait_for_holder(&mut self, command: &'static Command, args: Args<'_>) -> bool {
        self.held.holds_any() && self.is_key_held(command, args)
    }

    /// One of a command's keys is held. Those of other shards are not known here.
    #[cold]
    fn is_key_held(&mut self, command: &'static Command, args: Args<'_>) -> bool {
        self.found_keys.clear();
        find_keys(command, args, &mut self.found_keys);
        let is_write = command.is_write();
        self.found_keys.iter().any(|found| {
            let access =
                if is_write && !found.flags.has(KeyFlags::RO) { Access::Write } else { Access::Read };
            args.get(found.index).is_some_and(|key| self.held.holds(key, access))
        })
    }

    /// What a command uses; nothing if its words do not tell.
    #[cold]
    pub(crate) fn wants_of(&mut self, command: &'static Command, args: Args<'_>) -> Wants {
        self.found_keys.clear();
        find_keys(command, args, &mut self.found_keys);
        let is_write = command.is_write();
        let used = self.found_keys.iter().filter_map(|found| {
            let is_read = !is_write || found.flags.has(KeyFlags::RO);
            Some((args.get(found.index)?, if is_read { Access::Read } else { Access::Write }))
        });
        Wants::keys(used)
    }

    /// Whether a step of a command over several shards has to wait for its key to be saved, or kept for who reads it.
    #[cold]
    fn must_wait_with_errand(&mut self, errand: &Errand, server: &Server) -> bool {
        let Errand { db, key, kind, .. } = errand;
        let changes_in_place = match kind {
            ErrandKind::Acquire(acquire) => {
                let Acquire { work: Work::Run(parts), .. } = acquire.as_ref() else { return false };
                return parts
                    .iter()
                    .any(|part| self.must_wait_to_write(part.command, part.words.as_args(), *db, server));
            }
            ErrandKind::Run(part) => {
                return self.must_wait_to_write(part.command, part.words.as_args(), *db, server);
            }
            ErrandKind::TryKeys(tried) => {
                return tried.keys.iter().any(|key| {
                    self.shard.must_wait_for_snapshot(*db, key) || self.shard.must_wait_for_readers(*db, key)
                });
            }
            ErrandKind::Take
            | ErrandKind::TakeElement(..)
            | ErrandKind::GiveElement(..)
            | ErrandKind::Act { .. } => true,
            // What was there goes as it is to those who read it.
            ErrandKind::Put(..) | ErrandKind::Remove => false,
            ErrandKind::Look(_)
            | ErrandKind::FindTexts { .. }
            | ErrandKind::Yield
            | ErrandKind::Commit
            | ErrandKind::Release
            | ErrandKind::Unwatch(_) => return false,
        };
        self.shard.must_wait_for_snapshot(*db, key)
            || changes_in_place && self.shard.must_wait_for_readers(*db, key)
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Somebody has still to save, or to read, what the shard holds, so that writes have to ask.
    #[inline]
    pub(crate) fn must_writes_ask(&self) -> bool {
        self.owner.shard.has_readers() || self.snapshot.part.as_ref().is_some_and(|part| part.is_walking())
    }

    /// Whether a step of a command over several shards may not be done yet; nor is one that follows a step of its
    /// transaction which may not.
    #[inline]
    pub(crate) fn must_wait_with_errand(&mut self, errand: &Errand) -> bool {
        self.must_writes_ask()
            && (self.owner.unkept.has_errand(errand.transaction)
                || self.owner.must_wait_with_errand(errand, &self.server))
    }

    /// Whether a command, or part of one, may not change what is at its keys yet.
    #[inline]
    pub(crate) fn must_wait_to_write(&mut self, command: &'static Command, args: Args<'_>, db: u16) -> bool {
        self.must_writes_ask() && self.owner.must_wait_to_write(command, args, db, &self.server)
    }

    /// Whether a peer's call may run now. One that may not is set aside, and with it what its connection sends later.
    #[cold]
    pub(crate) fn turn_of_call(&mut self, home: usize, call: &Call, args: Args<'_>) -> Turn {
        let is_behind = self.owner.aside.has(home, call.ticket.connection);
        let waits_to_write = self.must_wait_to_write(call.command, args, call.db);
        let waits_for_holder = self.owner.must_wait_for_holder(call.command, args);
        if !is_behind && !waits_to_write && !waits_for_holder {
            return Turn::Now;
        }
        if !self.owner.aside.has_room(args.total_len_bytes()) {
            return Turn::Full;
        }
        if waits_for_holder {
            let wants = self.owner.wants_of(call.command, args);
            self.owner.held.queue_up(home, call.ticket.connection, wants);
        }
        self.owner.aside.add(home, call, args);
        self.server.counters.snapshot_writers_waited += u64::from(waits_to_write);
        Turn::Aside
    }
}
