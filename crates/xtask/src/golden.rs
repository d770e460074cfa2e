//! `cargo xtask golden`: records and replays the transcripts of `crates/server/tests/golden`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use tessera_golden::{Endpoint, Protocol, find_recordings, find_scripts, record, record_events, replay};

/// What to do with the transcripts.
#[derive(Subcommand)]
pub enum Command {
    /// Start a server of Redis 7.2's behaviour and write its replies into the transcripts.
    Record {
        /// The server's binary.
        #[arg(long, value_name = "PATH")]
        server: PathBuf,
        /// The transcripts; all of them if none is given.
        files: Vec<PathBuf>,
    },
    /// Start a server of Redis's behaviour and write the keyspace events that it tells of into the recordings of
    /// `crates/commands/tests/events`.
    RecordEvents {
        /// The server's binary.
        #[arg(long, value_name = "PATH")]
        server: PathBuf,
        /// The recordings; all that were recorded from this version if none is given.
        files: Vec<PathBuf>,
    },
    /// Play the transcripts against a running server. Every file empties its databases.
    Replay {
        /// Where the server listens.
        #[arg(long, default_value_t = 6379)]
        port: u16,
        /// The server's address.
        #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
        host: IpAddr,
        /// The server's unix socket, instead of host and port.
        #[arg(long, value_name = "PATH")]
        unix: Option<PathBuf>,
        /// Play only files whose path holds this text.
        #[arg(long, value_name = "TEXT")]
        filter: Option<String>,
        /// Play only this protocol version.
        #[arg(long, value_parser = clap::value_parser!(u8).range(2..=3))]
        protocol: Option<u8>,
    },
}

/// Runs `command`.
///
/// # Errors
/// What kept it from being done. Replies that differ are told by the exit code.
pub fn run(command: Command) -> io::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/golden").canonicalize()?;
    match command {
        Command::Record { server, files } => {
            let files = if files.is_empty() { find_scripts(&root)? } else { files };
            let recorded = record(&server, &files)?;
            eprintln!("{recorded} replies recorded in {} files", files.len());
            Ok(ExitCode::SUCCESS)
        }
        Command::RecordEvents { server, files } => {
            let folder = root.join("../../../commands/tests/events");
            let files = if files.is_empty() { find_recordings(&folder)? } else { files };
            let recorded = record_events(&server, &files)?;
            eprintln!("events recorded in {recorded} files");
            Ok(ExitCode::SUCCESS)
        }
        Command::Replay { port, host, unix, filter, protocol } => {
            let endpoint = unix.map_or_else(|| Endpoint::Tcp(SocketAddr::new(host, port)), Endpoint::Unix);
            let mut files = find_scripts(&root)?;
            if let Some(filter) = filter {
                files.retain(|path| path.to_string_lossy().contains(&filter));
            }
            if files.is_empty() {
                return Err(io::Error::other("no transcript has this text in its path"));
            }
            let mut protocols = Protocol::ALL.to_vec();
            protocols.retain(|known| protocol.is_none_or(|number| number == known.number()));
            let summary = replay(endpoint, &root, &files, &protocols)?;
            eprint!("{summary}");
            Ok(if summary.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
