//! Replies in the order of their requests, although remote ones come when they come.

use std::collections::VecDeque;

/// One request that is not yet answered to the client.
#[derive(Debug)]
enum Pending {
    /// The reply is on its way. `is_sent`: to the client, which has not switched replies off.
    Waiting { is_sent: bool },
    /// The reply is at this place of `held`, and others before it are missing.
    Held { start: usize, len: usize },
}

/// More replies than this are never on their way to one connection.
const WAITING_MAX_REPLIES: usize = 1024;
/// So many may always be.
const WAITING_MIN_REPLIES: usize = 4;
/// Others may as long as replies of the usual length come to no more than this, in bytes: nobody knows how long a reply
/// will be, and once it is asked for there is no way to refuse it.
const WAITING_LEN_BYTES: usize = 4 * 1024 * 1024;
/// Shorter replies are copied to where replies leave from, in bytes.
const COPIED_MAX_LEN_BYTES: usize = 64 * 1024;
/// The usual length of the replies of a connection that has had none, in bytes.
const FIRST_USUAL_LEN_BYTES: usize = 64 * 1024;

/// The replies of one connection. Takes no memory while the connection is idle.
#[derive(Debug)]
pub struct Replies {
    /// Ready to leave.
    ready: Vec<u8>,
    /// Come too early, wholly or behind others.
    held: Vec<u8>,
    pending: VecDeque<Pending>,
    /// The sequence number of `pending`'s front.
    first_sequence: u32,
    /// Requests whose reply is on its way.
    waiting: usize,
    /// About the longest of the last few replies that were on their way.
    usual_len_bytes: usize,
}

impl Default for Replies {
    fn default() -> Replies {
        Replies {
            ready: Vec::new(),
            held: Vec::new(),
            pending: VecDeque::new(),
            first_sequence: 0,
            waiting: 0,
            usual_len_bytes: FIRST_USUAL_LEN_BYTES,
        }
    }
}

impl Replies {
    /// Nothing is on its way: the next reply may be written at once.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// The one reply that is on its way, if there is nothing else at all: its sequence number.
    #[inline]
    pub fn only_waiting(&self) -> Option<u32> {
        match (self.pending.len(), self.pending.front()) {
            (1, Some(Pending::Waiting { .. })) if self.ready.is_empty() => Some(self.first_sequence),
            _ => None,
        }
    }

