"""Loads: the preload of keys, redis-benchmark, memtier_benchmark, idle connections. Loopback only."""

import csv
import io
import json
import os
import resource
import socket
import subprocess
import tempfile
import time

from .process import BenchError, Client, encode

CONNECTIONS = 50
VALUE_LEN_BYTES = 64
KEY_LEN_BYTES = 16
PRELOAD_BATCH = 500
MAX_REQUESTS = 100_000_000


class LoadRun:
    """What a load tool did: operations, wall time, its own CPU time, latencies if it reports them."""

    def __init__(self, operations, wall_s, client_cpu_s, operations_per_s=None, percentiles_ms=None):
        self.operations = operations
        self.operations_per_s = operations_per_s or operations / wall_s
        self.wall_s = wall_s
        self.client_cpu_s = client_cpu_s
        self.percentiles_ms = percentiles_ms or {}


def preload(server, keys, ttl_s=None):
    """Sets key:000000000000 and on, 16 bytes each, to 64 random bytes each; checks that all are there."""
    expected = b"+OK\r\n" * PRELOAD_BATCH
    expiry = ["EX", ttl_s] if ttl_s else []
    with Client(server.port) as client:
        for first in range(0, keys, PRELOAD_BATCH):
            count = min(PRELOAD_BATCH, keys - first)
            random = os.urandom(VALUE_LEN_BYTES * count)
            commands = []
            for index in range(count):
                value = random[VALUE_LEN_BYTES * index : VALUE_LEN_BYTES * (index + 1)]
                commands.append(encode(["SET", b"key:%012d" % (first + index), value, *expiry]))
            client.socket.sendall(b"".join(commands))
            reply = client.reader.read(len(b"+OK\r\n") * count)
            if reply != expected[: len(reply)]:
                raise BenchError(f"{server.name}: preload got {reply[:80]!r}")
        stored = client.call("DBSIZE")
    if stored != keys:
        raise BenchError(f"{server.name}: {stored} keys after a preload of {keys}")


