//! Records and replays files of transcripts.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::connection::Endpoint;
use crate::player::{PlayError, Player};
use crate::report::{FileReport, Mismatch, Summary};
use crate::script::{Protocol, Script, ServerOptions};
use crate::server::Server;

/// What every server is started with, before the options of a script.
const BASE_OPTIONS: [(&str, &str); 3] = [("bind", "127.0.0.1"), ("save", ""), ("appendonly", "no")];

/// All transcripts below `folder`, sorted by path.
///
/// # Errors
/// Those of reading folders.
pub fn find_scripts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "golden") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads the transcript at `path`.
///
/// # Errors
/// Those of reading the file and of its format, with its name.
pub fn load(path: &Path) -> io::Result<Script> {
    let fail = |reason: String| io::Error::other(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
    Script::parse(&text).map_err(fail)
}

/// Plays `files` against a server started for it, and writes the replies into them. Those whose replies are from
/// documentation are passed over.
///
/// # Errors
/// A server that cannot be started or is Tessera itself, and the first script that cannot be played.
pub fn record(program: &Path, files: &[PathBuf]) -> io::Result<usize> {
    let mut by_options: BTreeMap<ServerOptions, Vec<(&PathBuf, Script)>> = BTreeMap::new();
    for path in files {
        let script = load(path)?;
        if script.documented {
            continue;
        }
        by_options.entry(script.server_options.clone()).or_default().push((path, script));
    }
    let mut recorded = 0;
    for (options, scripts) in by_options {
        let base = BASE_OPTIONS.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let server = Server::start(program, &base.chain(options).collect::<Vec<_>>())?;
        let player = Player::new(server.endpoint()).map_err(|error| io::Error::other(error.to_string()))?;
        refuse_ourselves(&player)?;
        for (path, mut script) in scripts {
            recorded += record_script(&player, &mut script)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
            std::fs::write(path, script.to_string())?;
        }
    }
    Ok(recorded)
}

/// A recording of Tessera would compare it with itself.
fn refuse_ourselves(player: &Player) -> io::Result<()> {
    let info = player.ask(&["INFO", "server"]).map_err(|error| io::Error::other(error.to_string()))?;
    if info.iter().any(|line| line.contains("tessera_version")) {
        return Err(io::Error::other("this server is Tessera: transcripts are recorded from another"));
    }
    Ok(())
}

fn record_script(player: &Player, script: &mut Script) -> Result<usize, PlayError> {
    let mut recorded = 0;
    for protocol in Protocol::ALL {
        let mut replies = Vec::new();
        player.play(script, protocol, true, |index, reply| replies.push((index, reply)))?;
        for step in &mut script.steps {
            step.set_expected(protocol, Vec::new());
        }
        recorded += replies.len();
        for (index, reply) in replies {
            script.steps[index].set_expected(protocol, reply);
        }
    }
    Ok(recorded)
}

/// Plays `files` in `protocols` against the server at `endpoint` and compares. Names are shown relative to `root`.
///
/// Files that need server options are played only if CONFIG GET says that the server has them.
///
/// # Errors
/// A server that cannot be reached, a file that cannot be read.
pub fn replay(
    endpoint: Endpoint,
    root: &Path,
    files: &[PathBuf],
    protocols: &[Protocol],
) -> io::Result<Summary> {
    let is_unix = matches!(endpoint, Endpoint::Unix(_));
    let player = Player::new(endpoint).map_err(|error| io::Error::other(error.to_string()))?;
    let mut summary = Summary::default();
    for path in files {
        let script = load(path)?;
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        if script.tcp_only && is_unix || !has_options(&player, &script) {
            summary.skipped.push(name);
            continue;
        }
        for protocol in protocols {
            summary.files.push(replay_script(&player, &script, &name, *protocol));
        }
    }
    Ok(summary)
}

fn has_options(player: &Player, script: &Script) -> bool {
    script.server_options.iter().all(|(name, value)| {
        let value = format!(" {}", crate::words::quote(value.as_bytes()));
        player
            .ask(&["CONFIG", "GET", name])
            .is_ok_and(|lines| lines.last().is_some_and(|line| line.ends_with(&value)))
    })
}

fn replay_script(player: &Player, script: &Script, name: &str, protocol: Protocol) -> FileReport {
    let (name, mismatches) = (name.to_owned(), Vec::new());
    let mut report = FileReport { name, protocol, compared: 0, mismatches, aborted: None };
    let played = player.play(script, protocol, false, |index, actual| {
        let step = &script.steps[index];
        let expected = step.expected(protocol);
        report.compared += 1;
        if !step.matchers.accepts(expected, &actual) {
            report.mismatches.push(Mismatch {
                line_number: step.line_number,
                source: step.source.clone(),
                expected: expected.to_vec(),
                actual,
                subset: step.matchers.subset.is_some(),
            });
        }
    });
    report.aborted = played.err().map(|error| error.to_string());
    report
}
