"""The measurements: CPU and system calls per operation, latency, memory, idling."""

import itertools
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from .loads import KEY_LEN_BYTES, VALUE_LEN_BYTES, IdleConnections, preload
from .process import BenchError, CpuMeter, busy_s

SETTLE_S = 3
SETTLE_READINGS = 30
OPERATIONS = ("GET", "SET")
LATENCY_LOAD = "memtier at half load"


class Samples:
    """Values by (server, operation, pipeline, load), one per round, in order of the rounds."""

    def __init__(self):
        self.rows = []

    def add(self, **row):
        self.rows.append(row)

    def values(self, field, **wanted):
        rows = sorted(self._matching(wanted), key=lambda row: row["round"])
        return [row[field] for row in rows if row.get(field) is not None]

    def _matching(self, wanted):
        return [row for row in self.rows if all(row.get(name) == value for name, value in wanted.items())]

    def ratio(self, field, numerator, denominator):
        """Ratios of the values of one round each: drift of the machine over the run cancels out."""
        over = {row["round"]: row[field] for row in self._matching(numerator) if field in row}
        under = {row["round"]: row[field] for row in self._matching(denominator) if field in row}
        return [over[at] / under[at] for at in sorted(over.keys() & under.keys()) if under[at]]


def measure_cpu(servers, load, pipelines, rounds, seconds, layout, samples, say):
    """CPU per operation of every server, interleaved: round by round, the servers in rotating order."""
    requests = {}
    for pipeline in pipelines:
        for operation in OPERATIONS:
            for number in range(rounds):
                for server in rotated(servers, number):
                    amount = seconds
                    if load.counts_requests:
                        key = (server.name, operation, pipeline)
                        if key not in requests:
                            requests[key] = load.requests_for(server, operation, pipeline, seconds)
                        amount = requests[key]
                    row = cpu_sample(server, load, operation, pipeline, amount)
                    samples.add(load=load.name, layout=layout, round=number, **row)
            wanted = {"operation": operation, "pipeline": pipeline, "load": load.name}
            found = medians(samples, "us_per_op", servers, **wanted)
            say(f"{load.name} {operation} P={pipeline}, CPU us/op: {found}")


def medians(samples, field, servers, **wanted):
    """The medians of a field, one for each server, as a line to print."""
    values = ((server.name, samples.values(field, server=server.name, **wanted)) for server in servers)
    return ", ".join(f"{name} {statistics.median(found):.3f}" for name, found in values if found)


def cpu_sample(server, load, operation, pipeline, amount):
    """One run of a load against one server."""
    commands_before = commands_processed(server)
    meter = CpuMeter(server)
    machine_s, stolen_s = busy_s()
    meter.start()
    run = load.run(server, operation, pipeline, amount)
    cpu = meter.stop()
    machine_after_s, stolen_after_s = busy_s()
    commands_after = commands_processed(server)
    counted = None
    if commands_before is not None and commands_after is not None:
        counted = commands_after - commands_before
        if abs(counted - run.operations) > 0.01 * run.operations + 500:
            raise BenchError(
                f"{server.name}: {load.name} reports {run.operations} operations, INFO {counted} commands"
            )
    others_s = machine_after_s - machine_s - cpu["cpu_s"] - run.client_cpu_s
    return {
        "server": server.name,
        "operation": operation,
        "pipeline": pipeline,
        "us_per_op": cpu["cpu_s"] / run.operations * 1e6,
        "system_share": cpu["system_share"],
        "operations": run.operations,
        "operations_by_info": counted,
        "operations_per_s": run.operations_per_s,
        "server_busy": cpu["cpu_s"] / run.wall_s,
        "client_busy": run.client_cpu_s / run.wall_s,
        # Cores kept busy by anything else, and by the hypervisor's other guests: the noise of this sample.
        "others_busy": max(0.0, others_s) / run.wall_s,
        "stolen": (stolen_after_s - stolen_s) / run.wall_s,
    }


