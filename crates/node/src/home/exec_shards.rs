//! EXEC over several shards, or on one other than this node's own.

use super::connection::Connection;
use super::holds::Flow;
use super::queue::Queue;
use crate::clock::Clock;
use crate::core::Core;
use tessera_command::{Command, Error};
use tessera_resp::Args;
use tessera_routing::exec::ExecPlan;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Runs a transaction that this node's shard cannot run alone. `plan` says what it wants of which shards; what is
    /// watched is still registered at the owners, and among the connection's watches.
    pub(crate) fn execute_over_shards(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
        queue: Box<Queue>,
        _plan: &ExecPlan,
    ) -> Flow {
        self.keep_queue(queue);
        self.drop_transaction(connection);
        self.answer_step(connection, command, args, Err(Error::Text("ERR transactions over several shards")))
    }
}
