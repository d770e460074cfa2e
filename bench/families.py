#!/usr/bin/env python3
"""Lists, hashes, sets, sorted sets: CPU per operation by family, memory of many small and one large, deep lookups.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import contextlib
import shutil
import statistics

from harness import measure
from harness.families import DEEP, FAMILIES, LARGE, SMALL, FamilyLoad, fill_large, fill_small, set_up, time_per_call
from harness.options import Run, add_options, choices, count, numbers, run_main, say
from harness.process import BenchError, version_of
from harness.report import REDIS, TESSERA

PARTS = ["cpu", "memory", "deep"]
PIPELINES = (1, 16)
CPU_TARGET, CPU_TARGET_PIPELINE, MEMORY_TARGET = 0.7, 16, 0.8


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21500)
    parser.add_argument("--parts", default=",".join(PARTS), help="which, with commas between them (default all)")
    parser.add_argument("--families", help=f"which, with commas between them (default {','.join(FAMILIES)})")
    parser.add_argument("--small", help="how many small collections of each kind (default 100k)")
    parser.add_argument("--large", help="elements of the large collections (default 5M)")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 5)")
    parser.add_argument("--seconds", type=float, help="length of one sample in seconds (default 0.6)")
    parser.add_argument("--redis-benchmark", default="redis-benchmark", metavar="PATH")
    arguments = parser.parse_args()
    if arguments.quick and arguments.check:
        parser.error("--quick is too short to check anything: leave out one of the two")
    usual = {"small": ("100k", "2k"), "large": ("5M", "50k"), "rounds": (5, 1), "seconds": (0.6, 0.1)}
    for name, (thorough, quick) in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else thorough)
    (arguments.small,) = numbers(parser, "--small", arguments.small, 100, 10_000_000)
    (arguments.large,) = numbers(parser, "--large", arguments.large, 1000, 50_000_000)
    arguments.parts = choices(parser, "--parts", arguments.parts, PARTS)
    arguments.families = choices(parser, "--families", arguments.families or ",".join(FAMILIES), list(FAMILIES))
    if not 0 < arguments.seconds <= 60 or not 0 < arguments.rounds <= 100:
        parser.error("at most 60 seconds and 100 rounds")
    return arguments


class Families:
    """Both servers side by side; what was found, as tables."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.run = Run(arguments)
        if not shutil.which(arguments.redis_benchmark):
            raise BenchError(f"{arguments.redis_benchmark}: not found")
        self.run.versions["redis-benchmark"] = version_of(arguments.redis_benchmark)
        self.specs = []
        if self.run.has_tessera:
            self.specs.append(self.run.tessera_spec())
        if self.run.has_redis:
            self.specs.append(self.run.redis_spec())
        self.samples = measure.Samples()
        self.tables = []
        self.has_missed = False

    @contextlib.contextmanager
    def servers(self):
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(self.run.start(spec)) for spec in self.specs]
            for server in servers:
                self.run.note_version(server)
                server.check_cores()
            yield servers

    def ratio(self, field, **wanted):
        """Tessera's over redis-server's, round by round; nothing if only one was measured."""
        if len(self.specs) < 2:
            return []
        ours, theirs = ({"server": name, **wanted} for name in (TESSERA, REDIS))
        return self.samples.ratio(field, ours, theirs)

    def line(self, field, form, target, **wanted):
        """Medians of each server, their ratio, and what that is worth."""
        cells = []
        for spec in self.specs:
            cells.append(form.format(statistics.median(self.samples.values(field, server=spec.name, **wanted))))
        ratios = self.ratio(field, **wanted)
        if not ratios:
            return [*cells, "-", "-", "", ""]
        ratio = statistics.median(ratios)
        verdict = ""
        if target:
            verdict = "pass" if ratio <= target else "MISS"
            self.has_missed |= ratio > target
        return [*cells, f"{ratio:.2f}", f"{min(ratios):.2f} .. {max(ratios):.2f}",
                f"<= {target}" if target else "", verdict]  # fmt: skip

    def headings(self, *first):
        return [*first, *(spec.name for spec in self.specs), "ratio", "min .. max", "target", "verdict"]

    def measure_cpu(self):
        arguments, rows = self.arguments, []
        with self.servers() as servers:
            for family in arguments.families:
                for operation in FAMILIES[family]:
                    load = FamilyLoad(arguments.redis_benchmark, arguments.client_core, operation)
                    for pipeline in PIPELINES:
                        for number in range(arguments.rounds):
                            for server in measure.rotated(servers, number):
                                set_up(server, operation)
                                amount = load.requests_for(server, pipeline, arguments.seconds, number)
                                row = measure.cpu_sample(server, load, operation.name, pipeline, amount)
                                self.samples.add(round=number, family=family, **row)
                        wanted = {"operation": operation.name, "pipeline": pipeline}
                        say(f"{operation.name} P={pipeline}, CPU us/op: "
                            f"{measure.medians(self.samples, 'us_per_op', servers, **wanted)}")  # fmt: skip
                        target = CPU_TARGET if pipeline == CPU_TARGET_PIPELINE else None
                        rows.append([family, operation.name, str(pipeline),
                                     *self.line("us_per_op", "{:.3f}", target, **wanted)])  # fmt: skip
        self.tables.append(("CPU microseconds per operation", self.headings("family", "operation", "P"), rows))

    def measure_memory(self):
        arguments, rows = self.arguments, []
        for what, kinds, fill in (
            (f"{count(arguments.small)} small, bytes each", SMALL,
             lambda s, kind: fill_small(s, kind, arguments.small)),
            (f"one of {count(arguments.large)}, bytes per element", LARGE,
             lambda s, kind: fill_large(s, kind, arguments.large)),
        ):  # fmt: skip
            each = arguments.small if kinds is SMALL else arguments.large
            for kind in kinds:
                for spec in self.specs:
                    with self.run.start(spec) as server:
                        before = measure.settled_rss_bytes(server)
                        fill(server, kind)
                        used = (measure.settled_rss_bytes(server) - before) / each
                        self.samples.add(round=0, server=server.name, kind=kind, what=what, bytes_each=used)
                rows.append([kind, what, *self.line("bytes_each", "{:.1f}", MEMORY_TARGET, kind=kind, what=what)])
                say(f"{kind}, {what}: {', '.join(rows[-1][2:2 + len(self.specs)])}")
        self.tables.append(("Resident memory", self.headings("kind", "what"), rows))

    def measure_deep(self):
        arguments, rows = self.arguments, []
        with self.servers() as servers:
            for kind, calls in DEEP.items():
                for server in servers:
                    fill_large(server, kind, arguments.large)
                for name, words in calls.items():
                    for number in range(arguments.rounds):
                        for server in measure.rotated(servers, number):
                            us = time_per_call(server, words, arguments.large)
                            self.samples.add(round=number, server=server.name, call=name, us_per_call=us)
                    rows.append([name, *self.line("us_per_call", "{:.1f}", None, call=name)])
                    say(f"{name}: {', '.join(rows[-1][1:1 + len(self.specs)])} us")
        self.tables.append((f"Microseconds for a call and its reply among {count(arguments.large)} elements",
                            self.headings("call"), rows))  # fmt: skip

    def report(self):
        arguments = self.arguments
        conditions = [
            f"- {arguments.rounds} rounds of {arguments.seconds} s, interleaved; 50 connections; one shard; server and "
            "client on a core each",
            "- keys, fields and members at random out of 100,000; values of 16 bytes unless the operation says "
            "otherwise",
        ]
        if arguments.rounds < 5:
            conditions.append("- FEWER THAN 5 ROUNDS: a look, not a measurement")
        raw = {"samples": self.samples.rows}
        self.run.finish("families", "Collections", self.tables, raw, conditions, self.has_missed)


def main():
    families = Families(parse_arguments())
    for part, measure_part in (
        ("cpu", families.measure_cpu), ("memory", families.measure_memory), ("deep", families.measure_deep),
    ):  # fmt: skip
        if part in families.arguments.parts:
            measure_part()
    families.report()


if __name__ == "__main__":
    run_main("families.py", main)
