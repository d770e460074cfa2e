//! What a connection's client has said of itself and asked for.

use tessera_resp::Protocol;

/// Whether replies are sent: CLIENT REPLY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// All of them.
    #[default]
    On,
    /// None until switched on.
    Off,
    /// All but the next.
    SkipNext,
    /// All but this one.
    SkipThis,
}

impl ReplyMode {
    /// A command is over: whether its reply is sent. Redis decides by what the command left behind, so that the one
    /// that switches replies on is answered.
    #[inline]
    pub fn end_command(&mut self) -> bool {
        let is_sent = matches!(self, ReplyMode::On | ReplyMode::SkipNext);
        *self = match *self {
            ReplyMode::SkipNext => ReplyMode::SkipThis,
            ReplyMode::SkipThis => ReplyMode::On,
            other => other,
        };
        is_sent
    }
}

/// The state of a client between its commands.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its number; grows over the whole server.
    pub id: u64,
    /// CLIENT SETNAME.
    pub name: Box<[u8]>,
    /// CLIENT SETINFO LIB-NAME.
    pub library_name: Box<[u8]>,
    /// CLIENT SETINFO LIB-VER.
    pub library_version: Box<[u8]>,
    /// SELECT.
    pub db: u16,
    /// HELLO.
    pub protocol: Protocol,
    /// AUTH has succeeded, or is not asked for.
    pub authenticated: bool,
    /// It came in over loopback or a unix socket.
    pub is_local: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// REPLCONF RDB-ONLY: it wants a snapshot, and not what changes afterwards.
    pub rdb_only: bool,
    /// MONITOR.
    pub monitor: bool,
    /// Its transaction is being run: nothing of it may wait.
    pub in_transaction: bool,
    /// When it connected, in Unix milliseconds.
    pub connected_at_ms: i64,
    /// When bytes last came from it or left for it, in Unix milliseconds.
    pub last_interaction_at_ms: i64,
    /// The full name of its last command, or `NULL`.
    pub last_command: &'static str,
}

impl Client {
    /// A client that has just connected.
    pub fn new(id: u64, authenticated: bool, now_ms: i64) -> Client {
        Client {
            id,
            name: Box::default(),
            library_name: Box::default(),
            library_version: Box::default(),
            db: 0,
            protocol: Protocol::Resp2,
            authenticated,
            is_local: false,
            no_evict: false,
            no_touch: false,
            reply_mode: ReplyMode::On,
            rdb_only: false,
            monitor: false,
            in_transaction: false,
            connected_at_ms: now_ms,
            last_interaction_at_ms: now_ms,
            last_command: "NULL",
        }
    }

    /// RESET: all is as when it connected, its number, its library and its times excepted. `authenticated`: no password
    /// is asked for. A skip of the reply at hand stays.
    pub fn reset(&mut self, authenticated: bool) {
        self.name = Box::default();
        self.db = 0;
        self.protocol = Protocol::Resp2;
        self.authenticated = authenticated;
        self.no_evict = false;
        self.no_touch = false;
        self.monitor = false;
        if self.reply_mode != ReplyMode::SkipThis {
            self.reply_mode = ReplyMode::On;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reply_is_skipped() {
        let mut mode = ReplyMode::SkipNext;
        // CLIENT REPLY SKIP itself writes nothing; the command behind it is skipped.
        assert!(mode.end_command());
        assert!(!mode.end_command());
        assert!(mode.end_command());
        let mut mode = ReplyMode::Off;
        assert!(!mode.end_command());
        assert!(!mode.end_command());
    }
}
