//! The sections that count.

use super::text::Page;
use std::fmt::Write as _;
use tessera_command::Registry;
use tessera_command::host::{Facts, Statistics};
use tessera_config::Config;
use tessera_resp::number::format_f64;

/// `# Stats`.
pub fn stats(facts: &Facts, page: &mut Page) {
    traffic(facts, page);
    keys(facts, page);
    page.line("unexpected_error_replies", 0);
    let stats = &facts.stats;
    page.line("total_error_replies", stats.error_replies);
    page.line("dump_payload_sanitizations", 0);
    page.line("total_reads_processed", stats.reads_processed);
    page.line("total_writes_processed", stats.writes_processed);
    page.lines(
        &[
            "io_threaded_reads_processed",
            "io_threaded_writes_processed",
            "reply_buffer_shrinks",
            "reply_buffer_expands",
        ],
        0,
    );
    page.line("eventloop_cycles", stats.loop_turns);
    page.line("eventloop_duration_sum", stats.loop_us);
    page.line("eventloop_duration_cmd_sum", stats.loop_commands_us);
    page.line("instantaneous_eventloop_cycles_per_sec", stats.loop_turns_per_s);
    page.line("instantaneous_eventloop_duration_usec", stats.loop_us_per_turn);
    page.line("acl_access_denied_auth", stats.authentication_failures);
    page.lines(&["acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"], 0);
    stats.driver.iter().for_each(|(name, value)| page.line(name, value));
}

fn traffic(facts: &Facts, page: &mut Page) {
    let stats = &facts.stats;
    page.line("total_connections_received", stats.connections);
    page.line("total_commands_processed", stats.commands);
    page.line("instantaneous_ops_per_sec", stats.commands_per_s);
    page.line("total_net_input_bytes", stats.input_bytes);
    page.line("total_net_output_bytes", stats.output_bytes);
    page.lines(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"], 0);
    page.line("instantaneous_input_kbps", kilobytes(stats.input_bytes_per_s));
    page.line("instantaneous_output_kbps", kilobytes(stats.output_bytes_per_s));
    page.lines(&["instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps"], "0.00");
    page.line("rejected_connections", stats.rejected_connections);
    page.lines(&["sync_full", "sync_partial_ok", "sync_partial_err"], 0);
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.2}", bytes as f32 / 1024.0)
}

fn keys(facts: &Facts, page: &mut Page) {
    let stats = &facts.stats;
    page.line("expired_keys", stats.expired_keys);
    page.line("expired_stale_perc", format_args!("{:.2}", stats.expired_stale_ratio * 100.0));
    page.line("expired_time_cap_reached_count", stats.expire_time_cap_reached);
    page.line("expire_cycle_cpu_milliseconds", stats.expire_cycle_us / 1000);
    page.line("evicted_keys", stats.evicted_keys);
    page.line("evicted_clients", 0);
    page.line("total_eviction_exceeded_time", stats.memory_exceeded_us / 1000);
    page.line("current_eviction_exceeded_time", stats.memory_exceeded_now_us / 1000);
    page.line("keyspace_hits", stats.keyspace_hits);
    page.line("keyspace_misses", stats.keyspace_misses);
    page.lines(
        &[
            "pubsub_channels",
            "pubsub_patterns",
            "pubsubshard_channels",
            "latest_fork_usec",
            "total_forks",
            "migrate_cached_sockets",
            "slave_expires_tracked_keys",
        ],
        0,
    );
    page.line("active_defrag_hits", stats.defrag_hits);
    page.line("active_defrag_misses", stats.defrag_misses);
    page.line("active_defrag_key_hits", stats.defrag_key_hits);
    page.line("active_defrag_key_misses", stats.defrag_key_misses);
    page.line("total_active_defrag_time", stats.defrag_us / 1000);
    page.line("current_active_defrag_time", stats.defrag_now_us / 1000);
    page.lines(&["tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"], 0);
}

/// `# Commandstats`: commands that were called or refused.
pub fn command_stats(registry: &Registry, statistics: &dyn Statistics, page: &mut Page) {
    let totals = statistics.command_totals();
    for (command, total) in registry.numbered().iter().zip(&totals.by_number) {
        if total.calls + total.rejected + total.failed == 0 {
            continue;
        }
        let duration_us = total.duration_ns / 1000;
        let mean_us =
            if total.calls == 0 { 0.0 } else { total.duration_ns as f64 / 1000.0 / total.calls as f64 };
        page.line(
            &format!("cmdstat_{}", command.full_name),
            format_args!(
                "calls={},usec={duration_us},usec_per_call={mean_us:.2},rejected_calls={},failed_calls={}",
                total.calls, total.rejected, total.failed
            ),
        );
    }
}

/// `# Errorstats`.
pub fn error_stats(statistics: &dyn Statistics, page: &mut Page) {
    for (code, count) in statistics.error_stats().iter() {
        // A code may be anything that DEBUG ERROR was given: it must not break the line.
        let code: String = String::from_utf8_lossy(code)
            .chars()
            .map(|c| if matches!(c, '#' | ':' | '\n' | '\r') { '_' } else { c })
            .collect();
        page.line(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

/// `# Latencystats`: percentiles of the commands that were called.
pub fn latency_stats(config: &Config, registry: &Registry, statistics: &dyn Statistics, page: &mut Page) {
    if !config.latency_tracking {
        return;
    }
    let percentiles = &config.latency_tracking_info_percentiles;
    let totals = statistics.command_totals();
    for (command, total) in registry.numbered().iter().zip(&totals.by_number) {
        if total.latency.total() == 0 {
            continue;
        }
        let mut values = String::new();
        for percentile in percentiles {
            let separator = if values.is_empty() { "" } else { "," };
            let value_us = total.latency.percentile_ns(*percentile) as f64 / 1000.0;
            let _ = write!(values, "{separator}p{}={value_us:.3}", format_f64(*percentile));
        }
        page.line(&format!("latency_percentiles_usec_{}", command.full_name), values);
    }
}
