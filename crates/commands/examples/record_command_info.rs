//! Records what a running server of Redis 7.2's behaviour tells of its commands:
//! `cargo run -p tessera-commands --example record_command_info -- 127.0.0.1:6379`.
//!
//! Writes `tests/data/command-info-7.2.resp` and `command-docs-7.2.resp`: maps from full name to what COMMAND INFO and
//! COMMAND DOCS answer in RESP3, sorted, without subcommands and without prose.

#[path = "../tests/support/tree.rs"]
mod tree;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use tree::Node;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).ok_or("the server's address is missing")?;
    let mut server = TcpStream::connect(address)?;
    ask(&mut server, "HELLO 3")?;
    let mut infos = BTreeMap::new();
    tree::descriptions(ask(&mut server, "COMMAND")?.members(), &mut infos);
    let mut docs = BTreeMap::new();
    tree::documents(ask(&mut server, "COMMAND DOCS")?.members(), &mut docs);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for (name, nodes) in [("command-info-7.2.resp", infos), ("command-docs-7.2.resp", docs)] {
        let members = nodes.into_iter().flat_map(|(name, node)| [Node::Text(name), node]).collect();
        let mut bytes = Vec::new();
        Node::Many(b'%', members).write(&mut bytes);
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// Sends an inline command and reads one reply.
fn ask(server: &mut TcpStream, command: &str) -> std::io::Result<Node> {
    server.write_all(format!("{command}\r\n").as_bytes())?;
    let mut reply = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    // Nothing follows the one reply, so it is whole when it can be measured.
    while tessera_resp::scan::reply_len_bytes(&reply) != Some(reply.len()) {
        let len = server.read(&mut buffer)?;
        if len == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        reply.extend_from_slice(&buffer[..len]);
    }
    Ok(Node::parse(&reply))
}
