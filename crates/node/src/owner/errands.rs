//! Steps of commands over several shards on this one: which may be done when, see [`tessera_routing::held_keys`].

use super::Owner;
use crate::clock::Clock;
use crate::core::Core;
use crate::task::{Asker, Task};
use tessera_routing::held_keys::{Admission, KeyHolder};
use tessera_routing::message::ErrandKind;
use tessera_routing::{Answer, Errand, Ticket};

impl Owner {
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
        if matches!(errand.kind, ErrandKind::Release) {
            self.release_keys(KeyHolder::of(home, &errand));
            return None;
        }
        let (ticket, answer) = match self.owner.held.admit(home, errand) {
            Admission::Run(errand) if self.must_wait_with_errand(&errand) => {
                self.owner.unkept.put_off_errand(home, errand);
                return None;
            }
            Admission::Run(errand) => (errand.ticket, self.run_errand(errand)),
            Admission::Refused(errand) => (errand.ticket, Answer::default()),
            Admission::Waits => return None,
        };
        if home == self.server.me {
            return Some(answer);
        }
        self.mesh.outgoing(home).answers.push((ticket, answer));
        None
    }

    /// Does a step of a command over several shards, then serves who waited for keys that it has filled.
    pub(crate) fn run_errand(&mut self, errand: Errand) -> Answer {
        if let ErrandKind::Part { command, words, protocol } = &errand.kind {
            let mut out = Vec::new();
            let args = words.as_args();
            let asker = Asker { db: errand.db, protocol: *protocol, touch: errand.touch };
            let task = Task { command, asker, is_whole: false };
            let _ = self.run_task(&task, args, &mut out);
            return Answer { reply: Some(Ok(out)), ..Answer::default() };
        }
        if matches!(errand.kind, ErrandKind::Put(..) | ErrandKind::GiveElement(..)) {
            self.make_room_for_growth();
        }
        let answer = self.owner.run_errand(errand);
        self.serve_waiters();
        answer
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
