//! One client's connection at its home.

use crate::accounts::{Account, Sender};
use crate::home::blocked::Blocked;
use crate::home::execution::{Execution, Trying};
use crate::home::holds::Hold;
use crate::home::queue::{Queue, Watches};
use crate::home::replies::Replies;
use crate::home::streamed::StreamedReply;
use crate::network::{ConnectionId, Endpoints, SocketHandle};
use crate::task::Asker;
use std::collections::VecDeque;
use tessera_command::{Client, Command};
use tessera_resp::{Args, Decoder, Protocol};
use tessera_routing::cursor::Walk;
use tessera_routing::parts::{Mode, PartsAsker};
use tessera_routing::{Assembly, Gathering, Merging, Parts, ShardId};

/// Bytes received and not yet executed: an unfinished command, or what waits behind one that is under way.
#[derive(Debug, Default)]
pub struct Input {
    /// The bytes; those before `start` are done with.
    pub bytes: Vec<u8>,
    /// Where the first unexecuted command begins.
    pub start: usize,
    /// How far that command has been read.
    pub decoder: Decoder,
}

impl Input {
    /// What is not executed yet.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Memory held, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        size_of::<Input>() + self.bytes.capacity() + self.decoder.allocated_bytes()
    }
}

/// A command that takes several steps, while it is under way.
pub struct UnderWay {
    /// The sequence number of its reply.
    pub sequence: u32,
    /// The command, and what will be written down of it.
    pub account: Account,
    /// What is awaited.
    pub running: Running,
}

/// A transaction whose replies become one.
pub struct Shares {
    /// The transaction.
    pub parts: Parts,
    /// What becomes of the replies; of those of the first command, if there are several.
    pub merging: Merging,
    /// Commands of the same pipeline that go with the first.
    pub following: Vec<Following>,
}

/// A command that goes with one before it in one transaction.
pub struct Following {
    /// The sequence number of its reply.
    pub sequence: u32,
    /// What will be written down of it.
    pub account: Account,
    /// The number of the first of its parts.
    pub first_part: u32,
    /// What becomes of their replies.
    pub merging: Merging,
}

impl Shares {
    /// The reply, once all shares have been answered; and those of the commands that went with the first.
    pub(crate) fn reply(&mut self, protocol: Protocol) -> (Vec<u8>, Vec<(Following, Vec<u8>)>) {
        let mut replies = self.parts.take_replies().into_iter().peekable();
        let mut until = |part: u32| {
            let of_one = std::iter::from_fn(|| replies.next_if(|replied| replied.number < part));
            of_one.map(|replied| replied.reply).collect::<Vec<_>>()
        };
        let mut following = std::mem::take(&mut self.following);
        let mut ends = following.iter().skip(1).map(|next| next.first_part).collect::<Vec<_>>().into_iter();
        let first_end = following.first().map_or(u32::MAX, |next| next.first_part);
        let first = self.merging.merge(until(first_end), protocol);
        let rest = following.drain(..).map(|mut next| {
            let reply = next.merging.merge(until(ends.next().unwrap_or(u32::MAX)), protocol);
            (next, reply)
        });
        (first, rest.collect())
    }
}

/// What a command that takes several steps waits for.
pub enum Running {
    /// Parts are out on several shards or nodes.
    Parts(Assembly),
    /// Several shards have a share in it.
    Transaction(Box<Shares>),
    /// Keys of several shards are brought together.
    Gathering(Box<Gathering>),
    /// A shard scans, and if it does not find enough all that follow.
    Cursor(Box<Walk>),
    /// One shard is asked for anything, and if it has nothing all are.
    Any {
        /// All shards, in the order in which they are preferred.
        order: Vec<ShardId>,
    },
    /// A key to hold something.
    Blocked(Box<Blocked>),
    /// Keys of several shards are tried without waiting for them, for a blocking command within a transaction.
    Trying(Trying),
    /// What was queued for EXEC runs on several shards.
    Exec(Box<Execution<Running>>),
    /// WATCH is to be known to the owners of its keys.
    Watching {
        /// How many have still to say so.
        owners_left: usize,
    },
}

