"""Speaks RESP2 for findings: commands out, replies as Python values, and a list of what was expected."""

import socket
import sys
import time


class Client:
    """One connection. Errors come back as text that begins with "-"."""

    def __init__(self, port):
        for _ in range(100):
            try:
                self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=10)
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"nobody listens on port {port}")
        self.file = self.socket.makefile("rb")

    def __call__(self, line):
        words = line.split()
        text = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        self.socket.sendall(text.encode())
        return self.reply()

    def reply(self):
        line = self.file.readline().rstrip(b"\r\n").decode()
        kind, rest = line[0], line[1:]
        if kind == ":":
            return int(rest)
        if kind == "$":
            return None if rest == "-1" else self.file.read(int(rest) + 2)[:-2].decode("latin-1")
        if kind == "*":
            return None if rest == "-1" else [self.reply() for _ in range(int(rest))]
        return rest if kind == "+" else line


all_as_described = True


def check(what, got, expected):
    """Prints what was seen, and remembers if it is not what the finding describes."""
    global all_as_described
    same = expected(got) if callable(expected) else got == expected
    all_as_described &= same
    was = "" if callable(expected) else f", was {expected!r}"
    print(f"{what}: {got!r}" + ("" if same else "   <- CHANGED" + was))


def finish():
    """Ends the script: with 0 if all was as described."""
    sys.exit(0 if all_as_described else "It behaves differently from what is described above.")
