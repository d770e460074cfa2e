//! The replayer against a server of canned replies: what is equal passes, what differs is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use tessera_golden::{Endpoint, Protocol, Summary, replay};

/// Reads one command of bulk strings; `None` at the end of the connection.
fn read_command(input: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut line = String::new();
    let mut length = |input: &mut BufReader<TcpStream>| -> Option<usize> {
        line.clear();
        input.read_line(&mut line).ok()?;
        line.trim_end().get(1..)?.parse().ok()
    };
    let count = length(input)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let mut word = vec![0; length(input)? + 2];
        input.read_exact(&mut word).ok()?;
        words.push(String::from_utf8(word).ok()?.trim_end().to_owned());
    }
    Some(words)
}

/// Serves one connection.
fn serve(stream: TcpStream) {
    let mut output = stream.try_clone().unwrap();
    let mut input = BufReader::new(stream);
    while let Some(words) = read_command(&mut input) {
        let reply: &[u8] = match words[0].as_str() {
            "INFO" => b"$32\r\n# Clients\r\nconnected_clients:1\r\n\r\n",
            "NULL" => b"$-1\r\n",
            "MAP" => b"%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n",
            "BAD" => b"?\r\n",
            "CLOSE" => return,
            _ => b"+OK\r\n",
        };
        output.write_all(reply).unwrap();
    }
}

fn start_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Replays `text` in RESP2.
fn replay_text(name: &str, text: &str) -> Summary {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("{name}.golden"));
    std::fs::write(&path, text).unwrap();
    let endpoint = Endpoint::Tcp(start_server());
    replay(endpoint, Path::new(&folder), &[path], &[Protocol::Resp2]).unwrap()
}

#[test]
fn equal_replies_pass() {
    let summary = replay_text(
        "equal",
        "> SET a 1\n  +OK\n> NULL\n2 $-1\n3 _\n@unordered\n> MAP\n  %2\n    +a\n    :2\n    +b\n    :1\n@subset\n> \
            MAP\n  %..\n    +a\n    :2\n@connect other\nother> CLOSE\n  <closed>\n",
    );
    assert!(summary.is_ok(), "{summary}");
    assert_eq!(summary.files[0].compared, 5);
}

#[test]
fn every_difference_is_told() {
    let summary = replay_text(
        "different",
        "> SET a 1\n  +Ok\n> NULL\n  *-1\n> MAP\n  %2\n    +a\n    :2\n    +b\n    :1\n@subset\n> MAP\n  %..\n    \
            +a\n    :1\n> CLOSE\n  +OK\n",
    );
    let lines: Vec<_> = summary.files[0].mismatches.iter().map(|mismatch| mismatch.line_number).collect();
    assert_eq!(lines, [1, 3, 5, 12, 16]);
    assert!(!summary.is_ok());
    assert!(summary.to_string().contains("5 replies compared, 5 differ"));
}

#[test]
fn what_is_not_resp_ends_the_file() {
    let summary = replay_text("malformed", "> BAD\n  +OK\n> SET a 1\n  +OK\n");
    assert!(summary.files[0].aborted.is_some());
    assert!(!summary.is_ok());
}

#[test]
fn a_close_that_did_not_happen_is_told() {
    let summary = replay_text("quiet", "@quiet main\n> SET a 1\n  +OK\n@closed other\n");
    assert_eq!(summary.files[0].aborted.as_deref(), Some("line 4: no open connection `other`"));
}
