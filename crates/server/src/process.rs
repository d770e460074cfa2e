//! The process around the nodes, as commands see it.

use crate::data_directory::DataDirectory;
use crate::{config_file, logger};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tessera_command::Error;
use tessera_command::host::facts::{CpuFacts, Listener, ServerFacts};
use tessera_config::{Config, Id, SetError};
use tessera_drivers::limits::raise_open_files;
use tessera_drivers::listen::{ListenControl, ListenError, ListenOptions};
use tessera_drivers::memory::{self, Resident, allocated_bytes};
use tessera_node::system::{DirectoryGuard, ProcessMemory, System};

/// See [`System`].
pub struct Process {
    facts: ServerFacts,
    replication_id: String,
    config_file: Option<PathBuf>,
    data_directory: Arc<DataDirectory>,
    listening: Mutex<Listening>,
    startup_bytes: u64,
}

/// Where the server listens.
struct Listening {
    control: ListenControl,
    addresses: Vec<SocketAddr>,
    /// What was last asked for: `bind` and `port`.
    asked: (Vec<Vec<u8>>, u16),
    unix_path: Option<PathBuf>,
}

/// So many random hexadecimal digits.
fn random_hex(digits: usize) -> String {
    let mut bytes = vec![0u8; digits.div_ceil(2)];
    // Without the system's randomness a server can still tell itself from others by its zeros.
    let _ = getrandom::fill(&mut bytes);
    let mut text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    text
}

/// What a server is and runs on, as far as it is known before it listens.
pub fn server_facts(config_file: Option<&PathBuf>) -> ServerFacts {
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    ServerFacts {
        version: env!("CARGO_PKG_VERSION"),
        build: if cfg!(debug_assertions) { "debug" } else { "release" },
        git_sha1: env!("TESSERA_COMMIT"),
        git_dirty: env!("TESSERA_DIRTY") == "1",
        build_id: build_id(),
        rustc_version: env!("TESSERA_RUSTC"),
        os: format!("{} {} {}", text(uname.sysname()), text(uname.release()), text(uname.machine())),
        process_id: std::process::id(),
        run_id: random_hex(40),
        executable: std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default(),
        config_file: config_file.map(|path| path.display().to_string()).unwrap_or_default(),
        ..ServerFacts::default()
    }
}

/// A number that differs from build to build, as far as commit and compiler do.
fn build_id() -> String {
    let text = concat!(
        env!("TESSERA_COMMIT"),
        env!("TESSERA_DIRTY"),
        env!("TESSERA_RUSTC"),
        env!("CARGO_PKG_VERSION")
    );
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

/// What to listen on, as the configuration has it.
pub fn listen_options(config: &Config, nodes: usize) -> ListenOptions {
    let bind = match config.port {
        0 => Vec::new(),
        _ => config.bind.iter().map(|address| String::from_utf8_lossy(address).into_owned()).collect(),
    };
    ListenOptions {
        bind,
        port: config.port,
        backlog: config.tcp_backlog,
        keepalive_seconds: config.tcp_keepalive_s,
        unix_path: config.unix_socket.clone(),
        unix_permissions: Some(config.unix_socket_permissions.0),
        nodes,
    }
}

impl Listening {
    /// The listeners as INFO shows them.
    fn listeners(&self) -> Vec<Listener> {
        let mut all = Vec::new();
        if let Some(first) = self.addresses.first() {
            let ips = self.addresses.iter().map(|address| address.ip().to_string()).collect();
            all.push(Listener { name: "tcp", addresses: ips, port: Some(first.port()) });
        }
        if let Some(path) = &self.unix_path {
            all.push(Listener { name: "unix", addresses: vec![path.display().to_string()], port: None });
        }
        all
    }

    /// Listens where the configuration says, if that is elsewhere.
    fn follow(&mut self, config: &Config, nodes: usize) -> Result<(), ListenError> {
        let asked = (config.bind.clone(), config.port);
        if self.asked == asked {
            return Ok(());
        }
        let (addresses, warnings) = self.control.change_tcp(&listen_options(config, nodes))?;
        warnings.iter().for_each(|warning| log::warn!("{warning}"));
        addresses.iter().for_each(|address| log::info!("Ready to accept connections on {address}"));
        self.addresses = addresses;
        self.asked = asked;
        Ok(())
    }
}

impl Process {
    /// The process of a server that has begun to listen.
    pub fn new(
        facts: ServerFacts,
        config: &Config,
        config_file: Option<PathBuf>,
        data_directory: Arc<DataDirectory>,
        control: ListenControl,
        addresses: Vec<SocketAddr>,
    ) -> Process {
        let asked = (config.bind.clone(), config.port);
        let listening = Listening { control, addresses, asked, unix_path: config.unix_socket.clone() };
        Process {
            facts,
            replication_id: random_hex(40),
            config_file,
            data_directory,
            listening: Mutex::new(listening),
            startup_bytes: allocated_bytes(),
        }
    }

    fn listening(&self) -> MutexGuard<'_, Listening> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply_one(&self, after: &Config, id: Id) -> Result<(), SetError> {
        match id {
            Id::LogLevel => logger::set_level(after.log_level),
            Id::Dir => {
                let guard = self.data_directory.lock(&after.dir);
                guard.map_err(|problem| SetError::not_applied(id, problem))?;
                std::env::set_current_dir(&after.dir)
                    .map_err(|error| SetError::not_applied(id, plain(&error)))?;
            }
            Id::Bind | Id::Port => {
                self.listening().follow(after, self.facts.shards).map_err(|error| {
                    log::warn!("{error}");
                    let text = match id {
                        Id::Port => "Unable to listen on this port. Check server logs.",
                        _ => "Failed to bind to specified addresses.",
                    };
                    SetError::not_applied(id, text)
                })?;
            }
            Id::TcpKeepalive => self
                .listening()
                .control
                .set_keepalive(after.tcp_keepalive_s)
                .map_err(|error| SetError::not_applied(id, plain(&error)))?,
            Id::MaxMemory => warn_of_little_memory(after),
            Id::MaxClients => {
                let nodes = self.facts.shards as u64;
                let wanted = u64::from(after.max_clients);
                let possible = raise_open_files(wanted, nodes).clients(wanted, nodes).unwrap_or(0);
                if possible < wanted {
                    let text = format!(
                        "The operating system is not able to handle the specified number of clients, try with \
                            {possible}"
                    );
                    return Err(SetError::not_applied(id, text));
                }
            }
            Id::WithoutField(_) => note_without_effect(id),
            // The nodes read the others from the configuration.
            _ => {}
        }
        Ok(())
    }
}

