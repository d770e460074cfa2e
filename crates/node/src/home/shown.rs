//! What others are shown of a client's commands: MONITOR, CLIENT LIST and the slow log.

use crate::clock::Clock;
use crate::core::Core;
use crate::home::connection::Connection;
use tessera_command::host::monitor_line;
use tessera_command::{Command, Flags, Run};
use tessera_resp::Args;

impl<S: Send + 'static, C: Clock> Core<S, C> {
    /// Notes that a command begins: what CLIENT LIST and MONITOR tell of it.
    #[inline]
    pub(crate) fn note_start(
        &mut self,
        connection: &mut Connection,
        command: &'static Command,
        args: Args<'_>,
    ) {
        connection.client.last_command = command.shown_name;
        // Session commands are shown when they are done, as Redis does it: SELECT with the new database; EXEC behind
        // what it runs.
        if self.server.shared.monitors() > 0 && !matches!(command.run, Run::Session(_) | Run::Transaction(_))
        {
            self.feed_monitors(connection, command, args);
        }
    }

    /// Notes a command of this node's client if it was slow.
    #[inline]
    pub(crate) fn note_duration(
        &mut self,
        connection: &Connection,
        command: &'static Command,
        args: Args<'_>,
        duration_ns: u64,
    ) {
        if self.server.is_slow(command, duration_ns) {
            let unix_us = self.time.unix_us;
            self.server.note_slow(&connection.sender(), command, args, unix_us, duration_ns);
        }
    }

    #[cold]
    pub(crate) fn feed_monitors(&mut self, connection: &Connection, command: &Command, args: Args<'_>) {
        if command.flags.has(Flags::SKIP_MONITOR) || command.flags.has(Flags::ADMIN) {
            return;
        }
        let peer = if connection.endpoints.unix {
            format!("unix:{}", connection.endpoints.local.trim_end_matches(":0"))
        } else {
            connection.endpoints.peer.clone()
        };
        let hidden = command.spec.secrets.positions(args);
        let line = monitor_line(self.time.unix_us, connection.client.db, &peer, args, &hidden);
        for node in self.server.shared.nodes_with_monitors() {
            if node == self.server.me {
                self.home.own_lines.extend_from_slice(&line);
            } else {
                self.mesh.line(node, &line);
            }
        }
    }
}
