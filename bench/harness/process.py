"""Servers under measurement: starting, stopping, and what the kernel says about them."""

import contextlib
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

CLOCK_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20


class BenchError(Exception):
    """Something that ends the run, with a message for the person at the terminal."""


class ServerSpec:
    """A server that can be started: its name and its command line with {port} and {dir}."""

    def __init__(self, name, command, stores=True, is_tessera=False):
        self.name = name
        self.command = command
        self.stores = stores
        self.is_tessera = is_tessera


class Server:
    """A running server. Use as a context manager; the process is stopped by its own id."""

    def __init__(self, spec, port, cores=None):
        self.spec = spec
        self.name = spec.name
        self.port = port
        self.cores = cores
        self.process = None
        self.directory = None

    def __enter__(self):
        if _port_answers(self.port):
            raise BenchError(f"port {self.port} is taken; choose another --port-base")
        self.directory = tempfile.mkdtemp(prefix="tessera-bench-")
        self._start()
        try:
            self._wait_until_up()
            if self.spec.is_tessera:
                refuse_debug_build(self)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        words = [
            word.replace("{port}", str(self.port)).replace("{dir}", self.directory)
            for word in shlex.split(self.spec.command)
        ]
        if self.cores is not None:
            words = ["taskset", "-c", self.cores] + words
        with open(os.path.join(self.directory, "log"), "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def restart(self, timeout_s):
        """Ends the process and starts it again on the same data; gives the seconds from its start until it serves."""
        self.process.kill()
        self.process.wait()
        began = time.monotonic()
        self._start()
        while time.monotonic() - began < timeout_s:
            if self.process.poll() is not None:
                break
            # For a moment the kernel may hold the killed process's sockets yet, and connections to them are reset.
            with contextlib.suppress(OSError), Client(self.port) as client:
                if client.call("PING") == "PONG":
                    return time.monotonic() - began
            time.sleep(0.02)
        raise BenchError(f"{self.name} did not start again")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def _wait_until_up(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if _port_answers(self.port):
                return
            time.sleep(0.05)
        with open(os.path.join(self.directory, "log"), "r", errors="replace") as log:
            raise BenchError(f"{self.name} did not start:\n{log.read()[-2000:]}")

    def tasks_cpu_ns(self):
        """CPU time in nanoseconds of every thread, by thread id, from the scheduler's own account."""
        times = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    times[task] = int(file.read().split()[0])
            except FileNotFoundError:
                pass  # The thread ended between the two calls.
        return times

    def check_cores(self):
        """Refuses a server that moved its threads off the cores it was given."""
        for task in os.listdir(f"/proc/{self.pid}/task"):
            allowed = os.sched_getaffinity(int(task))
            if self.cores is not None and allowed != {int(self.cores)}:
                raise BenchError(f"{self.name} runs on cores {sorted(allowed)}, though it was given core {self.cores}")

    def ticks(self):
        """User and system CPU time of the process in seconds, to 10 ms; counts ended threads too."""
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) / CLOCK_TICKS_PER_S, int(fields[12]) / CLOCK_TICKS_PER_S

    def rss_bytes(self):
        """Resident memory, exact (the figure in /proc/PID/status lags behind)."""
        with open(f"/proc/{self.pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Rss:"):
                    return int(line.split()[1]) * 1024
        raise BenchError("no Rss line in smaps_rollup")

    def info(self):
        """The fields of INFO; empty if the server has none."""
        with Client(self.port) as client:
            reply = client.call("INFO", "everything")
        if not isinstance(reply, bytes):
            return {}
        lines = (line.partition(":") for line in reply.decode(errors="replace").splitlines())
        return {name: value for name, colon, value in lines if colon}


class CpuMeter:
    """CPU time that a server spends between start() and stop()."""

    def __init__(self, server):
        self.server = server

    def start(self):
        self.tasks = self.server.tasks_cpu_ns()
        self.user_s, self.system_s = self.server.ticks()

    def stop(self):
        tasks = self.server.tasks_cpu_ns()
        user_s, system_s = self.server.ticks()
        user_s, system_s = user_s - self.user_s, system_s - self.system_s
        if self.tasks.keys() <= tasks.keys():
            cpu_s = (sum(tasks.values()) - sum(self.tasks.values())) / 1e9
        else:  # A thread ended and took its account with it.
            cpu_s = user_s + system_s
        total = user_s + system_s
        return {"cpu_s": cpu_s, "system_share": system_s / total if total else 0.0}


class Client:
    """A blocking RESP2 client, enough for the control commands."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def call(self, *words):
        self.socket.sendall(encode(words))
        return self.reply()

    def reply(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise BenchError("the server closed the control connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self.reader.read(length + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        return rest.decode(errors="replace")


def version_of(path):
    """The first line of what a program says of its version."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True)
    return (done.stdout + done.stderr).partition("\n")[0].strip()


def encode(words):
    """A command as a RESP array of bulk strings."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def refuse_debug_path(path):
    """Refuses a binary out of a debug folder; gives back its real path."""
    real = os.path.realpath(path)
    if not os.path.isfile(real):
        raise BenchError(f"{path}: no such file (build with --release, or see --help)")
    if "debug" in os.path.dirname(real).split(os.sep):
        raise BenchError(f"{real} is a debug build; its figures mean nothing")
    return real


def refuse_debug_build(server):
    build = server.info().get("tessera_build")
    if build != "release":
        raise BenchError(f"{server.name}: INFO says tessera_build:{build}; only a release build is measured")


def busy_s():
    """CPU time in seconds that this machine spent on anything at all, and what the hypervisor took."""
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq) / CLOCK_TICKS_PER_S, steal / CLOCK_TICKS_PER_S


def _port_answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
