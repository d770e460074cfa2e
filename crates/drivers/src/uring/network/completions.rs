//! What the kernel says is done, and what becomes of it.

use std::io;
use std::mem;

use io_uring::cqueue;
use rustix::io::Errno;
use std::os::fd::AsFd;
use tessera_node::network::{Closed, ConnectionId, Events};

use super::{SEND_MAX_LEN_BYTES, UringNetwork};
use crate::socket::Socket;
use crate::uring::connection::{Connection, Outgoing};
use crate::uring::tag::Operation;

impl UringNetwork {
    pub(super) fn complete<E: Events<Socket>>(&mut self, entry: &cqueue::Entry, events: &mut E) {
        match Operation::unpack(entry.user_data()) {
            Operation::Receive(id) => self.received(id, entry, events),
            Operation::Send(id) => self.sent(id, entry.result(), events),
            Operation::Remote(index) => {
                if let Some((tag, buffer)) = self.remotes.remove(index) {
                    let written = usize::try_from(entry.result()).unwrap_or(0);
                    events.remote_sent(tag, buffer, written);
                }
            }
            Operation::Accept(number) => self.accepted(number, entry, events),
            Operation::HangUp(id) => self.hung_up(id, entry, events),
            Operation::Cancel(id) => self.cancelled(id, entry.result()),
            Operation::Wake => {
                if !cqueue::more(entry.flags()) {
                    self.watch_waker();
                }
            }
            Operation::Ignored => {}
        }
    }

    fn received<E: Events<Socket>>(&mut self, id: ConnectionId, entry: &cqueue::Entry, events: &mut E) {
        let buffer = cqueue::buffer_select(entry.flags());
        let result = entry.result();
        if let Some(connection) = self.connections.get_mut(id) {
            if !cqueue::more(entry.flags()) {
                connection.receiving = false;
                connection.cancelling = false;
            }
            let silent = connection.ended || connection.closing;
            match (usize::try_from(result), buffer) {
                (Ok(len @ 1..), Some(buffer)) => {
                    if !silent {
                        events.received(id, self.buffers.bytes(buffer, len));
                    }
                }
                (Ok(_), _) => {
                    connection.ended = true;
                    if !silent {
                        events.closed(id, connection.send_failed.map_or(Closed::ByPeer, Closed::ByError));
                    }
                }
                (Err(_), _) => match Errno::from_raw_os_error(-result) {
                    Errno::NOBUFS => {
                        self.buffers_exhausted += 1;
                        self.buffers.use_more();
                    }
                    // Paused; or nothing happened and the kernel gave up.
                    Errno::CANCELED | Errno::INTR | Errno::AGAIN => {}
                    errno => {
                        connection.ended = true;
                        if !silent {
                            events.closed(id, Closed::ByError(io::Error::from(errno).kind()));
                        }
                    }
                },
            }
        }
        // Also when the connection is gone: the buffer must not be lost.
        if let Some(buffer) = buffer {
            self.buffers.give_back(buffer);
        }
        let Some(connection) = self.connections.get_mut(id) else { return };
        if connection.closing {
            self.finish_close(id);
        } else if connection.needs_receive() {
            self.receive(id);
        } else if connection.receiving && !connection.receive_enabled && !connection.cancelling {
            // A cancellation missed it.
            connection.cancelling = true;
            self.cancel(id, Operation::Receive(id));
        } else if connection.needs_watch() {
            self.watch(id);
        }
    }

