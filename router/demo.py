"""The demo's venues: the simulators as a process of their own, beside the router."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from router.terminal import at_exit, leave, run_exits

__all__ = ["SimulatedVenues"]


class SimulatedVenues:
    """The demo's venues: a process of their own, kept when the router is killed, ended when it stops in order."""

    def __init__(self, state: Path, note: Callable[..., None]) -> None:
        self._pid_file = state / "simulators.pid"
        self._note = note

    def __enter__(self) -> None:
        if _simulators_answer():
            self._note("simulated venues are already running")
        else:
            self._pid_file.parent.mkdir(parents=True, exist_ok=True)
            command = [sys.executable, "-m", "router", "simulate", "all", "--state", str(self._pid_file.with_name("simulators"))]
            child = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - nothing in it comes from outside
            self._pid_file.write_text(str(child.pid))
            self._wait(child)
        at_exit(self._end)

    def __exit__(self, *_: object) -> None:
        run_exits()

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + 10
        while not _simulators_answer():
            if child.poll() is not None or time.monotonic() > until:
                leave(2, "the simulated venues did not start; is something else on their ports?")
            time.sleep(0.05)

    def _end(self) -> None:
        with suppress(OSError, ValueError):
            pid = int(self._pid_file.read_text())
            self._pid_file.unlink()
            command, until = Path(f"/proc/{pid}/cmdline"), time.monotonic() + 10
            if b"simulate" in command.read_bytes():
                os.kill(pid, signal.SIGTERM)
            while b"simulate" in command.read_bytes() and time.monotonic() < until:
                time.sleep(0.02)  # until what they know is written: whoever starts next reads it


def _simulators_answer() -> bool:
    try:
        with urllib.request.urlopen("http://127.0.0.1:9102/_sim/requests", timeout=0.5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
