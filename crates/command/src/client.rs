//! What a connection's client has said of itself and asked for.

use tessera_resp::Protocol;

/// Whether replies are wanted: CLIENT REPLY.
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
    /// MONITOR.
    pub monitor: bool,
    /// When it connected, in Unix milliseconds.
    pub connected_at_ms: i64,
    /// When it last sent a command, in Unix milliseconds.
    pub last_command_at_ms: i64,
    /// The full name of that command, or `NULL`.
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
            monitor: false,
            connected_at_ms: now_ms,
            last_command_at_ms: now_ms,
            last_command: "NULL",
        }
    }
}
