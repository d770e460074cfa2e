//! The channels between nodes: a bounded queue for each ordered pair, one parcel per peer and tick. Of what they carry
//! they know only how much it is.
//!
//! A parcel has everything that came together since the last one: notes, then calls and replies. A peer takes all
//! parcels in at its next turn. It does at once what notes and replies want, so that they never stand behind calls;
//! calls run as its turns have room. So replies can never wait for requests and requests for them in a circle.
//!
//! Both ends count what is on its way ([`OnWay`]). Homes stop reading from clients whose owner has much to run already;
//! requests wait at their owner while many bytes of its replies have not come in at that home. Nothing is dropped but
//! lines for monitors, which lose their clients with them.

mod load;

use self::load::{Load, OnWay};
use crate::doorbell::Doorbell;
use crate::network::Wake;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use tessera_routing::Batch;

/// Parcels under way from one node to another at most.
pub(crate) const CHANNEL_MAX_PARCELS: usize = 64;
/// An owner stops executing for a home while this many bytes of replies to it have not been taken in.
pub(crate) const REPLIES_MAX_LEN_BYTES: usize = 8 * 1024 * 1024;
/// Lines for the monitors of a peer that has not taken in so many bytes of them are lost.
const LINES_MAX_LEN_BYTES: usize = 64 * 1024 * 1024;
/// Emptied batches kept for use.
const SPARE_MAX_BATCHES: usize = 8;

/// Requests that may change a shard or lead to others that do, since the start: calls, errands, and notes that take
/// elements from shard to shard. When everybody's are equal in sum, and nobody has anything left to ask for, nothing is
/// under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Given to the channels.
    pub sent: u64,
    /// Of those that came, carried out.
    pub done: u64,
}

/// Something rare that one node tells another, as far as its channel has to know it.
pub trait Carried {
    /// It is part of [`Traffic`].
    fn is_request(&self) -> bool;

    /// How long it is, in bytes, while it is on its way. That of rare and short notes is nothing.
    fn len_bytes(&self) -> NoteLen;
}

/// How long something [`Carried`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteLen {
    /// Too short to be counted.
    Short,
    /// So many bytes that ask for something.
    Request(usize),
    /// So many bytes that answer something.
    Reply(usize),
}

fn load_of(note: &impl Carried) -> Load {
    let (request_bytes, reply_bytes) = match note.len_bytes() {
        NoteLen::Short => (0, 0),
        NoteLen::Request(len_bytes) => (len_bytes, 0),
        NoteLen::Reply(len_bytes) => (0, len_bytes),
    };
    Load { requests: usize::from(note.is_request()), request_bytes, reply_bytes }
}

/// What goes through a channel: all that was to be sent at one time.
pub struct Parcel<N> {
    /// Rare things, which come before the batch.
    pub notes: Vec<N>,
    /// A tick's calls and replies.
    pub batch: Option<Box<Batch>>,
    /// Lines for the clients that monitor.
    pub lines: Vec<u8>,
    /// There were more, which are lost.
    pub has_lost_lines: bool,
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

struct Link<N> {
    /// What is to leave with the next flush that finds room in the channel.
    outgoing: Box<Batch>,
    notes: Vec<N>,
    lines: Vec<u8>,
    has_lost_lines: bool,
    /// What `notes` count for.
    notes_load: Load,
    sender: Producer<Parcel<N>>,
    receiver: Consumer<Parcel<N>>,
    /// What the peer has still to do with what was sent to it.
    sent: Arc<OnWay>,
    /// The same when it was last looked at, and what was sent since.
    sent_seen: Load,
    /// What this node has still to do with what came.
    received: Arc<OnWay>,
    /// Requests that wait for their turn, or for replies to get away.
    deferred: VecDeque<Box<Batch>>,
    /// The first of them cannot go on before something happens on this node, see [`Mesh::stop_calls`].
    is_stopped: bool,
    bell: Arc<Bell>,
    /// Something was published since the bell was last looked at.
    published: bool,
}

impl<N> Link<N> {
    fn has_something_to_send(&self) -> bool {
        !self.outgoing.is_empty() || !self.notes.is_empty() || !self.lines.is_empty() || self.has_lost_lines
    }

    /// Moves what waits into the channel, if there is room. True if anything moved.
    #[expect(clippy::vec_box, reason = "batches travel in boxes")]
    fn publish(&mut self, spare: &mut Vec<Box<Batch>>, traffic: &mut Traffic) -> bool {
        if !self.has_something_to_send() || self.sender.is_full() {
            return false;
        }
        let mut load = std::mem::take(&mut self.notes_load);
        let batch = (!self.outgoing.is_empty()).then(|| {
            let fresh = spare.pop().unwrap_or_default();
            let batch = std::mem::replace(&mut self.outgoing, fresh);
            traffic.sent += batch.requests_len() as u64;
            load.add(Load::of_batch(&batch));
            batch
        });
        // Counted before the peer can count it as done.
        self.sent.add(load);
        self.sent_seen.add(load);
        if !self.lines.is_empty() {
            self.sent.line_bytes.fetch_add(self.lines.len(), Ordering::Relaxed);
        }
        let parcel = Parcel {
            notes: std::mem::take(&mut self.notes),
            batch,
            lines: std::mem::take(&mut self.lines),
            has_lost_lines: std::mem::take(&mut self.has_lost_lines),
        };
        let is_pushed = self.sender.push(parcel).is_ok();
        debug_assert!(is_pushed, "there was room");
        is_pushed
    }

