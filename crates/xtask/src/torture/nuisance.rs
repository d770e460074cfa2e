//! Clients that others must not notice.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use fastrand::Rng;

const TIMEOUT: Duration = Duration::from_secs(60);
/// The key of a value that is read by those who do not take it.
const BIG_KEY: &str = "nuisance:big";
const BIG_LEN_BYTES: usize = 1024 * 1024;

/// Sets what the others use.
///
/// # Errors
/// If the server does not answer OK.
pub fn prepare(address: SocketAddr) -> io::Result<()> {
    let value = "v".repeat(BIG_LEN_BYTES);
    ask(
        address,
        format!("*3\r\n$3\r\nSET\r\n${}\r\n{BIG_KEY}\r\n${}\r\n{value}\r\n", BIG_KEY.len(), value.len())
            .as_bytes(),
        b"+OK\r\n",
    )
}

/// Connects, sends, and reads exactly `reply`.
fn ask(address: SocketAddr, bytes: &[u8], reply: &[u8]) -> io::Result<()> {
    let mut stream = connect(address)?;
    stream.write_all(bytes)?;
    let mut got = vec![0; reply.len()];
    stream.read_exact(&mut got)?;
    if got == reply { Ok(()) } else { Err(io::Error::other(format!("answered {}", got.escape_ascii()))) }
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(stream)
}

/// A nuisance of some kind. Those that never leave by themselves are kept in `kept` for some time.
///
/// # Errors
/// If the server refuses a connection, or answers wrongly where the nuisance expects an answer.
pub fn visit(address: SocketAddr, random: &mut Rng, kept: &mut Vec<TcpStream>) -> io::Result<()> {
    if kept.len() > 50 || (!kept.is_empty() && random.u8(..4) == 0) {
        kept.swap_remove(random.usize(..kept.len()));
    }
    let mut stream = connect(address)?;
    match random.u8(..32) {
        // Come and go.
        0..8 => {}
        // Half a command, then silence.
        8..12 => {
            stream.write_all(b"*3\r\n$3\r\nSET\r\n$5\r\nnuis")?;
            kept.push(stream);
        }
        12 => {
            stream.write_all(b"*2\r\n$4\r\nECHO\r\n$536870912\r\n")?;
            kept.push(stream);
        }
        13..16 => {
            let garbage: Vec<u8> = (0..random.usize(1..2000)).map(|_| random.u8(..)).collect();
            stream.write_all(&garbage)?;
            // May be refused before all has come.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read_to_end(&mut Vec::new());
        }
        // Commands whose replies nobody waits for.
        16..22 => {
            let commands =
                format!("GET nuisance:{}\r\nPING\r\n", random.u32(..)).repeat(random.usize(1..200));
            stream.write_all(commands.as_bytes())?;
        }
        // Replies are there also after the end was sent.
        22..28 => {
            let times = random.usize(1..100);
            stream
                .write_all(format!("GET nuisance:{}\r\nPING\r\n", random.u32(..)).repeat(times).as_bytes())?;
            stream.shutdown(Shutdown::Write)?;
            let mut replies = String::new();
            stream.read_to_string(&mut replies)?;
            if replies != "$-1\r\n+PONG\r\n".repeat(times) {
                return Err(io::Error::other(format!(
                    "after the end of {times} pairs of commands: {replies}"
                )));
            }
        }
        28 => ask(address, b"SET nuisance:counter 1\r\nUNLINK nuisance:counter\r\n", b"+OK\r\n")?,
        // What all nodes have to answer.
        29 => {
            stream.write_all(b"INFO\r\nCLIENT LIST\r\nDBSIZE\r\nRANDOMKEY\r\nSCAN 0 COUNT 100\r\n")?;
            stream.shutdown(Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new())?;
        }
        30 => {
            stream.write_all(b"MONITOR\r\n")?;
            kept.push(stream);
        }
        // A reader that never reads.
        _ => {
            stream.set_write_timeout(Some(Duration::from_millis(50)))?;
            let _ = stream.write_all(format!("GET {BIG_KEY}\r\n").repeat(400).as_bytes());
            kept.push(stream);
        }
    }
    Ok(())
}

/// Opens `count` connections, hears from each, and closes them.
///
/// # Errors
/// If one is refused or not answered.
pub fn crowd(address: SocketAddr, count: usize) -> io::Result<()> {
    let mut streams = Vec::new();
    for _ in 0..count {
        let mut stream = connect(address)?;
        stream.write_all(b"PING\r\n")?;
        streams.push(stream);
    }
    for stream in &mut streams {
        let mut reply = [0; 7];
        stream.read_exact(&mut reply)?;
        if reply != *b"+PONG\r\n" {
            return Err(io::Error::other(format!("PING was answered {}", reply.escape_ascii())));
        }
    }
    Ok(())
}