/// Tells the log that a parameter was changed from which nothing follows.
fn note_without_effect(id: Id) {
    let parameter = tessera_config::PARAMETERS.iter().find(|parameter| parameter.id == id);
    if let Some(parameter) = parameter.filter(|parameter| parameter.no_effect.is_some()) {
        log::info!("accepted, no effect here: {}", parameter.name);
    }
}

/// Tells the log that `maxmemory` is less than what is in use.
pub fn warn_of_little_memory(config: &Config) {
    let (used_bytes, max_bytes) = (allocated_bytes(), config.max_memory.0);
    if max_bytes != 0 && max_bytes < used_bytes {
        log::warn!(
            "maxmemory is {max_bytes} bytes, and {used_bytes} are in use: keys will be evicted or writes refused, as \
             maxmemory-policy says."
        );
    }
}

/// The system's words, without the number that Rust adds.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

fn times_us(usage: &Usage) -> (u64, u64) {
    let us = |time: nix::sys::time::TimeVal| (time.tv_sec() * 1_000_000 + time.tv_usec()).unsigned_abs();
    (us(usage.system_time()), us(usage.user_time()))
}

fn usage(who: UsageWho) -> (u64, u64) {
    getrusage(who).as_ref().map(times_us).unwrap_or_default()
}

impl System for Process {
    fn server(&self) -> ServerFacts {
        ServerFacts { listeners: self.listening().listeners(), ..self.facts.clone() }
    }

    fn lock_directory(&self, directory: &Path) -> Result<DirectoryGuard, String> {
        self.data_directory.lock(directory)
    }

    fn directory(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }

    fn replication_id(&self) -> String {
        self.replication_id.clone()
    }

    fn memory(&self) -> ProcessMemory {
        let used = allocated_bytes();
        let system = rustix::system::sysinfo();
        ProcessMemory {
            used,
            peak: memory::peak_bytes(),
            startup: self.startup_bytes,
            resident: Resident::of_process().all_bytes,
            system: system.totalram as u64 * u64::from(system.mem_unit),
            allocator: "mimalloc",
        }
    }

    fn used_memory_bytes(&self) -> u64 {
        allocated_bytes()
    }

    fn note_memory_peak(&self) {
        memory::note_peak();
    }

    fn resident_heap_bytes(&self) -> u64 {
        memory::resident_heap_bytes()
    }

    fn is_sparse(&self, address: *const u8) -> bool {
        memory::is_sparse(address)
    }

    fn cpu(&self) -> CpuFacts {
        let (system_us, user_us) = usage(UsageWho::RUSAGE_SELF);
        let (children_system_us, children_user_us) = usage(UsageWho::RUSAGE_CHILDREN);
        let (thread_system_us, thread_user_us) = usage(UsageWho::RUSAGE_THREAD);
        CpuFacts {
            system_us,
            user_us,
            children_system_us,
            children_user_us,
            thread_system_us,
            thread_user_us,
        }
    }

    fn apply(&self, before: &Config, after: &Config, changed: &[Id]) -> Result<(), SetError> {
        for (done, id) in changed.iter().enumerate() {
            if let Err(error) = self.apply_one(after, *id) {
                // All or none: what was put into effect goes back.
                for id in &changed[..done] {
                    if let Err(error) = self.apply_one(before, *id) {
                        log::warn!("{}", String::from_utf8_lossy(&error.message()));
                    }
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn rewrite(&self, config: &Config) -> Result<(), Error> {
        let Some(path) = &self.config_file else {
            return Err(Error::Text("ERR The server is running without a config file"));
        };
        match config_file::rewrite_in_place(path, config) {
            Ok(()) => {
                log::info!("CONFIG REWRITE executed with success.");
                Ok(())
            }
            Err(error) => {
                log::warn!("CONFIG REWRITE failed: {}", plain(&error));
                Err(Error::built(format!("ERR Rewriting config file: {}", plain(&error))))
            }
        }
    }

    fn log(&self, text: &[u8]) {
        log::warn!("{}", String::from_utf8_lossy(text));
    }

    fn notice(&self, text: &[u8]) {
        log::info!("{}", String::from_utf8_lossy(text));
    }

    fn verbose(&self, text: &dyn Fn() -> String) {
        log::debug!("{}", text());
    }

    fn sleep(&self, duration_us: u64) {
        std::thread::sleep(Duration::from_micros(duration_us));
    }

    fn purge_memory(&self) {
        memory::purge();
    }

    fn allocator_report(&self) -> Option<String> {
        None
    }
}
