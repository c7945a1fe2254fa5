"""Is QuickFIX's acceptor still answering? Its thread may hang, and the process live on without FIX.

Every so often a Logon of nobody is sent to its port: QuickFIX hangs up on it at once ("session not found"). One that is not hung up on in
time means that the thread serves nobody any more.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from fix.tags import SOH
from fix.text import timestamp

__all__ = ["Watchdog"]


class Watchdog:
    """A thread that knocks at a port."""

    def __init__(self, port: int, died: Callable[[str], None], every_s: float = 15.0, within_s: float = 10.0) -> None:
        """`died(why)` is called once, when a knock is not answered within so many seconds."""
        self._port = port
        self._died = died
        self._every_s = every_s
        self._within_s = within_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fix-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to knock."""
        self._thread.start()

    def stop(self) -> None:
        """Knock no more. Before the acceptor is stopped, or that would be taken for its death."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            if not self._answered() and not self._stopped.is_set():
                self._died(f"QuickFIX's acceptor has not answered for {self._within_s:g} s")
                return

    def _answered(self) -> bool:
        """Whether it hung up on us, which is its answer."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=self._within_s) as knocking:
                knocking.sendall(_knock())
                return not knocking.recv(4096)
        except ConnectionError:
            return True  # hung up at once; a port that nobody listens on is the death of the thread, which is told by itself
        except OSError:
            return False


def _knock() -> bytes:
    body = SOH.join(["35=A", "49=NOBODY", "56=NOBODY", "34=1", f"52={timestamp(time.time_ns())}", "98=0", "108=30", ""])
    text = f"8=FIX.4.2{SOH}9={len(body)}{SOH}{body}"
    return f"{text}10={sum(text.encode()) % 256:03}{SOH}".encode()
