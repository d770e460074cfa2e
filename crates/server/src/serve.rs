//! From a configuration to a running server, and to its end.

use crate::daemon;
use crate::data_directory::DataDirectory;
use crate::logger;
use crate::nodes::{self, Driver, Place};
use crate::options::Options;
use crate::pid_file::{self, PidFile};
use crate::process::{Process, listen_options, server_facts, warn_of_little_memory};
use crate::supervised::ServiceManager;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tessera_command::Registry;
use tessera_config::{Config, ShutdownFlags};
use tessera_drivers::Socket;
use tessera_drivers::clock::SystemClock;
use tessera_drivers::executor::{allowed_cpus, seats, try_pinning};
use tessera_drivers::limits::raise_open_files;
use tessera_drivers::listen::{Listeners, listen};
use tessera_node::Shared;
use tessera_node::mesh::Mesh;
use tessera_node::notes::Note;
use tessera_node::snapshot::status::EndOrder;

/// How often the main thread looks whether the nodes have loaded everything.
const LOADING_LOOK: Duration = Duration::from_millis(2);
/// For how long somebody else may listen on the port: the kernel closes what the ring of a killed server had open a
/// moment after that process is gone.
const PORT_PATIENCE: Duration = Duration::from_secs(1);
const PORT_PAUSE: Duration = Duration::from_millis(10);

/// Runs a server until it is told to end.
///
/// # Errors
/// What kept it from starting, or ended it: a sentence for standard error.
pub fn run(options: Options) -> Result<(), String> {
    let Options { mut config, config_file, without_effect } = options;
    // Before anything is written, of which another server there might have the same.
    let directory = Arc::new(DataDirectory::enter(&mut config)?);
    // Threads of the disk may outlive the nodes, so nobody else may have the directory before the process is gone.
    std::mem::forget(directory.clone());
    let manager = ServiceManager::find(config.supervised);
    let in_background = config.daemonize && manager == ServiceManager::None;
    if in_background {
        daemon::detach().map_err(|error| format!("Can't go into the background: {error}"))?;
    }
    logger::start(config.log_level, config.log_file.clone())
        .map_err(|error| format!("Can't open the log file: {error}"))?;
    log::info!(
        "Tessera version={}, commit={}, pid={}, just started",
        env!("CARGO_PKG_VERSION"),
        env!("TESSERA_COMMIT"),
        std::process::id()
    );
    directory.notes.iter().for_each(|note| log::warn!("{note}"));
    tell_without_effect(&without_effect);
    let _pid_file = write_pid_file(&config, in_background);
    let outcome = serve(config, config_file, manager, directory);
    if let Err(message) = &outcome {
        log::warn!("{message}");
    }
    outcome
}

/// Lists the parameters that were stated and have no effect, in lines that the log does not cut.
fn tell_without_effect(names: &[&str]) {
    const LINE_LEN_BYTES: usize = 900;
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut() {
            Some(line) if line.len() + name.len() < LINE_LEN_BYTES => {
                line.push_str(", ");
                line.push_str(name);
            }
            _ => lines.push((*name).to_owned()),
        }
    }
    for line in lines {
        log::info!("accepted, no effect here: {line}");
    }
}

fn write_pid_file(config: &Config, in_background: bool) -> Option<PidFile> {
    let default = in_background.then(|| Path::new(pid_file::DEFAULT_PATH));
    let path = config.pid_file.as_deref().or(default)?;
    match PidFile::create(path) {
        Ok(file) => Some(file),
        Err(error) => {
            log::warn!("Failed to write PID file {}: {error}", path.display());
            None
        }
    }
}

/// How many shards, and on which core each, if any.
fn place_shards(config: &Config) -> Result<Vec<Option<usize>>, String> {
    let allowed = allowed_cpus().map_err(|error| format!("Can't read the processor set: {error}"))?;
    let listed = config.server_cpu_list.as_ref().map(|list| list.cores().to_vec());
    if let Some(missing) = listed.iter().flatten().find(|core| !allowed.contains(core)) {
        return Err(format!("server_cpulist names core {missing}, which this process may not use"));
    }
    let shards = match config.shards {
        0 => listed.as_ref().map_or(allowed.len(), Vec::len),
        shards => shards as usize,
    };
    Ok(match listed {
        Some(cores) if shards <= cores.len() => cores.into_iter().take(shards).map(Some).collect(),
        Some(_) => return Err(format!("server_cpulist names fewer cores than the {shards} shards")),
        None => seats(shards),
    })
}