/// A connection.
pub struct Connection {
    /// Its name at the driver.
    pub id: ConnectionId,
    /// Its client.
    pub client: Client,
    /// Both its ends.
    pub endpoints: Endpoints,
    /// Its replies.
    pub replies: Replies,
    /// Bytes received and not executed, if any.
    pub input: Option<Box<Input>>,
    /// Why nothing is executed, if so.
    pub hold: Option<Hold>,
    /// What is under way while `hold` says `Running`.
    pub running: Option<Box<UnderWay>>,
    /// Its replies that are made in pieces, in order.
    pub streams: VecDeque<StreamedReply>,
    /// What is queued, from MULTI on.
    pub queue: Option<Box<Queue>>,
    /// What it watches.
    pub watches: Watches,
    /// Bytes handed to the driver and not yet reported sent.
    pub sending_bytes: usize,
    /// Its name at other nodes' drivers.
    pub handle: Option<SocketHandle>,
    /// The last call sent to a peer since the connection was last fed: the peer, and the call's index in the batch.
    pub last_call: Option<(usize, usize)>,
    /// Whose shard the last call to a peer went to.
    pub last_owner: usize,
    /// A reply that another node writes, by its sequence number.
    pub direct: Option<u32>,
    /// Close once everything is sent.
    pub close_after_reply: bool,
    /// The client has sent its end: what it sent before is still executed and answered.
    pub input_ended: bool,
    /// Likewise, but what it sent before has not all been received: receiving is paused.
    pub has_hung_up: bool,
    /// The socket takes nothing any more: what was received is still executed, and its replies are thrown away.
    pub send_failed: bool,
    /// The connection is closed; only something still out keeps the connection.
    pub gone: bool,
    /// It is in the node's list of connections to send from.
    pub is_listed: bool,
    /// The driver was told to stop receiving.
    pub receive_paused: bool,
    /// Since when more than the soft limit waits for the client, in Unix milliseconds.
    pub over_soft_limit_since_ms: Option<i64>,
    /// The largest use of the buffers of late, in bytes.
    pub input_peak_bytes: usize,
}

impl Connection {
    /// A new connection.
    pub fn new(id: ConnectionId, client: Client, endpoints: Endpoints) -> Connection {
        Connection {
            id,
            client,
            endpoints,
            replies: Replies::default(),
            input: None,
            hold: None,
            running: None,
            streams: VecDeque::new(),
            queue: None,
            watches: Watches::default(),
            sending_bytes: 0,
            handle: None,
            last_call: None,
            last_owner: 0,
            direct: None,
            close_after_reply: false,
            input_ended: false,
            has_hung_up: false,
            send_failed: false,
            gone: false,
            is_listed: false,
            receive_paused: false,
            over_soft_limit_since_ms: None,
            input_peak_bytes: 0,
        }
    }

    /// Something on another shard than this one's has not been answered.
    pub(crate) fn is_behind_other(&self, owner: usize) -> bool {
        !self.replies.is_settled() && self.last_owner != owner
    }

    /// For whom parts of a command are run, and what becomes of them.
    pub(crate) fn parts_asker(&self, mode: Mode) -> PartsAsker {
        let Asker { db, touch, .. } = self.asker();
        PartsAsker { mode, db, touch }
    }

    /// A command that takes several steps is under way from now on.
    pub(crate) fn begin(
        &mut self,
        sequence: u32,
        command: &'static Command,
        args: Args<'_>,
        began_ns: u64,
        running: Running,
    ) {
        let account = Account::open(command, args, began_ns);
        self.running = Some(Box::new(UnderWay { sequence, account, running }));
        self.hold = Some(Hold::Running);
    }

    /// What the command under way waits for; of EXEC, the one of its commands that takes steps of its own.
    pub fn awaited(&mut self) -> Option<&mut Running> {
        match &mut self.running.as_mut()?.running {
            Running::Exec(execution) => execution.inner.as_mut(),
            running => Some(running),
        }
    }

    /// What was queued for EXEC and runs on several shards.
    pub fn execution(&mut self) -> Option<&mut Execution<Running>> {
        match &mut self.running.as_mut()?.running {
            Running::Exec(execution) => Some(execution),
            _ => None,
        }
    }

    /// The command under way that brings keys of several shards together.
    pub fn gathering(&mut self) -> Option<&mut Gathering> {
        match self.awaited()? {
            Running::Gathering(gathering) => Some(gathering),
            Running::Blocked(blocked) => blocked.moving.as_deref_mut(),
            _ => None,
        }
    }

    /// The transaction under way that several shards have a share in.
    pub fn parts(&mut self) -> Option<&mut Parts> {
        match &mut self.running.as_mut()?.running {
            Running::Transaction(shares) => Some(&mut shares.parts),
            Running::Exec(execution) => Some(&mut execution.parts),
            _ => None,
        }
    }

    /// What is queued of its transaction, or was and is being run.
    pub fn queued(&self) -> Option<&Queue> {
        match self.running.as_deref() {
            Some(UnderWay { running: Running::Exec(execution), .. }) => execution.queue.as_deref(),
            _ => self.queue.as_deref(),
        }
    }

