//! The sections that describe the server and its state.

use super::text::{Page, human};
use crate::server::overhead::Overhead;
use std::fmt::Write as _;
use tessera_command::REDIS_VERSION;
use tessera_command::host::Facts;
use tessera_config::Config;

/// Bits of the clock that Redis keeps with each object.
const LRU_CLOCK_MASK: i64 = (1 << 24) - 1;
/// What stands for an identity that there is not.
const NO_ID: &str = "0000000000000000000000000000000000000000";

/// `# Server`.
pub fn server(facts: &Facts, config: &Config, now_us: i64, page: &mut Page) {
    let server = &facts.server;
    let uptime_s = (now_us - server.started_at_unix_us).max(0) / 1_000_000;
    page.line("redis_version", REDIS_VERSION);
    page.line("tessera_version", server.version);
    page.line("tessera_build", server.build);
    page.line("redis_git_sha1", server.git_sha1);
    page.line("redis_git_dirty", u8::from(server.git_dirty));
    page.line("redis_build_id", &server.build_id);
    page.line("redis_mode", "standalone");
    page.line("os", &server.os);
    page.line("arch_bits", usize::BITS);
    page.line("monotonic_clock", "POSIX clock_gettime");
    page.line("multiplexing_api", server.io_driver);
    page.line("io_driver", server.io_driver);
    page.line("shards", server.shards);
    page.line("atomicvar_api", "rust-core");
    page.line("gcc_version", "0.0.0");
    page.line("rustc_version", server.rustc_version);
    page.line("process_id", server.process_id);
    page.line("process_supervised", server.supervised);
    page.line("run_id", &server.run_id);
    page.line("tcp_port", config.port);
    page.line("server_time_usec", now_us);
    page.line("uptime_in_seconds", uptime_s);
    page.line("uptime_in_days", uptime_s / 86_400);
    page.line("hz", config.hz);
    page.line("configured_hz", config.hz);
    page.line("lru_clock", (now_us / 1_000_000) & LRU_CLOCK_MASK);
    page.line("executable", &server.executable);
    page.line("config_file", &server.config_file);
    page.line("io_threads_active", 0);
    for (index, listener) in server.listeners.iter().enumerate() {
        let mut value = format!("name={}", listener.name);
        for address in &listener.addresses {
            let _ = write!(value, ",bind={address}");
        }
        if let Some(port) = listener.port {
            let _ = write!(value, ",port={port}");
        }
        page.line(&format!("listener{index}"), value);
    }
}

/// `# Clients`.
pub fn clients(facts: &Facts, config: &Config, page: &mut Page) {
    let clients = &facts.clients;
    page.line("connected_clients", clients.connected);
    page.line("cluster_connections", 0);
    page.line("maxclients", config.max_clients);
    page.line("client_recent_max_input_buffer", clients.recent_max_input_buffer_bytes);
    page.line("client_recent_max_output_buffer", clients.recent_max_output_buffer_bytes);
    page.line("output_paused_clients", clients.output_paused);
    page.line("output_pauses", clients.output_pauses);
    page.line("blocked_clients", clients.blocked);
    page.line("tracking_clients", 0);
    page.line("clients_in_timeout_table", clients.timed);
    page.line("total_blocking_keys", clients.blocking_keys);
    page.line("total_blocking_keys_on_nokey", 0);
}

/// `# Shards`, which Redis has not.
pub fn shards(facts: &Facts, page: &mut Page) {
    for (number, shard) in facts.shards.iter().enumerate() {
        let (whole, hundredths) = (shard.load_percent_hundredths / 100, shard.load_percent_hundredths % 100);
        page.line(
            &format!("shard{number}"),
            format_args!(
                "keys={},expires={},keys_bytes={},table_bytes={},clients={},commands={},hops={},\
                 load={whole}.{hundredths:02}",
                shard.keys,
                shard.expires,
                shard.entry_bytes,
                shard.table_bytes,
                shard.clients,
                shard.commands,
                shard.hops,
            ),
        );
    }
}

