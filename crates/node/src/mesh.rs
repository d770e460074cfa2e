//! The channels between nodes: a bounded queue for each ordered pair, one batch per peer and tick.
//!
//! Replies are always taken in, so that they can never wait for requests and requests for them in a circle.
//! Requests wait at their owner while its replies to that home do not get away; homes stop reading from clients
//! whose requests do not get away. Nothing is dropped.

use crate::blocking::Delivery;
use crate::doorbell::Doorbell;
use crate::loading::finding::LoadPlan;
use crate::network::Wake;
use crate::snapshot::SnapshotNote;
use crate::waiters::WaitRequest;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use tessera_command::Command;
use tessera_keyspace::StreamProgress;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::{Batch, Ticket};
use tessera_storage::rdb::DecodedEntry;

/// Parcels under way from one node to another at most.
const CHANNEL_MAX_PARCELS: usize = 64;
/// A home stops sending calls to a peer while this much of them has not left.
const OUTGOING_MAX_CALLS: usize = 8 * 1024;
const OUTGOING_MAX_LEN_BYTES: usize = 4 * 1024 * 1024;
/// An owner stops executing for a home while this many bytes of replies to it have not left.
pub(crate) const REPLIES_MAX_LEN_BYTES: usize = 8 * 1024 * 1024;
/// Emptied batches kept for use.
const SPARE_MAX_BATCHES: usize = 8;

/// Requests that may change a shard or lead to others that do, since the start: calls, errands, and notes that take
/// elements from shard to shard. When everybody's are equal in sum, and nobody has anything left to ask for, nothing is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Given to the channels.
    pub sent: u64,
    /// Of those that came, carried out.
    pub done: u64,
}

/// Something rare that one node tells another.
pub enum Note<S> {
    /// Take over this connection.
    Adopt(S),
    /// Do your part of a command for all nodes; answer with `Part`.
    Everywhere {
        /// Where the answer belongs.
        ticket: Ticket,
        /// The client that asks.
        caller_id: u64,
        /// What the client speaks.
        protocol: Protocol,
        /// Which command.
        command: &'static Command,
        /// Its words.
        words: OwnedArgs,
    },
    /// A part of a command for all nodes.
    Part(Ticket, Vec<u8>),
    /// A line for the clients that monitor.
    Monitor(Arc<[u8]>),
    /// A blocking command wants something of your shard; answer with `Served` or `Waiting`.
    Wait(Box<WaitRequest>),
    /// There is nothing for that client yet; it waits.
    Waiting(Ticket),
    /// The reply of a blocking command.
    Served(Ticket, Vec<u8>),
    /// That client waits no more.
    Forget(Ticket),
    /// An element for a key of your shard, for a client that waited.
    Deliver(Box<Delivery>),
    /// It could not be delivered.
    Return(Box<Delivery>),
    /// The reply to this call is long: its beginning, and the stream's number by which to ask for pieces of the rest.
    Streamed(Ticket, u64, Vec<u8>),
    /// Send the next piece of that stream.
    NextPiece(Ticket, u64),
    /// Here it is, and whether there is more.
    Piece(Ticket, Vec<u8>, StreamProgress),
    /// The rest of that reply takes memory from now on: about so many bytes.
    Owed(Ticket, usize),
    /// Nobody wants that stream any more.
    EndStream(u64),
    /// This is what there is to load: take your share.
    Load(Arc<LoadPlan>),
    /// Keys of your shard, from what was saved.
    Loaded(Vec<DecodedEntry>),
    /// I have sent you all that I loaded.
    LoadSent,
    /// I have all keys of my shard.
    LoadArrived,
    /// About a snapshot.
    Snapshot(Box<SnapshotNote>),
    /// A direct reply is done; what could not be written of it comes back.
    DirectDone {
        /// Whose.
        ticket: Ticket,
        /// The unwritten rest.
        rest: Vec<u8>,
    },
}

impl<S> Note<S> {
    /// It is part of [`Traffic`].
    fn is_request(&self) -> bool {
        matches!(self, Note::Wait(_) | Note::Deliver(_) | Note::Return(_))
    }
}

/// What goes through a channel.
pub enum Parcel<S> {
    /// A tick's calls and replies.
    Batch(Box<Batch>),
    /// Something rare.
    Note(Box<Note<S>>),
}

/// What a node must know to wake a peer.
#[derive(Default)]
pub struct Bell {
    doorbell: Doorbell,
    waker: OnceLock<Arc<dyn Wake>>,
}

impl Bell {
    /// Connects the bell to the node's driver, once. Before that a ring is kept for nobody: nodes look at their
    /// inboxes before their first sleep.
    pub fn connect(&self, waker: Arc<dyn Wake>) {
        let first = self.waker.set(waker).is_ok();
        debug_assert!(first, "a node has one driver");
    }

