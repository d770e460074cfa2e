"""What families.py measures: the operations of each family, how their keys are filled, how deep lookups are timed."""

import os
import random
import time

from .loads import CONNECTIONS, MAX_REQUESTS, LoadRun, run_client
from .process import BenchError, Client, encode

# redis-benchmark puts twelve digits in the place of this word.
RANDOM = "__rand_int__"
KEYS = 100_000
SMALL_LEN = 10
BATCH = 1000


class Operation:
    """A command for redis-benchmark, and the commands that fill what it needs."""

    def __init__(self, name, words, fill=None, consumes=False):
        self.name = name
        self.words = words
        self.fill = fill
        # It takes elements away: the set-up is done anew before each run, and a run is only so long.
        self.consumes = consumes


def _numbered(count, words):
    """Commands with the numbers below `count` in the place of `RANDOM`."""
    return ([word.replace(RANDOM, "%012d" % number) for word in words] for number in range(count))


def _list(count, key="list"):
    return lambda: (["RPUSH", key, *(f"element:{number:08d}" for number in range(first, min(first + 100, count)))]
                    for first in range(0, count, 100))  # fmt: skip


def _fields(count, key="hash"):
    return lambda: _numbered(count, ["HSET", key, f"field:{RANDOM}", "0123456789abcdef"])


def _members(count, key="set"):
    return lambda: _numbered(count, ["SADD", key, f"member:{RANDOM}"])


def _scores(count, key="zset"):
    return lambda: (["ZADD", key, str(number), f"member:{number:012d}"] for number in range(count))


def _many(words):
    return lambda: _numbered(KEYS, words)


CONSUMED = 200_000
FAMILIES = {
    "lists": [
        Operation("LPUSH small", ["LPUSH", f"list:{RANDOM}", "0123456789abcdef"]),
        Operation("LPUSH one", ["LPUSH", "list", "0123456789abcdef"]),
        Operation("LPOP", ["LPOP", "list"], _list(CONSUMED), consumes=True),
        Operation("LRANGE 0 99", ["LRANGE", "list", "0", "99"], _list(1000)),
        Operation("LINDEX", ["LINDEX", "list", "50"], _list(100)),
    ],
    "hashes": [
        Operation("HSET small", ["HSET", f"hash:{RANDOM}", "field", "0123456789abcdef"]),
        Operation("HSET large", ["HSET", "hash", f"field:{RANDOM}", "0123456789abcdef"], _fields(KEYS)),
        Operation("HGET large", ["HGET", "hash", f"field:{RANDOM}"], _fields(KEYS)),
        Operation("HGETALL of 10", ["HGETALL", "hash"], _fields(10)),
        Operation("HINCRBY", ["HINCRBY", f"hash:{RANDOM}", "count", "1"]),
    ],
    "sets": [
        Operation("SADD small", ["SADD", f"set:{RANDOM}", "member"]),
        Operation("SADD large", ["SADD", "set", f"member:{RANDOM}"], _members(KEYS)),
        Operation("SISMEMBER large", ["SISMEMBER", "set", f"member:{RANDOM}"], _members(KEYS)),
        Operation("SPOP", ["SPOP", "set"], _members(CONSUMED), consumes=True),
        Operation("SRANDMEMBER", ["SRANDMEMBER", "set"], _members(KEYS)),
    ],
    "sorted_sets": [
        Operation("ZADD small", ["ZADD", f"zset:{RANDOM}", "1", "member"]),
        Operation("ZADD large", ["ZADD", "zset", RANDOM, f"member:{RANDOM}"], _scores(KEYS)),
        Operation("ZSCORE large", ["ZSCORE", "zset", f"member:{RANDOM}"], _scores(KEYS)),
        Operation("ZRANK large", ["ZRANK", "zset", f"member:{RANDOM}"], _scores(KEYS)),
        Operation("ZRANGE 0 9", ["ZRANGE", "zset", "0", "9"], _scores(KEYS)),
        Operation("ZINCRBY large", ["ZINCRBY", "zset", "1", f"member:{RANDOM}"], _scores(KEYS)),
        Operation("ZPOPMIN", ["ZPOPMIN", "zset"], _scores(CONSUMED), consumes=True),
    ],
    "hyperloglogs": [
        Operation("PFADD", ["PFADD", "hll", f"element:{RANDOM}"]),
        Operation("PFCOUNT", ["PFCOUNT", "hll"], lambda: _numbered(KEYS, ["PFADD", "hll", RANDOM])),
    ],
    "geo": [
        Operation("GEOADD", ["GEOADD", "places", "13.361389", "38.115556", f"place:{RANDOM}"]),
        Operation("GEOSEARCH", ["GEOSEARCH", "places", "FROMLONLAT", "13.5", "38.1", "BYRADIUS", "50", "km"],
                  lambda: (["GEOADD", "places", f"{13 + number % 97 / 50:.6f}", f"{37 + number % 89 / 50:.6f}",
                            f"place:{number}"] for number in range(1000))),  # fmt: skip
    ],
}  # fmt: skip

