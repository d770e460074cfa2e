//! When a pause begins: it is answered when all that clients had begun before has been done, wherever its keys are, so
//! that from then on nothing changes until it ends.
//!
//! Each node waits for those of its clients' commands that take several steps, then asks the others whether all that it
//! had sent before has been carried out; and answers its part when they have said so.

use super::connection::Running;
use super::unanswered::{Settling, Unanswered};
use crate::clock::Clock;
use crate::core::Core;
use crate::network::ConnectionId;
use crate::notes::everywhere::EverywhereNote;
use tessera_routing::Ticket;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Answers this node's part of a command once all is done that its clients had begun.
    pub(crate) fn settle_before_answer(&mut self, home: usize, ticket: Ticket, reply: Vec<u8>) {
        let under_way = self.home.connections.iter().flatten().filter_map(|connection| {
            let under = connection.running.as_deref()?;
            let is_begun = match &under.running {
                // It may wait as long as it likes, and takes nothing meanwhile.
                Running::Blocked(blocked) => !blocked.is_waiting(),
                // Commands for all nodes: they change no key, and may wait for each other here.
                Running::Parts(_) => false,
                _ => true,
            };
            is_begun.then_some((connection.id, under.sequence))
        });
        let under_way = under_way.collect();
        let settling = &mut self.home.settling;
        settling.next_number += 1;
        let number = settling.next_number;
        settling.unanswered.push(Unanswered { number, home, ticket, reply, under_way, nodes_left: None });
    }

    /// A node wants to know when all that it has sent so far is done.
    pub(crate) fn take_question_when_settled(&mut self, peer: usize, number: u64) {
        self.home.settling.questions.push((peer, number));
    }

    /// A node has done all that this one had sent when it asked.
    pub(crate) fn take_settled(&mut self, number: u64) {
        let mut unanswered = self.home.settling.unanswered.iter_mut();
        if let Some(one) = unanswered.find(|one| one.number == number) {
            one.nodes_left = one.nodes_left.map(|left| left.saturating_sub(1));
        }
    }

    /// Looks what of it is done, once a turn.
    #[inline]
    pub(crate) fn look_what_is_settled(&mut self) {
        if !self.home.settling.questions.is_empty() {
            self.answer_when_settled();
        }
        if !self.home.settling.unanswered.is_empty() {
            self.settle();
        }
    }

    #[cold]
    fn answer_when_settled(&mut self) {
        for (peer, number) in std::mem::take(&mut self.home.settling.questions) {
            if !self.has_done_all_of(peer) {
                self.home.settling.questions.push((peer, number));
            } else {
                self.mesh.note(peer, EverywhereNote::Settled(number));
            }
        }
    }

    #[cold]
    fn settle(&mut self) {
        for mut one in std::mem::take(&mut self.home.settling.unanswered) {
            one.under_way.retain(|(id, sequence)| self.is_under_way(*id, *sequence));
            if one.under_way.is_empty() && one.nodes_left.is_none() {
                let peers = (0..self.mesh.nodes()).filter(|peer| *peer != self.server.me);
                one.nodes_left = Some(self.mesh.nodes() - 1);
                peers.for_each(|peer| self.mesh.note(peer, EverywhereNote::IsSettled(one.number)));
            }
            if one.nodes_left == Some(0) {
                self.answer_everywhere(one.home, one.ticket, one.reply);
            } else {
                self.home.settling.unanswered.push(one);
            }
        }
    }

    /// All that a node has sent is done here.
    fn has_done_all_of(&self, peer: usize) -> bool {
        !(self.mesh.has_deferred(peer) || self.owner.aside.has_of(peer))
    }

    /// Something can be said that has not been.
    pub(crate) fn has_settled(&self) -> bool {
        let Settling { unanswered, questions, .. } = &self.home.settling;
        questions.iter().any(|(peer, _)| self.has_done_all_of(*peer))
            || unanswered.iter().any(|one| match one.nodes_left {
                Some(left) => left == 0,
                None => !one.under_way.iter().any(|(id, sequence)| self.is_under_way(*id, *sequence)),
            })
    }

    fn is_under_way(&self, id: ConnectionId, sequence: u32) -> bool {
        let place = self.home.connections.get(id.index as usize).and_then(Option::as_deref);
        let running =
            place.filter(|connection| connection.id == id).and_then(|found| found.running.as_deref());
        running.is_some_and(|under| {
            let waits = matches!(&under.running, Running::Blocked(blocked) if blocked.is_waiting());
            under.sequence == sequence && !waits
        })
    }
}
