use std::fmt::Write as _;
use tessera_command::host::LatencyMonitor;
use tessera_command::prelude::*;

pub struct Doctor;

impl Session for Doctor {
    const SPEC: Spec = Spec {
        name: "latency|doctor",
        summary: "Explains the moments of all events to a person.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(1)",
        flags: Flags::ADMIN.with(Flags::NO_SCRIPT).with(Flags::LOADING).with(Flags::STALE),
        policy: Policy::AsTips,
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..Spec::BASE
    };
    type Args<'a> = ();

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        words.end()
    }

    fn execute((): &(), session: &mut SessionContext<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let now_s = session.host.unix_us().div_euclid(1_000_000);
        let threshold_ms = session.host.config().latency_monitor_threshold_ms;
        let slowlog_us = session.host.config().slowlog_log_slower_than_us;
        let mut report = String::new();
        session.host.with_latency_monitor(&mut |monitor| {
            report = explain(monitor, now_s, threshold_ms, slowlog_us);
        });
        reply.verbatim("txt", report.as_bytes());
        Ok(())
    }
}

fn explain(monitor: &LatencyMonitor, now_s: i64, threshold_ms: u64, slowlog_us: i64) -> String {
    if monitor.events().len() == 0 {
        return if threshold_ms == 0 {
            "The latency monitor is off. CONFIG SET latency-monitor-threshold <milliseconds> turns it on.\n"
                .into()
        } else {
            format!("Nothing took {threshold_ms} ms or longer so far.\n")
        };
    }
    let mut report = String::from("Some things took long:\n\n");
    let mut advice = Vec::new();
    for (index, (name, series)) in monitor.events().enumerate() {
        let summary = series.summary(now_s);
        let _ = writeln!(
            report,
            "{}. {name}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2} sec). Worst all time event \
                {}ms.",
            index + 1,
            summary.samples,
            summary.mean_ms,
            summary.mean_deviation_ms,
            summary.period_s as f64 / summary.samples.max(1) as f64,
            series.max_ms()
        );
        advise(name, threshold_ms, slowlog_us, &mut advice);
    }
    advice.dedup();
    if !advice.is_empty() {
        report.push_str("\nWhat may help:\n\n");
        advice.iter().for_each(|line| report.extend(["- ", line, "\n"]));
    }
    report
}

fn advise(event: &str, threshold_ms: u64, slowlog_us: i64, advice: &mut Vec<String>) {
    match event {
"command" => {
let threshold_us = i64::try_from(threshold_ms.saturating_mul(1000)).unwrap_or(i64::MAX);
if slowlog_us < 0 || slowlog_us > threshold_us {
advice.push(format!(
"CONFIG SET slowlog-log-slower-than {threshold_us}: the slow log misses commands that the monitor sees."
));
}
advice.push("SLOWLOG GET tells which commands they were. Commands over many keys or elements take long.".into());
}
"fast-command" => advice.push(
"Commands that need microseconds took milliseconds: the machine has not enough processor time for all that \
runs on it, or the hypervisor takes it away."
.into(),
),
"expire-cycle" => advice.push(
"Many keys expire at the same time. CONFIG SET hz 100 looks for them more often and for shorter; spread the \
times of expiry."
.into(),
),
_ => {}
}
}
