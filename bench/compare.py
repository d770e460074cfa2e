#!/usr/bin/env python3
"""Compares Tessera with redis-server, with floor servers and with any other server, in one interleaved run.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import sys

from harness import loads, measure, report
from harness.options import say
from harness.process import BenchError, Server, ServerSpec, refuse_debug_path, version_of

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIGURES = (1, 2, 3, 4, 5, 10, 11)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", default=",".join(map(str, FIGURES)), help="which, by number (default %(default)s)")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 5)")
    parser.add_argument("--seconds", type=float, help="length of one sample in seconds (default 2.5)")
    parser.add_argument("--keys", type=int, help="keys preloaded (default 1000000)")
    parser.add_argument("--idle-connections", type=int, help="for figure 10 (default 10000)")
    parser.add_argument("--quick", action="store_true", help="short samples that show that all works; for CI")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target was missed")
    parser.add_argument("--tessera", default=os.path.join(ROOT, "target/release/tessera-server"), metavar="PATH")
    parser.add_argument("--without-tessera", action="store_true", help="measure the other servers only")
    parser.add_argument("--floors", metavar="DIR", help="where ring-echo and epoll-echo are (default: beside Tessera)")
    parser.add_argument("--redis-server", default="redis-server", metavar="PATH", help="the baseline")
    parser.add_argument("--redis-benchmark", default="redis-benchmark", metavar="PATH")
    parser.add_argument("--memtier", metavar="PATH", help="memtier_benchmark (default: the one in PATH, if any)")
    parser.add_argument("--load", choices=["redis-benchmark", "both"], default="both",
                        help="CPU per operation under redis-benchmark only, or under memtier too")  # fmt: skip
    parser.add_argument("--server", action="append", default=[], metavar="NAME=COMMAND",
                        help="another server; {port} and {dir} in its command line are filled in")  # fmt: skip
    parser.add_argument("--floor", action="append", default=[], metavar="NAME=COMMAND",
                        help="as --server, for a server that stores nothing: no preload, no bytes per key")  # fmt: skip
    parser.add_argument("--server-core", default="0")
    parser.add_argument("--client-core", default="1")
    parser.add_argument("--port-base", type=int, default=21300, help="first of up to 20 ports (default %(default)s)")
    parser.add_argument("--out", default=os.path.join(ROOT, "target/bench"), metavar="DIR",
                        help="for JSON and markdown (default: target/bench)")  # fmt: skip
    arguments = parser.parse_args()
    if arguments.quick and arguments.check:
        parser.error("--quick is too short to check anything: leave out one of the two")
    usual = {"rounds": (5, 1), "seconds": (2.5, 0.5), "keys": (1_000_000, 100_000), "idle_connections": (10_000, 1000)}
    for name, (thorough, quick) in usual.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, quick if arguments.quick else thorough)
        if getattr(arguments, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be above 0")
    if arguments.seconds > 60 or arguments.rounds > 100 or not 1000 <= arguments.keys <= 100_000_000:
        parser.error("at most 60 seconds, 100 rounds; 1000 to 100000000 keys")
    try:
        arguments.figures = {int(figure) for figure in arguments.figures.split(",")}
    except ValueError:
        parser.error("--figures takes numbers with commas between them")
    if not arguments.figures <= set(FIGURES):
        parser.error(f"--figures knows {', '.join(map(str, FIGURES))}")
    return arguments


class Comparison:
    """One run: the servers, the load tools and what was found."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.figures = arguments.figures
        self.port = arguments.port_base
        memtier = arguments.memtier or shutil.which("memtier_benchmark")
        for tool in filter(None, ("taskset", arguments.redis_server, arguments.redis_benchmark, memtier)):
            if not shutil.which(tool):
                raise BenchError(f"{tool}: not found")
        core, keys = arguments.client_core, arguments.keys
        self.redis_benchmark = loads.RedisBenchmark(arguments.redis_benchmark, keys, core)
        self.redis_benchmark_unpinned = loads.RedisBenchmark(arguments.redis_benchmark, keys, None)
        # One client thread on one core is slower than a server that does little: the server then sleeps between
        # commands. Two threads on both cores keep it busy.
        self.busy = loads.RedisBenchmark(arguments.redis_benchmark, keys, None, threads=2)
        self.memtier = loads.Memtier(memtier, keys, core) if memtier else None
        self.samples = measure.Samples()
        self.specs = self._specs()
        self.results = {
            "machine": measure.machine(),
            "versions": self._versions(memtier),
            "rounds": arguments.rounds, "seconds": arguments.seconds, "keys": keys,
            "connections": loads.CONNECTIONS, "main_load": self.redis_benchmark.name,
            "with_tessera": not arguments.without_tessera, "samples": self.samples,
            "overhead_bytes_per_key": {}, "idle": [], "syscall_counter": None,
            "syscall_loads": [self.redis_benchmark.name, self.busy.name], "latency_rate_per_s": None,
        }  # fmt: skip

    def _specs(self):
        arguments = self.arguments
        plain = "--port {port} --save '' --dir {dir} --maxclients 11000"
        specs = [ServerSpec(report.REDIS, f"{arguments.redis_server} {plain} --appendonly no")]
        if not arguments.without_tessera:
            tessera = refuse_debug_path(arguments.tessera)
            self.tessera_command = f"{tessera} {plain}"
            specs.append(self._tessera(report.TESSERA, "--shards 1 --io-driver uring"))
            if 11 in self.figures:
                specs.append(self._tessera(report.TESSERA_EPOLL, "--shards 1 --io-driver epoll"))
        floors = arguments.floors or os.path.dirname(arguments.tessera)
        for name in (report.RING, "epoll-echo"):
            path = refuse_debug_path(os.path.join(floors, name))
            specs.append(ServerSpec(name, f"{path} --port {{port}}", stores=False))
        for others, stores in ((arguments.server, True), (arguments.floor, False)):
            for other in others:
                name, equals, command = other.partition("=")
                if not equals or "{port}" not in command or name in [spec.name for spec in specs]:
                    raise BenchError(f"{other}: not NAME=COMMAND with {{port}} in it, or a name used twice")
                specs.append(ServerSpec(name, command, stores=stores))
        return specs

    def _tessera(self, name, options):
        return ServerSpec(name, f"{self.tessera_command} {options}", is_tessera=True)

    def _versions(self, memtier):
        versions = {}
        for name, path in (("redis-server", self.arguments.redis_server),
                           ("redis-benchmark", self.arguments.redis_benchmark), ("memtier", memtier)):  # fmt: skip
            if path:
                versions[name] = version_of(path)
        return versions

    def start(self, spec, pinned=True):
        self.port += 1
        return Server(spec, self.port - 1, self.arguments.server_core if pinned else None)

    def note_version(self, server):
        info = server.info()
        fields = ("redis_version", "valkey_version", "tessera_version", "tessera_build")
        found = [f"{field} {info[field]}" for field in fields if field in info]
        if found:
            self.results["versions"][server.name] = ", ".join(found)

    def run_pinned(self):
        """Figures 1, 2, 3, 5 (without TTL) and 11, and the latencies: all servers up, each with its keys."""
        arguments = self.arguments
        by_figure = {1: {1}, 2: {16, 100}, 11: {1, 16, 100}}
        pipelines = sorted(set().union(*(by_figure.get(figure, set()) for figure in self.figures)))
        with contextlib.ExitStack() as stack:
            servers = []
            for spec in self.specs:
                server = stack.enter_context(self.start(spec))
                self.note_version(server)
                servers.append(server)
                if spec.stores:
                    overhead = measure.measure_preload(server, arguments.keys)
                    self.results["overhead_bytes_per_key"][spec.name] = {"plain": overhead}
                    say(f"{spec.name}: {overhead:.1f} bytes per key beyond key and value")
                server.check_cores()
            if {1, 2, 11} & self.figures:
                for load in self.cpu_loads():
                    measure.measure_cpu(
                        servers, load, pipelines, arguments.rounds, arguments.seconds, "pinned", self.samples, say
                    )
            if 3 in self.figures:
                self.results["syscall_counter"] = measure.measure_syscalls(
                    servers, (self.redis_benchmark, self.busy), (1, 16), arguments.seconds, self.samples, say
                )
            if 1 in self.figures and self.memtier:
                rate = self.half_load(servers[0])
                self.results["latency_rate_per_s"] = rate
                measure.measure_latency(
                    servers, self.memtier, rate, arguments.rounds, arguments.seconds, self.samples, say
                )

    def cpu_loads(self):
        both = self.memtier and self.arguments.load == "both"
        return [self.redis_benchmark, self.memtier] if both else [self.redis_benchmark]

    def half_load(self, redis):
        """Half of what memtier gets out of redis-server at pipeline 1."""
        rates = self.samples.values("operations_per_s", server=redis.name, operation="GET", pipeline=1, load="memtier")
        if not rates:
            run = self.memtier.run(redis, "GET", 1, self.arguments.seconds)
            rates = [run.operations_per_s]
        return statistics.median(rates) / 2

    def run_two_shards(self):
        """Figure 4: nothing pinned; only CPU per operation means anything on two cores."""
        specs = [
            self._tessera("tessera-1-shard", "--shards 1 --io-driver uring"),
            self._tessera("tessera-2-shards", "--shards 2 --io-driver uring"),
        ]
        with contextlib.ExitStack() as stack:
            servers = [stack.enter_context(self.start(spec, pinned=False)) for spec in specs]
            for server in servers:
                loads.preload(server, self.arguments.keys)
            measure.measure_cpu(
                servers, self.redis_benchmark_unpinned, (1, 16), self.arguments.rounds, self.arguments.seconds,
                "unpinned", self.samples, say,
            )  # fmt: skip

    def run_memory(self):
        """Figure 5: a fresh process each, without and with a TTL on every key."""
        for spec in self.specs:
            if not spec.stores or spec.name == report.TESSERA_EPOLL:
                continue
            found = self.results["overhead_bytes_per_key"].setdefault(spec.name, {})
            for name, ttl_s in (("plain", None), ("ttl", 86_400)):
                if name not in found:
                    with self.start(spec) as server:
                        found[name] = measure.measure_preload(server, self.arguments.keys, ttl_s)
            say(f"{spec.name}: bytes per key beyond key and value {found['plain']:.1f}, with TTL {found['ttl']:.1f}")

    def run_idle(self):
        """Figure 10: a fresh process each."""
        loads.raise_open_files(self.arguments.idle_connections + 200)
        for spec in self.specs:
            with self.start(spec) as server:
                idle = measure.measure_idle(
                    server, lambda server: self.redis_benchmark.run(server, "GET", 1, 20_000),
                    self.arguments.idle_connections, max(2.0, 2 * self.arguments.seconds),
                )  # fmt: skip
            self.results["idle"].append(idle)
            say(f"{spec.name}: idle CPU {idle['idle_cpu_percent']:.3f} %, "
                f"{idle['rss_bytes_per_connection']:.0f} bytes of RSS per idle connection")  # fmt: skip

    def run(self):
        if {1, 2, 3, 11} & self.figures:
            self.run_pinned()
        if 4 in self.figures and not self.arguments.without_tessera:
            self.run_two_shards()
        if 5 in self.figures:
            self.run_memory()
        if 10 in self.figures:
            self.run_idle()


def main():
    arguments = parse_arguments()
    try:
        comparison = Comparison(arguments)
        comparison.run()
    except (BenchError, OSError) as error:
        sys.exit(f"compare.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    say(report.text(comparison.results, arguments.figures))
    for path in report.write(comparison.results, arguments.figures, arguments.out):
        say(f"written: {path}")
    if arguments.check and not arguments.without_tessera:
        lines = report.lines_for(comparison.results, arguments.figures)
        if any(line.verdict != "pass" for line in lines):
            sys.exit(1)


if __name__ == "__main__":
    main()
