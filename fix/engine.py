"""Starting and stopping QuickFIX. The rules are in the design's table of facts:

- `block` on a thread of Python's own, never `start`: QuickFIX's own threads make and destroy a Python thread state at every
  callback.
- Never `Acceptor.stop()`: it crashes. Sessions are logged out, waited for, and then the process ends by `os._exit`.
- QuickFIX's settings are global and its objects must outlive it: `Sessions` keeps them.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import quickfix

from fix.acceptor import session_id
from fix.rawlog import RawLogs
from fix.sessions import SessionFile

__all__ = ["Sessions"]

_LISTENING_WITHIN_S = 10


class Sessions:
    """The sessions of one configuration file, acceptor's or initiator's, on a thread of their own."""

    def __init__(
        self,
        kind: str,
        application: Any,
        file: SessionFile,
        state: Path,
        logs: RawLogs,
        died: Callable[[str], None],
    ) -> None:
        """`died(why)` is called when the thread ends without `stop`. Raises `RuntimeError` where QuickFIX refuses the file."""
        self._names = file.keys()
        self._port = int(file.default.get("SocketAcceptPort", 0)) if kind == "acceptor" else 0
        self._died = died
        self._stopping = False
        settings = quickfix.SessionSettings()
        try:
            settings.setFromString(file.resolved(state, **({} if kind == "acceptor" else {"PersistMessages": "N"})))
            # An initiator's sessions start afresh at each logon by the venue's rule, and no order is ever sent again; keeping their
            # messages would keep their secrets, and fill the memory.
            stores = quickfix.FileStoreFactory(settings) if kind == "acceptor" else quickfix.MemoryStoreFactory()
            make = quickfix.SocketAcceptor if kind == "acceptor" else quickfix.SocketInitiator
            self._engine = make(application, stores, settings, logs)
        except quickfix.FIXException as wrong:
            raise RuntimeError(f"{file.path}: {wrong}") from None
        self._kept = (application, stores, settings, logs)
        self._thread = threading.Thread(target=self._run, name=f"fix-{kind}", daemon=True)

    def start(self) -> None:
        """Let the sessions live. An acceptor returns once it listens, or once it has died of not being able to."""
        self._thread.start()
        until = time.monotonic() + _LISTENING_WITHIN_S
        while self._port and self._thread.is_alive() and time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.01)

    def logged_on(self) -> list[str]:
        """Names of the sessions that are logged on."""
        return [name for name in self._names if quickfix.Session.lookupSession(session_id(name)).isLoggedOn()]

    def stop(self, within_s: float) -> None:
        """Log everybody out and wait for it, at most so many seconds."""
        self._stopping = True
        for name in self._names:
            quickfix.Session.lookupSession(session_id(name)).logout("the router stops")
        until = time.monotonic() + within_s
        while self.logged_on() and time.monotonic() < until:
            time.sleep(0.02)

    def _run(self) -> None:
        why = "its thread ended"
        try:
            self._engine.block()
        except (quickfix.FIXException, RuntimeError) as wrong:
            why = str(wrong)
        if not self._stopping:
            self._died(why)