/// `# Memory`.
pub fn memory(facts: &Facts, config: &Config, page: &mut Page) {
    let (memory, overhead) = (&facts.memory, Overhead::of(facts));
    page.bytes("used_memory", memory.used_bytes);
    page.bytes("used_memory_rss", memory.resident_bytes);
    page.bytes("used_memory_peak", memory.peak_bytes.max(memory.used_bytes));
    page.line("used_memory_peak_perc", format_args!("{:.2}%", overhead.peak_percent));
    page.line("used_memory_overhead", overhead.overhead_bytes);
    page.line("used_memory_startup", memory.startup_bytes);
    page.line("used_memory_dataset", overhead.dataset_bytes);
    page.line("used_memory_dataset_perc", format_args!("{:.2}%", overhead.dataset_percent));
    page.line("allocator_allocated", memory.allocator_allocated_bytes);
    page.line("allocator_active", memory.allocator_active_bytes);
    page.line("allocator_resident", memory.allocator_resident_bytes);
    page.bytes("total_system_memory", memory.system_bytes);
    scripts(page);
    page.bytes("maxmemory", config.max_memory.0);
    page.line("maxmemory_policy", config.max_memory_policy.name());
    page.line("allocator_frag_ratio", format_args!("{:.2}", overhead.fragmentation_ratio));
    page.line("allocator_frag_bytes", overhead.fragmentation_bytes);
    page.line("allocator_rss_ratio", format_args!("{:.2}", overhead.allocator_ratio));
    page.line("allocator_rss_bytes", overhead.allocator_bytes);
    page.line("rss_overhead_ratio", format_args!("{:.2}", overhead.process_ratio));
    page.line("rss_overhead_bytes", overhead.process_bytes);
    page.line("mem_fragmentation_ratio", format_args!("{:.2}", overhead.total_ratio));
    page.line("mem_fragmentation_bytes", overhead.total_bytes);
    page.lines(
        &[
            "mem_not_counted_for_evict",
            "mem_replication_backlog",
            "mem_total_replication_buffers",
            "mem_clients_slaves",
        ],
        0,
    );
    page.line("mem_clients_normal", memory.clients_bytes);
    page.lines(&["mem_cluster_links", "mem_aof_buffer"], 0);
    page.line("mem_allocator", memory.allocator);
    page.line("active_defrag_running", memory.defrag_effort_percent);
    page.line("lazyfree_pending_objects", memory.lazy_free_pending);
    page.line("lazyfreed_objects", memory.lazy_freed);
}

/// Scripts and functions, of which there are none.
fn scripts(page: &mut Page) {
    page.lines(&["used_memory_lua", "used_memory_vm_eval"], 0);
    page.line("used_memory_lua_human", human(0));
    page.lines(
        &[
            "used_memory_scripts_eval",
            "number_of_cached_scripts",
            "number_of_functions",
            "number_of_libraries",
            "used_memory_vm_functions",
        ],
        0,
    );
    page.bytes("used_memory_vm_total", 0);
    page.line("used_memory_functions", 0);
    page.bytes("used_memory_scripts", 0);
}