    /// The sign of sleep.
    pub fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    /// Wakes the node, asleep or not.
    pub fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }
}

struct Link<S> {
    outgoing: Box<Batch>,
    /// What does not fit the channel now.
    outbox: VecDeque<Parcel<S>>,
    sender: Producer<Parcel<S>>,
    receiver: Consumer<Parcel<S>>,
    /// Requests that wait for replies to get away.
    deferred: VecDeque<Box<Batch>>,
    bell: Arc<Bell>,
    /// Something was published since the bell was last looked at.
    published: bool,
}

impl<S> Link<S> {
    /// Moves what waits into the channel, as far as there is room. True if anything moved.
    #[expect(clippy::vec_box, reason = "batches travel in boxes")]
    fn publish(&mut self, spare: &mut Vec<Box<Batch>>, traffic: &mut Traffic) -> bool {
        let mut any = false;
        while let Some(parcel) = self.outbox.pop_front() {
            if let Err(rtrb::PushError::Full(parcel)) = self.sender.push(parcel) {
                self.outbox.push_front(parcel);
                return any;
            }
            any = true;
        }
        if !self.outgoing.is_empty() && !self.sender.is_full() {
            let fresh = spare.pop().unwrap_or_default();
            let batch = std::mem::replace(&mut self.outgoing, fresh);
            traffic.sent += requests_len(&batch);
            any |= self.sender.push(Parcel::Batch(batch)).is_ok();
        }
        any
    }

    fn replies_len_bytes(&self) -> usize {
        let in_outbox = self.outbox.iter().map(|parcel| match parcel {
            Parcel::Batch(batch) => batch.replies_len_bytes(),
            Parcel::Note(_) => 0,
        });
        self.outgoing.replies_len_bytes() + in_outbox.sum::<usize>()
    }
}

fn requests_len(batch: &Batch) -> u64 {
    (batch.calls_len() + batch.errands.len()) as u64
}

/// One node's ends of all its channels.
pub struct Mesh<S> {
    me: usize,
    /// By peer; none for the node itself.
    links: Vec<Option<Link<S>>>,
    bells: Arc<[Arc<Bell>]>,
    #[expect(clippy::vec_box, reason = "batches travel in boxes")]
    spare: Vec<Box<Batch>>,
    traffic: Traffic,
}

impl<S> Mesh<S> {
    /// The meshes of `nodes` nodes, each to be moved to its thread.
    pub fn build(nodes: usize) -> Vec<Mesh<S>> {
        let bells: Arc<[Arc<Bell>]> = (0..nodes).map(|_| Arc::new(Bell::default())).collect();
        let mut senders: Vec<Vec<Option<Producer<_>>>> = Vec::new();
        let mut receivers: Vec<Vec<Option<Consumer<_>>>> =
            (0..nodes).map(|_| (0..nodes).map(|_| None).collect()).collect();
        for from in 0..nodes {
            let mut row = Vec::new();
            for (to, inbox) in receivers.iter_mut().enumerate() {
                let pair = (from != to).then(|| RingBuffer::new(CHANNEL_MAX_PARCELS));
                let (sender, receiver) = pair.unzip();
                inbox[from] = receiver;
                row.push(sender);
            }
            senders.push(row);
        }
        let ends = senders.into_iter().zip(receivers);
        ends.enumerate()
            .map(|(me, (senders, receivers))| {
                let links = senders.into_iter().zip(receivers).zip(bells.iter());
                let links = links.map(|((sender, receiver), bell)| {
                    Some(Link {
                        outgoing: Box::default(),
                        outbox: VecDeque::new(),
                        sender: sender?,
                        receiver: receiver?,
                        deferred: VecDeque::new(),
                        bell: bell.clone(),
                        published: false,
                    })
                });
                Mesh {
                    me,
                    links: links.collect(),
                    bells: bells.clone(),
                    spare: Vec::new(),
                    traffic: Traffic::default(),
                }
            })
            .collect()
    }

    /// This node's number.
    pub fn me(&self) -> usize {
        self.me
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.links.len()
    }

    /// This node's bell.
    pub fn bell(&self) -> &Arc<Bell> {
        &self.bells[self.me]
    }

    /// The bells of all nodes, for those outside who must wake them.
    pub fn bells(&self) -> Arc<[Arc<Bell>]> {
        self.bells.clone()
    }

    fn link(&mut self, peer: usize) -> &mut Link<S> {
        self.links[peer].as_mut().expect("a node has no channel to itself")
    }

    /// The batch for `peer` that leaves with the next flush.
    #[inline]
    pub fn outgoing(&mut self, peer: usize) -> &mut Batch {
        &mut self.link(peer).outgoing
    }