def commands_processed(server):
    value = server.info().get("total_commands_processed")
    return int(value) if value is not None else None


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def syscall_counter():
    """How system calls can be counted here: perf's tracepoint, else strace, else not at all."""
    if shutil.which("perf"):
        words = ["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "true"]
        if subprocess.run(words, capture_output=True).returncode == 0:
            return "perf"
    return "strace" if shutil.which("strace") else None


def measure_syscalls(servers, loads, pipelines, seconds, samples, say):
    """System calls per operation, in short runs of their own: counting them costs the server CPU time."""
    counter = syscall_counter()
    if counter is None:
        say("neither perf nor strace works here: system calls are not counted")
        return None
    count = _count_with_perf if counter == "perf" else _count_with_strace
    for load, pipeline, operation in itertools.product(loads, pipelines, OPERATIONS):
        for server in servers:
            requests = load.requests_for(server, operation, pipeline, min(seconds, 1.0))
            run, calls = count(server, load, operation, pipeline, requests)
            samples.add(
                server=server.name, operation=operation, pipeline=pipeline, load=load.name, layout="pinned",
                round=0, syscalls_per_op=calls / run.operations,
            )  # fmt: skip
        wanted = {"operation": operation, "pipeline": pipeline, "load": load.name}
        found = medians(samples, "syscalls_per_op", servers, **wanted)
        say(f"{load.name} {operation} P={pipeline}, system calls/op: {found}")
    return counter


def _count_with_perf(server, load, operation, pipeline, requests):
    with tempfile.NamedTemporaryFile(mode="r", suffix=".csv") as report:
        prefix = ["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", str(server.pid)]
        run = load.run(server, operation, pipeline, requests, prefix=[*prefix, "-o", report.name, "--"])
        match = re.search(r"^(\d+),.*raw_syscalls:sys_enter", report.read(), re.MULTILINE)
    if not match:
        raise BenchError("perf stat gave no count of raw_syscalls:sys_enter")
    return run, int(match.group(1))


def _count_with_strace(server, load, operation, pipeline, requests):
    with tempfile.NamedTemporaryFile(mode="r", suffix=".txt") as report:
        words = ["strace", "-c", "-f", "-p", str(server.pid), "-o", report.name]
        tracer = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            run = load.run(server, operation, pipeline, requests)
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)
        match = re.search(r"^100\.00\s+\S+\s+\S+\s+(\d+).*total$", report.read(), re.MULTILINE)
    if not match:
        raise BenchError("strace gave no total")
    return run, int(match.group(1))


def measure_latency(servers, memtier, rate_per_s, rounds, seconds, samples, say):
    """Latencies of GET, pipeline 1, all servers at the same rate, interleaved."""
    for number in range(rounds):
        for server in rotated(servers, number):
            run = memtier.run(server, "GET", 1, seconds, rate_per_s=rate_per_s)
            samples.add(
                server=server.name, operation="GET", pipeline=1, load=LATENCY_LOAD, round=number,
                p50_ms=run.percentiles_ms["p50.00"], p99_ms=run.percentiles_ms["p99.00"],
                p999_ms=run.percentiles_ms["p99.90"], operations_per_s=run.operations_per_s,
            )  # fmt: skip
    for server in servers:
        p99, p999 = (
            statistics.median(samples.values(field, server=server.name, load=LATENCY_LOAD))
            for field in ("p99_ms", "p999_ms")
        )
        say(f"latency at {rate_per_s:.0f}/s: {server.name} p99 {p99:.3f} ms, p99.9 {p999:.3f} ms")


def measure_preload(server, keys, ttl_s=None):
    """Loads the keys; gives the bytes per key that are neither key nor value."""
    server.info()
    before = server.rss_bytes()
    preload(server, keys, ttl_s)
    time.sleep(0.5)
    return (server.rss_bytes() - before) / keys - KEY_LEN_BYTES - VALUE_LEN_BYTES


def settled_rss_bytes(server):
    """Resident memory once it has stopped to change: servers tidy up after a load."""
    before = server.rss_bytes()
    for _ in range(SETTLE_READINGS):
        time.sleep(0.5)
        now = server.rss_bytes()
        if abs(now - before) <= now / 1000:
            return now
        before = now
    return before


def measure_idle(server, warm_up, connections, seconds):
    """Idle CPU in percent of a core without and with idle connections, and their memory each."""
    warm_up(server)
    time.sleep(SETTLE_S)
    alone_percent = _cpu_percent(server, seconds)
    before = server.rss_bytes()
    with IdleConnections(server, connections):
        # redis-server takes back the query buffers of idle clients within two seconds.
        time.sleep(SETTLE_S)
        bytes_each = (server.rss_bytes() - before) / connections
        crowded_percent = _cpu_percent(server, seconds)
    return {
        "server": server.name,
        "idle_cpu_percent": alone_percent,
        "idle_cpu_percent_with_connections": crowded_percent,
        "connections": connections,
        "rss_bytes_per_connection": bytes_each,
    }


def _cpu_percent(server, seconds):
    meter = CpuMeter(server)
    meter.start()
    start = time.monotonic()
    time.sleep(seconds)
    cpu_s = meter.stop()["cpu_s"]
    return 100 * cpu_s / (time.monotonic() - start)


def machine():
    """What the figures depend on."""
    model = "unknown"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "load_average": os.getloadavg(),
        "time": time.strftime("%Y-%m-%d %H:%M:%S %Z"),
    }
