//! Benchmarks of Tessera: what its programs share.
//!
//! [`client`] is for those that load a server. The rest is for the floor servers `ring-echo` and `epoll-echo`. A floor
//! server stores nothing. It finds where each command ends, looks at the command's first word and
//! appends a fixed reply, so its CPU time per operation is what the kernel's sockets cost and little else.

#![forbid(unsafe_code)]

pub mod client;

use std::net::{Ipv4Addr, TcpListener};

/// Arguments that one command may have; more is malformed here. The load tools send three at most.
const MAX_ARGUMENTS: usize = 64;

/// Longest argument in bytes; longer is malformed here. It bounds what a connection can make us keep.
const MAX_ARGUMENT_LEN_BYTES: usize = 1 << 20;

/// The 64-byte value that every GET is answered with, as a RESP bulk string. The bytes have no pattern, so
/// that nothing on the way can profit from one.
const GET_REPLY: &[u8] = b"$64\r\nq7Zd0Wm4TfKx9RbLs2VhYc6NgPj1UeAo8IiDwXt5BzMk3QyFrGvHnEuCpJlSaO-_\r\n";

/// A command that no RESP parser could accept, or one beyond the bounds of a floor server.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// Appends to `replies` the reply to every complete command in `input`; returns how many bytes those
/// commands took. What is left is the start of a command whose rest has not arrived.
///
/// # Errors
///
/// [`Malformed`] if `input` is not a sequence of RESP arrays of bulk strings within this server's bounds.
pub fn answer_all(input: &[u8], replies: &mut Vec<u8>) -> Result<usize, Malformed> {
    let mut consumed = 0;
    while let Some((name, len_bytes)) = next_command(&input[consumed..])? {
        replies.extend_from_slice(reply_to(name));
        consumed += len_bytes;
    }
    Ok(consumed)
}

/// Like [`answer_all`], for bytes that arrive in pieces: `partial` carries an incomplete command over from
/// one piece to the next.
///
/// # Errors
///
/// As [`answer_all`].
pub fn answer_piece(piece: &[u8], partial: &mut Vec<u8>, replies: &mut Vec<u8>) -> Result<(), Malformed> {
    if partial.is_empty() {
        let consumed = answer_all(piece, replies)?;
        partial.extend_from_slice(&piece[consumed..]);
    } else {
        partial.extend_from_slice(piece);
        let consumed = answer_all(partial, replies)?;
        partial.drain(..consumed);
    }
    Ok(())
}

/// The first word and the whole length in bytes of the command at the start of `input`; `None` if it is
/// incomplete.
fn next_command(input: &[u8]) -> Result<Option<(&[u8], usize)>, Malformed> {
    let Some((arguments, mut at)) = header(input, b'*', MAX_ARGUMENTS)? else { return Ok(None) };
    let mut name: &[u8] = b"";
    for index in 0..arguments {
        let Some((len_bytes, header_len_bytes)) = header(&input[at..], b'$', MAX_ARGUMENT_LEN_BYTES)? else {
            return Ok(None);
        };
        let start = at + header_len_bytes;
        let end = start + len_bytes;
        if input.len() < end + 2 {
            return Ok(None);
        }
        if index == 0 {
            name = &input[start..end];
        }
        at = end + 2;
    }
    Ok(Some((name, at)))
}

/// Reads `<marker><decimal>\r\n`; gives the number and the length of the header in bytes, `None` if incomplete.
fn header(input: &[u8], marker: u8, max: usize) -> Result<Option<(usize, usize)>, Malformed> {
    let Some((&first, digits)) = input.split_first() else { return Ok(None) };
    if first != marker {
        return Err(Malformed);
    }
    let mut number = 0;
    for (index, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + usize::from(byte - b'0'),
            b'\r' if index > 0 => {
                // The marker, the digits, CR and LF.
                let len_bytes = index + 3;
                return Ok((input.len() >= len_bytes).then_some((number, len_bytes)));
            }
            _ => return Err(Malformed),
        }
        if number > max {
            return Err(Malformed);
        }
    }
    Ok(None)
}

/// The fixed reply to a command. Beside GET and SET, only what load tools send at start-up has one.
fn reply_to(name: &[u8]) -> &'static [u8] {
    if name.eq_ignore_ascii_case(b"get") {
        GET_REPLY
    } else if name.eq_ignore_ascii_case(b"set") {
        b"+OK\r\n"
    } else if name.eq_ignore_ascii_case(b"ping") {
        b"+PONG\r\n"
    } else if name.eq_ignore_ascii_case(b"config") {
        b"*0\r\n"
    } else {
        b"-ERR unknown command\r\n"
    }
}

/// Start of a floor server: refuses a debug build, reads `--port N` from the command line, listens on loopback.
///
/// # Errors
///
/// A message for the person at the terminal.
pub fn start() -> Result<TcpListener, String> {
    if cfg!(debug_assertions) {
        return Err("this is a debug build; its figures mean nothing. Build with --release.".to_owned());
    }
    let mut words = std::env::args().skip(1);
    let port = match (words.next().as_deref(), words.next(), words.next()) {
        (Some("--port"), Some(port), None) => {
            port.parse::<u16>().map_err(|error| format!("--port {port}: {error}"))?
        }
        _ => return Err("usage: --port N".to_owned()),
    };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| format!("127.0.0.1:{port}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] = b"*2\r\n$3\r\nGET\r\n$5\r\nkey:1\r\n*3\r\n$3\r\nset\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n\
        *1\r\n$4\r\nPING\r\n*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$4\r\nsave\r\n*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";

    fn expected() -> Vec<u8> {
        [GET_REPLY, b"+OK\r\n+PONG\r\n*0\r\n-ERR unknown command\r\n"].concat()
    }

    #[test]
    fn the_reply_to_get_is_64_bytes_long() {
        assert_eq!(GET_REPLY.len(), b"$64\r\n".len() + 64 + b"\r\n".len());
    }

    #[test]
    fn commands_split_anywhere_are_answered_once() {
        for split in 0..=STREAM.len() {
            let (mut partial, mut replies) = (Vec::new(), Vec::new());
            answer_piece(&STREAM[..split], &mut partial, &mut replies).unwrap();
            answer_piece(&STREAM[split..], &mut partial, &mut replies).unwrap();
            assert_eq!(replies, expected(), "split at {split}");
            assert!(partial.is_empty(), "split at {split}");
        }
    }

    #[test]
    fn a_command_byte_by_byte_is_answered() {
        let (mut partial, mut replies) = (Vec::new(), Vec::new());
        for byte in STREAM {
            answer_piece(&[*byte], &mut partial, &mut replies).unwrap();
        }
        assert_eq!(replies, expected());
    }

    #[test]
    fn what_is_not_a_command_is_refused() {
        let inputs: [&[u8]; 6] =
            [b"GET k\r\n", b"*\r\n", b"*-1\r\n", b"*65\r\n", b"*1\r\n:1\r\n", b"*1\r\n$1048577\r\n"];
        for input in inputs {
            assert_eq!(answer_all(input, &mut Vec::new()), Err(Malformed), "{}", input.escape_ascii());
        }
    }
}
