"""What operators do with FIX sessions: look, log out, switch off, set sequence numbers, send again. Satisfies `router.admin.rims.Sessions`.

QuickFIX's own `logout` also keeps a session out until `logon`; that is what switching off is. A plain logout lets the peer back in as
soon as it is gone.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import quickfix

from fix.acceptor import session_id
from fix.presence import Presence
from fix.tags import MSG_SEQ_NUM, MSG_TYPE, SOH
from fix.text import fields
from router.admin.rims import SessionState

__all__ = ["Operations"]

Kind = Literal["client", "drop-copy", "venue"]
_ADMIN: Final = frozenset("012345A")
_GONE_WITHIN_S: Final = 3.0
_OURS: Final = re.compile(f"{SOH}(34|52|43|122|97|10)=[^{SOH}]*")
"""Fields that QuickFIX writes anew."""


class Operations:
    """The sessions of one router, by name."""

    def __init__(
        self, kinds: Mapping[str, Kind], presence: Presence, addresses: Callable[[], Mapping[str, str]], stores: Path,
        send: Callable[[str, str], bool],
    ) -> None:  # fmt: skip
        """`addresses` gives where sessions are connected from; `stores` is QuickFIX's FileStorePath; `send(session, text)` sends a message
        as it stands and says whether it could."""
        self._kinds = kinds
        self._presence = presence
        self._addresses = addresses
        self._stores = stores
        self._send = send

    def states(self) -> list[SessionState]:
        """Every session now."""
        addresses = self._addresses()
        return [self._state(name, kind, addresses.get(name, "")) for name, kind in self._kinds.items()]

    def logout(self, name: str, text: str) -> None:
        """Log it out; it may come back at once. Raises `KeyError`."""
        session = self._session(name)
        session.logout(text)
        threading.Thread(target=_let_back, args=(session,), name="logout", daemon=True).start()

    def enable(self, name: str, on: bool) -> None:
        """Let it log on, or log it out and keep it out. Raises `KeyError`."""
        session = self._session(name)
        if on:
            session.logon()
        else:
            session.logout("this session is switched off")

    def reset(self, name: str) -> None:
        """Both sequence numbers to 1, and its stored messages away: reports that it has not had can never be resent. Raises `KeyError`."""
        self._session(name).reset()

    def set_next(self, name: str, next_in: int | None, next_out: int | None) -> None:
        """Set the next MsgSeqNum(34). Raises `ValueError` while it is logged on, or for a number below 1; `KeyError`."""
        session = self._session(name)
        if session.isLoggedOn():
            raise ValueError(f"{name} is logged on: log it out first")
        for what, number in (("next_in", next_in), ("next_out", next_out)):
            if number is not None and number < 1:
                raise ValueError(f"{what}: {number} is below 1")
        if next_in is not None:
            session.setNextTargetMsgSeqNum(next_in)
        if next_out is not None:
            session.setNextSenderMsgSeqNum(next_out)

    def resend(self, name: str, begin: int, end: int) -> int:
        """Send stored application messages again, as new ones with PossResend(97)=Y (FIX 4.2 volume 1, "Possible Resends"): the client may
        have had them. Raises `ValueError`, `KeyError`."""
        session = self._session(name)
        if self._kinds[name] == "venue":
            raise ValueError("a venue is never sent anything twice")
        if not session.isLoggedOn():
            raise ValueError(f"{name} is not logged on")
        found = [text for text in self._stored(name) if begin <= int(fields(text)[MSG_SEQ_NUM]) <= (end or 1 << 60)]
        wanted = [text for text in found if fields(text)[MSG_TYPE] not in _ADMIN]
        if not wanted:
            raise ValueError(f"there are no stored application messages from {begin} to {end or 'the last'}")
        return sum(self._send(name, _again(text)) for text in wanted)

    def _state(self, name: str, kind: Kind, address: str) -> SessionState:
        session = self._session(name)
        return SessionState(
            name=name, kind=kind, logged_on=session.isLoggedOn(), enabled=session.isEnabled(), since=self._presence.since.get(name, 0),
            next_in=session.getExpectedTargetNum(), next_out=session.getExpectedSenderNum(),
            last_heard=self._presence.heard.get(name, 0), address=address,
        )  # fmt: skip

    def _session(self, name: str) -> Any:
        if name not in self._kinds:
            raise KeyError(name)
        return quickfix.Session.lookupSession(session_id(name))

    def _stored(self, name: str) -> list[str]:
        """A session's messages, from QuickFIX's file store: the header file has "number,offset,size " for each in the body file."""
        begin, _, rest = name.partition(":")
        ours, _, theirs = rest.partition("->")
        stem = self._stores / "-".join((begin, ours, *theirs.split(":")))
        try:
            index = Path(f"{stem}.header").read_text(encoding="ascii").split()
            body = Path(f"{stem}.body").read_bytes()
        except OSError:
            return []
        places = (entry.split(",") for entry in index if entry.count(",") == 2)
        return [body[int(offset) : int(offset) + int(size)].decode(errors="replace") for _, offset, size in places]


def _again(text: str) -> str:
    """A stored message as a new one."""
    head, _, rest = _OURS.sub("", text).partition(f"{SOH}{MSG_TYPE}=")
    msg_type, _, body = rest.partition(SOH)
    return f"{head}{SOH}{MSG_TYPE}={msg_type}{SOH}97=Y{SOH}{body}10=000{SOH}"


def _let_back(session: Any) -> None:
    """Once it is gone."""
    until = time.monotonic() + _GONE_WITHIN_S
    while session.isLoggedOn() and time.monotonic() < until:
        time.sleep(0.02)
    session.logon()
