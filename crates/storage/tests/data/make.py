#!/usr/bin/env python3
"""Makes the files of this folder by real servers, and writes down what a real server finds in them.

    make.py files redis-7.0 /usr/bin/redis-server          # redis-7.0.rdb and its variants
    make.py files valkey-7.2 PATH/valkey-server            # valkey-7.2.rdb and its variants
    make.py contents PATH/valkey-server FILE.rdb ...       # FILE.default.txt and FILE.tight.txt

`contents` loads each file twice, with the settings `default` and `tight`, and writes a line for each key: database,
key, type, encoding, expiry in Unix milliseconds or `-`, and the elements, those of sets and hashes in order. Bytes
other than letters, digits and some punctuation are written as % and two hexadecimal digits. The server of the recorded
ones is Valkey 7.2.7.
"""
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PORT = int(os.environ.get("PORT", "7139"))
FOREVER_MS = 4102444800123
TIGHT = {
    "hash-max-listpack-entries": 3,
    "hash-max-listpack-value": 8,
    "list-max-listpack-size": 4,
    "set-max-intset-entries": 3,
    "set-max-listpack-entries": 4,
    "set-max-listpack-value": 8,
    "zset-max-listpack-entries": 3,
    "zset-max-listpack-value": 8,
}


class Server:
    """A server on a folder of its own, spoken to in RESP2."""

    def __init__(self, program, settings, file=None):
        self.folder = tempfile.mkdtemp()
        if file:
            shutil.copy(file, os.path.join(self.folder, "dump.rdb"))
        words = [program, "--port", str(PORT), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        words += ["--dir", self.folder, "--enable-debug-command", "yes", "--logfile", "log"]
        for name, value in settings.items():
            words += ["--" + name, str(value)]
        self.process = subprocess.Popen(words)
        for _ in range(100):
            time.sleep(0.05)
            try:
                self.socket = socket.create_connection(("127.0.0.1", PORT))
                break
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(open(os.path.join(self.folder, "log")).read())
        self.input = self.socket.makefile("rb")

    def call(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.reply()

    def reply(self):
        line = self.input.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise SystemExit(line)
        if kind == b"$":
            return None if rest == b"-1" else self.input.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest

    def save(self, name):
        self.call("SAVE")
        shutil.copy(os.path.join(self.folder, "dump.rdb"), os.path.join(os.path.dirname(__file__), name))

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


BOUNDARIES = sorted({sign * (1 << bits) + add for bits in (0, 6, 7, 12, 15, 16, 23, 31, 32, 62) for sign in (1, -1)
                     for add in (-1, 0, 1)} | {2**63 - 1, -(2**63)})


def fill(server):
    """Every type in every encoding."""
    chance = random.Random(5)
    noise = bytes(chance.randrange(256) for _ in range(1000))
    server.call("SET", "", "the empty key")
    server.call("SET", bytes(range(256)), bytes(range(256)))
    server.call("SET", "string:empty", "")
    for integer in BOUNDARIES:
        server.call("SET", f"integer:{integer}", integer)
    for text in ("007", "-0", "+1", " 1", "9223372036854775808", "1.5"):
        server.call("SET", "text:" + text, text)
    for length in (20, 21, 44, 45, 63, 64, 16383, 16384):
        server.call("SET", f"repeated:{length}", "ab" * (length // 2) + "c" * (length % 2))
    server.call("SET", "noise", noise)
    server.call("APPEND", "appended", "short")
    server.call("RPUSH", "list:short", "a", "", "1", "-5", "x" * 63, "y" * 64, "z" * 4096)
    server.call("RPUSH", "list:integers", *BOUNDARIES)
    server.call("RPUSH", "list:long", *[f"element {i} " + "e" * (i % 200) for i in range(300)])
    server.call("RPUSH", "list:compressible", *["word"] * 2000)
    server.call("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "100b")
    server.call("RPUSH", "list:plain", "a", "p" * 200, "b", noise)
    server.call("RPUSH", "list:one-plain", "q" * 150)
    server.call("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "1g")
    server.call("SADD", "set:16", 3, -1, 32767)
    server.call("SADD", "set:32", 3, -1, 32768)
    server.call("SADD", "set:64", *BOUNDARIES)
    server.call("SADD", "set:many-integers", *range(600))
    server.call("SADD", "set:few", "a", "b", "12", "")
    server.call("SADD", "set:long-member", "a", "m" * 65)
    server.call("SADD", "set:many", *[f"member {i}" for i in range(200)])
    server.call("HSET", "hash:few", "field", "value", "1", "2", "", "", "sixty-four", "v" * 64)
    server.call("HSET", "hash:long-value", "field", "v" * 65, "n", 12)
    server.call("HSET", "hash:many", *[word for i in range(600) for word in (f"field {i}", i * i)])
    scores = ["0", "-0", "1.5", "-1.5", "inf", "-inf", "1e300", "5e-324", "0.1", "4611686018427387904", "3"]
    server.call("ZADD", "zset:few", *[word for i, score in enumerate(scores) for word in (score, f"member {i}")])
    server.call("ZADD", "zset:equal", *[word for name in ("b", "a", "10", "9", "") for word in (1, name)])
    server.call("ZADD", "zset:long-member", 1, "m" * 65, "-0", "zero", "-inf", 5, "inf", 6)
    server.call("ZADD", "zset:many", *[word for i in range(200) for word in (i * 0.37, f"member {i}")])
    server.call("SET", "expires", "later", "PXAT", FOREVER_MS)
    server.call("HSET", "hash:expires", "a", 1)
    server.call("PEXPIREAT", "hash:expires", FOREVER_MS + 1)
    for db in (1, 9):
        server.call("SELECT", db)
        server.call("SET", "where", db)
    server.call("SELECT", 0)
    server.call("FUNCTION", "LOAD", "#!lua name=mylib\nredis.register_function('f', function() return 1 end)")


def files(name, program):
    server = Server(program, {})
    fill(server)
    server.save(f"{name}.rdb")
    server.call("CONFIG", "SET", "rdbcompression", "no")
    server.save(f"{name}-uncompressed.rdb")
    server.stop()
    server = Server(program, {"rdbchecksum": "no"})
    server.call("SET", "key", "value")
    server.save(f"{name}-no-checksum.rdb")
    server.call("XADD", "the stream", "1-1", "field", "value")
    server.save(f"{name}-stream.rdb")
    server.stop()
    for policy in ("allkeys-lru", "allkeys-lfu"):
        server = Server(program, {"maxmemory-policy": policy})
        server.call("SET", "key", "value")
        server.save(f"{name}-{policy}.rdb")
        server.stop()


def streams(name, program):
    """A file whose streams have groups, consumers and messages that nobody acknowledged, and keys before and behind."""
    server = Server(program, {})
    for key in ("stream:1", "stream:2"):
        server.call("SET", f"before {key}", "value")
        for number in range(1, 300):
            server.call("XADD", key, f"{number}-1", "field", "value " * (number % 40))
        server.call("XDEL", key, "1-1", "7-1")
        for group in ("one", "two"):
            server.call("XGROUP", "CREATE", key, group, "0")
            server.call("XGROUP", "CREATECONSUMER", key, group, "idle")
            for consumer in ("first", "second"):
                server.call("XREADGROUP", "GROUP", group, consumer, "COUNT", 90, "STREAMS", key, ">")
        server.call("XACK", key, "one", "2-1", "3-1")
        server.call("PEXPIREAT", key, FOREVER_MS)
        server.call("SET", f"behind {key}", "value")
    server.save(f"{name}-stream-groups.rdb")
    server.stop()


def escape(text):
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-"
    return "".join(chr(byte) if byte in plain else f"%{byte:02x}" for byte in text)


def elements(server, kind, key):
    if kind == b"string":
        return [server.call("GET", key)]
    if kind == b"list":
        return server.call("LRANGE", key, 0, -1)
    if kind == b"set":
        return sorted(server.call("SMEMBERS", key))
    if kind == b"zset":
        return server.call("ZRANGE", key, 0, -1, "WITHSCORES")
    words = server.call("HGETALL", key)
    return [word for pair in sorted(zip(words[::2], words[1::2])) for word in pair]


def contents(program, paths):
    for path in paths:
        for name, settings in (("default", {}), ("tight", TIGHT)):
            server = Server(program, settings, path)
            lines = []
            for db in range(16):
                server.call("SELECT", db)
                for key in server.call("KEYS", "*"):
                    kind, encoding = server.call("TYPE", key), server.call("OBJECT", "ENCODING", key)
                    at = server.call("PEXPIRETIME", key).decode()
                    words = [escape(word) for word in elements(server, kind, key)]
                    line = [str(db), escape(key), kind.decode(), encoding.decode(), "-" if at == "-1" else at]
                    lines.append(" ".join(line + words) + "\n")
            server.stop()
            with open(f"{path.removesuffix('.rdb')}.{name}.txt", "w") as out:
                out.writelines(sorted(lines))


if __name__ == "__main__":
    if sys.argv[1] == "files":
        files(sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "streams":
        streams(sys.argv[2], sys.argv[3])
    else:
        contents(sys.argv[2], sys.argv[3:])
