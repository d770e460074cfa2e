#!/usr/bin/env python3
"""Memory per key of Tessera and redis-server: a grid of key counts, lengths of keys and values, without and with TTL.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import itertools

from harness import loads, measure
from harness.options import Run, add_options, choices, count, numbers, run_main, say
from harness.report import TESSERA

KEYS = "0.9M,1M,1.1M,3M,10M"
# What a key may take beyond itself and its value while we reckon whether a cell fits.
OVERHEAD_GUESS_BYTES = 300
TTL_S = 86_400
TARGETS_BYTES = {"no": 30, "yes": 36}
USED_MEMORY_TARGET_PERCENT = 5


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21400)
    parser.add_argument("--keys", help=f"how many, with commas between them (default {KEYS})")
    parser.add_argument("--value-lens", help="in bytes (default 8,64,512,4096)")
    parser.add_argument("--key-lens", help="in bytes (default 16,40)")
    parser.add_argument("--ttl", help="no, yes or both with a comma (default no,yes)")
    parser.add_argument("--memory-max-gb", type=float, default=12,
                        help="cells that need more are skipped (default %(default)s)")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.quick and arguments.check:
        parser.error("--quick is too short to check anything: leave out one of the two")
    usual = {
        "keys": (KEYS, "100k"), "value_lens": ("8,64,512,4096", "64"), "key_lens": ("16,40", "16"),
        "ttl": ("no,yes",) * 2,
    }  # fmt: skip
    for name, (thorough, quick) in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else thorough)
    arguments.keys = numbers(parser, "--keys", arguments.keys, 1000, 100_000_000)
    arguments.value_lens = numbers(parser, "--value-lens", arguments.value_lens, 1, 1_048_576)
    arguments.key_lens = numbers(parser, "--key-lens", arguments.key_lens, 16, 1024)
    arguments.ttl = choices(parser, "--ttl", arguments.ttl, ["no", "yes"])
    return arguments


class Memory:
    """The grid, and what was found: one row for each cell and server."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.run = Run(arguments)
        self.loader = self.run.tool("key-loader")
        self.specs = []
        if self.run.has_tessera:
            self.specs.append(self.run.tessera_spec())
        if self.run.has_redis:
            self.specs.append(self.run.redis_spec())
        self.rows = []
        self.skipped = []

    def fitting_keys(self, key_len, value_len, ttl):
        """The counts of keys whose memory is within bounds, lowest first; the others are noted."""
        allowed = min(self.arguments.memory_max_gb * 1e9, 0.9 * available_bytes())
        fitting = []
        for keys in self.arguments.keys:
            needed = keys * (key_len + value_len + OVERHEAD_GUESS_BYTES)
            if needed <= allowed:
                fitting.append(keys)
                continue
            self.skipped.append({"keys": keys, "key_len": key_len, "value_len": value_len, "ttl": ttl})
            say(f"skipped: {cell(keys, key_len, value_len, ttl)} would need {needed / 1e9:.1f} GB, "
                f"{allowed / 1e9:.1f} GB are allowed (--memory-max-gb) and available")  # fmt: skip
        return fitting

    def measure(self, spec, key_len, value_len, ttl, counts):
        """One server over all counts of keys: after each it is measured, then more keys arrive."""
        arguments = self.arguments
        ttl_s = TTL_S if ttl == "yes" else None
        loader = loads.KeyLoader(self.loader, arguments.client_core, key_len, value_len, ttl_s)
        with self.run.start(spec) as server:
            self.run.note_version(server)
            server.check_cores()
            used_before = int(server.info()["used_memory"])
            rss_before = measure.settled_rss_bytes(server)
            first = 0
            for keys in counts:
                loader.load(server, keys, first)
                first = keys
                rss = measure.settled_rss_bytes(server)
                used = int(server.info()["used_memory"])
                row = {
                    "server": spec.name, "keys": keys, "key_len": key_len, "value_len": value_len, "ttl": ttl,
                    "rss_bytes": rss, "used_bytes": used, "rss_before_bytes": rss_before,
                    "used_before_bytes": used_before,
                    "overhead_bytes": (rss - rss_before) / keys - key_len - value_len,
                    "used_growth_bytes": (used - used_before) / keys,
                    "used_percent": 100 * used / rss,
                    "used_growth_percent": 100 * (used - used_before) / max(1, rss - rss_before),
                }  # fmt: skip
                self.rows.append(row)
                say(f"{spec.name}: {cell(keys, key_len, value_len, ttl)}: {row['overhead_bytes']:.1f} bytes per key "
                    f"beyond key and value, used_memory {row['used_percent']:.1f} % of RSS")  # fmt: skip

    def measure_all(self):
        arguments = self.arguments
        for key_len, value_len, ttl in itertools.product(arguments.key_lens, arguments.value_lens, arguments.ttl):
            counts = self.fitting_keys(key_len, value_len, ttl)
            for spec in self.specs if counts else ():
                self.measure(spec, key_len, value_len, ttl, counts)

    def table(self):
        names = [spec.name for spec in self.specs]
        headings = ["key", "value", "TTL", "keys"]
        for name in names:
            headings += [f"{name}: bytes/key", "used_memory/key", "of RSS %", "growth of growth %"]
        if len(names) == 2:
            headings.append("bytes/key, ratio")
        cells = {}
        for row in self.rows:
            at = (row["key_len"], row["value_len"], row["ttl"], row["keys"])
            cells.setdefault(at, {})[row["server"]] = row
        rows = []
        for (key_len, value_len, ttl, keys), found in cells.items():
            line = [str(key_len), str(value_len), ttl, count(keys)]
            for name in names:
                row = found[name]
                line += [f"{row['overhead_bytes']:.1f}", f"{row['used_growth_bytes']:.1f}",
                         f"{row['used_percent']:.1f}", f"{row['used_growth_percent']:.1f}"]  # fmt: skip
            if len(names) == 2:
                overheads = [found[name]["overhead_bytes"] for name in names]
                line.append(f"{overheads[0] / overheads[1]:.2f}" if overheads[1] > 0 else "-")
            rows.append(line)
        return "Resident bytes per key beyond key and value, and what INFO says", headings, rows

    def targets(self):
        """The worst of all counts of keys, for each length of value; and whether anything missed its target."""
        rows, has_missed = [], False

        def add(what, target, unit, found, row):
            nonlocal has_missed
            has_missed |= found > target
            at = cell(row["keys"], row["key_len"], row["value_len"], row["ttl"])
            verdict = "pass" if found <= target else "MISS"
            rows.append([what, f"<= {target} {unit}", f"{found:.1f}", at, verdict])

        tessera = [row for row in self.rows if row["server"] == TESSERA]
        for ttl, value_len in sorted({(row["ttl"], row["value_len"]) for row in tessera}):
            those = [row for row in tessera if row["ttl"] == ttl and row["value_len"] == value_len]
            worst = max(those, key=lambda row: row["overhead_bytes"])
            what = f"bytes per key, {value_len}-byte values, {'with' if ttl == 'yes' else 'without'} TTL"
            add(what, TARGETS_BYTES[ttl], "bytes", worst["overhead_bytes"], worst)
        if tessera:
            worst = max(tessera, key=lambda row: abs(100 - row["used_percent"]))
            add("used_memory off RSS", USED_MEMORY_TARGET_PERCENT, "%", abs(100 - worst["used_percent"]), worst)
        headings = ["what", "target", "worst", "at", "verdict"]
        return ("Targets", headings, rows), has_missed

    def report(self):
        tables = [self.table()]
        targets, has_missed = self.targets()
        if targets[2]:
            tables.insert(0, targets)
        conditions = [
            "- one process for each length of key, length of value and TTL; "
            f"pinned to core {self.arguments.server_core}; one shard; values are random bytes; "
            "RSS from smaps_rollup, less RSS before the first key",
            "- growth of growth: how much used_memory grew, as a share of how much RSS grew",
        ]
        if self.skipped:
            conditions.append(f"- SKIPPED for want of memory: {len(self.skipped)} cells (the JSON has them)")
        raw = {"rows": self.rows, "skipped": self.skipped}
        self.run.finish("memory", "Memory per key", tables, raw, conditions, has_missed)


def cell(keys, key_len, value_len, ttl):
    return f"{count(keys)} keys of {key_len} bytes, values of {value_len}{', TTL' if ttl == 'yes' else ''}"


def available_bytes():
    """Memory that can be had without swapping."""
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def main():
    memory = Memory(parse_arguments())
    memory.measure_all()
    memory.report()


if __name__ == "__main__":
    run_main("memory.py", main)
