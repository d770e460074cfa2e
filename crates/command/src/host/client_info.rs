//! A client as CLIENT LIST and CLIENT INFO print it.

use crate::client::Client;
use tessera_resp::{Args, Protocol};

/// What the node knows of a client's connection. Sizes are in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// `ip:port`, `[ip6]:port`, or `path:0` for a unix socket.
    pub peer: String,
    /// The same for the server's end.
    pub local: String,
    /// The socket's number, for the line only.
    pub descriptor: i64,
    /// It came in by a unix socket.
    pub unix: bool,
    /// Received and not yet taken.
    pub query_buffer_bytes: u64,
    /// Room left in the receive buffer.
    pub query_buffer_free_bytes: u64,
    /// The words of the command at hand.
    pub argument_bytes: u64,
    /// Size of the reply buffer.
    pub reply_buffer_bytes: u64,
    /// The most that was used of it, of late.
    pub reply_buffer_peak_bytes: u64,
    /// In the reply buffer, not yet sent.
    pub output_buffer_bytes: u64,
    /// Buffers that wait behind that one.
    pub output_list_len: u64,
    /// Memory of those.
    pub output_list_bytes: u64,
    /// All memory this client takes.
    pub total_bytes: u64,
    /// More is read from it.
    pub reading: bool,
    /// Something waits until it can be sent.
    pub writing: bool,
    /// It waits in a blocking command, or is held back by CLIENT PAUSE.
    pub blocked: bool,
    /// It is closed once the reply is sent.
    pub closing: bool,
    /// How many commands are queued since MULTI, if it is in a transaction.
    pub queued_commands: Option<usize>,
    /// The words of those.
    pub queued_bytes: u64,
    /// A key that it watches has changed.
    pub watch_failed: bool,
}

/// One client of a node.
#[derive(Clone, Debug)]
pub struct ClientInfo<'a> {
    /// What it said of itself.
    pub client: &'a Client,
    /// Its connection.
    pub connection: ConnectionInfo,
}

/// Redis's replies wait in a buffer of that length, and what it does not take in a list of such, in bytes.
const REPLY_BUFFER_BYTES: u64 = 16 * 1024;

impl ConnectionInfo {
    /// So much waits to be sent: as Redis would have it in its buffer and in its list.
    #[must_use]
    pub fn with_output(self, bytes: u64) -> ConnectionInfo {
        let in_list_bytes = bytes.saturating_sub(REPLY_BUFFER_BYTES);
        ConnectionInfo {
            output_buffer_bytes: bytes - in_list_bytes,
            output_list_len: in_list_bytes.div_ceil(REPLY_BUFFER_BYTES),
            output_list_bytes: in_list_bytes,
            ..self
        }
    }

    /// This command, of which so much was received, is at hand: its words are held beside what waits behind it.
    #[must_use]
    pub fn with_command(self, args: Args<'_>) -> ConnectionInfo {
        ConnectionInfo {
            query_buffer_bytes: self.query_buffer_bytes + encoded_len_bytes(args),
            argument_bytes: args.total_len_bytes() as u64,
            ..self
        }
    }
}

/// How long a command is as clients send it, in bytes.
fn encoded_len_bytes(args: Args<'_>) -> u64 {
    // A mark, a number, the line end.
    let line = |number: usize| u64::from(number.max(1).ilog10()) + 1 + 3;
    line(args.len()) + args.iter().map(|word| line(word.len()) + word.len() as u64 + 2).sum::<u64>()
}

