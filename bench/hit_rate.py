#!/usr/bin/env python3
"""Hit rates of Tessera and redis-server under maxmemory, policy by policy, on the same recorded traces.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import array
import collections
import itertools
import json
import os
import random
import sys
import threading

from harness import loads, measure
from harness.options import Run, add_options, choices, count, numbers, run_main, say
from harness.process import BenchError
from harness.report import REDIS

POLICIES = (
    "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random",
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
)  # fmt: skip
TRACES = ("zipf", "scan")
SHORTEST_TTL_S = 100_000
REPLAY_TIMEOUT_S = 1800
RSS_TARGET_PERCENT = 10
# Sampling is random: redis-server's own hit rate moved by up to 0.06 from run to run.
HIT_RATE_NOISE_PERCENT = 0.1
STATUS_REFUSED = 2


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21400)
    parser.add_argument("--maxmemory-mb", type=int, help="1 to 256 (default 64)")
    parser.add_argument("--policies", default=",".join(POLICIES), help="(default %(default)s)")
    parser.add_argument("--traces", default=",".join(TRACES), help="(default %(default)s)")
    parser.add_argument("--shards", default="1,2", help="of Tessera (default %(default)s)")
    parser.add_argument("--requests", help="length of each trace (default 3M)")
    parser.add_argument("--distinct", help="keys that the Zipf requests are drawn from (default 1M)")
    parser.add_argument("--skew", type=float, default=0.99, help="exponent of the distribution (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the traces (default %(default)s)")
    parser.add_argument("--rate-per-s", type=int, help="requests per second (default: as fast as the server answers)")
    arguments = parser.parse_args()
    if arguments.quick and arguments.check:
        parser.error("--quick is too short to check anything: leave out one of the two")
    usual = {"maxmemory_mb": (64, 8), "requests": ("3M", "200k"), "distinct": ("1M", "200k")}
    for name, (thorough, quick) in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else thorough)
    arguments.policies = choices(parser, "--policies", arguments.policies, POLICIES)
    arguments.traces = choices(parser, "--traces", arguments.traces, TRACES)
    arguments.shards = numbers(parser, "--shards", arguments.shards, 1, 64)
    (arguments.requests,) = numbers(parser, "--requests", arguments.requests, 1000, 100_000_000)
    (arguments.distinct,) = numbers(parser, "--distinct", arguments.distinct, 1000, 10_000_000)
    if not 1 <= arguments.maxmemory_mb <= 256 or not 0 <= arguments.skew <= 5:
        parser.error("--maxmemory-mb takes 1 to 256, --skew 0 to 5")
    if arguments.rate_per_s is not None and arguments.rate_per_s < 1:
        parser.error("--rate-per-s must be above 0")
    return arguments


def zipf_trace(distinct, requests, skew, seed):
    """Key numbers: the chance of the key at place n is proportional to 1 / n ** skew."""
    source = random.Random(seed)
    cumulative = list(itertools.accumulate(place**-skew for place in range(1, distinct + 1)))
    names = list(range(distinct))
    source.shuffle(names)
    return array.array("I", source.choices(names, cum_weights=cumulative, k=requests))


def scan_trace(distinct, requests, skew, seed):
    """The same, one request in three replaced: runs of keys that never come again, up to a tenth of distinct each."""
    source = random.Random(seed + 1)
    zipf = zipf_trace(distinct, requests, skew, seed)
    trace = array.array("I")
    never_again = itertools.count(distinct)
    at = 0
    while len(trace) < requests:
        length = source.randint(1, distinct // 10)
        trace.extend(zipf[at : at + 2 * length])
        at += 2 * length
        trace.extend(itertools.islice(never_again, length))
    return trace[:requests]


def exact_lru_hits(trace, capacity):
    """What a perfect LRU list of so many keys would hit: something to hold the servers' samples against."""
    held = collections.OrderedDict()
    hits = 0
    for number in trace:
        if number in held:
            hits += 1
            held.move_to_end(number)
        else:
            held[number] = None
            if len(held) > capacity:
                held.popitem(last=False)
    return hits


