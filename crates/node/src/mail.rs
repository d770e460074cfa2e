//! What peers have sent: takes it in, and gives it to the half of the node that it is for.

use crate::clock::Clock;
use crate::core::Core;
use crate::mesh::{CHANNEL_MAX_PARCELS, Carried, Parcel};
use crate::notes::everywhere::EverywhereNote;
use crate::notes::streaming::StreamNote;
use crate::notes::waiting::WaitNote;
use crate::notes::{ConnectionNote, Note};
use crate::turns::Budget;
use tessera_routing::Batch;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Takes in everything that peers have sent, and carries out what of it a turn has room for. True if there was
    /// anything.
    pub(crate) fn take_mail(&mut self) -> bool {
        let mut any = false;
        for peer in 0..self.mesh.nodes() {
            // Not for ever, should the peer be faster.
            for _ in 0..CHANNEL_MAX_PARCELS {
                let Some(Parcel { notes, batch, lines, has_lost_lines }) = self.mesh.receive(peer) else {
                    break;
                };
                any = true;
                for note in notes {
                    let requests = u64::from(note.is_request());
                    self.take_note(peer, note);
                    self.mesh.note_done(requests);
                }
                if let Some(batch) = batch {
                    self.take_batch(peer, batch);
                }
                if !lines.is_empty() || has_lost_lines {
                    self.show_monitors(&lines, has_lost_lines);
                }
            }
            any |= self.run_deferred(peer);
        }
        any
    }

    /// Carries out requests of a peer, as long as its turn lasts and replies get away.
    fn run_deferred(&mut self, peer: usize) -> bool {
        let mut budget = Budget::of_peer();
        let mut any = false;
        while let Some(mut deferred) = self.mesh.next_deferred(peer) {
            any = true;
            let is_done = self.run_batch(peer, &mut deferred.batch, &mut budget);
            self.mesh.put_back(peer, deferred, is_done);
            if !is_done {
                break;
            }
        }
        any
    }

    fn take_batch(&mut self, peer: usize, mut batch: Box<Batch>) {
        for (ticket, reply) in batch.replies() {
            self.take_reply(ticket, reply);
        }
        for (ticket, answer) in std::mem::take(&mut batch.answers) {
            self.take_answer(ticket, answer);
        }
        for ticket in std::mem::take(&mut batch.wounds) {
            self.take_wound(ticket);
        }
        for slow in std::mem::take(&mut batch.slow) {
            self.take_slow(&slow);
        }
        // What calls wait for may be an errand that frees a key: errands are not put off.
        let errands = std::mem::take(&mut batch.errands);
        let (errands_len, mut requests) = (errands.len(), 0);
        for errand in errands {
            requests += u64::from(errand.is_request());
            self.take_errand(peer, errand);
        }
        self.mesh.note_errands_done(peer, errands_len, requests);
        if batch.calls_len() == 0 {
            self.mesh.recycle(batch);
        } else {
            // All but the calls is done with; they run at once if replies to that peer get away.
            self.mesh.defer(peer, batch);
        }
    }

    fn take_note(&mut self, peer: usize, note: Note<S>) {
        match note {
            Note::Connection(ConnectionNote::Adopt(socket)) => self.home.adopted.push(socket),
            Note::Connection(ConnectionNote::Gone(connection)) => self.mesh.forget_calls(peer, connection),
            Note::Connection(ConnectionNote::DirectDone { ticket, rest }) => {
                self.take_socket_back(ticket, rest);
            }
            Note::Everywhere(note) => self.take_everywhere_note(peer, note),
            Note::Wait(note) => self.take_wait_note(peer, note),
            Note::Stream(note) => self.take_stream_note(peer, note),
            Note::Load(note) => self.take_load_note(note),
            Note::Snapshot(note) => self.take_snapshot_note(peer, *note),
        }
    }

    fn take_everywhere_note(&mut self, peer: usize, note: EverywhereNote) {
        match note {
            EverywhereNote::Run(call) => self.run_everywhere(peer, &call),
            EverywhereNote::Part(ticket, reply) => {
                self.with_connection(ticket, |core, connection| core.step(connection, ticket.part, &reply));
            }
            EverywhereNote::IsSettled(number) => self.take_question_when_settled(peer, number),
            EverywhereNote::Settled(number) => self.take_settled(number),
        }
    }

    /// What another node says of a blocking command: of a client's home to an owner, or the other way round.
    fn take_wait_note(&mut self, peer: usize, note: WaitNote) {
        match note {
            WaitNote::Wait(request) => self.take_wait(*request),
            WaitNote::Look(request) => self.take_look(peer, &request),
            WaitNote::Forget(ticket) => self.owner.forget_waiter(peer, ticket),
            WaitNote::StillWaits(ticket) => {
                self.owner.wake_others(peer, ticket);
                self.serve_waiters();
            }
            WaitNote::Looked(ticket, found) => self.take_looked(ticket, found),
            WaitNote::Waiting(ticket) => self.take_waiting(ticket),
            WaitNote::Served(ticket, served) => self.take_served(ticket, &served),
            WaitNote::Move(ticket) => self.take_move(ticket),
        }
    }

    /// The same of a long reply.
    fn take_stream_note(&mut self, peer: usize, note: StreamNote) {
        match note {
            StreamNote::NextPiece(ticket, stream) => self.take_next_piece(peer, ticket, stream),
            StreamNote::End(stream) => self.owner.close_stream(stream),
            StreamNote::Streamed(ticket, stream, header) => self.take_streamed(peer, ticket, stream, header),
            StreamNote::Piece(ticket, piece, progress) => self.take_note_of_piece(ticket, &piece, progress),
            StreamNote::Unsent(ticket, len_bytes) => self.take_note_of_unsent(ticket, len_bytes),
        }
    }
}