impl ClientInfo<'_> {
    /// Appends the line, line end included, at the time `now_ms` (Unix milliseconds). The fields and their order are
    /// those of Redis 7.2.
    pub fn push_line(&self, now_ms: i64, out: &mut Vec<u8>) {
        let (client, io) = (self.client, &self.connection);
        // Redis counts in whole seconds of the wall clock.
        let now_s = now_ms.div_euclid(1000);
        let age_s = now_s - client.connected_at_ms.div_euclid(1000);
        let idle_s = now_s - client.last_interaction_at_ms.div_euclid(1000);
        out.extend_from_slice(
            format!("id={} addr={} laddr={} fd={} name=", client.id, io.peer, io.local, io.descriptor)
                .as_bytes(),
        );
        push_text(out, &client.name);
        let resp = match client.protocol {
            Protocol::Resp2 => 2,
            Protocol::Resp3 => 3,
        };
        out.extend_from_slice(
            format!(
                " age={age_s} idle={idle_s} flags={flags} db={db} sub=0 psub=0 ssub=0 multi={multi} qbuf={qbuf} \
                 qbuf-free={qbuf_free} argv-mem={argv} multi-mem={multi_mem} rbs={rbs} rbp={rbp} obl={obl} oll={oll} \
                 omem={omem} tot-mem={total} events={read}{write} cmd={cmd} user=default redir=-1 resp={resp} \
                 lib-name=",
                flags = self.flags(),
                db = client.db,
                multi = io.queued_commands.map_or(-1, |commands| commands as i64),
                multi_mem = io.queued_bytes,
                qbuf = io.query_buffer_bytes,
                qbuf_free = io.query_buffer_free_bytes,
                argv = io.argument_bytes,
                rbs = io.reply_buffer_bytes,
                rbp = io.reply_buffer_peak_bytes,
                obl = io.output_buffer_bytes,
                oll = io.output_list_len,
                omem = io.output_list_bytes,
                total = io.total_bytes,
                read = if io.reading { "r" } else { "" },
                write = if io.writing { "w" } else { "" },
                cmd = client.last_command,
            )
            .as_bytes(),
        );
        push_text(out, &client.library_name);
        out.extend_from_slice(b" lib-ver=");
        push_text(out, &client.library_version);
        out.push(b'\n');
    }

    /// One letter for each thing that is special about the client, `N` if nothing is.
    fn flags(&self) -> String {
        let (client, io) = (self.client, &self.connection);
        let letters = [
            (client.monitor, 'O'),
            (io.queued_commands.is_some(), 'x'),
            (io.blocked, 'b'),
            (io.watch_failed, 'd'),
            (io.closing, 'c'),
            (io.unix, 'U'),
            (client.no_evict, 'e'),
            (client.no_touch, 'T'),
        ];
        let set: String = letters.iter().filter(|(is_set, _)| *is_set).map(|(_, letter)| letter).collect();
        if set.is_empty() { "N".into() } else { set }
    }
}

/// Redis prints these as C strings: a NUL ends them.
fn push_text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().take_while(|byte| **byte != 0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_that_of_the_real_server() {
        // Recorded from Valkey 7.2.7.
        let recorded = "id=3 addr=127.0.0.1:44856 laddr=127.0.0.1:21600 fd=7 name= age=0 idle=0 flags=N db=0 sub=0 \
                        psub=0 ssub=0 multi=-1 qbuf=26 qbuf-free=20448 argv-mem=10 multi-mem=0 rbs=16384 rbp=16384 \
                        obl=0 oll=0 omem=0 tot-mem=37786 events=r cmd=client|list user=default redir=-1 resp=2 \
                        lib-name= lib-ver=\n";
        let client = Client { last_command: "client|list", ..Client::new(3, true, 7_000) };
        let connection = ConnectionInfo {
            peer: "127.0.0.1:44856".into(),
            local: "127.0.0.1:21600".into(),
            descriptor: 7,
            query_buffer_bytes: 26,
            query_buffer_free_bytes: 20448,
            argument_bytes: 10,
            reply_buffer_bytes: 16384,
            reply_buffer_peak_bytes: 16384,
            total_bytes: 37786,
            reading: true,
            ..ConnectionInfo::default()
        };
        let mut line = Vec::new();
        ClientInfo { client: &client, connection }.push_line(7_999, &mut line);
        assert_eq!(String::from_utf8(line).as_deref(), Ok(recorded));
    }

    #[test]
    fn what_waits_is_told_as_redis_does() {
        let output = |bytes| {
            let info = ConnectionInfo::default().with_output(bytes);
            (info.output_buffer_bytes, info.output_list_len, info.output_list_bytes)
        };
        assert_eq!(output(0), (0, 0, 0));
        assert_eq!(output(16_384), (16_384, 0, 0));
        assert_eq!(output(16_385), (16_384, 1, 1));
        assert_eq!(output(1_000_000), (16_384, 61, 983_616));
    }

    #[test]
    fn the_command_at_hand_is_held() {
        // As the recorded line above has it.
        let words = tessera_resp::args::OwnedArgs::from_words(["CLIENT", "LIST"]);
        let info = ConnectionInfo::default().with_command(words.as_args());
        assert_eq!((info.query_buffer_bytes, info.argument_bytes), (26, 10));
    }

    #[test]
    fn seconds_are_those_of_the_wall_clock_and_flags_add_up() {
        let client = Client {
            monitor: true,
            no_evict: true,
            no_touch: true,
            name: b"a\0b"[..].into(),
            last_interaction_at_ms: 8_001,
            ..Client::new(1, true, 7_999)
        };
        let connection = ConnectionInfo { unix: true, writing: true, ..ConnectionInfo::default() };
        let mut line = Vec::new();
        ClientInfo { client: &client, connection }.push_line(10_000, &mut line);
        let line = String::from_utf8(line).expect("text");
        assert!(line.contains(" name=a age=3 idle=2 flags=OUeT db="), "{line}");
        assert!(line.contains(" events=w "), "{line}");
    }
}
