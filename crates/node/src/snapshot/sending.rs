//! Clients that are sent a snapshot: SYNC and PSYNC, as far as `redis-cli --rdb` needs them.
//!
//! A snapshot is made as for SAVE. When it counts, the home of the client opens all its files at once, so that they may
//! be removed meanwhile, and sends their bodies between a header and an end of its own: one RDB file of all shards,
//! sorted by database. A piece is read when those before it have left.

use super::status::Purpose;
use super::transfer::{Transfer, Waiting};
use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::holds::Hold;
use crate::network::ConnectionId;
use crate::notes::snapshot::Published;
use std::sync::Arc;

/// As long as more than this waits for the client, nothing is added, in bytes.
const UNSENT_MAX_LEN_BYTES: usize = 1024 * 1024;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// The client is sent a new snapshot, and its connection then closed.
    pub(crate) fn await_transfer(&mut self, connection: &mut Connection) {
        connection.hold = Some(Hold::Transfer);
        self.snapshot.transfers.waiting.push(Waiting { connection: connection.id, is_asked: false });
    }

    /// A snapshot has ended that clients may have waited for.
    pub(super) fn begin_transfers(&mut self, published: Option<&Arc<Published>>) {
        let (asked, waiting) = std::mem::take(&mut self.snapshot.transfers.waiting)
            .into_iter()
            .partition(|waiting| waiting.is_asked);
        self.snapshot.transfers.waiting = waiting;
        let asked: Vec<Waiting> = asked;
        for Waiting { connection, .. } in asked {
            match published {
                Some(published) => {
                    let transfer = Transfer::new(&self.disk, connection, published.clone());
                    self.snapshot.transfers.running.push(transfer);
                }
                None => self.break_off(connection, "the snapshot failed"),
            }
        }
    }

    /// A turn's share of what is sent.
    #[cold]
    pub(super) fn keep_transfers(&mut self) {
        let mut waiting = std::mem::take(&mut self.snapshot.transfers.waiting);
        waiting.retain(|waiting| self.connection(waiting.connection).is_some());
        if let Some(first) = waiting.first_mut().filter(|first| !first.is_asked) {
            first.is_asked = self.server.shared.ask_for_snapshot(Purpose::Transfer, self.time.unix_us);
        }
        self.snapshot.transfers.waiting = waiting;
        let mut running = std::mem::take(&mut self.snapshot.transfers.running);
        running.retain_mut(|transfer| {
            if let Err(problem) = self.send_some(transfer) {
                self.break_off(transfer.connection, &problem);
                transfer.give_up();
            }
            !transfer.is_over()
        });
        self.snapshot.transfers.running = running;
    }

    fn send_some(&mut self, transfer: &mut Transfer) -> Result<(), String> {
        transfer.go_on_reading()?;
        if transfer.has_run_short() {
            return Err("a file is shorter than it was".to_owned());
        }
        let Some(mut connection) = self.take(transfer.connection) else {
            transfer.give_up();
            return Ok(());
        };
        while !transfer.has_ended
            && connection.sending_bytes + connection.replies.ready_len_bytes() < UNSENT_MAX_LEN_BYTES
        {
            let Some(bytes) = transfer.next_bytes() else { break };
            connection.replies.push(&bytes);
            if transfer.has_ended {
                connection.close_after_reply = true;
            }
        }
        self.put(connection);
        Ok(())
    }

    /// The client gets no more, and learns it by the end of its connection.
    fn break_off(&mut self, id: ConnectionId, problem: &str) {
        if let Some(connection) = self.take(id) {
            let line = format!("Client {} is not sent a snapshot: {problem}", connection.endpoints.peer);
            self.log_snapshot(&line);
            self.close(connection);
        }
    }
}
