//! MULTI, DISCARD and UNWATCH, and what is queued between MULTI and EXEC. [`super::exec`] has EXEC, [`super::watching`]
//! WATCH.

use super::connection::Connection;
use super::dispatch::take_reply_mode;
use super::holds::Flow;
use super::queue::Queue;
use crate::clock::Clock;
use crate::core::Core;
use tessera_command::{Command, Error, TransactionStep};
use tessera_resp::{Args, Reply};

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// A command about the connection's transaction.
    pub(crate) fn transact(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        step: TransactionStep,
    ) -> Flow {
        let result = match step {
            TransactionStep::Execute => return self.execute(connection, command, args),
            TransactionStep::Watch => return self.watch(connection, command, args),
            TransactionStep::Begin if connection.queue.is_some() => {
                Err(Error::Text("ERR MULTI calls can not be nested"))
            }
            TransactionStep::Begin => {
                connection.queue = Some(self.home.spare_queue.take().unwrap_or_default());
                Ok(())
            }
            TransactionStep::Discard if connection.queue.is_none() => {
                Err(Error::Text("ERR DISCARD without MULTI"))
            }
            TransactionStep::Discard => {
                self.drop_transaction(connection);
                Ok(())
            }
            TransactionStep::Unwatch => {
                self.unwatch_all(connection);
                Ok(())
            }
        };
        self.answer_step(connection, command, args, result)
    }

    /// Answers a command about the transaction that is done at once.
    pub(crate) fn answer_step(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        result: Result<(), Error>,
    ) -> Flow {
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, connection.client.protocol);
        let failed = result.err().map(|error| error.text(command.full_name).into_owned());
        match &failed {
            None => reply.ok(),
            Some(text) => reply.error(text),
        }
        self.end_step(connection, command, args, &out, failed.as_deref());
        Flow::Next
    }

    /// Answers one and writes down what there is to write down of it; `failed` is the error's text, if it is one.
    pub(crate) fn end_step(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        reply: &[u8],
        failed: Option<&[u8]>,
    ) {
        connection.client.last_command = command.shown_name;
        let is_sent = take_reply_mode(&mut connection.client);
        connection.replies.provide_buffer(|| self.server.buffers.take());
        connection.replies.write_now(|out| {
            out.extend_from_slice(reply);
            is_sent
        });
        let duration_ns = self.time.read();
        self.server.counters.commands_ns += duration_ns;
        self.server.note_end(command, duration_ns, failed);
        self.note_duration(connection, command, args, duration_ns);
        if self.server.shared.monitors() > 0 {
            self.feed_monitors(connection, command, args);
        }
    }

    /// Queues a command.
    pub(crate) fn enqueue(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) -> Flow {
        connection.client.last_command = command.shown_name;
        if let Some(queue) = &mut connection.queue {
            queue.push(command, args);
        }
        let is_sent = take_reply_mode(&mut connection.client);
        connection.replies.provide_buffer(|| self.server.buffers.take());
        connection.replies.write_now(|out| {
            out.extend_from_slice(b"+QUEUED\r\n");
            is_sent
        });
        Flow::Next
    }

    /// Forgets what is queued and what is watched.
    pub(crate) fn drop_transaction(&mut self, connection: &mut Connection) {
        if let Some(queue) = connection.queue.take() {
            self.keep_queue(queue);
        }
        self.unwatch_all(connection);
    }

    /// Keeps the room of a queue for the next one.
    pub(crate) fn keep_queue(&mut self, mut queue: Box<Queue>) {
        if self.home.spare_queue.is_none() && queue.clear() {
            self.home.spare_queue = Some(queue);
        }
    }
}