class Peak:
    """The highest RSS of a server while a load runs, looked at ten times a second. A context manager."""

    def __init__(self, server):
        self.server = server
        self.rss_bytes = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def _watch(self):
        while not self.done.wait(0.1):
            try:
                self.rss_bytes = max(self.rss_bytes, self.server.rss_bytes())
            except OSError:
                return  # It died; whoever talks to it says so.


class HitRates:
    """The traces, the servers, and one row for each replay."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.run = Run(arguments)
        self.replayer = self.run.tool("trace-replay")
        self.limit_bytes = arguments.maxmemory_mb * 1024 * 1024
        self.traces = {}
        self.paths = {}
        self.rows = []

    def specs(self, policy):
        options = f"--maxmemory {self.arguments.maxmemory_mb}mb --maxmemory-policy {policy}"
        specs = []
        if self.run.has_tessera:
            for shards in self.arguments.shards:
                specs.append(self.run.tessera_spec(shards, options, tessera_name(shards)))
        if self.run.has_redis:
            specs.append(self.run.redis_spec(options))
        return specs

    def probe(self):
        """Ends the script with status 2 if Tessera cannot bound its memory, before an hour has gone into the others."""
        if not self.run.has_tessera:
            return
        for policy in self.arguments.policies:
            try:
                with self.run.start(self.specs(policy)[0], pinned=False) as server:
                    self.run.note_version(server)
            except BenchError as error:
                with self.run.start(self.run.tessera_spec(), pinned=False):
                    pass  # It starts without a limit, so it is the limit that it refuses.
                say(f"hit_rate.py: this Tessera refuses --maxmemory with --maxmemory-policy {policy}; its hit rate "
                    f"cannot be measured (--only redis measures the baseline alone):\n{error}")  # fmt: skip
                sys.exit(STATUS_REFUSED)

    def record(self):
        """Makes the traces and writes them where the replayer, and whoever wants to look, can read them."""
        arguments = self.arguments
        os.makedirs(arguments.out, exist_ok=True)
        makers = {"zipf": zipf_trace, "scan": scan_trace}
        for name in arguments.traces:
            trace = makers[name](arguments.distinct, arguments.requests, arguments.skew, arguments.seed)
            if sys.byteorder == "big":
                trace.byteswap()
            path = os.path.join(arguments.out, f"hit_rate-{name}.trace")
            with open(path, "wb") as file:
                trace.tofile(file)
            self.traces[name], self.paths[name] = trace, path
            say(f"{name}: {len(trace)} requests for {len(set(trace))} keys in {path}")

    def replay(self, spec, trace, policy):
        words = [self.replayer, "--port", "", self.paths[trace]]
        if policy.startswith("volatile"):
            words += ["--ttl-s", str(SHORTEST_TTL_S)]
        if self.arguments.rate_per_s:
            words += ["--rate-per-s", str(self.arguments.rate_per_s)]
        with self.run.start(spec, pinned=False) as server:
            self.run.note_version(server)
            start_bytes = measure.settled_rss_bytes(server)
            words[2] = str(server.port)
            with Peak(server) as peak:
                output, _, _ = loads.run_client(words, None, REPLAY_TIMEOUT_S)
            found = json.loads(output)
            end_bytes = server.rss_bytes()
            info = server.info()
        evicted, expired = int(info["evicted_keys"]), int(info["expired_keys"])
        # In noeviction mode keys are refused, not evicted; nothing expires in the time of a run.
        kept = found["sets"] - found["out_of_memory"] - evicted - expired
        row = {
            "server": spec.name, "trace": trace, "policy": policy, **found,
            "hit_percent": 100 * found["hits"] / found["gets"],
            "late_hit_percent": 100 * found["late_hits"] / found["late_gets"],
            "evicted": evicted, "expired": expired, "kept": kept,
            "start_rss_bytes": start_bytes, "end_rss_bytes": end_bytes,
            "peak_rss_bytes": max(peak.rss_bytes, end_bytes),
            "used_bytes": int(info["used_memory"]), "lru_of_as_many_percent": None,
        }  # fmt: skip
        row["rss_percent"] = 100 * row["peak_rss_bytes"] / (self.limit_bytes + start_bytes)
        self.rows.append(row)
        say(f"{trace}, {policy}, {spec.name}: hit rate {row['hit_percent']:.2f} %, {evicted} evicted, "
            f"{found['out_of_memory']} refused, {found['wall_s']:.1f} s")  # fmt: skip

    def replay_all(self):
        for trace in self.arguments.traces:
            for policy in self.arguments.policies:
                for spec in self.specs(policy):
                    self.replay(spec, trace, policy)
            for row in self.rows:
                if row["trace"] == trace and row["policy"] == "allkeys-lru":
                    hits = exact_lru_hits(self.traces[trace], row["kept"])
                    row["lru_of_as_many_percent"] = 100 * hits / row["gets"]

    def row(self, server, trace, policy):
        found = (r for r in self.rows if (r["server"], r["trace"], r["policy"]) == (server, trace, policy))
        return next(found, None)

    def tables(self):
        tables = []
        for trace in self.arguments.traces:
            rows = []
            for row in self.rows:
                if row["trace"] != trace:
                    continue
                redis = self.row(REDIS, trace, row["policy"])
                ahead = f"{row['hit_percent'] - redis['hit_percent']:+.2f}" if redis and redis is not row else "-"
                exact = row["lru_of_as_many_percent"]
                rows.append([
                    row["policy"], row["server"], f"{row['hit_percent']:.2f}", ahead, f"{row['late_hit_percent']:.2f}",
                    "-" if exact is None else f"{exact:.2f}", str(row["kept"]), str(row["evicted"]),
                    str(row["out_of_memory"]), f"{row['start_rss_bytes'] / 2**20:.1f}",
                    f"{row['peak_rss_bytes'] / 2**20:.1f}", f"{row['rss_percent']:.1f}",
                    f"{row['used_bytes'] / 2**20:.1f}", f"{row['wall_s']:.1f}",
                ])  # fmt: skip
            headings = [
                "policy", "server", "hits %", "over redis-server", "second half %", "exact LRU of as many keys %",
                "keys kept", "evicted", "OOM errors", "RSS at start MB", "RSS peak MB", "of limit + start %",
                "used_memory MB", "seconds",
            ]  # fmt: skip
            tables.append((f"Trace {trace}", headings, rows))
        return tables

    def targets(self):
        rows, has_missed = [], False
        tessera = [row for row in self.rows if row["server"] != REDIS]
        for row in tessera:
            redis = self.row(REDIS, row["trace"], row["policy"])
            checks = [("RSS over limit + start-up size", row["rss_percent"] - 100, RSS_TARGET_PERCENT)]
            if redis and row["policy"] != "noeviction":
                behind = redis["hit_percent"] - row["hit_percent"]
                checks.append(("hit rate behind redis-server's", behind, HIT_RATE_NOISE_PERCENT))
            for what, found, target in checks:
                has_missed |= found > target
                rows.append([
                    row["trace"], row["policy"], row["server"], what, f"<= {target} %", f"{found:.2f}",
                    "pass" if found <= target else "MISS",
                ])  # fmt: skip
        return ("Targets", ["trace", "policy", "server", "what", "target", "found", "verdict"], rows), has_missed

    def report(self):
        arguments = self.arguments
        tables = self.tables()
        targets, has_missed = self.targets()
        if targets[2]:
            tables.insert(0, targets)
        rate = arguments.rate_per_s
        pace = f"{rate} requests per second" if rate else "as fast as the server answers"
        conditions = [
            f"- maxmemory {arguments.maxmemory_mb}mb; {count(arguments.requests)} requests a trace, "
            f"seed {arguments.seed}; Zipf with exponent {arguments.skew} over {count(arguments.distinct)} keys; {pace}",
            "- values of 100 to 300 bytes, for each key its own length; for volatile policies every key has a TTL of "
            "its own",
        ]
        self.run.finish("hit_rate", "Hit rates under maxmemory", tables, {"rows": self.rows}, conditions, has_missed)


def tessera_name(shards):
    return f"tessera-{shards}-shard{'s' if shards > 1 else ''}"


def main():
    hit_rates = HitRates(parse_arguments())
    hit_rates.probe()
    hit_rates.record()
    hit_rates.replay_all()
    hit_rates.report()


if __name__ == "__main__":
    run_main("hit_rate.py", main)
