"""What the scripts beside compare.py have in common: their options, the servers and the programs that these name."""

import os
import shutil
import sys

from . import measure, tables
from .process import BenchError, Server, ServerSpec, refuse_debug_path, version_of
from .report import REDIS, TESSERA

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLAIN = "--port {port} --save '' --appendonly no --dir {dir}"


def add_options(parser, port_base):
    """The options that every script has."""
    parser.add_argument("--tessera", default=os.path.join(ROOT, "target/release/tessera-server"), metavar="PATH")
    parser.add_argument("--redis", default="redis-server", metavar="PATH", help="redis-server, the baseline")
    parser.add_argument("--only", choices=["tessera", "redis"], help="measure only this one")
    parser.add_argument("--tools", metavar="DIR", help="where this package's programs are (default: beside Tessera)")
    parser.add_argument("--server-core", default="0")
    parser.add_argument("--client-core", default="1")
    parser.add_argument("--port-base", type=int, default=port_base,
                        help="first of up to 100 ports (default %(default)s)")  # fmt: skip
    parser.add_argument("--out", default=os.path.join(ROOT, "target/bench"), metavar="DIR",
                        help="for JSON and markdown (default: target/bench)")  # fmt: skip
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that all works; for CI")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target was missed")


class Run:
    """What one run of a script measures: servers by name, on ports of their own."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.port = arguments.port_base
        self.machine = measure.machine()
        self.versions = {}
        self.has_tessera = arguments.only != "redis"
        self.has_redis = arguments.only != "tessera"
        if not shutil.which("taskset"):
            raise BenchError("taskset: not found")
        if self.has_redis:
            if not shutil.which(arguments.redis):
                raise BenchError(f"{arguments.redis}: not found")
            self.versions[REDIS] = version_of(arguments.redis)
        if self.has_tessera:
            self.tessera = refuse_debug_path(arguments.tessera)

    def redis_spec(self, options="", name=REDIS):
        return ServerSpec(name, f"{self.arguments.redis} {PLAIN} {options}")

    def tessera_spec(self, shards=1, options="", name=TESSERA):
        return ServerSpec(name, f"{self.tessera} {PLAIN} --shards {shards} {options}", is_tessera=True)

    def start(self, spec, pinned=True):
        """A server to be entered, on its own port; pinned to the core for servers or left alone."""
        self.port = self.port + 1 if self.port < self.arguments.port_base + 99 else self.arguments.port_base
        return Server(spec, self.port, self.arguments.server_core if pinned else None)

    def note_version(self, server):
        info = server.info()
        fields = ("tessera_version", "tessera_build")
        found = [f"{field} {info[field]}" for field in fields if field in info]
        if found:
            self.versions[server.name] = ", ".join(found)

    def tool(self, name):
        """The path of one of this package's programs."""
        return refuse_debug_path(os.path.join(self.arguments.tools or os.path.dirname(self.arguments.tessera), name))

    def finish(self, name, title, found, raw, conditions, has_missed):
        """Prints the tables, writes the files, and ends the script if a target was missed and that matters."""
        conditions = [tables.machine_line(self.machine), *conditions]
        conditions += [f"- {server}: {version}" for server, version in self.versions.items()]
        as_markdown = tables.markdown(title, found, conditions)
        say(as_markdown if self.arguments.markdown else tables.text(found, conditions))
        raw = {"machine": self.machine, "versions": self.versions, **raw}
        for path in tables.write(self.arguments.out, name, raw, as_markdown):
            say(f"written: {path}")
        if self.arguments.check and has_missed:
            sys.exit(1)


def numbers(parser, option, text, lowest, highest):
    """Whole numbers with commas between them, in order; 1.5M and 10k are numbers too."""
    found = []
    for word in text.split(","):
        factor = {"k": 1000, "m": 1_000_000}.get(word[-1:].lower(), 1)
        try:
            number = round(float(word[:-1] if factor > 1 else word) * factor)
        except ValueError:
            parser.error(f"{option}: {word!r} is no number")
        if not lowest <= number <= highest:
            parser.error(f"{option}: {number} is not within {lowest} and {highest}")
        found.append(number)
    return sorted(set(found))


def choices(parser, option, text, known):
    """Words with commas between them, each one of those known."""
    words = text.split(",")
    if not set(words) <= set(known):
        parser.error(f"{option} knows {', '.join(known)}")
    return [word for word in known if word in words]


def count(number):
    """A count for people: 10M, 0.9M, 10k."""
    for factor, letter in ((1_000_000, "M"), (1000, "k")):
        if number >= 0.9 * factor:
            return f"{number / factor:g}{letter}"
    return str(number)


def say(line):
    print(line, flush=True)


def run_main(name, main):
    """Runs a script's main function; errors go to the person at the terminal."""
    try:
        main()
    except (BenchError, OSError) as error:
        sys.exit(f"{name}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