/// The same seats, without cores where threads may not be kept on them.
fn unpin_where_forbidden(seats: Vec<Option<usize>>, pinning: &std::io::Result<()>) -> Vec<Option<usize>> {
    match pinning {
        Err(error) if seats.iter().any(Option::is_some) => {
            log::warn!("The shards are not kept on cores of their own: sched_setaffinity failed ({error})");
            vec![None; seats.len()]
        }
        _ => seats,
    }
}

fn serve(
    mut config: Config,
    config_file: Option<std::path::PathBuf>,
    manager: ServiceManager,
    directory: Arc<DataDirectory>,
) -> Result<(), String> {
    tessera_drivers::memory::start_giving_back()
        .map_err(|error| format!("Can't start the thread that gives memory back: {error}"))?;
    let seats = place_shards(&config)?;
    let seats = unpin_where_forbidden(seats, &try_pinning());
    lower_max_clients(&mut config, seats.len())?;
    let mut listening = open_listeners(&config, seats.len())?;
    listening.warnings.iter().for_each(|warning| log::warn!("{warning}"));

    let (driver, prepared) = nodes::prepare(config.io_driver, &seats)?;
    let mut facts = server_facts(config_file.as_ref());
    facts.io_driver = driver.name();
    facts.shards = seats.len();
    facts.supervised = if manager == ServiceManager::None { "no" } else { "systemd" };
    let started_at_unix_us =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64);
    facts.started_at_unix_us = started_at_unix_us;

    let meshes = Mesh::<Note<Socket>>::build(seats.len());
    let bells = meshes.first().map(Mesh::bells).unwrap_or_default();
    // The table lives as long as the process: every node refers to it.
    let registry: &'static Registry = Box::leak(Box::new(Registry::new(&tessera_commands::COMMANDS)));
    warn_of_little_memory(&config);
    let process =
        Process::new(facts, &config, config_file, directory, listening.control, listening.addresses.clone());
    let shared =
        Arc::new(Shared::new(registry, config.clone(), bells, Box::new(process), started_at_unix_us));
    shared.loading.begin(started_at_unix_us);
    end_on_signals(Arc::downgrade(&shared)).map_err(|error| format!("Can't handle signals: {error}"))?;

    let clock = SystemClock::new();
    let mut threads = Vec::new();
    for (index, (mesh, prepared)) in meshes.into_iter().zip(prepared).enumerate() {
        let place = Place {
            shared: shared.clone(),
            mesh,
            listeners: std::mem::take(&mut listening.nodes[index]),
            news: listening.news[index].clone(),
            clock: clock.clone(),
        };
        threads.push(prepared.begin(place).map_err(|error| format!("Can't start shard {index}: {error}"))?);
    }
    wait_until_loaded(&shared);
    if shared.loading.failure().is_none() {
        announce(&config, driver, &seats, &listening.addresses);
        manager.ready();
    }
    let mut outcome = Ok(());
    for thread in threads {
        if let Err(error) = thread.join() {
            shared.shut_down();
            outcome = Err(format!("A shard failed: {error}"));
        }
    }
    if let Some(failure) = shared.loading.failure() {
        outcome = Err(format!("Can't load what was saved: {failure}"));
    }
    manager.stopping();
    if outcome.is_ok() {
        log::warn!("Tessera is now ready to exit, bye bye...");
    }
    outcome
}

/// The nodes load; whoever waits for the server is told when they have.
fn wait_until_loaded(shared: &Shared) {
    while shared.loading.is_loading() && !shared.is_shutting_down() {
        std::thread::sleep(LOADING_LOOK);
    }
}