    /// How many replies are on their way.
    #[inline]
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether so many replies are on their way, or such long ones, that no more should be asked for.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.waiting >= WAITING_MIN_REPLIES
            && (self.waiting >= WAITING_MAX_REPLIES
                || self.waiting * self.usual_len_bytes >= WAITING_LEN_BYTES)
    }

    /// Writes the reply of a request that is answered at once. `write` tells whether the client wants it; if not, it
    /// is thrown away.
    #[inline]
    pub fn write_now(&mut self, write: impl FnOnce(&mut Vec<u8>) -> bool) {
        let settled = self.pending.is_empty();
        let out = if settled { &mut self.ready } else { &mut self.held };
        let start = out.len();
        let is_sent = write(out);
        debug_assert!(out.len() >= start);
        if !is_sent {
            out.truncate(start);
        }
        if !settled {
            // Also without bytes its place is kept, so that sequence numbers stay those of the requests.
            let len = out.len() - start;
            self.pending.push_back(Pending::Held { start, len });
        }
    }

    /// The sequence number of the next request whose reply will come.
    #[inline]
    pub fn next_sequence(&self) -> u32 {
        self.first_sequence.wrapping_add(self.pending.len() as u32)
    }

    /// Notes a request whose reply will come, and returns its sequence number.
    #[inline]
    pub fn reserve(&mut self, is_sent: bool) -> u32 {
        let sequence = self.next_sequence();
        self.pending.push_back(Pending::Waiting { is_sent });
        self.waiting += 1;
        sequence
    }

    /// Takes in an awaited reply. One that is not awaited is thrown away.
    #[inline]
    pub fn arrive(&mut self, sequence: u32, reply: &[u8]) {
        let index = sequence.wrapping_sub(self.first_sequence) as usize;
        let Some(Pending::Waiting { is_sent }) = self.pending.get(index) else { return };
        self.usual_len_bytes = reply.len().max(self.usual_len_bytes - self.usual_len_bytes / 16);
        let reply = if *is_sent { reply } else { &[] };
        self.waiting -= 1;
        if index > 0 {
            self.pending[index] = Pending::Held { start: self.held.len(), len: reply.len() };
            self.held.extend_from_slice(reply);
            return;
        }
        self.ready.extend_from_slice(reply);
        self.pending.pop_front();
        self.first_sequence = self.first_sequence.wrapping_add(1);
        self.release();
    }

    /// The same for a reply in a buffer of its own, which is not copied if nothing is before it.
    pub fn arrive_whole(&mut self, sequence: u32, reply: Vec<u8>) {
        let takes = self.ready.is_empty()
            && reply.len() >= COPIED_MAX_LEN_BYTES
            && sequence == self.first_sequence
            && matches!(self.pending.front(), Some(Pending::Waiting { is_sent: true }));
        if !takes {
            return self.arrive(sequence, &reply);
        }
        let len = reply.len();
        self.ready = reply;
        self.arrive(sequence, &[]);
        self.usual_len_bytes = self.usual_len_bytes.max(len);
    }

    /// Whether nothing is missing before the awaited reply `sequence`.
    pub fn is_first(&self, sequence: u32) -> bool {
        sequence == self.first_sequence && matches!(self.pending.front(), Some(Pending::Waiting { .. }))
    }

    /// The reply is awaited, and the client has not switched it off.
    pub fn will_be_sent(&self, sequence: u32) -> bool {
        let index = sequence.wrapping_sub(self.first_sequence) as usize;
        matches!(self.pending.get(index), Some(Pending::Waiting { is_sent: true }))
    }

    /// Takes in a piece of the awaited reply that nothing is missing before; more of it will come.
    pub fn arrive_partly(&mut self, sequence: u32, piece: &[u8]) {
        debug_assert!(self.is_first(sequence));
        if let Some(Pending::Waiting { is_sent: true }) = self.pending.front() {
            self.ready.extend_from_slice(piece);
        }
    }

    /// Lets go what waited behind the reply that just came.
    fn release(&mut self) {
        while let Some(Pending::Held { start, len }) = self.pending.front() {
            self.ready.extend_from_slice(&self.held[*start..*start + *len]);
            self.pending.pop_front();
            self.first_sequence = self.first_sequence.wrapping_add(1);
        }
        if self.pending.is_empty() {
            self.held.clear();
            // Ordinary pipelines keep their room; a flood does not.
            self.held.shrink_to(16 * 1024);
            self.pending.shrink_to(256);
        }
    }

    /// Adds bytes that answer no request, such as a pushed line.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.pending.is_empty() {
            self.ready.extend_from_slice(bytes);
        } else {
            let start = self.held.len();
            self.held.extend_from_slice(bytes);
            self.pending.push_back(Pending::Held { start, len: bytes.len() });
        }
    }

    /// Nobody reads any more: throws away what there is, and what is on its way when it comes.
    pub fn throw_away(&mut self) {
        self.ready = Vec::new();
        self.held = Vec::new();
        for pending in &mut self.pending {
            match pending {
                Pending::Waiting { is_sent } => *is_sent = false,
                Pending::Held { start, len } => (*start, *len) = (0, 0),
            }
        }
    }

    /// Bytes ready to leave.
    #[inline]
    pub fn ready_len_bytes(&self) -> usize {
        self.ready.len()
    }

    /// All bytes waiting for the client here.
    #[inline]
    pub fn len_bytes(&self) -> usize {
        self.ready.len() + self.held.len()
    }

    /// Memory held, in bytes.
    pub fn allocated_bytes(&self) -> usize {
        self.ready.capacity() + self.held.capacity() + self.pending.capacity() * size_of::<Pending>()
    }

    /// Hands over what is ready to leave.
    #[inline]
    pub fn take_ready(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Gives a buffer to write the next replies into, unless there is one.
    #[inline]
    pub fn provide_buffer(&mut self, buffer: impl FnOnce() -> Vec<u8>) {
        if self.ready.capacity() == 0 {
            self.ready = buffer();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
        out.extend_from_slice(bytes);
        true
    }

    #[test]
    fn replies_leave_in_the_order_of_requests() {
        let mut replies = Replies::default();
        replies.write_now(|out| write(out, b"0"));
        let first = replies.reserve(true);
        replies.write_now(|out| write(out, b"2"));
        let third = replies.reserve(true);
        let fourth = replies.reserve(false);
        replies.write_now(|out| !write(out, b"unwanted"));
        replies.write_now(|out| write(out, b"6"));
        assert_eq!(replies.take_ready(), b"0");
        replies.arrive(fourth, b"unwanted");
        replies.arrive(third, b"3");
        assert_eq!((replies.take_ready().as_slice(), replies.waiting()), (b"".as_slice(), 1));
        replies.arrive(first, b"1");
        assert_eq!(replies.take_ready(), b"1236");
        assert!(replies.is_settled());
        // A second answer to the same request is not awaited.
        replies.arrive(first, b"again");
        assert_eq!(replies.len_bytes(), 0);
    }

    #[test]
    fn what_is_thrown_away_leaves_no_gap() {
        let mut replies = Replies::default();
        replies.write_now(|out| write(out, b"0"));
        let first = replies.reserve(true);
        replies.write_now(|out| write(out, b"2"));
        let third = replies.reserve(true);
        replies.arrive(third, b"3");
        replies.throw_away();
        assert_eq!((replies.len_bytes(), replies.waiting()), (0, 1));
        let later = replies.reserve(true);
        replies.arrive(first, b"1");
        assert_eq!(replies.len_bytes(), 0);
        replies.arrive(later, b"4");
        assert_eq!(replies.take_ready(), b"4");
        assert!(replies.is_settled());
    }

    #[test]
    fn a_long_reply_that_nothing_is_before_is_not_copied() {
        let mut replies = Replies::default();
        let (first, second) = (replies.reserve(true), replies.reserve(true));
        let long = vec![7; COPIED_MAX_LEN_BYTES];
        replies.arrive(second, b"2");
        replies.arrive_whole(first, long);
        let ready = replies.take_ready();
        assert_eq!((ready.len(), ready.last()), (COPIED_MAX_LEN_BYTES + 1, Some(&b'2')));
        let only = replies.reserve(true);
        replies.arrive_whole(only, vec![7; COPIED_MAX_LEN_BYTES]);
        assert_eq!(replies.take_ready().len(), COPIED_MAX_LEN_BYTES);
        let (third, fourth) = (replies.reserve(true), replies.reserve(false));
        let long = vec![8; COPIED_MAX_LEN_BYTES];
        let where_it_was = long.as_ptr();
        replies.arrive_whole(third, long);
        let ready = replies.take_ready();
        assert_eq!(ready.as_ptr(), where_it_was);
        replies.arrive_whole(fourth, vec![9; COPIED_MAX_LEN_BYTES]);
        assert!(replies.is_settled() && replies.len_bytes() == 0, "one that is not to be sent");
    }

    #[test]
    fn fewer_long_replies_are_asked_for() {
        let mut replies = Replies::default();
        let mut fill = |len: usize| {
            let mut asked = Vec::new();
            while !replies.is_full() {
                asked.push(replies.reserve(true));
            }
            asked.iter().for_each(|sequence| replies.arrive(*sequence, &vec![0; len]));
            replies.take_ready();
            asked.len()
        };
        assert!((5..1024).contains(&fill(100)));
        assert_eq!(fill(3 * 1024 * 1024), 1024);
        assert_eq!(fill(3 * 1024 * 1024), 4);
        assert_eq!(fill(100), 4);
        // Short ones are believed in after a while.
        assert!((0..100).any(|_| fill(100) == 1024));
    }

    #[test]
    fn any_order_of_arrival_gives_the_same_stream() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..500 {
            let (mut replies, mut expected, mut out) = (Replies::default(), Vec::new(), Vec::new());
            replies.first_sequence = u32::MAX - 5;
            let mut remote = Vec::new();
            for number in 0..random.u8(1..40) {
                expected.push(number);
                if random.bool() {
                    replies.write_now(|out| write(out, &[number]));
                } else {
                    remote.push((replies.reserve(true), number));
                }
                if random.bool() && !remote.is_empty() {
                    let (sequence, number) = remote.swap_remove(random.usize(..remote.len()));
                    replies.arrive(sequence, &[number]);
                }
                out.extend(replies.take_ready());
            }
            random.shuffle(&mut remote);
            for (sequence, number) in remote {
                replies.arrive(sequence, &[number]);
            }
            out.extend(replies.take_ready());
            assert_eq!(out, expected);
        }
    }
}
