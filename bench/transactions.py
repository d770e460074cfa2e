#!/usr/bin/env python3
"""What commands and transactions over several keys cost, and how long single commands and they wait for each other.

See README.md beside this file for what is measured and how to read it. Python's standard library only.
"""

import argparse
import multiprocessing
import random
import statistics
import time

from harness.options import Run, add_options, choices, run_main, say
from harness.process import BenchError, Client, CpuMeter, encode
from harness.report import REDIS, TESSERA

KEYS = 300_000
VALUE = "v" * 64
PARTS = ("cpu", "latency", "flood")
LOAD_PROCESSES = 2
CONNECTIONS_PER_PROCESS = 32
# Different jobs of a connection before they come again.
JOBS = 200
PATIENCE_S = 60


def key(number):
    return f"key:{number:06d}"


def some_keys(chance, count):
    return [key(chance.randrange(KEYS)) for _ in range(count)]


def tagged(chance):
    return "{%d}" % chance.randrange(KEYS // 10)


def mset(chance):
    return [["MSET", *(word for name in some_keys(chance, 10) for word in (name, VALUE))]]


def mget(chance):
    return [["MGET", *some_keys(chance, 10)]]


def exec_of(names):
    first, second, third, fourth, fifth = names
    return [
        ["MULTI"], ["SET", first, VALUE], ["GET", second], ["INCR", third], ["GET", fourth], ["SET", fifth, VALUE],
        ["EXEC"],
    ]  # fmt: skip


def exec_tagged(chance):
    tag = tagged(chance)
    return exec_of([tag + "a", tag + "a", tag + "n", tag + "a", tag + "b"])


def exec_spread(chance):
    names = some_keys(chance, 4)
    return exec_of([names[0], names[1], f"number:{chance.randrange(KEYS)}", names[2], names[3]])


def watched(chance):
    tag = tagged(chance)
    return [["WATCH", tag + "a"], ["GET", tag + "a"], ["MULTI"], ["SET", tag + "a", VALUE], ["EXEC"]]


# Name: the commands of a job, jobs sent at a time, shards of the servers that are compared.
CASES = {
    "MSET of 10, P=1": (mset, 1, (1, 2)),
    "MSET of 10, P=16": (mset, 16, (1, 2)),
    "MGET of 10, P=1": (mget, 1, (1, 2)),
    "MGET of 10, P=16": (mget, 16, (1, 2)),
    "EXEC of 5 with one tag": (exec_tagged, 1, (1, 2)),
    "EXEC of 5 with one tag, 16 at a time": (exec_tagged, 16, (1, 2)),
    "EXEC of 5 anywhere": (exec_spread, 1, (1, 2)),
    "WATCH, GET, EXEC of 1 with one tag": (watched, 1, (1, 2)),
}


def load_process(port, make, depth, seconds, seed, pipe):
    """Has some connections do jobs, each a lot at a time; tells how many jobs were done."""
    chance = random.Random(seed)
    clients = [Client(port) for _ in range(CONNECTIONS_PER_PROCESS)]
    jobs = [[make(chance) for _ in range(depth)] for _ in range(JOBS)]
    lots = [(b"".join(encode(words) for job in lot for words in job), sum(map(len, lot))) for lot in jobs]
    pipe.send(None)
    pipe.recv()
    done, at, until = 0, 0, time.monotonic() + seconds
    while time.monotonic() < until:
        for client in clients:
            client.socket.sendall(lots[(at + id(client)) % JOBS][0])
        for client in clients:
            for _ in range(lots[(at + id(client)) % JOBS][1]):
                client.reply()
        at += 1
        done += depth * len(clients)
    pipe.send(done)


def cpu_sample(server, make, depth, seconds):
    """CPU time of the server for a job, in microseconds."""
    processes = []
    for number in range(LOAD_PROCESSES):
        ours, theirs = multiprocessing.Pipe()
        arguments = (server.port, make, depth, seconds, number, theirs)
        process = multiprocessing.Process(target=load_process, args=arguments, daemon=True)
        process.start()
        processes.append((process, ours))
    for _, ours in processes:
        ours.recv()
    meter = CpuMeter(server)
    meter.start()
    for _, ours in processes:
        ours.send(None)
    done = 0
    for process, ours in processes:
        if not ours.poll(PATIENCE_S):
            raise BenchError("a load does not end")
        done += ours.recv()
        process.join()
    return meter.stop()["cpu_s"] / done * 1e6


def prepare(server):
    with Client(server.port) as client:
        for first in range(0, KEYS, 500):
            client.call("MSET", *(word for number in range(first, first + 500) for word in (key(number), VALUE)))


def measure_cpu(run, arguments):
    found = {}
    for name in arguments.cases:
        make, depth, shards = CASES[name]
        specs = []
        if run.has_redis:
            specs.append(run.redis_spec())
        for count in shards if run.has_tessera else ():
            spec = run.tessera_spec(count)
            spec.name = f"{TESSERA}, {count} shards" if count > 1 else TESSERA
            specs.append(spec)
        for number in range(arguments.rounds):
            for spec in specs[number % len(specs) :] + specs[: number % len(specs)]:
                with run.start(spec, pinned=False) as server:
                    run.note_version(server)
                    prepare(server)
                    sample = cpu_sample(server, make, depth, arguments.seconds)
                    found.setdefault((name, spec.name), []).append(sample)
        for spec in specs:
            say(f"{name}, {spec.name}: {statistics.median(found[name, spec.name]):.2f} us")
    rows = []
    for (name, server), samples in found.items():
        base = statistics.median(found[name, TESSERA]) if (name, TESSERA) in found else None
        over_one = f"{statistics.median(samples) / base:.2f}" if base else ""
        redis = found.get((name, REDIS))
        over_redis = f"{statistics.median(samples) / statistics.median(redis):.2f}" if redis else ""
        spread = f"{min(samples):.2f} .. {max(samples):.2f}"
        rows.append([name, server, f"{statistics.median(samples):.2f}", spread, over_redis, over_one])
    return rows, {f"{name}: {server}": samples for (name, server), samples in found.items()}


def asks(port, make, seconds, pause_s, seed, pipe):
    """One client that does jobs one after the other, and notes how long each takes."""
    chance = random.Random(seed)
    waits_s = []
    with Client(port) as client:
        jobs = [b"".join(map(encode, make(chance))) for _ in range(JOBS)]
        replies_len = len(make(chance))
        pipe.send(None)
        pipe.recv()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            client.socket.sendall(jobs[len(waits_s) % JOBS])
            for _ in range(replies_len):
                client.reply()
            waits_s.append(time.perf_counter() - began)
            if pause_s:
                time.sleep(pause_s)
    pipe.send(waits_s)


def waits(server, clients, seconds):
    """The waits of several clients: a list for each of `clients`, which are (jobs, pause between them in s)."""
    processes = []
    for number, (make, pause_s) in enumerate(clients):
        ours, theirs = multiprocessing.Pipe()
        arguments = (server.port, make, seconds, pause_s, number, theirs)
        process = multiprocessing.Process(target=asks, args=arguments, daemon=True)
        process.start()
        processes.append((process, ours))
    for _, ours in processes:
        ours.recv()
    for _, ours in processes:
        ours.send(None)
    found = []
    for process, ours in processes:
        if not ours.poll(PATIENCE_S):
            raise BenchError("a client does not end")
        found.append(ours.recv())
        process.join()
    return found


def get_one(chance):
    return [["GET", key(chance.randrange(KEYS))]]


def all_shards(chance):
    return [["MULTI"], *(["SET", name, VALUE] for name in some_keys(chance, 8)), ["EXEC"]]


HOT = [key(number) for number in range(8)]


def hot_mset(_):
    return [["MSET", *(word for name in HOT for word in (name, VALUE))]]


def hot_exec(_):
    return [["MULTI"], *(["GET", name] for name in HOT), ["EXEC"]]


def percentile(waits_s, share):
    ordered = sorted(waits_s)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3


def measure_waits(run, arguments, part):
    rows, raw = [], {}
    cases = {
        "latency": {
            "GET beside GET": [(get_one, 0.001)] * 5,
            "GET beside transactions over all shards, a fifth of all": [(get_one, 0.001)] * 4 + [(all_shards, 0.001)],
        },
        "flood": {
            "EXEC over all shards, alone": [(hot_exec, 0)],
            "EXEC over all shards, beside 8 that MSET the same keys": [(hot_exec, 0)] + [(hot_mset, 0)] * 8,
        },
    }[part]
    specs = [run.redis_spec()] if run.has_redis else []
    if run.has_tessera:
        specs += [run.tessera_spec(shards) for shards in (2, 4)]
        for spec, shards in zip(specs[-2:], (2, 4)):
            spec.name = f"{TESSERA}, {shards} shards"
    for name, clients in cases.items():
        found = {}
        for _ in range(arguments.rounds):
            for spec in specs:
                with run.start(spec, pinned=False) as server:
                    prepare(server)
                    found.setdefault(spec.name, []).append(waits(server, clients, arguments.seconds * 2)[0])
        for server, rounds in found.items():
            figures = [[percentile(waits_s, share) for waits_s in rounds] for share in (0.5, 0.99, 0.999, 1)]
            medians = [f"{statistics.median(of_share):.2f}" for of_share in figures]
            rows.append([name, server, *medians])
            raw[f"{name}: {server}"] = figures
            say(f"{name}, {server}: p50, p99, p99.9, longest, ms: {', '.join(medians)}")
    return rows, raw


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser, 21900)
    parser.add_argument("--parts", default=",".join(PARTS), help="which (default %(default)s)")
    parser.add_argument("--cases", help="of the part cpu those whose names hold this")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each load (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.rounds is None:
        arguments.rounds = 1 if arguments.quick else 5
    if not 0 < arguments.rounds <= 100 or not 0 < arguments.seconds <= 60:
        parser.error("1 to 100 rounds, of up to 60 seconds")
    arguments.parts = choices(parser, "--parts", arguments.parts, list(PARTS))
    arguments.cases = [name for name in CASES if (arguments.cases or "") in name]
    return arguments


def main():
    arguments = parse_arguments()
    run = Run(arguments)
    tables, raw = [], {}
    if "cpu" in arguments.parts:
        rows, raw["cpu"] = measure_cpu(run, arguments)
        headings = ["job", "server", "CPU, us", "range", "over redis-server", "over one shard"]
        tables.append(("CPU of the server for a job", headings, rows))
    for part in ("latency", "flood"):
        if part in arguments.parts:
            rows, raw[part] = measure_waits(run, arguments, part)
            headings = ["who waits", "server", "p50, ms", "p99, ms", "p99.9, ms", "longest, ms"]
            tables.append(("Waits beside others: " + part, headings, rows))
    conditions = [f"- medians of {arguments.rounds} rounds, interleaved; servers and clients on all cores"]
    run.finish("transactions", "Several keys", tables, raw, conditions, has_missed=False)


if __name__ == "__main__":
    run_main("transactions.py", main)