# Small collections of ten elements, by kind: the command, and what an element adds to it.
SMALL = {
    "list": lambda key, numbers: ["RPUSH", key, *(f"element:{n:08d}" for n in numbers)],
    "hash": lambda key, numbers: ["HSET", key, *(word for n in numbers for word in (f"field:{n}", f"value:{n:010d}"))],
    "set": lambda key, numbers: ["SADD", key, *(f"member:{n:09d}" for n in numbers)],
    "set of integers": lambda key, numbers: ["SADD", key, *(str(n) for n in numbers)],
    "sorted set": lambda key, numbers: ["ZADD", key, *(word for n in numbers for word in (str(n), f"member:{n:09d}"))],
}
LARGE = ["list", "hash", "set", "set of integers", "sorted set"]

# Calls whose time must not grow with the collection, or only as its logarithm. `{}` is a random index.
DEEP = {
    "sorted set": {
        "ZRANGE by rank": ["ZRANGE", "large", "{}", "{}"],
        "ZRANK": ["ZRANK", "large", "member:{:09d}"],
        "ZCOUNT": ["ZCOUNT", "large", "{}", "+inf"],
        "ZRANDMEMBER": ["ZRANDMEMBER", "large"],
    },
    "list": {"LINDEX": ["LINDEX", "large", "{}"], "LRANGE": ["LRANGE", "large", "{}", "{}"]},
    "set": {"SRANDMEMBER": ["SRANDMEMBER", "large"], "SPOP": ["SPOP", "large"]},
    "hash": {"HRANDFIELD": ["HRANDFIELD", "large"], "HGET": ["HGET", "large", "field:{}"]},
}
CALLS = 300


class FamilyLoad:
    """redis-benchmark with a command of its own."""

    counts_requests = True

    def __init__(self, path, core, operation):
        self.name = "redis-benchmark"
        self.path = path
        self.core = core
        self.operation = operation
        self.requests = {}

    def requests_for(self, server, pipeline, seconds, number):
        """How many requests take about this long, found in the first round. A short run warms the server up."""
        if self.operation.consumes:
            return CONSUMED
        if (server.name, pipeline) not in self.requests:
            trial = self.run(server, None, pipeline, 3_000 * min(pipeline, 10))
            self.requests[server.name, pipeline] = min(max(int(trial.operations_per_s * seconds), 1000), MAX_REQUESTS)
        return self.requests[server.name, pipeline]

    def run(self, server, _operation, pipeline, requests):
        words = [
            self.path, "-h", "127.0.0.1", "-p", str(server.port), "-c", str(CONNECTIONS), "-P", str(pipeline),
            "-n", str(requests), "-r", str(KEYS), "-q", *self.operation.words,
        ]  # fmt: skip
        output, wall_s, cpu_s = run_client(words, self.core, timeout_s=120)
        if "requests per second" not in output or "rror" in output:
            raise BenchError(f"{' '.join(words)} said:\n{output[-1000:]}")
        sent = -(-requests // pipeline) * pipeline
        return LoadRun(sent, wall_s, cpu_s)


def pipeline_all(server, commands):
    """Sends commands in batches; every reply must be no error."""
    with Client(server.port) as client:
        batch = []

        def flush():
            client.socket.sendall(b"".join(batch))
            for _ in batch:
                client.reply()
            batch.clear()

        for words in commands:
            batch.append(encode(words))
            if len(batch) == BATCH:
                flush()
        flush()


def set_up(server, operation):
    """Empties the server before the first run of an operation, and before each that takes elements away."""
    if getattr(server, "set_up_for", None) is operation and not operation.consumes:
        return
    server.set_up_for = operation
    with Client(server.port) as client:
        client.call("FLUSHALL")
    if operation.fill:
        pipeline_all(server, operation.fill())


def fill_small(server, kind, how_many):
    """Collections of ten elements each, with random numbers in them."""
    source = random.Random(1)
    make = SMALL[kind]
    pipeline_all(server, (
        make(f"key:{number:012d}", [source.randrange(10**9) for _ in range(SMALL_LEN)]) for number in range(how_many)
    ))  # fmt: skip


def fill_large(server, kind, elements):
    """One collection named `large`."""
    make = SMALL[kind]
    with Client(server.port) as client:
        client.call("FLUSHALL")
    pipeline_all(server, (
        make("large", range(first, min(first + 100, elements))) for first in range(0, elements, 100)
    ))  # fmt: skip


def time_per_call(server, words, elements):
    """Microseconds for a call and its reply over one connection, the median of some hundred with random indices."""
    source = random.Random(os.urandom(8))
    times = []
    with Client(server.port) as client:
        for _ in range(CALLS):
            index = source.randrange(elements)
            call = [word.format(index) for word in words]
            before = time.perf_counter()
            client.call(*call)
            times.append(time.perf_counter() - before)
    return sorted(times)[len(times) // 2] * 1e6