    /// Looks how far the peer is, if it had anything to do.
    fn look_at_peer(&mut self) {
        if self.sent_seen != Load::default() {
            self.sent_seen = self.sent.now();
        }
    }

    /// Bytes of replies that the peer has not taken in.
    fn replies_len_bytes(&self) -> usize {
        self.outgoing.replies_len_bytes()
            + self.notes_load.reply_bytes
            + self.sent.reply_bytes.load(Ordering::Relaxed)
    }

    fn has_runnable(&self) -> bool {
        !self.deferred.is_empty() && !self.is_stopped && self.replies_len_bytes() < REPLIES_MAX_LEN_BYTES
    }
}

/// A batch whose requests have their turn.
pub struct Deferred {
    /// It.
    pub batch: Box<Batch>,
    /// What of its requests was still to be done when it was taken.
    to_do: usize,
    /// All of its requests.
    requests: u64,
}

/// One node's ends of all its channels.
pub struct Mesh<N> {
    me: usize,
    /// By peer; none for the node itself.
    links: Vec<Option<Link<N>>>,
    bells: Arc<[Arc<Bell>]>,
    #[expect(clippy::vec_box, reason = "batches travel in boxes")]
    spare: Vec<Box<Batch>>,
    traffic: Traffic,
}

impl<N: Carried> Mesh<N> {
    /// The meshes of `nodes` nodes, each to be moved to its thread.
    pub fn build(nodes: usize) -> Vec<Mesh<N>> {
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
        // By sender, then by receiver.
        let on_way: Vec<Vec<Arc<OnWay>>> =
            (0..nodes).map(|_| (0..nodes).map(|_| Arc::default()).collect()).collect();
        let ends = senders.into_iter().zip(receivers);
        ends.enumerate()
            .map(|(me, (senders, receivers))| {
                let links = senders.into_iter().zip(receivers).zip(bells.iter()).enumerate();
                let links = links.map(|(peer, ((sender, receiver), bell))| {
                    Some(Link {
                        outgoing: Box::default(),
                        notes: Vec::new(),
                        lines: Vec::new(),
                        has_lost_lines: false,
                        notes_load: Load::default(),
                        sender: sender?,
                        receiver: receiver?,
                        sent: on_way[me][peer].clone(),
                        sent_seen: Load::default(),
                        received: on_way[peer][me].clone(),
                        deferred: VecDeque::new(),
                        is_stopped: false,
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

    fn link(&mut self, peer: usize) -> &mut Link<N> {
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

    /// Undoes [`Mesh::take_outgoing`]. What was added meanwhile comes behind.
    pub fn restore_outgoing(&mut self, peer: usize, batch: Box<Batch>) {
        let link = self.link(peer);
        let mut fresh = std::mem::replace(&mut link.outgoing, batch);
        if !fresh.is_empty() {
            link.outgoing.append(std::mem::take(&mut fresh));
        }
        self.recycle(fresh);
    }

    /// `peer` has so much to do, or will have when this tick's calls leave, that no more should be added.
    #[inline]
    pub fn is_congested(&self, peer: usize) -> bool {
        self.links[peer].as_ref().is_some_and(|link| {
            let Load { requests, request_bytes, .. } = link.sent_seen;
            Load {
                requests: requests + link.outgoing.requests_len() + link.notes_load.requests,
                request_bytes: request_bytes
                    + link.outgoing.words_len_bytes()
                    + link.notes_load.request_bytes,
                reply_bytes: 0,
            }
            .is_too_much_to_do()
        })
    }

    /// The first of these peers that is congested.
    pub fn congested_of(&self, peers: impl IntoIterator<Item = usize>) -> Option<usize> {
        peers.into_iter().find(|peer| self.is_congested(*peer))
    }

    /// Looks how far the peers are.
    pub fn look_at_peers(&mut self) {
        self.links.iter_mut().flatten().for_each(Link::look_at_peer);
    }

    /// Sends something rare.
    pub fn note(&mut self, peer: usize, note: impl Into<N>) {
        let note = note.into();
        self.traffic.sent += u64::from(note.is_request());
        let link = self.link(peer);
        link.notes_load.add(load_of(&note));
        link.notes.push(note);
    }

    /// Sends a line for the clients that monitor, unless the peer lets too many of them lie.
    pub fn line(&mut self, peer: usize, line: &[u8]) {
        let link = self.link(peer);
        let waiting_bytes = link.lines.len() + link.sent.line_bytes.load(Ordering::Relaxed);
        if link.has_lost_lines || waiting_bytes + line.len() > LINES_MAX_LEN_BYTES {
            link.has_lost_lines = true;
            return;
        }
        link.lines.extend_from_slice(line);
    }

    /// Bytes of replies that `peer` has not taken in, besides those that leave with the next flush.
    pub(crate) fn replies_on_way_bytes(&self, peer: usize) -> usize {
        self.links[peer]
            .as_ref()
            .map_or(0, |link| link.notes_load.reply_bytes + link.sent.reply_bytes.load(Ordering::Relaxed))
    }

    /// What this node has sent and done so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Notes that so many requests of peers have been carried out that came as notes.
    pub fn note_done(&mut self, requests: u64) {
        self.traffic.done += requests;
    }

    /// Notes that all errands of a batch have been taken in, of which `requests` are part of [`Traffic`].
    pub fn note_errands_done(&mut self, peer: usize, errands: usize, requests: u64) {
        self.traffic.done += requests;
        self.link(peer).received.remove(Load { requests: errands, ..Load::default() });
    }

    /// Requests wait to leave, or wait here to be carried out.
    pub fn has_requests(&self) -> bool {
        self.links.iter().flatten().any(|link| link.outgoing.requests_len() > 0 || !link.deferred.is_empty())
    }

    /// Takes the next parcel of `peer` out of its channel. The requests of its batch are under way until
    /// [`Mesh::put_back`] says that they are done.
    pub fn receive(&mut self, peer: usize) -> Option<Parcel<N>> {
        let link = self.links[peer].as_mut()?;
        let parcel = link.receiver.pop().ok()?;
        let mut load = Load::default();
        parcel.notes.iter().for_each(|note| load.add(load_of(note)));
        if let Some(batch) = &parcel.batch {
            load.reply_bytes += batch.replies_len_bytes();
        }
        link.received.remove(load);
        if !parcel.lines.is_empty() {
            link.received.line_bytes.fetch_sub(parcel.lines.len(), Ordering::Relaxed);
        }
        Some(parcel)
    }

    /// The next call of `peer` has to wait for something of this node, until [`Mesh::let_calls_go`].
    pub fn stop_calls(&mut self, peer: usize) {
        self.link(peer).is_stopped = true;
    }

    /// What calls have to wait for may have come.
    pub fn let_calls_go(&mut self) {
        self.links.iter_mut().flatten().for_each(|link| link.is_stopped = false);
    }

    /// Puts off the requests of a batch from `peer`.
    pub fn defer(&mut self, peer: usize, batch: Box<Batch>) {
        self.link(peer).deferred.push_back(batch);
    }

    /// Something that `peer` wants has not been carried out.
    pub fn has_deferred(&self, peer: usize) -> bool {
        self.links[peer].as_ref().is_some_and(|link| !link.deferred.is_empty())
    }

    /// The next put-off batch of `peer`, if replies to it get away, to be given back with [`Mesh::put_back`].
    pub fn next_deferred(&mut self, peer: usize) -> Option<Deferred> {
        let link = self.links[peer].as_mut()?;
        if !link.has_runnable() {
            return None;
        }
        let batch = link.deferred.pop_front()?;
        Some(Deferred {
            to_do: Load::of_batch(&batch).requests,
            requests: batch.requests_len() as u64,
            batch,
        })
    }

    /// Takes back what [`Mesh::next_deferred`] gave. `is_done`: all of its requests have been carried out.
    pub fn put_back(&mut self, peer: usize, deferred: Deferred, is_done: bool) {
        let Deferred { to_do, requests, batch } = deferred;
        let request_bytes = if is_done { batch.words_len_bytes() } else { 0 };
        if is_done {
            self.traffic.done += requests;
        }
        let left = if is_done { 0 } else { Load::of_batch(&batch).requests };
        let link = self.link(peer);
        link.received.remove(Load { requests: to_do - left, request_bytes, reply_bytes: 0 });
        if is_done {
            self.recycle(batch);
        } else {
            link.deferred.push_front(batch);
        }
    }

    /// Nobody reads any more what a connection of `peer` asked for.
    pub fn forget_calls(&mut self, peer: usize, connection: u64) {
        for batch in &mut self.link(peer).deferred {
            batch.forget_calls(connection);
        }
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
            link.look_at_peer();
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

    /// Something is to be sent or executed.
    pub fn is_restless(&self) -> bool {
        self.links.iter().flatten().any(|link| link.has_something_to_send() || !link.deferred.is_empty())
    }

    /// Something is to be sent or executed as soon as peers have got on, who do not ring for that.
    pub fn waits_for_peers(&self) -> bool {
        let waits =
            |link: &Link<N>| link.has_something_to_send() || !link.deferred.is_empty() && !link.is_stopped;
        self.links.iter().flatten().any(waits)
    }

    /// Requests of peers could be carried out at once.
    pub fn has_runnable(&self) -> bool {
        self.links.iter().flatten().any(Link::has_runnable)
    }

    /// Something has come in.
    pub fn has_mail(&self) -> bool {
        self.links.iter().flatten().any(|link| !link.receiver.is_empty())
    }
}

#[cfg(test)]
mod tests;
