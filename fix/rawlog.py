"""QuickFIX's log, a file for each session: every message as it was on the wire, but for its secrets.

QuickFIX's own FileLog would write passwords and logon tokens as they are, and costs twice as much per message. A line goes
out with one system call, so a crash loses none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import quickfix

from fix.text import timestamp_us
from router.ports import Clock

__all__ = ["RawLogs", "redacted"]

_SECRETS: Final = re.compile("\x01(96|554|925)=[^\x01]*")
"""RawData, Password, NewPassword."""


def redacted(text: str) -> str:
    """A message without its secrets; the tags stay."""
    if "\x0196=" in text or "\x01554=" in text or "\x01925=" in text:
        return _SECRETS.sub("\x01\\1=***", text)
    return text


class _RawLog(quickfix.Log):
    """The log of one session; called by QuickFIX with the session's mutex held, so it takes no lock of ours."""

    def __init__(self, name: str, folder: Path, clock: Clock, event: Callable[[str, str], None]) -> None:
        super().__init__()
        self._name = name
        stem = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._messages = os.open(folder / f"{stem}.messages.log", flags, 0o600)
        self._events = os.open(folder / f"{stem}.event.log", flags, 0o600)
        self._clock = clock
        self._event = event

    def onIncoming(self, text: str) -> None:  # noqa: N802 - QuickFIX's name
        self._write(self._messages, "<", text)

    def onOutgoing(self, text: str) -> None:  # noqa: N802 - QuickFIX's name
        self._write(self._messages, ">", text)

    def onEvent(self, text: str) -> None:  # noqa: N802 - QuickFIX's name
        self._write(self._events, ":", text)
        self._event(self._name, text)

    def clear(self) -> None:
        """QuickFIX clears its logs at a sequence reset; an audit trail is not cleared."""

    def backup(self) -> None:
        """See `clear`."""

    def _write(self, file: int, mark: str, text: str) -> None:
        line = f"{timestamp_us(self._clock())} {mark} {redacted(text)}\n"
        try:
            os.write(file, line.encode(errors="replace"))
        except OSError:
            # A full disk must not end the FIX thread; the journal says what is wrong.
            return


class RawLogs(quickfix.LogFactory):
    """Makes the logs; keeps them alive as long as QuickFIX may call them."""

    def __init__(self, folder: Path, clock: Clock, event: Callable[[str, str], None]) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._clock = clock
        self._event = event
        self._kept: list[_RawLog] = []

    def create(self, *session: Any) -> _RawLog:
        name = session[0].toString() if session else "GLOBAL"
        log = _RawLog(name, self._folder, self._clock, self._event)
        self._kept.append(log)
        # Left to take ownership over, the binding (1.16.0) locks a mutex that is not there, and the heap is gone.
        log.this.disown()
        return log

    def destroy(self, log: Any) -> None:
        """The process ends by `os._exit`; nothing is destroyed."""