/// Sees to enough open files, or to fewer clients.
fn lower_max_clients(config: &mut Config, shards: usize) -> Result<(), String> {
    let files = raise_open_files(u64::from(config.max_clients), shards as u64);
    match files.clients(u64::from(config.max_clients), shards as u64) {
        None => Err(format!(
            "The limit of open files ({}) leaves no room for clients; raise it (ulimit -n, LimitNOFILE= in systemd)",
            files.now
        )),
        Some(clients) if clients < u64::from(config.max_clients) => {
            log::warn!(
                "The limit of open files is {} and cannot be raised to {}: maxclients is {clients} instead of {}. \
                 For more, raise the limit (ulimit -n, LimitNOFILE= in systemd).",
                files.now,
                files.requested,
                config.max_clients
            );
            config.max_clients = clients as u32;
            Ok(())
        }
        Some(_) => Ok(()),
    }
}

fn open_listeners(config: &Config, nodes: usize) -> Result<Listeners, String> {
    let options = listen_options(config, nodes);
    let until = Instant::now() + PORT_PATIENCE;
    let listening = loop {
        match listen(&options) {
            Err(error) if error.source.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                std::thread::sleep(PORT_PAUSE);
            }
            outcome => break outcome.map_err(|error| format!("{error}"))?,
        }
    };
    if listening.addresses.is_empty() && config.unix_socket.is_none() {
        return Err("Configured to not listen anywhere, exiting.".into());
    }
    Ok(listening)
}

/// SIGTERM and SIGINT end the server; a SIGINT while it is about to end has it end at once. A server that could not
/// save, and went on, is not about to end any more. SIGHUP, which a terminal that is closed sends, is nothing to a
/// server. The thread that waits for them outlives the server, and must not keep what goes away with it, such as the
/// unix socket's file.
fn end_on_signals(shared: Weak<Shared>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let mut asked_after = None;
        for signal in signals.forever().filter(|signal| *signal != SIGHUP) {
            let shared = shared.upgrade();
            let failed_ends = shared.as_ref().map_or(0, |shared| shared.persistence.failed_ends());
            if signal == SIGINT && asked_after == Some(failed_ends) {
                log::warn!("You insist... exiting now.");
                std::process::exit(1);
            }
            asked_after = Some(failed_ends);
            let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
            log::warn!("Received {name} scheduling shutdown...");
            if let Some(shared) = shared {
                let config = shared.config();
                let flags =
                    if signal == SIGINT { config.shutdown_on_sigint } else { config.shutdown_on_sigterm };
                shared.ask_to_end(end_order(flags));
            }
        }
    })?;
    Ok(())
}

/// What a signal to end asks for.
fn end_order(flags: ShutdownFlags) -> EndOrder {
    let save = match (flags.save, flags.no_save) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    EndOrder { save, force: flags.force }
}

fn announce(config: &Config, driver: Driver, seats: &[Option<usize>], addresses: &[std::net::SocketAddr]) {
    let cores: Vec<String> = seats.iter().flatten().map(usize::to_string).collect();
    let cores =
        if cores.is_empty() { "not pinned".to_owned() } else { format!("on cores {}", cores.join(",")) };
    let memory = rustix::system::sysinfo();
    let memory_gib = memory.totalram as f64 * f64::from(memory.mem_unit) / f64::from(1 << 30);
    log::info!(
        "{} driver, {} shards {cores}, {memory_gib:.1} GiB of memory, directory {}",
        driver.name(),
        seats.len(),
        config.dir.display(),
    );
    for address in addresses {
        log::info!("Ready to accept connections on {address}");
    }
    if let Some(path) = &config.unix_socket {
        log::info!("Ready to accept connections on unix socket {}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_left_where_pinning_is_forbidden() {
        let seats = vec![Some(0), Some(1)];
        let forbidden = Err(std::io::ErrorKind::PermissionDenied.into());
        assert_eq!(unpin_where_forbidden(seats.clone(), &Ok(())), seats);
        assert_eq!(unpin_where_forbidden(seats, &forbidden), [None, None]);
    }
}
