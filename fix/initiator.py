"""The FIX venues' side: QuickFIX's initiator, one session for each account and endpoint, and one `VenueLink` for each session.

Toward a venue "sent" means "perhaps": `sendToTarget` says True for what it only queued. So a link sends only between logon
and logout, never lets QuickFIX re-issue an old message (a resent order would be a second order), and knows nothing about
outcomes: reports tell."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import quickfix

from fix import tags as t
from fix.acceptor import Steps
from fix.guard import Noted, guarded
from fix.presence import Presence
from fix.text import Malformed, fields, printable
from router.model import CancelRejected, LinkDown, LinkUp, Rejected, VenueCommand, VenueEvent
from router.ports import Unsendable

__all__ = ["Dialect", "Initiator", "VenueLink"]

_REMEMBERED: Final = 4096
"""Sent messages kept to tell which one a session-level Reject(3) refuses; far more than a venue can leave unanswered."""


class Dialect(Protocol):
    """How one FIX venue says things; `apifiny.ApifinyDialect` is one."""

    def encode(self, command: VenueCommand) -> str: ...

    def decode(self, found: Mapping[str, str]) -> VenueEvent: ...


class VenueLink:
    """One initiator session; satisfies `ports.Venue`."""

    def __init__(
        self,
        name: str,
        account: str,
        session_id: Any,
        dialect: Dialect,
        logon_fields: Callable[[], Mapping[int, str]],
        mint: Callable[[int, int, int], str],
    ) -> None:
        """`logon_fields`: what a Logon carries, made afresh at each. `mint(now, random, serial)`: an order id by the venue's
        rule."""
        self.name = name
        self.account = account
        self.dialect = dialect
        self.logon_fields = logon_fields
        self.logged_on = False
        self.last_refusal = ""
        """Text of the venue's last Logout, for whoever wonders why the link is down."""
        self._session_id = session_id
        self._mint = mint
        self._start = secrets.randbelow(1_000_000)
        """Differs at each start, so that ids made in the same millisecond before and after a restart do."""
        self._serial = 0
        self._sender = 0
        """Identity of the thread that is in `submit`; QuickFIX calls toApp on it, and on its own thread for resends."""
        self._sent: deque[str] = deque(maxlen=_REMEMBERED)

    def mint(self, now: int) -> str:
        """A new order id (`ports.Venue.mint`)."""
        self._serial += 1
        return self._mint(now, self._start, self._serial)

    def submit(self, command: VenueCommand) -> None:
        """Send a command. Raises `Unsendable` when the session is not logged on (`ports.Venue.submit`)."""
        if not self.logged_on:
            raise Unsendable(f"{self.name} is not logged on")
        self._sender = threading.get_ident()
        try:
            sent = quickfix.Session.sendToTarget(quickfix.Message(self.dialect.encode(command), False), self._session_id)
        finally:
            self._sender = 0
        if not sent:
            raise Unsendable(f"{self.name} was just logged out")

    def leaving(self, message: Any) -> None:
        """From toApp. Raises DoNotSend for anything but what `submit` sends now."""
        if self._sender != threading.get_ident():
            raise quickfix.DoNotSend
        self._sent.append(message.toString())

    def refused(self, found: Mapping[str, str]) -> VenueEvent | None:
        """The event behind a Reject(3) or BusinessMessageReject(j): a no to the order or cancel it names by RefSeqNum(45)."""
        mark = f"{t.SOH}{t.MSG_SEQ_NUM}={found.get('45')}{t.SOH}"
        text = printable(f"refused by the venue's session layer: {found.get(t.TEXT, 'no reason given')}")
        for sent in reversed(self._sent):
            if mark in sent:
                message = fields(sent)
                if message[t.MSG_TYPE] == t.NEW_ORDER_SINGLE:
                    exec_id = f"reject-{message[t.CL_ORD_ID]}"
                    return Rejected(account=self.account, exec_id=exec_id, venue_cl_ord_id=message[t.CL_ORD_ID], text=text)
                if message[t.MSG_TYPE] == t.ORDER_CANCEL_REQUEST:
                    return CancelRejected(account=self.account, venue_cl_ord_id=message[t.CL_ORD_ID], text=text)
        return None


class Initiator(quickfix.Application):
    """All sessions with FIX venues."""

    def __init__(self, links: Mapping[str, VenueLink], note: Noted, presence: Presence) -> None:
        """`links` by session name."""
        super().__init__()
        self._links = links
        self._note = note
        self._presence = presence
        self._runtime: Steps | None = None

    def attach(self, runtime: Steps) -> None:
        """Say where inputs go; before that none are taken."""
        self._runtime = runtime

    # --- QuickFIX's callbacks ---------------------------------------------------------------------------------------------

    def onCreate(self, session_id: Any) -> None:  # noqa: N802 - QuickFIX's names from here on
        """A session exists."""

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._logged_on, None, session_id)

    def onLogout(self, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._logged_out, None, session_id)

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._sign, message, session_id)

    def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        self._links[session_id.toString()].leaving(message)

    def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._hear_admin, message, session_id)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._hear, message, session_id)

    # --- what they do -----------------------------------------------------------------------------------------------------

    def _logged_on(self, _: Any, session_id: Any) -> None:
        link = self._links[session_id.toString()]
        link.logged_on = True
        self._presence.turned(link.name)
        link.last_refusal = ""
        assert self._runtime is not None
        self._runtime.hear(LinkUp(link.name))

    def _logged_out(self, _: Any, session_id: Any) -> None:
        # The session's mutex is held here: no step.
        link = self._links[session_id.toString()]
        link.logged_on = False
        self._presence.turned(link.name)
        assert self._runtime is not None
        self._runtime.post(LinkDown(link.name, link.last_refusal))

    def _sign(self, message: Any, session_id: Any) -> None:
        # The session's mutex is held here: local work only.
        if message.getHeader().getField(int(t.MSG_TYPE)) == t.LOGON:
            for tag, value in self._links[session_id.toString()].logon_fields().items():
                message.setField(tag, value)

    def _hear_admin(self, message: Any, session_id: Any) -> None:
        found = fields(message.toString())
        link = self._links[session_id.toString()]
        self._presence.spoke(link.name)
        if found[t.MSG_TYPE] == "5":
            link.last_refusal = printable(found.get(t.TEXT, ""))
            self._note("venue logs out", level="warning", link=link.name, why=link.last_refusal)
        elif found[t.MSG_TYPE] == "3":
            self._refused(link, found)
        elif found[t.MSG_TYPE] == "4" and link.logged_on:
            # We asked for messages that we missed, and the venue has none to give: whatever they said is lost.
            assert self._runtime is not None
            self._runtime.hear(LinkDown(link.name, "the venue could not repeat messages that were missed"))
            self._runtime.hear(LinkUp(link.name))

    def _hear(self, message: Any, session_id: Any) -> None:
        text, link = message.toString(), self._links[session_id.toString()]
        found = fields(text)
        self._presence.spoke(link.name)
        if found[t.MSG_TYPE] == "j":
            self._refused(link, found)
            return
        try:
            event = link.dialect.decode(found)
        except Malformed as malformed:
            self._note("venue sent nonsense", level="error", link=link.name, why=str(malformed), message=printable(text))
            return
        assert self._runtime is not None
        self._runtime.hear(event)

    def _refused(self, link: VenueLink, found: Mapping[str, str]) -> None:
        event = link.refused(found)
        self._note("venue refuses a message", level="warning", link=link.name, why=found.get(t.TEXT, ""), ref_seq_num=found.get("45"))
        if event is not None:
            assert self._runtime is not None
            self._runtime.hear(event)
