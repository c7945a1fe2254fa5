"""The client side: QuickFIX's acceptor, whose callbacks turn messages into the router's inputs and its reports into messages.

What QuickFIX demands of the code here (each was reproduced, see the design's table of facts): no exception of ours may leave
a callback, nothing of a Message or SessionID may be kept after it, and toApp, toAdmin and onLogout, which hold the session's
mutex, never step the runtime. `fromApp` returns after the journal has the message: only then does QuickFIX count it as
received."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import quickfix

from fix.client import PARTIES, ClientDialect, MissingField, Refused, Request, UnsupportedMessage, grouped
from fix.dropcopy import DropCopy
from fix.guard import Noted, guarded
from fix.outbox import Outbox
from fix.passwords import Login
from fix.presence import Presence
from fix.rules import Rules
from fix.tags import BUSINESS_MESSAGE_REJECT, LOGON, MSG_TYPE, NO_PARTY_IDS, PARTY_TAGS
from fix.text import fields, group, printable
from fix.throttle import Throttle
from router.inquiries import Answer
from router.model import CancelOrder, ClientDown, ClientUp, Input, NewOrder, ReplaceOrder, Report
from router.ports import Clock

__all__ = ["Acceptor", "ClientSession", "Steps", "session_id"]


class Steps(Protocol):
    """What a rim needs of the runtime."""

    def step(self, event: Input) -> object: ...

    def hear(self, event: Input) -> None: ...

    def post(self, event: Input) -> None: ...

    def refuse(self, request: NewOrder | CancelOrder | ReplaceOrder, text: str) -> None: ...


@dataclass(frozen=True)
class ClientSession:
    """What is agreed with one client session, as far as FIX goes."""

    dialect: ClientDialect
    login: Login | None = None
    throttle: Throttle | None = None
    rules_in: Rules | None = None
    rules_out: Rules | None = None

    def decode(self, found: dict[str, str]) -> Request:
        """A message as the client means it."""
        if self.rules_in is not None:
            self.rules_in.apply(found)
        return self.dialect.decode(found)

    def encode(self, message: Report, possibly_resent: bool) -> str:
        """A report as the client wants it."""
        return self.rewritten(self.dialect.encode(message, possibly_resent))

    def refuse(self, found: dict[str, str], text: str) -> str:
        """A BusinessMessageReject(j) as the client wants it."""
        return self.rewritten(self.dialect.refuse(found, text))

    def rewritten(self, text: str) -> str:
        """What goes out, by the rules agreed."""
        return text if self.rules_out is None else self.rules_out.rewrite(text)


def session_id(name: str) -> Any:
    """QuickFIX's SessionID of a session name such as `FIX.4.2:ROUTER->OMS42`."""
    begin, _, rest = name.partition(":")
    sender, _, target = rest.partition("->")
    target, _, qualifier = target.partition(":")
    return quickfix.SessionID(begin, sender, target, qualifier)


Dictionaries = Mapping[str, Callable[[], Sequence[Any]]]


