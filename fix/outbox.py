"""Reports on their way to QuickFIX, which keeps each in its store until the client has had it. A store that cannot be written keeps none:
then reports wait here, in order, and are tried again.

QuickFIX's FileStore stays unwritable once a write has failed, also when there is space again, until its files are opened anew
(`Session.refresh`). `sendToTarget` says False for a message that was not stored; for one that was stored and not sent it says True.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["Outbox"]

_AGAIN_S: Final = 0.5


class Outbox:
    """The reports of all sessions that could not be stored yet. Any thread."""

    def __init__(self, store: Callable[[str, str], bool], reopen: Callable[[str], None], complain: Callable[[str], None]) -> None:
        """`store(session, text)`: hand a message to the session layer; False: it could not be kept. `reopen(session)`: open its store anew.
        `complain(text)`: told once when a session's reports begin to wait, and once when all have gone."""
        self._store = store
        self._reopen = reopen
        self._complain = complain
        self._waiting: dict[str, deque[str]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, session: str, text: str) -> None:
        """Hand a message over, behind those that wait already. Raises what `store` raises."""
        with self._lock:
            if session not in self._waiting:
                if self._store(session, text):
                    return
                self._waiting[session] = deque()
                self._complain(f"reports for {session} cannot be stored: they are kept in memory and tried again")
            self._waiting[session].append(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
                self._thread.start()

    def waiting(self, session: str) -> int:
        """How many reports of a session wait."""
        return len(self._waiting.get(session, ()))

    def retry(self) -> bool:
        """Try all that waits, in order. Returns whether anything still does."""
        with self._lock:
            for session in list(self._waiting):
                self._reopen(session)
                if self._drained(session, self._waiting[session]):
                    del self._waiting[session]
                    self._complain(f"reports for {session} are stored again, and none was left out")
            return bool(self._waiting)

    def _drained(self, session: str, texts: deque[str]) -> bool:
        while texts:
            if not self._store(session, texts[0]):
                return False
            texts.popleft()
        return True

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(_AGAIN_S)
            if not self.retry():
                with self._lock:
                    if not self._waiting:
                        self._thread = None
                        return