    fn sent<E: Events<Socket>>(&mut self, id: ConnectionId, result: i32, events: &mut E) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let Some(outgoing) = connection.outgoing.as_mut() else { return };
        // What is left to send is sent with all the kernel's patience.
        outgoing.silent = false;
        let failure = match usize::try_from(result) {
            Ok(written) => {
                outgoing.done += written;
                if outgoing.done >= outgoing.buffer.len() {
                    None
                } else if written == 0 {
                    Some(Errno::PIPE)
                } else {
                    self.short_sends += u64::from(written < SEND_MAX_LEN_BYTES);
                    if !connection.closing {
                        events.sent_some(id);
                        return self.continue_send(id);
                    }
                    Some(Errno::CANCELED)
                }
            }
            Err(_) => match Errno::from_raw_os_error(-result) {
                Errno::INTR | Errno::AGAIN | Errno::NOBUFS if !connection.closing => {
                    return self.continue_send(id);
                }
                errno => Some(errno),
            },
        };
        let Some(Outgoing { buffer, .. }) = connection.outgoing.take() else { return };
        let closing = connection.closing;
        match failure {
            None => events.sent(id, buffer, Ok(())),
            Some(errno) => {
                let error = io::Error::from(errno);
                if !closing {
                    // What the peer sent before is still received, and behind it the end of the socket.
                    connection.send_failed = Some(error.kind());
                    let _ = rustix::net::shutdown(&connection.descriptor, rustix::net::Shutdown::Both);
                }
                events.sent(id, buffer, Err(error));
            }
        }
        if closing {
            self.finish_close(id);
        }
    }

    /// Tells the node of the quiet sends that are over. Those that failed are among the completions at hand.
    pub(super) fn finish_quiet<E: Events<Socket>>(&mut self, reaped: &[cqueue::Entry], events: &mut E) {
        if self.quiet.is_empty() {
            return;
        }
        let is_all_submitted = self.ring.is_all_submitted();
        for entry in reaped {
            if let Operation::Send(id) = Operation::unpack(entry.user_data()) {
                self.sent(id, entry.result(), events);
            }
        }
        if !is_all_submitted {
            // The kernel was short of something; the next call goes on.
            return;
        }
        let mut quiet = mem::take(&mut self.quiet);
        for id in quiet.drain(..) {
            let outgoing = self.connections.get(id).and_then(|connection| connection.outgoing.as_ref());
            if let Some(outgoing) = outgoing.filter(|outgoing| outgoing.silent) {
                let rest = outgoing.buffer.len() - outgoing.done;
                self.ring.note_silent_completion();
                self.sent(id, i32::try_from(rest).unwrap_or(i32::MAX), events);
            }
        }
        // The room is used again, unless a send failed just now and took its place.
        if self.quiet.is_empty() {
            self.quiet = quiet;
        }
    }

    fn accepted<E: Events<Socket>>(&mut self, number: u32, entry: &cqueue::Entry, events: &mut E) {
        let socket = (entry.result() >= 0).then(|| Socket::from_completion(entry.result()));
        if let Some(socket) = socket
            && self.listening
        {
            events.accepted(socket);
        }
        let Some(accepting) = self.listeners.iter_mut().find(|accepting| accepting.number == number) else {
            return;
        };
        if !cqueue::more(entry.flags()) {
            accepting.armed = false;
        }
        if entry.result() < 0 {
            let errno = Errno::from_raw_os_error(-entry.result());
            accepting.rest_until = self.shedder.accept_failed(accepting.listener.as_fd(), errno);
        }
    }

    /// The poll for the peer's end has something, or is over.
    fn hung_up<E: Events<Socket>>(&mut self, id: ConnectionId, entry: &cqueue::Entry, events: &mut E) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.watching = cqueue::more(entry.flags());
        if connection.closing {
            return self.finish_close(id);
        }
        if connection.receive_enabled || connection.ended {
            // Who is received from ends that way. Should it be paused before, then a new poll must tell.
            if connection.watching {
                self.cancel(id, Operation::HangUp(id));
            }
            return;
        }
        let mut is_news = entry.result() < 0;
        if entry.result() >= 0 {
            let is_failure = entry.result() & i32::from(libc::POLLHUP | libc::POLLERR) != 0;
            let noticed =
                if is_failure { &mut connection.failure_noticed } else { &mut connection.end_noticed };
            is_news = !mem::replace(noticed, true);
            let failure = connection.send_failed.unwrap_or(io::ErrorKind::ConnectionReset);
            if is_news {
                events.hung_up(id, if is_failure { Closed::ByError(failure) } else { Closed::ByPeer });
            }
        }
        if is_news && self.connections.get(id).is_some_and(Connection::needs_watch) {
            self.watch(id);
        }
    }

    /// A cancellation is through. If it found nothing while the operation is still there, then the kernel
    /// is busy with it; ending the socket makes it stop.
    fn cancelled(&mut self, id: ConnectionId, result: i32) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        if result >= 0 {
            return;
        }
        connection.cancelling = false;
        if connection.closing && connection.busy() {
            let _ = rustix::net::shutdown(&connection.descriptor, rustix::net::Shutdown::Both);
        }
    }
}
