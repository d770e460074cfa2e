//! A command on this node's own shard, at once: the gates there, the run, the reply.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use crate::home::dispatch::take_reply_mode;
use crate::home::holds::Flow;
use crate::owner::run::Outcome;
use crate::task::Task;
use tessera_command::Command;
use tessera_resp::Args;
use tessera_routing::Ticket;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// On this node's shard, at once.
    #[inline]
    pub(crate) fn on_own_shard(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        if let Some(flow) = self.admit_to_own_shard(connection, command, args) {
            return flow;
        }
        self.note_start(connection, command, args);
        self.server.counters.commands += 1;
        let is_sent = take_reply_mode(&mut connection.client);
        connection.replies.provide_buffer(|| self.server.buffers.take());
        let task = Task { command, asker: connection.asker(), is_whole: true };
        let mut outcome = Outcome::REFUSED;
        connection.replies.write_now(|out| {
            outcome = self.run_task_unserved(&task, args, out);
            is_sent
        });
        if let Some(stream) = outcome.stream {
            if is_sent {
                // Its beginning has been written.
                let sequence = connection.replies.reserve(true);
                let ticket = Ticket { connection: connection.id.pack(), sequence, part: 0 };
                self.owner.note_reader(stream, self.server.me, ticket);
                self.begin_streamed(connection, sequence, self.server.me, stream, Vec::new());
            } else {
                self.owner.close_stream(stream);
            }
        }
        self.note_duration(connection, command, args, outcome.duration_ns);
        // Not before: the slow log has them in this order.
        self.serve_waiters();
        Flow::Next
    }

    /// The gates before a command that runs on this node's shard, or has a part there. If they hold or refuse it, what
    /// has become of it.
    // A few comparisons for each command: less than a call of them.
    #[inline(always)]
    pub(crate) fn admit_to_own_shard(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Option<Flow> {
        if self.is_out_of_memory_for(command) {
            return Some(self.refuse_for_memory(connection, command));
        }
        if self.must_wait_to_write(command, args, connection.client.db) {
            return Some(self.hold_for_snapshot(connection));
        }
        if self.owner.must_wait_for_holder(command, args) {
            let wants = self.owner.wants_of(command, args);
            return Some(self.hold_for_holder(connection, wants));
        }
        None
    }
}
