//! What transactions over several shards have this one do: which of it may be done when, see
//! [`tessera_routing::intents`].

use super::Owner;
use super::held::Staged;
use crate::clock::Clock;
use crate::core::Core;
use crate::housekeeping::over_hard_limit;
use crate::task::{Asker, Task};
use tessera_command::Flags;
use tessera_routing::intents::Admission;
use tessera_routing::message::{
    Acquire, ErrandKind, Part, Progress, Replied, WatchedKey, When, Work, look_at,
};
use tessera_routing::{Answer, Errand, Ticket, TransactionId};

/// A key that is watched is not as it was: that is how far it is.
fn changed(progress: Progress) -> Answer {
    Answer { progress: Some(progress), is_changed: true, ..Answer::default() }
}

impl Owner {
    /// One of these keys is not as it was.
    fn has_changed(&self, watched: &[WatchedKey]) -> bool {
        watched.iter().any(|key| !key.is_unchanged(&self.shard))
    }

    /// Does a step that is no part of a command as clients send it.
    fn run_errand(&mut self, errand: Errand) -> Answer {
        let before_bytes = self.shard.entry_bytes();
        let answer = errand.run(&mut self.shard);
        self.memory.note_growth(self.shard.entry_bytes().saturating_sub(before_bytes));
        answer
    }
}

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Takes in an errand for this shard. Of this node's own it returns the answer, if there is one already.
    pub(crate) fn take_errand(&mut self, home: usize, errand: Errand) -> Option<Answer> {
        let ticket = errand.ticket;
        let answer = match errand.kind {
            ErrandKind::Release => {
                self.release_keys(errand.transaction);
                None
            }
            ErrandKind::Unwatch(names) => {
                self.owner.unwatch_all(&names);
                None
            }
            ErrandKind::Yield => self.yield_keys(errand),
            ErrandKind::Commit => Some(self.commit(&errand)),
            ErrandKind::Acquire(_) => self.acquire(home, errand),
            _ if self.must_wait_with_errand(&errand) => {
                self.owner.unkept.put_off_errand(errand);
                None
            }
            _ => Some(self.run_errand(errand)),
        };
        if home == self.server.me {
            return answer;
        }
        if let Some(answer) = answer {
            self.mesh.outgoing(home).answers.push((ticket, answer));
        }
        None
    }

    /// Has a transaction hold its keys, and does what it wants then, if that is now.
    fn acquire(&mut self, home: usize, mut errand: Errand) -> Option<Answer> {
        let (id, ticket) = (errand.transaction, errand.ticket);
        let ErrandKind::Acquire(acquire) = &mut errand.kind else { return None };
        if matches!(acquire.when, When::IfFree | When::Alone)
            && self.owner.held.are_free(id, &acquire.wants)
            && !self.must_wait_with_errand(&errand)
        {
            return Some(self.run_free(errand));
        }
        let ErrandKind::Acquire(acquire) = &mut errand.kind else { return None };
        if acquire.when == When::IfFree {
            acquire.when = When::Committed;
            let answer = Answer { progress: Some(Progress::Waits), ..Answer::default() };
            self.mesh.outgoing(home).answers.push((ticket, answer));
        }
        let admission = self.owner.held.admit(errand);
        self.tell_wounded();
        match admission {
            Admission::Granted(errand) => self.have_granted(errand),
            Admission::Waits => None,
        }
    }

    /// Does all that a transaction wants of this shard. Its keys are free, and need not be held for it.
    fn run_free(&mut self, errand: Errand) -> Answer {
        let Errand { db, touch, kind, .. } = errand;
        let ErrandKind::Acquire(acquire) = kind else { return Answer::default() };
        if self.owner.has_changed(&acquire.watched) {
            return changed(Progress::Done);
        }
        let answer = self.work(acquire.work, db, touch);
        self.serve_waiters();
        Answer { progress: Some(Progress::Done), ..answer }
    }

    /// A transaction has its keys: does what it wants then. `None` if that has to wait for a value to be saved or kept.
    pub(crate) fn have_granted(&mut self, errand: Errand) -> Option<Answer> {
        if self.must_wait_with_errand(&errand) {
            self.server.counters.snapshot_writers_waited += 1;
            self.owner.unkept.put_off_errand(errand);
            return None;
        }
        let Errand { transaction, db, touch, kind, .. } = errand;
        let ErrandKind::Acquire(acquire) = kind else { return None };
        let Acquire { watched, work, when, .. } = *acquire;
        if when == When::Held {
            self.owner.held.note_steps(transaction, self.owner.shard.now_ms());
        }
        let is_changed = self.owner.has_changed(&watched);
        match (when, work) {
            (When::Alone, _) if is_changed => {
                self.release_keys(transaction);
                Some(changed(Progress::Done))
            }
            (When::Committed | When::IfFree, Work::Run(parts)) => {
                self.owner.held.stage(transaction, Staged { watched, parts });
                if is_changed {
                    return Some(changed(Progress::Held));
                }
                Some(Answer { progress: Some(Progress::Held), ..Answer::default() })
            }
            (When::Alone, work) => {
                let answer = self.work(work, db, touch);
                self.release_keys(transaction);
                self.serve_waiters();
                Some(Answer { progress: Some(Progress::Done), ..answer })
            }
            _ if is_changed => Some(changed(Progress::Held)),
            (_, work) => {
                let answer = self.work(work, db, touch);
                self.serve_waiters();
                Some(Answer { progress: Some(Progress::Held), ..answer })
            }
        }
    }

    /// A transaction gives its keys to those who are older, and waits for them anew.
    fn yield_keys(&mut self, errand: Errand) -> Option<Answer> {
        let has_waiters = self.has_held_back();
        let admission = self.owner.held.requeue(errand, has_waiters);
        self.tell_wounded();
        match admission {
            Admission::Granted(errand) => self.have_granted(errand),
            Admission::Waits => None,
        }
    }

    /// The outcome of a transaction is decided: does its part here, and lets go of its keys.
    fn commit(&mut self, errand: &Errand) -> Answer {
        let parts = self.owner.held.take_staged(errand.transaction);
        let answer = self.work(Work::Run(parts), errand.db, errand.touch);
        self.release_keys(errand.transaction);
        self.serve_waiters();
        Answer { progress: Some(Progress::Done), ..answer }
    }

    /// Does what a transaction wants of keys that nobody else has. Who waits for them is not served yet.
    fn work(&mut self, work: Work, db: u16, touch: bool) -> Answer {
        match work {
            Work::Watch(names) => Answer { stamps: self.owner.watch_all(&names), ..Answer::default() },
            Work::Look(looks) => look_at(&looks, &mut self.owner.shard, touch),
            Work::Run(parts) => {
                // Whether there is memory for them was asked at their home, before any shard began. Room is made before
                // the first, so that none misses what another has written.
                if let Some(part) = parts.iter().find(|part| part.command.flags.has(Flags::DENY_OOM)) {
                    let _ = self.is_out_of_memory_for(part.command);
                }
                let (mut replies, mut len_bytes) = (Vec::with_capacity(parts.len()), 0);
                for part in &parts {
                    let mut replied = self.run_part(part, db, touch);
                    // Its home will close the client for what there is already.
                    if over_hard_limit(&self.server.config, len_bytes) {
                        replied.reply = Vec::new();
                    }
                    len_bytes += replied.reply.len();
                    replies.push(replied);
                }
                Answer { replies, ..Answer::default() }
            }
        }
    }

    fn run_part(&mut self, part: &Part, db: u16, touch: bool) -> Replied {
        let Part { number, command, ref words, protocol } = *part;
        let mut reply = Vec::new();
        let task = Task { command, asker: Asker { db, protocol, touch }, is_whole: false };
        let outcome = self.run_task_unserved(&task, words.as_args(), &mut reply);
        Replied { number, reply, duration_ns: outcome.duration_ns }
    }

    /// Tells the homes of transactions that hold what older ones want. One that has not been told that it holds them
    /// gives them away by itself, see [`Core::let_unkept_go`].
    fn tell_wounded(&mut self) {
        for id in self.owner.held.take_wounded() {
            if self.owner.unkept.has_errand(id) {
                continue;
            }
            let TransactionId { home, connection, sequence, .. } = id;
            let ticket = Ticket { connection, sequence, part: self.server.me as u32 };
            if usize::from(home) == self.server.me {
                self.wound_later(ticket);
            } else {
                self.mesh.outgoing(usize::from(home)).wounds.push(ticket);
            }
        }
    }

    /// Does a step of a command over several shards, then serves who waited for keys that it has filled.
    pub(crate) fn run_errand(&mut self, errand: Errand) -> Answer {
        if matches!(errand.kind, ErrandKind::Put(..) | ErrandKind::GiveElement(..) | ErrandKind::TryKeys(_)) {
            self.make_room_for_growth();
        }
        let now_ms = self.owner.shard.now_ms();
        // All of a transaction happens at one moment: what was there when it began is there.
        self.owner.shard.set_now_ms(errand.moment_ms.unwrap_or(now_ms));
        let answer = match errand.kind {
            ErrandKind::Run(part) => self.work(Work::Run(vec![part]), errand.db, errand.touch),
            _ => self.owner.run_errand(errand),
        };
        self.owner.shard.set_now_ms(now_ms);
        self.serve_waiters();
        answer
    }

    /// Tries once more what had to wait for a value to be saved or kept. A transaction that has been told nothing yet
    /// gives its keys to those who are older first.
    pub(crate) fn retry_errand(&mut self, errand: Errand) {
        let (home, ticket) = (usize::from(errand.transaction.home), errand.ticket);
        let answer = match errand.kind {
            ErrandKind::Acquire(_) if self.owner.held.is_wounded(errand.transaction) => {
                self.yield_keys(errand)
            }
            ErrandKind::Acquire(_) => self.have_granted(errand),
            _ if self.must_wait_with_errand(&errand) => {
                self.owner.unkept.put_off_errand(errand);
                None
            }
            _ => Some(self.run_errand(errand)),
        };
        if let Some(answer) = answer {
            self.answer_errand(home, ticket, answer);
        }
    }

    /// Tells whoever wanted a step done how it went.
    pub(crate) fn answer_errand(&mut self, home: usize, ticket: Ticket, answer: Answer) {
        if home == self.server.me {
            self.take_answer(ticket, answer);
        } else {
            self.mesh.outgoing(home).answers.push((ticket, answer));
        }
    }
}
