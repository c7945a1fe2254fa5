"""Phoenix channels as a client: frames, refs, joins, replies, the heartbeat. Pure; what the messages mean is others' business.

Document, "Channels". Every request has a `ref` of its own, never used again by this process, and is answered by the `phx_reply` with it. A
request that got no answer in time is told once (`overdue`), and stays known until the connection ends: its answer may still come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from bridges.moonbase.joins import Joins, Purpose
from bridges.moonbase.payload import Malformed, dumps, fields, loads, number, printable
from bridges.wire import Frame, Out
from router.model import Remembered

__all__ = [
    "ANSWER_WITHIN", "JOIN_WITHIN", "Channel", "Message", "Pending", "Phoenix", "Reply", "Standing", "read_message", "read_reply",
]  # fmt: skip

_SECOND: Final = 1_000_000_000
HEARTBEAT_EVERY: Final = 20 * _SECOND
HEARTBEAT_WITHIN: Final = 10 * _SECOND
ANSWER_WITHIN: Final = 5 * _SECOND
JOIN_WITHIN: Final = 10 * _SECOND
_PENDING_AT_MOST: Final = 10_000
_SERVERS_FAULT: Final = ("internal", "server", "timeout", "unavailable", "crash")


class Standing(Enum):
    """How a channel stands."""

    OUT = auto()
    JOINING = auto()
    JOINED = auto()


@dataclass(slots=True)
class Channel:
    """A topic of this connection. Times in ns UTC."""

    topic: str
    standing: Standing = Standing.OUT
    join_ref: str = ""
    asked: int = 0
    """When its last join left."""
    was_joined: bool = False
    """In this connection; a channel that is joined anew goes on being heard."""
    wanted: Purpose | None = None
    """What it is to be joined for, as soon as it may be."""
    not_before: int = 0
    """The venue refused the join: when to try again."""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A frame."""

    ref: str | None
    join_ref: str | None
    topic: str
    event: str
    payload: Mapping[str, Any]


@dataclass(slots=True)
class Pending:
    """A request without an answer. `context` None: the heartbeat."""

    topic: str
    context: Any
    until: int
    told: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: `ok` True is a yes, False the venue's no, None a failure of its own that says neither."""

    ok: bool | None
    response: Any
    text: str = ""
    kind: str = ""
    """The error's `type`."""
    retry_after: int | None = None
    """ns to wait, where the venue had enough."""


class Phoenix:
    """One key's connection, and what outlives it: refs and joins."""

    def __init__(self, link: str) -> None:
        self.joins = Joins()
        self.open = False
        self._link = link
        self._ref = 0
        self._pending: dict[str, Pending] = {}
        self._beat_due = 0

    def opened(self, now: int) -> None:
        """A connection: nothing is joined in it."""
        self.closed()
        self.open = True
        self._beat_due = now + HEARTBEAT_EVERY

    def closed(self) -> list[Any]:
        """The connection is gone. Returns the contexts of what was not answered, nor told to be overdue."""
        self.open = False
        lost = [each.context for each in self._pending.values() if not each.told and each.context is not None]
        self._pending.clear()
        return lost

    # --- out --------------------------------------------------------------------------------------------------------------

    def join(self, channel: Channel, purpose: Purpose, context: Any, now: int) -> list[Out]:
        """Join a channel, or join it anew: the venue then ends the old one. First what is to be remembered, then the frame."""
        remembered = Remembered(link=self._link, key="joins", value=self.joins.take(purpose, now))
        channel.wanted, channel.standing, channel.asked = None, Standing.JOINING, now
        channel.join_ref = self._next(channel.topic, context, now + JOIN_WITHIN)
        return [remembered, _frame(channel.join_ref, channel.join_ref, channel.topic, "phx_join", channel.parameters)]

    def push(self, channel: Channel, event: str, payload: Mapping[str, Any], context: Any, now: int) -> Frame:
        """A request on a channel that is joined."""
        return _frame(self._next(channel.topic, context, now + ANSWER_WITHIN), channel.join_ref, channel.topic, event, payload)

    def beat(self, now: int) -> list[Out]:
        """The heartbeat, when it is due."""
        if not self.open or now < self._beat_due:
            return []
        self._beat_due = now + HEARTBEAT_EVERY
        return [_frame(self._next("phoenix", None, now + HEARTBEAT_WITHIN), None, "phoenix", "heartbeat", {})]

    def overdue(self, now: int) -> list[Pending]:
        """Requests whose time is over, each once."""
        late = [each for each in self._pending.values() if not each.told and now >= each.until]
        for each in late:
            each.told = True
        return late

    # --- in ---------------------------------------------------------------------------------------------------------------

    def answered(self, message: Message) -> Pending | None:
        """The request that a reply answers; None for one that we know nothing of."""
        pending = self._pending.get(message.ref or "")
        if pending is None or pending.topic != message.topic:
            return None
        return self._pending.pop(message.ref or "")

    def _next(self, topic: str, context: Any, until: int) -> str:
        self._ref += 1
        ref = str(self._ref)
        self._pending[ref] = Pending(topic, context, until)
        if len(self._pending) > _PENDING_AT_MOST:
            oldest = next((key for key, each in self._pending.items() if each.told), None)
            if oldest is not None:
                del self._pending[oldest]
        return ref


def read_message(frame: str | bytes) -> Message:
    """Raises `Malformed` for what is no frame of Phoenix."""
    message = fields(loads(frame), "the frame")
    topic, event = message.get("topic"), message.get("event")
    if not isinstance(topic, str) or not isinstance(event, str):
        raise Malformed("it names no topic or no event")
    payload = message.get("payload")
    return Message(_ref(message.get("ref")), _ref(message.get("join_ref")), topic, event, payload if isinstance(payload, dict) else {})


def read_reply(message: Message) -> Reply:
    """What a reply says (document, "Rate limits" for the only error it shows). An error that speaks of the server's own failure, or that
    cannot be read, is neither yes nor no."""
    payload = message.payload
    status, response = payload.get("status"), payload.get("response")
    if status == "ok":
        return Reply(True, response)
    error = payload if "type" in payload or not isinstance(response, dict) else response
    kind, details = printable(error.get("type") or error.get("reason")), error.get("details")
    known = details if isinstance(details, dict) else {}
    text = " ".join(filter(None, (kind, *(f"{printable(key)}: {_short(each)}" for key, each in known.items()))))[:300]
    if status != "error":
        return Reply(None, response, f"a reply that is neither ok nor error: {printable(status)}")
    if kind == "rate_limit_exceeded":
        return Reply(False, response, text, kind, _nanoseconds(known.get("retry_after")))
    if any(each in kind.lower() for each in _SERVERS_FAULT):
        return Reply(None, response, text, kind)
    return Reply(False, response, text or "refused without a reason", kind)


def _nanoseconds(seconds: Any) -> int:
    """retry_after; what cannot be read is a minute, the length of the document's window. At most an hour."""
    try:
        wait = int(number({"retry_after": seconds}, "retry_after"))
    except Malformed:
        wait = 60
    return min(max(wait + 1, 1), 3610) * _SECOND


def _short(value: Any) -> str:
    return printable(value if isinstance(value, str) else repr(value))[:100]


def _ref(value: Any) -> str | None:
    return str(value) if isinstance(value, str) or type(value) is int else None


def _frame(ref: str, join_ref: str | None, topic: str, event: str, payload: Mapping[str, Any]) -> Frame:
    return Frame(dumps({"ref": ref, "join_ref": join_ref, "topic": topic, "event": event, "payload": dict(payload)}))