class RedisBenchmark:
    """redis-benchmark: keys at random over the preloaded ones, one fixed 64-byte value per run for SET."""

    counts_requests = True

    def __init__(self, path, keys, core, threads=1):
        self.name = "redis-benchmark" if threads == 1 else f"redis-benchmark, {threads} threads"
        self.path = path
        self.keys = keys
        self.core = core
        self.threads = threads

    def command(self, server, operation, pipeline, requests):
        return [
            self.path, "-h", "127.0.0.1", "-p", str(server.port), "-t", operation.lower(),
            "-c", str(CONNECTIONS), "-P", str(pipeline), "-n", str(requests),
            "-r", str(self.keys), "-d", str(VALUE_LEN_BYTES), "--threads", str(self.threads), "--csv",
        ]  # fmt: skip

    def requests_for(self, server, operation, pipeline, seconds):
        """How many requests take about this long: from a short run, which also warms the server up."""
        trial = 20_000 * min(pipeline, 20)
        rate = 0.0
        while rate == 0.0:
            run = self.run(server, operation, pipeline, trial)
            if run.wall_s >= 0.1 or trial >= MAX_REQUESTS:
                rate = run.operations / run.wall_s
            trial = min(trial * 8, MAX_REQUESTS)
        return min(max(int(rate * seconds), 1000), MAX_REQUESTS)

    def run(self, server, operation, pipeline, requests, prefix=()):
        words = [*prefix, *self.command(server, operation, pipeline, requests)]
        output, wall_s, cpu_s = run_client(words, self.core, timeout_s=120)
        rows = list(csv.DictReader(line for line in io.StringIO(output) if line.startswith('"')))
        if len(rows) != 1 or rows[0]["test"] != operation:
            raise BenchError(f"redis-benchmark said:\n{output[-2000:]}")
        # It sends whole pipelines: the last one may go past the number asked for.
        sent = -(-requests // pipeline) * pipeline
        return LoadRun(sent, wall_s, cpu_s)


class Memtier:
    """memtier_benchmark: random values, keys at random over nine tenths of the preloaded ones."""

    name = "memtier"
    counts_requests = False

    def __init__(self, path, keys, core):
        self.path = path
        self.core = core
        # memtier does not pad numbers: a prefix and numbers of equal length give the preloaded names.
        digits = len(str(keys - 1))
        self.prefix = "key:" + "0" * (12 - digits)
        self.minimum, self.maximum = 10 ** (digits - 1), keys - 1

    def run(self, server, operation, pipeline, seconds, rate_per_s=None):
        # Below two seconds memtier's own account of the time is off.
        seconds = max(2, round(seconds))
        with tempfile.NamedTemporaryFile(suffix=".json") as report:
            words = [
                self.path, "-s", "127.0.0.1", "-p", str(server.port), "--hide-histogram",
                "-c", str(CONNECTIONS), "-t", "1", "--pipeline", str(pipeline),
                "--ratio", {"GET": "0:1", "SET": "1:0", "MIXED": "1:1"}[operation],
                "--random-data", "-d", str(VALUE_LEN_BYTES), "--distinct-client-seed",
                "--key-prefix", self.prefix, "--key-minimum", str(self.minimum),
                "--key-maximum", str(self.maximum), "--key-pattern", "R:R",
                "--test-time", str(seconds), "--print-percentiles", "50,99,99.9",
                "--json-out-file", report.name,
            ]  # fmt: skip
            if rate_per_s:
                words += ["--rate-limiting", str(max(1, round(rate_per_s / CONNECTIONS)))]
            output, wall_s, cpu_s = run_client(words, self.core, timeout_s=seconds + 120)
            try:
                totals = json.load(report)["ALL STATS"]["Totals"]
            except (ValueError, KeyError) as error:
                raise BenchError(f"memtier_benchmark gave no report ({error}):\n{output[-2000:]}") from error
        latencies = totals["Percentile Latencies"]
        percentiles_ms = {name: latencies[name] for name in ("p50.00", "p99.00", "p99.90")}
        # Its wall time includes a second or so of starting and of making the report.
        return LoadRun(totals["Count"], wall_s, cpu_s, totals["Count"] / seconds, percentiles_ms)


def run_client(words, core, timeout_s):
    """Runs a load tool to its end, bounded in time; gives its output, wall seconds and CPU seconds."""
    if core is not None:
        words = ["taskset", "-c", core, *words]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{words[0]}: no end after {timeout_s} s") from error
    wall_s = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    output = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise BenchError(f"{' '.join(words)}: exit {done.returncode}\n{output[-2000:]}")
    cpu_s = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return output, wall_s, cpu_s


class IdleConnections:
    """Connections that said PING once, so that they were really served, and then nothing."""

    def __init__(self, server, count):
        self.server = server
        self.count = count
        self.sockets = []

    def __enter__(self):
        try:
            for _ in range(self.count):
                connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
                self.sockets.append(connection)
                connection.sendall(encode(["PING"]))
                reply = connection.recv(64)
                if reply != b"+PONG\r\n":
                    raise BenchError(f"{self.server.name}: connection {len(self.sockets)} got {reply!r} for PING")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for connection in self.sockets:
            connection.close()
        self.sockets.clear()


def raise_open_files(needed):
    """Raises the limit of open files, for this process and the servers it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))
            except (ValueError, PermissionError) as error:
                raise BenchError(f"{needed} open files are needed, the hard limit is {hard}") from error
        else:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


class KeyLoader:
    """Sets numbered keys with this package's own program, which is fast enough for ten millions of them."""

    def __init__(self, path, core, key_len_bytes=KEY_LEN_BYTES, value_len_bytes=VALUE_LEN_BYTES, ttl_s=None):
        self.path = path
        self.core = core
        self.options = ["--key-len-bytes", str(key_len_bytes), "--value-len-bytes", str(value_len_bytes)]
        if ttl_s:
            self.options += ["--ttl-s", str(ttl_s)]

    def load(self, server, keys, first=0):
        """Sets the keys from number first on, up to number keys; checks that all are there."""
        words = [self.path, "--port", str(server.port), "--first", str(first), "--keys", str(keys - first)]
        run_client([*words, *self.options], self.core, timeout_s=1800)
        with Client(server.port) as client:
            stored = client.call("DBSIZE")
        if stored != keys:
            raise BenchError(f"{server.name}: {stored} keys after {keys} were set")


class ByServer:
    """A load of its own for each server, by the server's name: over other numbers of keys, say."""

    counts_requests = True

    def __init__(self, name, loads):
        self.name = name
        self.loads = loads

    def requests_for(self, server, operation, pipeline, seconds):
        return self.loads[server.name].requests_for(server, operation, pipeline, seconds)

    def run(self, server, operation, pipeline, requests):
        return self.loads[server.name].run(server, operation, pipeline, requests)
