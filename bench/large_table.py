#!/usr/bin/env python3
"""CPU per operation with many keys over that with few, GET and SET, keys drawn uniformly at random.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import contextlib
import shutil
import statistics

from harness import loads, measure
from harness.options import Run, add_options, count, numbers, run_main, say
from harness.process import BenchError, version_of
from harness.report import REDIS, TESSERA

TARGET = 1.15
PIPELINES = (1, 16)
# The target is for this one; at pipeline 1 the kernel's sockets hide most of the table.
TARGET_PIPELINE = 16


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21400)
    parser.add_argument("--few", help="keys of the small table (default 10k)")
    parser.add_argument("--many", help="keys of the large table (default 10M)")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 5)")
    parser.add_argument("--seconds", type=float, help="length of one sample in seconds (default 2.5)")
    parser.add_argument("--redis-benchmark", default="redis-benchmark", metavar="PATH")
    arguments = parser.parse_args()
    if arguments.quick and arguments.check:
        parser.error("--quick is too short to check anything: leave out one of the two")
    usual = {"few": ("10k", "10k"), "many": ("10M", "200k"), "rounds": (5, 1), "seconds": (2.5, 0.5)}
    for name, (thorough, quick) in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else thorough)
    (arguments.few,) = numbers(parser, "--few", arguments.few, 1000, 100_000_000)
    (arguments.many,) = numbers(parser, "--many", arguments.many, 1000, 100_000_000)
    if arguments.few >= arguments.many:
        parser.error("--few must be below --many")
    if not 0 < arguments.seconds <= 60 or not 0 < arguments.rounds <= 100:
        parser.error("at most 60 seconds and 100 rounds")
    return arguments


class LargeTable:
    """Each server twice, with few keys and with many, all of them up at once and measured in turn."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.run = Run(arguments)
        self.loader = loads.KeyLoader(self.run.tool("key-loader"), arguments.client_core)
        if not shutil.which(arguments.redis_benchmark):
            raise BenchError(f"{arguments.redis_benchmark}: not found")
        self.run.versions["redis-benchmark"] = version_of(arguments.redis_benchmark)
        self.names = [TESSERA] * self.run.has_tessera + [REDIS] * self.run.has_redis
        self.samples = measure.Samples()

    def specs(self):
        """(server with so many keys, how many) for each server and number of keys."""
        for name in self.names:
            for keys in (self.arguments.few, self.arguments.many):
                make = self.run.tessera_spec if name == TESSERA else self.run.redis_spec
                yield make(name=full_name(name, keys)), keys

    def measure(self):
        arguments = self.arguments
        with contextlib.ExitStack() as stack:
            servers, by_server = [], {}
            for spec, keys in self.specs():
                server = stack.enter_context(self.run.start(spec))
                self.run.note_version(server)
                server.check_cores()
                self.loader.load(server, keys)
                say(f"{spec.name}: loaded")
                by_server[spec.name] = loads.RedisBenchmark(arguments.redis_benchmark, keys, arguments.client_core)
                servers.append(server)
            measure.measure_cpu(
                servers, loads.ByServer("redis-benchmark", by_server), PIPELINES, arguments.rounds, arguments.seconds,
                "pinned", self.samples, say,
            )  # fmt: skip

    def table(self):
        arguments, samples = self.arguments, self.samples
        rows, has_missed = [], False
        for pipeline in PIPELINES:
            for operation in measure.OPERATIONS:
                for name in self.names:
                    few, many = (
                        {"server": full_name(name, keys), "operation": operation, "pipeline": pipeline}
                        for keys in (arguments.few, arguments.many)
                    )
                    ratios = samples.ratio("us_per_op", many, few)
                    ratio = statistics.median(ratios)
                    verdict = ""
                    if name == TESSERA and pipeline == TARGET_PIPELINE:
                        verdict = "pass" if ratio <= TARGET else "MISS"
                        has_missed |= ratio > TARGET
                    others = max(samples.values("others_busy", **few) + samples.values("others_busy", **many))
                    rows.append([
                        operation, str(pipeline), name,
                        *(f"{statistics.median(samples.values('us_per_op', **which)):.3f}" for which in (few, many)),
                        f"{ratio:.2f}", f"{min(ratios):.2f} .. {max(ratios):.2f}", f"{others:.2f}",
                        f"<= {TARGET}" if verdict else "", verdict,
                    ])  # fmt: skip
        headings = [
            "operation", "P", "server", f"us/op at {count(arguments.few)}", f"us/op at {count(arguments.many)}",
            "ratio", "min .. max", "others busy, worst", "target", "verdict",
        ]  # fmt: skip
        return ("CPU per operation, many keys over few", headings, rows), has_missed

    def report(self):
        arguments = self.arguments
        table, has_missed = self.table()
        conditions = [
            f"- {arguments.rounds} rounds of {arguments.seconds} s, interleaved; keys of 16 bytes, values of 64; "
            f"{loads.CONNECTIONS} connections; one shard; server and client on a core each",
        ]
        if arguments.rounds < 5:
            conditions.append("- FEWER THAN 5 ROUNDS: a look, not a measurement")
        raw = {"samples": self.samples.rows}
        self.run.finish("large_table", "CPU per operation in a large table", [table], raw, conditions, has_missed)


def full_name(name, keys):
    return f"{name}, {count(keys)} keys"


def main():
    large_table = LargeTable(parse_arguments())
    large_table.measure()
    large_table.report()


if __name__ == "__main__":
    run_main("large_table.py", main)