class Acceptor(quickfix.Application):
    """All client sessions; satisfies `ports.Clients`."""

    def __init__(
        self, clients: Mapping[str, ClientSession], copies: Sequence[DropCopy], dictionaries: Dictionaries, clock: Clock, note: Noted,
        presence: Presence,
    ) -> None:  # fmt: skip
        """`clients` by session name; `dictionaries` gives QuickFIX's data dictionaries of a session."""
        super().__init__()
        self._clients = clients
        self._copies = {each.session: each for each in copies}
        self._session_ids = {name: session_id(name) for name in (*clients, *self._copies)}
        self._dictionaries = dictionaries
        self._clock = clock
        self._note = note
        self._presence = presence
        self._outbox = Outbox(self.send, self._reopen, self._complain)
        self.complain: Callable[[str], None] = lambda text: note(text, level="error")
        """Told what an operator should know."""
        self._runtime: Steps | None = None

    def attach(self, runtime: Steps, around: Callable[[ClientSession], ClientSession]) -> None:
        """Say where inputs go; before that none are taken. `around`: what is put around each client session."""
        self._clients = {name: around(client) for name, client in self._clients.items()}
        self._runtime = runtime
        # That of 5.0SP2 takes a second to read: the first message with a group would wait for it, and all trading with it.
        threading.Thread(target=self._read_dictionaries, name="fix-dictionaries", daemon=True).start()

    def _read_dictionaries(self) -> None:
        for each in self._dictionaries.values():
            each()

    def report(self, message: Report, possibly_resent: bool = False) -> None:
        """Hand a report to its session. One that is away gets it at its next logon: QuickFIX stores it under its sequence
        number. An answer that may have been sent before a crash is not: it may not be true any more."""
        if possibly_resent and isinstance(message, Answer):
            return
        self._send(message, message.session, lambda: self._clients[message.session].encode(message, possibly_resent))
        for name, copy in self._copies.items():
            self._send(message, name, partial(copy.text, message, possibly_resent))

    def _send(self, message: Report, session: str, encode: Callable[[], str | None]) -> None:
        try:
            text = encode()
            if text is not None:
                self._outbox.send(session, text)
        except (KeyError, ValueError, quickfix.FIXException) as wrong:
            # Its order is journaled and in the book; the client's own status request still finds it.
            about = message.request_id if isinstance(message, Answer) else message.cl_ord_id
            self._note("report not sent", level="error", session=session, cl_ord_id=about, why=str(wrong))

    def waiting(self, session: str) -> int:
        """How many reports of a session could not be stored yet."""
        return self._outbox.waiting(session)

    def _complain(self, text: str) -> None:
        self.complain(text)

    def _reopen(self, session: str) -> None:
        quickfix.Session.lookupSession(self._session_ids[session]).refresh()

    def send(self, session: str, text: str) -> bool:
        """Send a message as it stands; False where it could not be stored. Raises `KeyError`, `quickfix.FIXException`."""
        # A repeating group is only kept together by a dictionary; without one a message is made three times as fast.
        made = quickfix.Message(text, *self._dictionaries[session](), False) if grouped(text) else quickfix.Message(text, False)
        return bool(quickfix.Session.sendToTarget(made, self._session_ids[session]))

    # --- QuickFIX's callbacks ---------------------------------------------------------------------------------------------

    def onCreate(self, session_id: Any) -> None:  # noqa: N802 - QuickFIX's names from here on
        """A session exists."""

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        self._note("client logged on", session=session_id.toString())
        guarded(self._note, self._turned, ClientUp, session_id)

    def onLogout(self, session_id: Any) -> None:  # noqa: N802
        # The session's mutex is held here: no step.
        self._note("client logged out", session=session_id.toString())
        guarded(self._note, self._turned, ClientDown, session_id)

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing to add; resends go out as they are."""

    def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._admit, message, session_id)

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._take, message, session_id, self._failed)

    def _turned(self, what: type[ClientUp] | type[ClientDown], session_id: Any) -> None:
        self._presence.turned(session_id.toString())
        if self._runtime is not None and session_id.toString() in self._clients:
            self._runtime.post(what(session_id.toString()))

    def _admit(self, message: Any, session_id: Any) -> None:
        """QuickFIX handles the session level, but for who may log on."""
        found = fields(message.toString())
        self._presence.spoke(session_id.toString())
        client = self._clients.get(session_id.toString())
        if found[MSG_TYPE] != LOGON or client is None or client.login is None:
            return
        refused = client.login.refuses(found)
        if refused:
            self._note("logon refused", level="warning", session=session_id.toString(), why=refused)
            raise quickfix.RejectLogon(refused)

    def _take(self, message: Any, session_id: Any) -> None:
        text, name = message.toString(), session_id.toString()
        found = fields(text)
        self._presence.spoke(name)
        if found[MSG_TYPE] == BUSINESS_MESSAGE_REJECT:
            # An answer to one of ours: answered in turn, two careful systems would go on for ever.
            self._note(
                "client refuses a message", level="warning", session=name, why=printable(found.get("58", "")), ref=found.get("372", "")
            )
            return
        if NO_PARTY_IDS in found:
            found[PARTIES] = group(text, NO_PARTY_IDS, PARTY_TAGS)
        try:
            request = self._understood(name, found)
        except Refused as refused:
            self._note("message refused", level="warning", session=name, msg_type=found[MSG_TYPE], why=str(refused))
            refuse = self._clients[name].refuse if name in self._clients else self._copies[name].dialect.refuse
            quickfix.Session.sendToTarget(quickfix.Message(refuse(found, str(refused)), False), session_id)
            return
        except MissingField as missing:
            raise quickfix.FieldNotFound(missing.tag) from None
        except UnsupportedMessage as unsupported:
            self._note("unsupported message", level="warning", session=name, msg_type=str(unsupported))
            raise quickfix.UnsupportedMessageType from None
        assert self._runtime is not None
        if isinstance(request, NewOrder | ReplaceOrder) and self._outbox.waiting(name):
            self._runtime.refuse(request, "the router cannot store this session's reports: the request was not taken")
            return
        try:
            self._runtime.step(request)
        except OSError as failed:
            self._note("journal failed", level="error", session=name, why=str(failed))
            why = f"the request was not taken: {failed}"
            if isinstance(request, NewOrder | CancelOrder | ReplaceOrder):
                self._runtime.refuse(request, why)
            else:
                quickfix.Session.sendToTarget(quickfix.Message(self._clients[name].refuse(found, why), False), session_id)

    def _failed(self, message: Any, session_id: Any) -> None:
        """A fault of ours: QuickFIX will count the message as received, so its sender must hear that nobody knows what became of it."""
        name = session_id.toString()
        if name in self._clients:
            why = "an internal error of the router: whether this was taken is not known, ask for the order's status"
            refused = self._clients[name].dialect.refuse(fields(message.toString()), why)
            quickfix.Session.sendToTarget(quickfix.Message(refused, False), session_id)

    def _understood(self, name: str, found: dict[str, str]) -> Request:
        """A message as a request. Raises what the dialect raises, and `Refused` for one that is not wanted now, or here."""
        if name in self._copies:
            raise Refused("this is a drop copy session: it hears reports and takes no requests")
        client = self._clients[name]
        too_many = client.throttle.refuses(found, self._clock()) if client.throttle is not None else ""
        if too_many:
            raise Refused(too_many)
        return client.decode(found)