/// `# Persistence`. What Redis calls copied on write is what a snapshot saves ahead.
pub fn persistence(facts: &Facts, now_unix_s: i64, page: &mut Page) {
    let saved = &facts.persistence;
    let loading = &facts.loading;
    page.line("loading", u8::from(loading.is_loading));
    page.line("async_loading", 0);
    page.line("current_cow_peak", saved.peak_ahead_bytes);
    page.line("current_cow_size", saved.ahead_bytes);
    page.line("current_cow_size_age", 0);
    let share = saved.keys_done as f64 / saved.keys_total.max(1) as f64;
    page.line("current_fork_perc", format_args!("{:.2}", share * 100.0));
    page.line("current_save_keys_processed", saved.keys_done);
    page.line("current_save_keys_total", saved.keys_total);
    page.line("rdb_changes_since_last_save", saved.changes);
    page.line("rdb_bgsave_in_progress", u8::from(saved.background_since_unix_s.is_some()));
    page.line("rdb_last_save_time", saved.last_save_unix_s);
    page.line("rdb_last_bgsave_status", if saved.last_is_ok { "ok" } else { "err" });
    page.line("rdb_last_bgsave_time_sec", saved.last_duration_s.unwrap_or(-1));
    let current_s = saved.background_since_unix_s.map_or(-1, |since_s| (now_unix_s - since_s).max(0));
    page.line("rdb_current_bgsave_time_sec", current_s);
    page.line("rdb_saves", saved.saves);
    page.line("rdb_last_cow_size", saved.last_peak_ahead_bytes);
    page.line("rdb_last_load_keys_expired", loading.keys_expired);
    page.line("rdb_last_load_keys_loaded", loading.keys_loaded);
    page.lines(&["aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled"], 0);
    page.lines(&["aof_last_rewrite_time_sec", "aof_current_rewrite_time_sec"], -1);
    page.line("aof_last_bgrewrite_status", "ok");
    page.lines(&["aof_rewrites", "aof_rewrites_consecutive_failures"], 0);
    page.line("aof_last_write_status", "ok");
    page.lines(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"], 0);
    if loading.is_loading {
        let share = loading.loaded_bytes as f64 / loading.total_bytes.max(1) as f64;
        page.line("loading_start_time", loading.started_at_unix_s);
        page.line("loading_total_bytes", loading.total_bytes);
        page.line("loading_rdb_used_mem", loading.used_memory_bytes);
        page.line("loading_loaded_bytes", loading.loaded_bytes);
        page.line("loading_loaded_perc", format_args!("{:.2}", share * 100.0));
        page.line("loading_eta_seconds", loading.eta_s);
    }
    page.line("tessera_snapshot_written_bytes", saved.written_bytes);
    page.line("tessera_snapshot_last_bytes", saved.last_len_bytes);
    page.line("tessera_snapshot_last_cut_usec", saved.last_cut_us);
    page.line("tessera_snapshot_cuts_given_up", saved.cuts_given_up);
    page.line("tessera_snapshot_writers_waited", saved.writers_waited);
}

/// `# Replication`: a master without replicas.
pub fn replication(facts: &Facts, page: &mut Page) {
    page.line("role", "master");
    page.line("connected_slaves", 0);
    page.line("master_failover_state", "no-failover");
    page.line("master_replid", &facts.replication.id);
    page.line("master_replid2", NO_ID);
    page.line("master_repl_offset", 0);
    page.line("second_repl_offset", -1);
    page.lines(
        &[
            "repl_backlog_active",
            "repl_backlog_size",
            "repl_backlog_first_byte_offset",
            "repl_backlog_histlen",
        ],
        0,
    );
}

/// `# CPU`.
pub fn cpu(facts: &Facts, page: &mut Page) {
    let cpu = &facts.cpu;
    for (name, time_us) in [
        ("used_cpu_sys", cpu.system_us),
        ("used_cpu_user", cpu.user_us),
        ("used_cpu_sys_children", cpu.children_system_us),
        ("used_cpu_user_children", cpu.children_user_us),
        ("used_cpu_sys_main_thread", cpu.thread_system_us),
        ("used_cpu_user_main_thread", cpu.thread_user_us),
    ] {
        page.line(name, format_args!("{}.{:06}", time_us / 1_000_000, time_us % 1_000_000));
    }
}

/// `# Keyspace`: databases that hold keys.
pub fn keyspace(facts: &Facts, page: &mut Page) {
    for (index, database) in facts.keyspace.iter().enumerate() {
        if database.keys > 0 {
            page.line(
                &format!("db{index}"),
                format_args!(
                    "keys={},expires={},avg_ttl={}",
                    database.keys, database.expires, database.mean_ttl_ms
                ),
            );
        }
    }
}
