//! Replies that this node's network writes to clients of other nodes.

use crate::network::SocketHandle;
use tessera_routing::Ticket;

/// A direct reply that this node's network is writing for another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RemoteSend {
    /// The connection's home.
    pub(crate) home: usize,
    /// Whose reply.
    pub(crate) ticket: Ticket,
}

/// What the network is to write.
pub(crate) struct RemoteOrder {
    /// Where.
    pub(crate) socket: SocketHandle,
    /// What it tells of it when it is done.
    pub(crate) tag: u64,
    /// What.
    pub(crate) bytes: Vec<u8>,
}

/// All direct replies that are not written yet.
#[derive(Default)]
pub(crate) struct RemoteSends {
    /// By their tags.
    sends: Vec<Option<RemoteSend>>,
    free: Vec<u32>,
    /// Those of them that the network has not been given.
    pub(crate) orders: Vec<RemoteOrder>,
}

impl RemoteSends {
    /// Has the network write a reply.
    pub(crate) fn begin(&mut self, send: RemoteSend, socket: SocketHandle, bytes: Vec<u8>) {
        let tag = match self.free.pop() {
            Some(free) => {
                self.sends[free as usize] = Some(send);
                free
            }
            None => {
                self.sends.push(Some(send));
                (self.sends.len() - 1) as u32
            }
        };
        self.orders.push(RemoteOrder { socket, tag: u64::from(tag), bytes });
    }

    /// The network is done with a reply. Returns which, unless it was not begun.
    pub(crate) fn end(&mut self, tag: u64) -> Option<RemoteSend> {
        let send = self.sends.get_mut(usize::try_from(tag).ok()?).and_then(Option::take)?;
        self.free.push(tag as u32);
        Some(send)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.sends.len() - self.free.len()
    }

    /// There are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(home: usize) -> RemoteSend {
        RemoteSend { home, ticket: Ticket { connection: 0, sequence: 0, part: 0 } }
    }

    #[test]
    fn a_tag_is_one_reply_until_that_is_written() {
        let mut sends = RemoteSends::default();
        for home in 1..=3 {
            sends.begin(send(home), SocketHandle(7), Vec::new());
        }
        let tags: Vec<u64> = sends.orders.drain(..).map(|order| order.tag).collect();
        assert_eq!(sends.len(), 3);
        assert_eq!(sends.end(tags[1]).map(|send| send.home), Some(2));
        assert!(sends.end(tags[1]).is_none());
        sends.begin(send(4), SocketHandle(7), Vec::new());
        let again = sends.orders[0].tag;
        assert!(again != tags[0] && again != tags[2]);
        for (tag, home) in [(tags[2], 3), (again, 4), (tags[0], 1)] {
            assert_eq!(sends.end(tag).map(|send| send.home), Some(home));
        }
        assert!(sends.is_empty());
    }
}
