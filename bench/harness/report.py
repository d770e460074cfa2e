"""Targets, verdicts, and the report as text, markdown and JSON."""

import statistics

from . import tables as render
from .measure import LATENCY_LOAD

REDIS = "redis-server"
RING = "ring-echo"
TESSERA = "tessera"
TESSERA_EPOLL = "tessera-epoll"


class Line:
    """One target: what was measured against it, one value per round."""

    def __init__(self, figure, what, target, values, unit="", baseline=None):
        self.figure = figure
        self.what = what
        self.target = target
        self.values = values
        self.unit = unit
        self.baseline = baseline

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    @property
    def verdict(self):
        if self.median is None:
            return "not measured"
        return "pass" if self.median <= self.target else "MISS"

    def cells(self):
        ratio = self.unit == "x"
        median = "-" if self.median is None else f"{self.median:.3f}{self.unit and ' ' + self.unit}"
        spread = "-" if not self.values else f"{min(self.values):.3f} .. {max(self.values):.3f}"
        against = self.baseline if ratio else ""
        target = f"<= {self.target} {self.unit}".strip()
        return [str(self.figure), self.what, target, median, spread, against or "", self.verdict]


LINE_HEADINGS = ["figure", "what", "target", "median", "min .. max", "against", "verdict"]


def lines_for(results, figures):
    """The targets of the design that this run can judge."""
    samples, load = results["samples"], results["main_load"]
    lines = []

    def ratio(figure, numerator, denominator, operation, pipeline, target, layout="pinned"):
        common = {"operation": operation, "pipeline": pipeline, "load": load, "layout": layout}
        values = samples.ratio(
            "us_per_op", {"server": numerator, **common}, {"server": denominator, **common}
        )
        what = f"CPU/op {operation} P={pipeline}"
        lines.append(Line(figure, what, target, values, "x", f"{numerator} / {denominator}"))

    for operation in ("GET", "SET"):
        if 1 in figures:
            ratio(1, TESSERA, REDIS, operation, 1, 0.75)
            ratio(1, TESSERA, RING, operation, 1, 1.15)
        if 2 in figures:
            ratio(2, TESSERA, REDIS, operation, 16, 0.50)
            ratio(2, TESSERA, REDIS, operation, 100, 0.35)
        if 3 in figures:
            for counted_under in results["syscall_loads"]:
                for pipeline, target in ((1, 0.3), (16, 0.05)):
                    wanted = {"operation": operation, "pipeline": pipeline, "load": counted_under}
                    values = samples.values("syscalls_per_op", server=TESSERA, layout="pinned", **wanted)
                    what = f"system calls/op {operation} P={pipeline}, {counted_under}"
                    lines.append(Line(3, what, target, values))
        if 4 in figures:
            for pipeline, target in ((1, 1.6), (16, 1.5)):
                ratio(4, "tessera-2-shards", "tessera-1-shard", operation, pipeline, target, "unpinned")
        if 11 in figures:
            for pipeline in (1, 16, 100):
                ratio(11, TESSERA_EPOLL, REDIS, operation, pipeline, 0.9)
    if 5 in figures:
        overhead = results["overhead_bytes_per_key"].get(TESSERA, {})
        for what, name, target in (("bytes per key", "plain", 30), ("bytes per key with TTL", "ttl", 36)):
            lines.append(Line(5, what, target, [overhead[name]] if name in overhead else []))
    if 10 in figures:
        idle = [row for row in results["idle"] if row["server"] == TESSERA]
        lines.append(Line(10, "idle, % of a core", 0.5, [row["idle_cpu_percent"] for row in idle]))
        connections = idle[0]["connections"] if idle else 10_000
        values = [row["rss_bytes_per_connection"] for row in idle]
        lines.append(Line(10, f"bytes each of {connections} idle connections", 1536, values))
    lines.sort(key=lambda line: line.figure)
    return lines