    /// A blocking command moves what it waited for.
    pub fn is_moving(&mut self) -> bool {
        matches!(self.awaited(), Some(Running::Blocked(blocked)) if blocked.moving.is_some())
    }

    /// Owners know of what is under way, and are to be told of its end even if the client has gone.
    pub fn is_known_to_owners(&self) -> bool {
        match self.running.as_ref().map(|under| &under.running) {
            None
            | Some(Running::Parts(_) | Running::Cursor(_) | Running::Any { .. } | Running::Trying(_)) => {
                false
            }
            Some(
                Running::Transaction(_)
                | Running::Gathering(_)
                | Running::Blocked(_)
                | Running::Exec(_)
                | Running::Watching { .. },
            ) => true,
        }
    }

    /// It waits for a key, and everybody concerned knows.
    pub fn is_blocked(&self) -> bool {
        let running = self.running.as_ref().map(|under| &under.running);
        matches!(running, Some(Running::Blocked(blocked)) if blocked.is_waiting())
    }

    /// The client sends nothing any more.
    pub fn peer_has_ended(&self) -> bool {
        self.input_ended || self.has_hung_up
    }

    /// It is held for as long as somebody likes. As in Redis what it sends is received all the same, within the limit
    /// of the query buffer: its end could not be seen behind bytes that nobody takes.
    pub fn may_wait_long(&self) -> bool {
        self.hold == Some(Hold::Paused) || self.is_blocked()
    }

    /// `timeout` is for it: the next to do something is the client, which shall send, or read what there is for it.
    pub fn may_time_out(&self) -> bool {
        let is_answered = self.replies.is_settled() || !self.streams.is_empty();
        let is_held = self.hold.is_some_and(|hold| hold != Hold::SlowReader);
        !self.client.monitor && is_answered && !is_held
    }

    /// What the client speaks.
    pub fn protocol(&self) -> Protocol {
        self.client.protocol
    }

    /// For whom its commands run.
    #[inline]
    pub(crate) fn asker(&self) -> Asker {
        let Client { db, protocol, no_touch, .. } = self.client;
        Asker { db, protocol, touch: !no_touch }
    }

    /// How the slow log names its client.
    pub(crate) fn sender(&self) -> Sender<'_> {
        Sender { peer: &self.endpoints.peer, name: &self.client.name }
    }

    /// Bytes waiting for the client, wherever they are.
    pub fn output_bytes(&self) -> usize {
        self.replies.len_bytes() + self.sending_bytes + self.parts_bytes()
    }

    /// Bytes of replies to parts of what is under way.
    fn parts_bytes(&self) -> usize {
        match self.running.as_ref().map(|under| &under.running) {
            Some(Running::Parts(assembly)) => assembly.held_bytes(),
            Some(Running::Transaction(shares)) => shares.parts.held_bytes(),
            Some(Running::Exec(execution)) => execution.held_bytes(),
            _ => 0,
        }
    }

    /// The same, and what is kept elsewhere for its long replies: what the limits on output count.
    pub fn counted_output_bytes(&self) -> usize {
        let kept = self.streams.iter().map(StreamedReply::unsent_len_bytes);
        self.output_bytes().saturating_add(kept.fold(0, usize::saturating_add))
    }

    /// Bytes received and not understood yet: what `client-query-buffer-limit` is about. The words of an unfinished
    /// command that are whole are not among them, as in Redis.
    pub fn input_bytes(&self) -> usize {
        self.input
            .as_ref()
            .map_or(0, |input| input.rest().len().saturating_sub(input.decoder.understood_len_bytes()))
    }

    /// Bytes kept of its transaction.
    pub fn transaction_bytes(&self) -> usize {
        self.queued().map_or(0, Queue::allocated_bytes) + self.watches.allocated_bytes()
    }

    /// Bytes of the whole words of an unfinished command.
    pub fn argument_bytes(&self) -> usize {
        self.input.as_ref().map_or(0, |input| input.decoder.understood_len_bytes())
    }

    /// Memory held, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        size_of::<Connection>()
            + self.client.name.len()
            + self.client.library_name.len()
            + self.client.library_version.len()
            + self.endpoints.peer.capacity()
            + self.endpoints.local.capacity()
            + self.replies.allocated_bytes()
            + self.sending_bytes
            + self.parts_bytes()
            + self.transaction_bytes()
            + self.input.as_ref().map_or(0, |input| input.allocated_bytes())
    }
}
