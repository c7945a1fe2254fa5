"""The client side: QuickFIX's acceptor, whose callbacks turn messages into the router's inputs and its reports into messages.

What QuickFIX demands of the code here (each was reproduced, see the design's table of facts): no exception of ours may leave
a callback, nothing of a Message or SessionID may be kept after it, and toApp, toAdmin and onLogout, which hold the session's
mutex, never step the runtime. `fromApp` returns after the journal has the message: only then does QuickFIX count it as
received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import quickfix

from fix.client import ClientDialect, MissingField, Refused, UnsupportedMessage
from fix.guard import Noted, guarded
from fix.tags import MSG_TYPE
from fix.text import fields
from router.model import CancelOrder, ClientDown, ClientUp, Input, NewOrder, ReplaceOrder, Report

__all__ = ["Acceptor", "Steps"]


class Steps(Protocol):
    """What a rim needs of the runtime."""

    def step(self, event: Input) -> None: ...

    def hear(self, event: Input) -> None: ...

    def post(self, event: Input) -> None: ...

    def refuse(self, request: NewOrder | CancelOrder | ReplaceOrder, text: str) -> None: ...


class Acceptor(quickfix.Application):
    """All client sessions; satisfies `ports.Clients`."""

    def __init__(self, dialects: Mapping[str, ClientDialect], session_ids: Mapping[str, Any], note: Noted) -> None:
        """`dialects` and QuickFIX's `session_ids`, both by session name."""
        super().__init__()
        self._dialects = dialects
        self._session_ids = session_ids
        self._note = note
        self._runtime: Steps | None = None

    def attach(self, runtime: Steps) -> None:
        """Say where inputs go; before that none are taken."""
        self._runtime = runtime

    def report(self, message: Report, possibly_resent: bool = False) -> None:
        """Hand a report to its session. One that is away gets it at its next logon: QuickFIX stores it under its sequence
        number."""
        try:
            text = self._dialects[message.session].encode(message, possibly_resent)
            quickfix.Session.sendToTarget(quickfix.Message(text, False), self._session_ids[message.session])
        except (KeyError, ValueError, quickfix.FIXException) as wrong:
            # Its order is journaled and in the book; the client's own status request still finds it.
            self._note("report not sent", level="error", session=message.session, cl_ord_id=message.cl_ord_id, why=str(wrong))

    # --- QuickFIX's callbacks ---------------------------------------------------------------------------------------------

    def onCreate(self, session_id: Any) -> None:  # noqa: N802 - QuickFIX's names from here on
        """A session exists."""

    def onLogon(self, session_id: Any) -> None:  # noqa: N802
        self._note("client logged on", session=session_id.toString())
        guarded(self._note, self._presence, ClientUp, session_id)

    def onLogout(self, session_id: Any) -> None:  # noqa: N802
        # The session's mutex is held here: no step.
        self._note("client logged out", session=session_id.toString())
        guarded(self._note, self._presence, ClientDown, session_id)

    def toAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def toApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """Nothing to add; resends go out as they are."""

    def fromAdmin(self, message: Any, session_id: Any) -> None:  # noqa: N802
        """QuickFIX handles the session level."""

    def fromApp(self, message: Any, session_id: Any) -> None:  # noqa: N802
        guarded(self._note, self._take, message, session_id)

    def _presence(self, what: type[ClientUp] | type[ClientDown], session_id: Any) -> None:
        if self._runtime is not None:
            self._runtime.post(what(session_id.toString()))

    def _take(self, message: Any, session_id: Any) -> None:
        text, name = message.toString(), session_id.toString()
        found = fields(text)
        try:
            request = self._dialects[name].decode(found)
        except Refused as refused:
            self._note("message refused", level="warning", session=name, msg_type=found[MSG_TYPE], why=str(refused))
            quickfix.Session.sendToTarget(quickfix.Message(self._dialects[name].refuse(found, str(refused)), False), session_id)
            return
        except MissingField as missing:
            raise quickfix.FieldNotFound(missing.tag) from None
        except UnsupportedMessage as unsupported:
            self._note("unsupported message", level="warning", session=name, msg_type=str(unsupported))
            raise quickfix.UnsupportedMessageType from None
        assert self._runtime is not None
        try:
            self._runtime.step(request)
        except OSError as failed:
            self._note("journal failed", level="error", session=name, why=str(failed))
            if isinstance(request, NewOrder | CancelOrder | ReplaceOrder):
                self._runtime.refuse(request, "the router cannot write its journal: the request was not taken")
