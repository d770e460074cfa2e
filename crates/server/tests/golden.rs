//! Replays the golden transcripts against the built server: commands and the replies of a server of Redis 7.2's
//! behaviour, in both protocol versions, on one shard and on several. No other server is needed.
//!
//! `TESSERA_GOLDEN_FILTER=strings/` plays only the files whose path holds that text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tessera_golden::{Protocol, Server, ServerOptions, Summary, find_scripts, load, replay};

/// Starts one server for each set of options that transcripts need, and plays them.
fn replay_all(shards: usize, protocol: Protocol) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let filter = std::env::var("TESSERA_GOLDEN_FILTER").unwrap_or_default();
    let mut by_options: BTreeMap<ServerOptions, Vec<PathBuf>> = BTreeMap::new();
    for path in find_scripts(&root).expect("the folder of transcripts") {
        if path.to_string_lossy().contains(&filter) {
            let script = load(&path).expect("a transcript");
            by_options.entry(script.server_options).or_default().push(path);
        }
    }
    assert!(!by_options.is_empty(), "no transcript holds `{filter}` in its path");
    let program = Path::new(env!("CARGO_BIN_EXE_tessera-server"));
    let mut summary = Summary::default();
    for (mut options, files) in by_options {
        options.push(("shards".to_owned(), shards.to_string()));
        let server = Server::start(program, &options).expect("a server that answers");
        summary.merge(replay(server.endpoint(), &root, &files, &[protocol]).expect("a replay"));
    }
    assert!(
        summary.skipped.is_empty(),
        "options given but not reported by CONFIG GET: {:?}",
        summary.skipped
    );
    assert!(summary.is_ok(), "on {shards} shard(s):\n{summary}");
}

#[test]
fn one_shard_resp2() {
    replay_all(1, Protocol::Resp2);
}

#[test]
fn one_shard_resp3() {
    replay_all(1, Protocol::Resp3);
}

#[test]
fn three_shards_resp2() {
    replay_all(3, Protocol::Resp2);
}

#[test]
fn three_shards_resp3() {
    replay_all(3, Protocol::Resp3);
}