def tables(results, figures):
    """The report as a list of (title, headings, rows)."""
    samples = results["samples"]
    out = []
    if results["with_tessera"]:
        out.append(("Targets", LINE_HEADINGS, [line.cells() for line in lines_for(results, figures)]))
    for layout, title in (("pinned", "server and client on a core each"), ("unpinned", "nothing pinned")):
        rows = _cpu_rows([row for row in samples.rows if row.get("layout") == layout and "us_per_op" in row], samples)
        if rows:
            headings = [
                "load", "operation", "P", "server", "us/op median", "min .. max", "x " + REDIS, "system %",
                "op/s", "server busy", "client busy", "others busy",
            ]  # fmt: skip
            out.append((f"CPU per operation, {title}", headings, rows))
    rows = [
        [row["load"], row["operation"], str(row["pipeline"]), row["server"], f"{row['syscalls_per_op']:.4f}"]
        for row in samples.rows
        if "syscalls_per_op" in row
    ]
    if rows:
        title = f"System calls per operation (counted with {results['syscall_counter']})"
        out.append((title, ["load", "operation", "P", "server", "system calls/op"], rows))
    rows = _latency_rows(samples)
    if rows:
        title = f"Latency of GET, P=1, at {results['latency_rate_per_s']:.0f} operations/s (medians, ms)"
        headings = ["server", "op/s reached", "p50", "p99", "p99 min .. max", "p99.9", "p99.9 min .. max"]
        out.append((title, headings, rows))
    if results["overhead_bytes_per_key"]:
        rows = [
            [server, f"{values['plain']:.1f}", f"{values['ttl']:.1f}" if "ttl" in values else "-"]
            for server, values in results["overhead_bytes_per_key"].items()
        ]
        title = f"Resident bytes per key beyond key and value ({results['keys']} keys)"
        out.append((title, ["server", "without TTL", "with TTL"], rows))
    if results["idle"]:
        rows = [
            [
                row["server"], f"{row['idle_cpu_percent']:.3f}", str(row["connections"]),
                f"{row['rss_bytes_per_connection']:.0f}", f"{row['idle_cpu_percent_with_connections']:.3f}",
            ]
            for row in results["idle"]
        ]  # fmt: skip
        headings = ["server", "idle CPU %", "idle connections", "RSS bytes each", "CPU % with them"]
        out.append(("Idling", headings, rows))
    return out


def _cpu_rows(rows, samples):
    keys = list(dict.fromkeys((r["load"], r["operation"], r["pipeline"], r["server"], r["layout"]) for r in rows))
    out = []
    for load, operation, pipeline, server, layout in keys:
        common = {"load": load, "operation": operation, "pipeline": pipeline, "layout": layout}
        wanted = {"server": server, **common}
        values = samples.values("us_per_op", **wanted)
        ratios = samples.ratio("us_per_op", wanted, {"server": REDIS, **common})

        def median(field, wanted=wanted):
            return statistics.median(samples.values(field, **wanted))

        out.append([
            load, operation, str(pipeline), server, f"{statistics.median(values):.3f}",
            f"{min(values):.3f} .. {max(values):.3f}", f"{statistics.median(ratios):.2f}" if ratios else "-",
            f"{100 * median('system_share'):.0f}", f"{median('operations_per_s'):.0f}",
            f"{median('server_busy'):.2f}", f"{median('client_busy'):.2f}", f"{median('others_busy'):.2f}",
        ])  # fmt: skip
    return out


def _latency_rows(samples):
    load = LATENCY_LOAD
    out = []
    for server in dict.fromkeys(row["server"] for row in samples.rows if row.get("load") == load):
        p99, p999 = (samples.values(field, server=server, load=load) for field in ("p99_ms", "p999_ms"))
        reached, p50 = (samples.values(field, server=server, load=load) for field in ("operations_per_s", "p50_ms"))
        out.append([
            server, f"{statistics.median(reached):.0f}", f"{statistics.median(p50):.3f}",
            f"{statistics.median(p99):.3f}", f"{min(p99):.3f} .. {max(p99):.3f}",
            f"{statistics.median(p999):.3f}", f"{min(p999):.3f} .. {max(p999):.3f}",
        ])  # fmt: skip
    return out


def markdown(results, figures):
    return render.markdown("Tessera: a comparison", tables(results, figures), conditions(results))


def text(results, figures):
    return render.text(tables(results, figures), conditions(results))


def conditions(results):
    """What a reader must know to judge the figures."""
    machine = results["machine"]
    lines = [
        render.machine_line(machine),
        f"- {results['rounds']} rounds of {results['seconds']} s, interleaved; {results['keys']} keys of 16 bytes, "
        f"values of 64 random bytes; {results['connections']} connections",
        "- redis-benchmark sends one pseudo-random 64-byte value per run; memtier_benchmark sends random data",
    ]
    rate = results["latency_rate_per_s"]
    rates = [row["operations_per_s"] for row in results["samples"].rows if row.get("load") == LATENCY_LOAD]
    if rate and min(rates) < 0.8 * rate:
        lines.append(
            f"- THE LATENCIES MEAN LITTLE: the client did not keep up its rate (lowest {min(rates):.0f}/s), "
            "so something else used the cores"
        )
    if results["rounds"] < 5:
        lines.append("- FEWER THAN 5 ROUNDS: a look, not a measurement")
    lines += [f"- {name}: {version}" for name, version in results["versions"].items()]
    return lines


def write(results, figures, directory):
    """Writes compare.json and compare.md; gives their paths."""
    raw = {**results, "samples": results["samples"].rows}
    raw["targets"] = [
        {"figure": line.figure, "what": line.what, "target": line.target, "values": line.values,
         "median": line.median, "against": line.baseline, "verdict": line.verdict}
        for line in (lines_for(results, figures) if results["with_tessera"] else [])
    ]  # fmt: skip
    return render.write(directory, "compare", raw, markdown(results, figures))