    /// Takes the batch for `peer` away, to be given back with [`Mesh::restore_outgoing`].
    pub fn take_outgoing(&mut self, peer: usize) -> Box<Batch> {
        let fresh = self.spare.pop().unwrap_or_default();
        std::mem::replace(&mut self.link(peer).outgoing, fresh)
    }

    /// Undoes [`Mesh::take_outgoing`]; nothing may have been added meanwhile.
    pub fn restore_outgoing(&mut self, peer: usize, batch: Box<Batch>) {
        let fresh = std::mem::replace(&mut self.link(peer).outgoing, batch);
        debug_assert!(fresh.is_empty());
        self.recycle(fresh);
    }

    /// So many calls wait for `peer` that no more should be added.
    #[inline]
    pub fn is_congested(&self, peer: usize) -> bool {
        self.links[peer].as_ref().is_some_and(|link| {
            link.outgoing.calls_len() >= OUTGOING_MAX_CALLS
                || link.outgoing.words_len_bytes() >= OUTGOING_MAX_LEN_BYTES
                || !link.outbox.is_empty()
        })
    }

    /// Sends something rare.
    pub fn note(&mut self, peer: usize, note: Note<S>) {
        self.traffic.sent += u64::from(note.is_request());
        self.link(peer).outbox.push_back(Parcel::Note(Box::new(note)));
    }

    /// What this node has sent and done so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Notes that so many requests of peers have been carried out.
    pub fn note_done(&mut self, requests: u64) {
        self.traffic.done += requests;
    }

    /// Requests wait to leave, or wait here to be carried out.
    pub fn has_requests(&self) -> bool {
        self.links.iter().flatten().any(|link| requests_len(&link.outgoing) > 0 || !link.deferred.is_empty())
    }

    /// Takes the next parcel of `peer` out of its channel.
    pub fn receive(&mut self, peer: usize) -> Option<Parcel<S>> {
        self.links[peer].as_mut()?.receiver.pop().ok()
    }

    /// Puts off the requests of a batch from `peer`.
    pub fn defer(&mut self, peer: usize, batch: Box<Batch>) {
        self.link(peer).deferred.push_back(batch);
    }

    /// Puts off the rest of the requests of a batch that was the next.
    pub fn defer_again(&mut self, peer: usize, batch: Box<Batch>) {
        self.link(peer).deferred.push_front(batch);
    }

    /// The next put-off batch of `peer`, if replies to it get away again.
    pub fn next_deferred(&mut self, peer: usize) -> Option<Box<Batch>> {
        let link = self.links[peer].as_mut()?;
        if link.deferred.is_empty() || link.replies_len_bytes() >= REPLIES_MAX_LEN_BYTES {
            return None;
        }
        link.deferred.pop_front()
    }

    /// Takes an emptied batch back for use.
    pub fn recycle(&mut self, mut batch: Box<Batch>) {
        if self.spare.len() < SPARE_MAX_BATCHES {
            batch.clear();
            self.spare.push(batch);
        }
    }

    /// Publishes what is to be sent, as far as the channels have room, and wakes the peers that sleep.
    pub fn flush(&mut self) {
        let mut any = false;
        for link in self.links.iter_mut().flatten() {
            link.published |= link.publish(&mut self.spare, &mut self.traffic);
            any |= link.published;
        }
        if !any {
            return;
        }
        Doorbell::published();
        for link in self.links.iter_mut().flatten() {
            if std::mem::take(&mut link.published) && link.bell.doorbell.must_ring() {
                link.bell.wake();
            }
        }
    }

    /// Something is to be sent or executed that cannot wait for an event.
    pub fn is_restless(&self) -> bool {
        self.links
            .iter()
            .flatten()
            .any(|link| !link.outgoing.is_empty() || !link.outbox.is_empty() || !link.deferred.is_empty())
    }

    /// Something has come in.
    pub fn has_mail(&self) -> bool {
        self.links.iter().flatten().any(|link| !link.receiver.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_channel_keeps_everything_in_order() {
        let mut meshes = Mesh::<u32>::build(2);
        let (mut receiver, mut sender) = (meshes.pop().unwrap(), meshes.pop().unwrap());
        for number in 0..1000 {
            sender.note(1, Note::Adopt(number));
            sender.flush();
        }
        assert!(sender.is_congested(1) && sender.is_restless());
        let mut received = Vec::new();
        while received.len() < 1000 {
            while let Some(parcel) = receiver.receive(0) {
                match parcel {
                    Parcel::Note(note) => match *note {
                        Note::Adopt(number) => received.push(number),
                        _ => unreachable!("only such notes were sent"),
                    },
                    Parcel::Batch(_) => unreachable!("no batch was sent"),
                }
            }
            sender.flush();
        }
        assert_eq!(received, (0..1000).collect::<Vec<_>>());
        assert!(!sender.is_restless() && !receiver.has_mail());
    }
}
