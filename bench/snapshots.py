#!/usr/bin/env python3
"""What snapshots cost (figure 8), and how long saving and loading take, of Tessera and redis-server.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import threading
import time

from harness import loads, measure
from harness.families import SMALL, fill_large
from harness.options import Run, add_options, choices, count, numbers, run_main, say
from harness.process import BenchError, Client, encode, version_of
from harness.report import REDIS, TESSERA

PARTS = ["load", "times"]
THROUGHPUT_TARGET = 0.85
P999_TARGET = 2.0
MEMORY_TARGET_SHARE, MEMORY_TARGET_BYTES = 1.05, 64_000_000
HASH_LEN = 10
BATCH = 500
SAVE_TIMEOUT_S = 600


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21600)
    parser.add_argument("--keys", help="small keys (default 10M)")
    parser.add_argument("--hashes", help="hashes of ten fields (default 1M)")
    parser.add_argument("--elements", help="elements of the large sorted set (default 5M)")
    parser.add_argument("--parts", default=",".join(PARTS), help="load, times or both (default %(default)s)")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 5)")
    parser.add_argument("--seconds", type=float, help="length of one sample in seconds (default 6)")
    parser.add_argument("--memtier", metavar="PATH", help="memtier_benchmark (default: the one in PATH)")
    arguments = parser.parse_args()
    if arguments.quick and arguments.check:
        parser.error("--quick is too short to check anything: leave out one of the two")
    usual = {
        "keys": ("10M", "200k"), "hashes": ("1M", "20k"), "elements": ("5M", "50k"),
        "rounds": (5, 1), "seconds": (6, 2),
    }  # fmt: skip
    for name, (thorough, quick) in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else thorough)
    for name in ("keys", "hashes", "elements"):
        (number,) = numbers(parser, f"--{name}", getattr(arguments, name), 1000, 100_000_000)
        setattr(arguments, name, number)
    arguments.parts = choices(parser, "--parts", arguments.parts, PARTS)
    if not 2 <= arguments.seconds <= 60 or not 0 < arguments.rounds <= 100:
        parser.error("2 to 60 seconds and at most 100 rounds")
    return arguments


def tree_bytes(pid):
    """Memory of a process and its children that nobody else has: shared pages count once."""
    total = 0
    try:
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
    except OSError:
        children = []
    for process in [str(pid), *children]:
        try:
            with open(f"/proc/{process}/smaps_rollup") as file:
                for line in file:
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
        except OSError:
            pass  # The child has ended.
    return total


def is_saving(client):
    info = client.call("INFO", "persistence").decode()
    if "rdb_last_bgsave_status:ok" not in info:
        raise BenchError("a snapshot failed")
    return "rdb_bgsave_in_progress:1" in info


class Saving(threading.Thread):
    """One snapshot after the other until told to end, and the most memory that is taken meanwhile."""

    def __init__(self, server, saves):
        super().__init__(daemon=True)
        self.server, self.saves = server, saves
        self.peak_bytes, self.done, self.ending, self.failure = 0, 0, False, None

    def run(self):
        try:
            with Client(self.server.port) as client:
                while not self.ending:
                    if self.saves and not is_saving(client):
                        client.call("BGSAVE")
                        self.done += 1
                    self.peak_bytes = max(self.peak_bytes, tree_bytes(self.server.pid))
                    time.sleep(0.05)
        except (BenchError, OSError) as error:
            self.failure = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.join()
        if self.failure:
            raise BenchError(f"{self.server.name}: {self.failure}")


def wait_until_saved(server):
    with Client(server.port) as client:
        deadline = time.monotonic() + SAVE_TIMEOUT_S
        while is_saving(client):
            if time.monotonic() > deadline:
                raise BenchError(f"{server.name}: a snapshot did not end within {SAVE_TIMEOUT_S} s")
            time.sleep(0.1)


class Snapshots:
    def __init__(self, arguments):
        self.arguments = arguments
        self.run = Run(arguments)
        self.loader = loads.KeyLoader(self.run.tool("key-loader"), arguments.client_core)
        self.specs = []
        if self.run.has_tessera:
            self.specs.append(self.run.tessera_spec(shards=arguments.shards))
        if self.run.has_redis:
            self.specs.append(self.run.redis_spec())
        self.pinned = arguments.shards == 1
        self.samples = measure.Samples()
        self.tables, self.has_missed = [], False

    def measure_load(self):
        """Half writes, half reads, as fast as they go and at half redis-server's rate; without a snapshot, and with."""
        arguments = self.arguments
        memtier = arguments.memtier or shutil.which("memtier_benchmark")
        if not memtier:
            raise BenchError("memtier_benchmark: not found (--memtier, or --parts times)")
        self.run.versions["memtier"] = version_of(memtier)
        load = loads.Memtier(memtier, arguments.keys, arguments.client_core)
        # One server at a time, so that the memory of both need not fit; redis-server first, for the rate.
        rate = None
        for spec in sorted(self.specs, key=lambda spec: spec.name != REDIS):
            with self.run.start(spec, self.pinned) as server:
                self.run.note_version(server)
                self.loader.load(server, arguments.keys)
                before = tree_bytes(server.pid)
                load.run(server, "MIXED", 1, 2)
                for number in range(arguments.rounds):
                    for saves in (False, True) if number % 2 == 0 else (True, False):
                        rate = self.sample(server, load, number, saves, before, rate)
                say(f"{spec.name}: under load done")
        self.table_of_load()

    def sample(self, server, load, number, saves, before, rate):
        state = "snapshot" if saves else "quiet"
        with Saving(server, saves) as saving:
            fast = load.run(server, "MIXED", 1, self.arguments.seconds)
            rate = rate or fast.operations_per_s / 2
            slow = load.run(server, "MIXED", 1, self.arguments.seconds, rate_per_s=rate)
        if saves:
            wait_until_saved(server)
        self.samples.add(
            round=number, server=server.name, state=state, operations_per_s=fast.operations_per_s,
            p99_ms=slow.percentiles_ms["p99.00"], p999_ms=slow.percentiles_ms["p99.90"],
            peak_bytes=saving.peak_bytes, before_bytes=before, snapshots=saving.done, rate_per_s=rate,
        )  # fmt: skip
        return rate

    def table_of_load(self):
        rows = []
        for spec in self.specs:
            quiet, busy = ({"server": spec.name, "state": state} for state in ("quiet", "snapshot"))
            judged = spec.name == TESSERA
            for field, what, target, is_most in (
                ("operations_per_s", "operations per second", THROUGHPUT_TARGET, False),
                ("p99_ms", "p99 in ms at half load", None, True),
                ("p999_ms", "p99.9 in ms at half load", P999_TARGET, True),
            ):
                ratio = statistics.median(self.samples.ratio(field, busy, quiet))
                medians = [statistics.median(self.samples.values(field, **which)) for which in (quiet, busy)]
                has_missed = judged and target is not None and (ratio > target if is_most else ratio < target)
                self.has_missed |= has_missed
                sign = "<=" if is_most else ">="
                rows.append([spec.name, what, *(f"{value:.2f}" for value in medians), f"{ratio:.2f}",
                             f"{sign} {target}" if judged and target else "",
                             ("MISS" if has_missed else "pass") if judged and target else ""])  # fmt: skip
            peaks = [max(self.samples.values("peak_bytes", **which)) for which in (quiet, busy)]
            allowed = peaks[0] * MEMORY_TARGET_SHARE + MEMORY_TARGET_BYTES
            self.has_missed |= judged and peaks[1] > allowed
            rows.append([spec.name, "peak memory in MB", *(f"{value / 1e6:.0f}" for value in peaks),
                         f"{peaks[1] / peaks[0]:.2f}", f"<= {allowed / 1e6:.0f} MB" if judged else "",
                         ("MISS" if peaks[1] > allowed else "pass") if judged else ""])  # fmt: skip
        headings = ["server", "what", "quiet", "during snapshots", "ratio", "target", "verdict"]
        title = f"Half writes, {count(self.arguments.keys)} keys, one snapshot after the other"
        self.tables.append((title, headings, rows))

    def measure_times(self):
        """SAVE, the files, and a start from them, for three kinds of data."""
        arguments, rows = self.arguments, []
        for what, fill in (
            (f"{count(arguments.keys)} small keys", lambda server: self.loader.load(server, arguments.keys)),
            (f"{count(arguments.hashes)} hashes of ten", lambda server: fill_hashes(server, arguments.hashes)),
            (f"a sorted set of {count(arguments.elements)}",
             lambda server: fill_large(server, "sorted set", arguments.elements)),
        ):  # fmt: skip
            for spec in self.specs:
                with self.run.start(spec, self.pinned) as server:
                    self.run.note_version(server)
                    fill(server)
                    row = self.time_one(server)
                self.samples.add(round=0, server=spec.name, data=what, **row)
                rows.append([what, spec.name, *(f"{row[field]:.2f}" for field in ("save_s", "load_s")),
                             *(f"{row[field] / 1e6:.1f}" for field in
                               ("file_bytes", "before_bytes", "save_peak_bytes", "load_peak_bytes"))])
                say(f"{what}, {spec.name}: saved in {row['save_s']:.2f} s, loaded in {row['load_s']:.2f} s")
        headings = ["data", "server", "save s", "load s", "files MB", "memory MB", "peak while saving MB",
                    "peak after loading MB"]  # fmt: skip
        self.tables.append(("Saving and loading", headings, rows))

    def time_one(self, server):
        before = measure.settled_rss_bytes(server)
        with Client(server.port) as client:
            client.socket.settimeout(SAVE_TIMEOUT_S)
            keys = client.call("DBSIZE")
            with Saving(server, saves=False) as watch:
                began = time.monotonic()
                client.call("BGSAVE")
                wait_until_saved(server)
                save_s = time.monotonic() - began
        # What was written may still be on its way to the disk, or in its cache: both servers load from a warm cache or
        # none.
        files = [entry.stat().st_size for entry in os.scandir(server.directory) if entry.name != "log"]
        load_s = server.restart(SAVE_TIMEOUT_S)
        with Client(server.port) as client:
            if client.call("DBSIZE") != keys:
                raise BenchError(f"{server.name}: other keys after a start than before")
        return {
            "save_s": save_s, "load_s": load_s, "file_bytes": sum(files), "before_bytes": before,
            "save_peak_bytes": watch.peak_bytes, "load_peak_bytes": peak_rss_bytes(server.pid),
        }  # fmt: skip

    def report(self):
        arguments = self.arguments
        conditions = [
            f"- {arguments.shards} shard(s); keys of 16 bytes, values of 64 random bytes; "
            + ("server and client on a core each" if self.pinned else "nothing pinned"),
            f"- under load: {arguments.rounds} rounds of {arguments.seconds} s, {loads.CONNECTIONS} connections, "
            "pipeline 1, half SET and half GET; half load is half of what redis-server reaches without a snapshot",
            "- memory: PSS of the process and its children",
            "- times: from BGSAVE until INFO says that it is done; from the process's start until it serves",
        ]
        if arguments.rounds < 5:
            conditions.append("- FEWER THAN 5 ROUNDS: a look, not a measurement")
        samples = {"samples": self.samples.rows}
        self.run.finish("snapshots", "Snapshots", self.tables, samples, conditions, self.has_missed)


def peak_rss_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    raise BenchError("no VmHWM line")


def fill_hashes(server, hashes):
    with Client(server.port) as client:
        for first in range(0, hashes, BATCH):
            those = range(first, min(first + BATCH, hashes))
            client.socket.sendall(b"".join(encode(SMALL["hash"](f"hash:{n:09d}", range(HASH_LEN))) for n in those))
            for _ in those:
                if client.reply() != HASH_LEN:
                    raise BenchError(f"{server.name}: HSET did not add {HASH_LEN} fields")


def main():
    snapshots = Snapshots(parse_arguments())
    for part, measure_part in (("load", snapshots.measure_load), ("times", snapshots.measure_times)):
        if part in snapshots.arguments.parts:
            measure_part()
    snapshots.report()


if __name__ == "__main__":
    run_main("snapshots.py", main)
