//! `cargo xtask rdb-exchange`: files that Tessera writes are loaded by servers of Redis's behaviour, and the files that
//! those write of the same keys are read by Tessera; all keys are compared with what was written first. Then they make
//! keys of their own, whose answers of DUMP and whose file Tessera reads.

mod contents;
mod file;
mod loaded_server;
mod made;

use clap::Args;
use contents::Entry;
use fastrand::Rng;
use loaded_server::LoadedServer;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use tessera_golden::Server;
use tessera_values::Thresholds;

/// The name of the file in its directory.
const FILE: &str = "dump.rdb";

/// What to exchange, and with whom.
#[derive(Args)]
pub struct Options {
    /// The server's binary. Its `-check-rdb` is looked for beside it, or in PATH.
    #[arg(long, value_name = "PATH", default_value = "redis-server")]
    server: PathBuf,
    /// What the random keys follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many files.
    #[arg(long, default_value_t = 6)]
    files: u32,
    /// Random keys in each, besides those that are in all of them.
    #[arg(long, default_value_t = 300)]
    keys: u32,
}

/// Exchanges files.
///
/// # Errors
/// What kept it from being done, and the first difference.
pub fn run(options: &Options) -> io::Result<ExitCode> {
    let mut random = Rng::with_seed(options.seed);
    for number in 0..options.files {
        let round = Round::new(number, &mut random);
        let directory = Directory::new()?;
        let entries = contents::entries(options.keys, &round.thresholds, &mut random);
        let bytes = file::encode(&entries, round.compress, &mut random);
        let path = directory.0.join(FILE);
        std::fs::write(&path, &bytes)?;
        check(&options.server, &path)?;
        let summary = round.exchange(&options.server, &directory.0, &entries, &mut random)?;
        println!(
            "file {number}: {} keys, {} bytes, compressed {}: {summary}",
            entries.len(),
            bytes.len(),
            round.compress
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// A folder for as long as it is needed.
struct Directory(PathBuf);

impl Directory {
    fn new() -> io::Result<Directory> {
        let path = std::env::temp_dir().join(format!("rdb-exchange-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One file, and how the server is set up that gets it.
struct Round {
    compress: bool,
    policy: &'static str,
    thresholds: Thresholds,
}

impl Round {
    fn new(number: u32, random: &mut Rng) -> Round {
        let defaults = Thresholds { seed: random.u64(..), ..Thresholds::default() };
        let small = Thresholds {
            hash_max_listpack_entries: 10,
            hash_max_listpack_value_bytes: 30,
            list_max_listpack_size: 7,
            set_max_intset_entries: 12,
            set_max_listpack_entries: 9,
            set_max_listpack_value_bytes: 20,
            zset_max_listpack_entries: 11,
            zset_max_listpack_value_bytes: 25,
            ..defaults
        };
        Round {
            compress: number.is_multiple_of(2),
            policy: ["noeviction", "allkeys-lfu", "allkeys-lru"][number as usize % 3],
            thresholds: if number % 4 < 2 { defaults } else { small },
        }
    }

    /// Has the server load what is in the directory, compares, has it save, and compares that.
    fn exchange(
        &self,
        program: &Path,
        directory: &Path,
        entries: &[Entry],
        random: &mut Rng,
    ) -> io::Result<String> {
        let settings = [
            ("dir", directory.display().to_string()),
            ("dbfilename", FILE.to_owned()),
            ("save", String::new()),
            ("appendonly", "no".to_owned()),
            ("maxmemory-policy", self.policy.to_owned()),
            ("lfu-decay-time", "0".to_owned()),
            ("hash-max-listpack-entries", self.thresholds.hash_max_listpack_entries.to_string()),
            ("hash-max-listpack-value", self.thresholds.hash_max_listpack_value_bytes.to_string()),
            ("list-max-listpack-size", self.thresholds.list_max_listpack_size.to_string()),
            ("set-max-intset-entries", self.thresholds.set_max_intset_entries.to_string()),
            ("zset-max-listpack-entries", self.thresholds.zset_max_listpack_entries.to_string()),
            ("zset-max-listpack-value", self.thresholds.zset_max_listpack_value_bytes.to_string()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let thresholds = self.thresholds;
        let late_settings = [
            ("set-max-listpack-entries", thresholds.set_max_listpack_entries),
            ("set-max-listpack-value", thresholds.set_max_listpack_value_bytes),
        ];
        let server = Server::start(program, &settings)?;
        let mut loaded = LoadedServer::open(&server)?;
        if loaded.has_set_listpacks() {
            // Older servers do not start with settings that they do not know, and these count when a file is loaded.
            let late = late_settings.map(|(name, value)| (name.to_owned(), value.to_string()));
            drop(server);
            let settings = [settings.as_slice(), &late].concat();
            let server = Server::start(program, &settings)?;
            return self.compare(&mut LoadedServer::open(&server)?, directory, entries, random);
        }
        self.compare(&mut loaded, directory, entries, random)
    }

    fn compare(
        &self,
        server: &mut LoadedServer,
        directory: &Path,
        entries: &[Entry],
        random: &mut Rng,
    ) -> io::Result<String> {
        for entry in entries {
            server.compare(entry, self.policy)?;
        }
        server.compare_sizes(entries)?;
        let summary = server.compare_dumps(entries, &self.thresholds)?;
        server.save()?;
        let theirs = std::fs::read(directory.join(FILE))?;
        file::compare(&theirs, entries, self.thresholds)?;
        let made = made::exchange(server, entries.len() as u32, directory, self.thresholds, random)?;
        Ok(format!("{summary}; {made} keys of its own are read"))
    }
}

/// Has the server's own tool look through the file.
fn check(server: &Path, file: &Path) -> io::Result<()> {
    let name = server.file_name().unwrap_or_default().to_string_lossy().replace("-server", "-check-rdb");
    let tool = match server.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.join(name).into_os_string(),
        _ => OsString::from(name),
    };
    let shown = tool.display().to_string();
    let output = Command::new(tool)
        .arg(file)
        .output()
        .map_err(|error| io::Error::other(format!("{shown}: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        return Err(io::Error::other(format!("{shown} finds fault with the file\n{said}")));
    }
    Ok(())
}
