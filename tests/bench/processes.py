"""Child processes of the benchmark: started, waited for, watched, and ended whatever happens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.bench.client import Failed

__all__ = ["ROOT", "Child", "free_ports", "on_one_core"]

ROOT: Final = Path(__file__).resolve().parents[2]
_START_S: Final = 20
_END_S: Final = 8
_TICK_US: Final = 1_000_000 / os.sysconf("SC_CLK_TCK")
_GIVEN: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Ports that nobody has; none is given twice in a run."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _GIVEN:
            _GIVEN.add(port)
            found.append(port)
    return found


@contextmanager
def on_one_core(pinned: bool) -> Iterator[None]:
    """Pin this process, and so every child started meanwhile, to the last core it may use; nothing happens where not `pinned`."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)} if pinned else allowed)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


class Child:
    """`python -m <arguments>` in the repository's root, its output in a file; a context manager that ends it."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._name = " ".join(arguments[:2])
        self._output = folder / f"{arguments[0]}.{time.monotonic_ns()}.out"
        with self._output.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        """SIGTERM, then SIGKILL."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._process.kill()
        self._process.wait(_END_S)

    @property
    def pid(self) -> int:
        return self._process.pid

    def said(self, text: str) -> None:
        """Wait until its output has a text. Raises `Failed` where it ends, or takes too long."""
        until = time.monotonic() + _START_S
        while text not in self._output.read_text(errors="replace"):
            if self._process.poll() is not None or time.monotonic() > until:
                raise self.failed(f"it did not say {text!r}")
            time.sleep(0.02)

    def listening(self, port: int) -> None:
        """Wait until it takes connections. Raises `Failed` where it does not.

        The kernel is asked, not the port: a connection that says nothing is not what a FIX engine should begin its life with."""
        until = time.monotonic() + _START_S
        while not _is_listened_to(port):
            if self._process.poll() is not None:
                raise self.failed(f"it ended with {self._process.returncode}")
            if time.monotonic() > until:
                raise self.failed(f"it does not listen on its port after {_START_S} s")
            time.sleep(0.02)

    def cpu_us(self) -> float:
        """User and system time of all its threads, in the kernel's ticks, once it has come to rest: work that it put off counts too."""
        before = -1.0
        until = time.monotonic() + _START_S
        while (now := self._cpu_us()) > before + _TICK_US and time.monotonic() < until:
            before = now
            time.sleep(0.1)
        return now

    def failed(self, why: str) -> Failed:
        """An exception with the end of what it printed."""
        said = self._output.read_text(errors="replace").splitlines()[-15:]
        return Failed("\n  ".join([f"{self._name}: {why}", *said]))

    def _cpu_us(self) -> float:
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            raise self.failed("it is gone") from None
        return (int(fields[11]) + int(fields[12])) * _TICK_US


def _is_listened_to(port: int) -> bool:
    ending, listening = f":{port:04X}", "0A"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                _, local, _, state, *_ = line.split()
                if state == listening and local.endswith(ending):
                    return True
    return False
