#!/usr/bin/env python3
"""The longest that a client waits for a short value while another asks for much, of Tessera and redis-server.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import contextlib
import multiprocessing
import socket
import statistics
import threading
import time

from harness.options import Run, add_options, choices, run_main, say
from harness.process import BenchError, Client, ServerSpec, encode, refuse_debug_path
from harness.report import REDIS, TESSERA

BEFORE = "before"
# How long a round may take at most, in seconds: an observer that hears nothing for so long gives up.
PATIENCE_S = 150
ELEMENT = "e" * 95


class Observer:
    """Asks for a short value all the time, in a process of its own, and notes how long each answer takes."""

    def __init__(self, port):
        self.ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=self._run, args=(port, theirs), daemon=True)
        self.process.start()
        if not self.ours.poll(PATIENCE_S):
            raise BenchError("the observer does not come up")
        self.ours.recv()

    @staticmethod
    def _run(port, pipe):
        with Client(port) as client:
            client.socket.settimeout(PATIENCE_S)
            client.call("GET", "short")
            pipe.send(None)
            waits_s = []
            while not pipe.poll():
                began = time.perf_counter()
                client.call("GET", "short")
                waits_s.append(time.perf_counter() - began)
                time.sleep(0.0005)
            waits_s.sort()
            pipe.send((waits_s[-1], waits_s[int(len(waits_s) * 0.999)]))

    def finish(self):
        """The longest wait and the 99.9th percentile, in seconds."""
        self.ours.send(None)
        if not self.ours.poll(PATIENCE_S):
            raise BenchError(f"a client has waited for more than {PATIENCE_S} s")
        found = self.ours.recv()
        self.process.join()
        return found


def pipelined(client, commands, batch=500):
    for first in range(0, len(commands), batch):
        some = commands[first : first + batch]
        client.socket.sendall(b"".join(encode(words) for words in some))
        for _ in some:
            client.reply()


@contextlib.contextmanager
def flood(port, words, depth, clients, seconds):
    """Clients in a process of their own that ask for so many at a time, one lot after the other."""

    def run():
        def ask():
            data = encode(words) * depth
            until = time.monotonic() + seconds
            with Client(port) as client:
                while time.monotonic() < until:
                    client.socket.sendall(data)
                    for _ in range(depth):
                        client.reply()

        threads = [threading.Thread(target=ask) for _ in range(clients)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]

    process = multiprocessing.Process(target=run, daemon=True)
    process.start()
    yield
    process.join(PATIENCE_S)
    process.kill()


def many_keys(server, client, size):
    """DEL of so many keys in one command."""
    keys = [f"key:{number}" for number in range(size)]
    pipelined(client, [("SET", key, "x") for key in keys])
    with watching(server) as seen:
        client.call("DEL", *keys)
    return seen


def idle_readers(server, client, size):
    """LSET on a list that 30 clients have asked for and do not read."""
    pipelined(client, [("RPUSH", "list", *[ELEMENT] * 500) for _ in range(size // 500)])
    readers = []
    for _ in range(30):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(encode(("LRANGE", "list", "0", "-1")))
        readers.append(reader)
    time.sleep(0.5)
    with watching(server) as seen:
        client.call("LSET", "list", "0", "changed")
    [reader.close() for reader in readers]
    return seen


def deep_pipelines(server, client, size):
    """Four clients with so many GETs on their way."""
    with watching(server) as seen, flood(server.port, ("GET", "short"), size, 4, 2):
        pass
    return seen


def monitored(server, client, size):
    """A client that monitors, beside two with so many PINGs on their way."""
    with Client(server.port) as monitor:
        monitor.call("MONITOR")
        ending = threading.Event()

        def read():
            monitor.socket.settimeout(0.1)
            while not ending.is_set():
                with contextlib.suppress(OSError):
                    monitor.socket.recv(1 << 20)

        reader = threading.Thread(target=read)
        reader.start()
        with watching(server) as seen, flood(server.port, ("PING",), size, 2, 2):
            pass
        ending.set()
        reader.join()
    return seen


def long_string(server, client, size):
    """GET of a string of so many bytes."""
    client.call("SETRANGE", "long", size - 1, "x")
    with watching(server) as seen:
        client.call("GET", "long")
    return seen


# By name: what is done, its size and that of a quick run, and the number of Tessera's shards.
CASES = {
    "many-keys": (many_keys, 100_000, 5_000, 2),
    "idle-readers": (idle_readers, 1_000_000, 20_000, 1),
    "deep-pipelines": (deep_pipelines, 1000, 100, 1),
    "monitor": (monitored, 2000, 100, 2),
    "long-string": (long_string, 500_000_000, 2_000_000, 1),
}


class Seen:
    longest_s = p999_s = peak_bytes = taken_s = 0.0


@contextlib.contextmanager
def watching(server):
    """What an observer waits, and the most memory that the server takes, until the block ends and is digested."""
    seen, ending = Seen(), threading.Event()
    before_bytes = server.rss_bytes()

    def look():
        while not ending.wait(0.01):
            seen.peak_bytes = max(seen.peak_bytes, server.rss_bytes() - before_bytes)

    observer = Observer(server.port)
    watcher = threading.Thread(target=look)
    watcher.start()
    began = time.monotonic()
    try:
        yield seen
        seen.taken_s = time.monotonic() - began
        time.sleep(0.3)
    finally:
        ending.set()
        watcher.join()
    seen.longest_s, seen.p999_s = observer.finish()


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21700)
    parser.add_argument("--before", metavar="PATH", help="another build of Tessera, to be measured as well")
    parser.add_argument("--cases", default=",".join(CASES), help="which (default %(default)s)")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 3)")
    arguments = parser.parse_args()
    if arguments.rounds is None:
        arguments.rounds = 1 if arguments.quick else 3
    if not 0 < arguments.rounds <= 100:
        parser.error("1 to 100 rounds")
    arguments.cases = choices(parser, "--cases", arguments.cases, list(CASES))
    return arguments


def specs(run, arguments, shards):
    found = []
    if run.has_tessera:
        found.append(run.tessera_spec(shards))
        if arguments.before:
            command = found[0].command.replace(run.tessera, refuse_debug_path(arguments.before), 1)
            found.append(ServerSpec(BEFORE, command, is_tessera=True))
    if run.has_redis:
        found.append(run.redis_spec())
    return found


def measure_case(run, arguments, name):
    work, size, quick_size, shards = CASES[name]
    found = {}
    for _ in range(arguments.rounds):
        for spec in specs(run, arguments, shards):
            with run.start(spec, pinned=False) as server, Client(server.port) as client:
                run.note_version(server)
                client.socket.settimeout(PATIENCE_S)
                client.call("SET", "short", "value")
                found.setdefault(spec.name, []).append(work(server, client, quick_size if arguments.quick else size))
    return found


def main():
    arguments = parse_arguments()
    run = Run(arguments)
    rows, raw = [], {}
    for name in arguments.cases:
        found = measure_case(run, arguments, name)
        raw[name] = {server: [vars(seen) for seen in all_seen] for server, all_seen in found.items()}
        for server in (TESSERA, BEFORE, REDIS):
            if server not in found:
                continue
            all_seen = found[server]
            median = lambda field: statistics.median(getattr(seen, field) for seen in all_seen)
            longest = sorted(seen.longest_s for seen in all_seen)
            rows.append([
                name, server, f"{median('longest_s') * 1000:.1f}",
                f"{longest[0] * 1000:.1f} .. {longest[-1] * 1000:.1f}", f"{median('p999_s') * 1000:.1f}",
                f"{median('taken_s'):.2f}", f"{median('peak_bytes') / 1e6:.0f}",
            ])  # fmt: skip
            say(f"{name}, {server}: longest wait {median('longest_s') * 1000:.1f} ms")
    headings = ["beside", "server", "longest wait, ms", "range", "p99.9, ms", "it took, s", "memory grew by, MB"]
    conditions = [f"- medians of {arguments.rounds} rounds, interleaved; servers and clients on all cores"]
    run.finish("neighbours", "Beside others", [("A short GET beside a client that asks for much", headings, rows)], raw,
               conditions, has_missed=False)  # fmt: skip


if __name__ == "__main__":
    run_main("neighbours.py", main)
