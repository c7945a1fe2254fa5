"""What certification knows of a session, and conditions on the tags of its messages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, NamedTuple, Protocol

from fix.tags import CL_ORD_ID, MSG_SEQ_NUM, MSG_TYPE, ORIG_CL_ORD_ID, POSS_DUP_FLAG
from fix.text import Malformed, fields, number, printable, timestamp_ns

__all__ = [
    "CLIENT", "EVENT", "ROUTER", "SECOND", "SESSION", "Absent", "Amount", "Condition", "Facts", "Fault", "Heard", "Is", "May", "Named",
    "Scene", "Seq", "heard", "named", "whole",
]  # fmt: skip

SECOND: Final = 1_000_000_000
CLIENT, ROUTER, EVENT = "<", ">", ":"
_MESSAGES: Final = {
    "0": "Heartbeat", "1": "TestRequest", "2": "ResendRequest", "3": "Reject", "4": "SequenceReset", "5": "Logout", "8": "ExecutionReport",
    "9": "OrderCancelReject", "A": "Logon", "D": "NewOrderSingle", "F": "OrderCancelRequest", "G": "OrderCancelReplaceRequest",
    "H": "OrderStatusRequest", "q": "OrderMassCancelRequest", "r": "OrderMassCancelReport", "j": "BusinessMessageReject",
    "AF": "OrderMassStatusRequest",
}  # fmt: skip
_TAGS: Final = {
    "7": "BeginSeqNo", "11": "ClOrdID", "34": "MsgSeqNum", "36": "NewSeqNo", "37": "OrderID", "38": "OrderQty", "39": "OrdStatus",
    "40": "OrdType", "41": "OrigClOrdID", "43": "PossDupFlag", "44": "Price", "52": "SendingTime", "54": "Side", "55": "Symbol",
    "59": "TimeInForce", "60": "TransactTime", "98": "EncryptMethod", "100": "ExDestination", "108": "HeartBtInt", "112": "TestReqID",
    "122": "OrigSendingTime", "123": "GapFillFlag", "141": "ResetSeqNumFlag", "150": "ExecType", "530": "MassCancelRequestType",
    "1137": "DefaultApplVerID", "16": "EndSeqNo",
}  # fmt: skip
SESSION: Final = frozenset("012345A")


# --- what was heard ---


class Heard(NamedTuple):
    """A line of the raw log. `time`: ns UTC; `who`: CLIENT, ROUTER, or EVENT, whose words are in `text`."""

    time: int
    who: str
    found: Mapping[str, str]
    text: str

    @property
    def type(self) -> str:
        """MsgType(35)."""
        return self.found.get(MSG_TYPE, "")


def heard(line: str) -> Heard | None:
    """A line of the log; None for what is none."""
    try:
        time = timestamp_ns(line[:24], "time")
    except (Malformed, OverflowError):
        return None
    who, text = line[25:26], line[27:].rstrip("\n")
    if who not in (CLIENT, ROUTER, EVENT):
        return None
    found = {} if who == EVENT else fields(text)
    return Heard(time, who, found, text) if who == EVENT or MSG_TYPE in found else None


def whole(found: Mapping[str, str], tag: str) -> int:
    """A sequence number; 0 where there is none."""
    value = found.get(tag, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0


def named(msg_type: str) -> str:
    """A message type as people say it."""
    return f"{_MESSAGES.get(msg_type, 'message')}({msg_type})"


class Fault(NamedTuple):
    """One thing that the client's side did wrong. `clause`: of fix/README.md or a FIX volume."""

    tag: str
    value: str | None
    wrong: str
    clause: str

    def __str__(self) -> str:
        if not self.tag:
            return f"{self.wrong} [{self.clause}]"
        value = "is missing" if self.value is None else f"= {printable(self.value)[:80]}"
        return f"{_TAGS.get(self.tag, 'tag')}({self.tag}) {value}: {self.wrong} [{self.clause}]"


# --- what is known ---


class Facts:
    """A session, over all cases."""

    def __init__(self, version: str, heartbeat_s: int, wait_s: int) -> None:
        self.version, self.heartbeat_s, self.wait_s = version, heartbeat_s, wait_s
        self.next_from_client = 1
        self.last_from_router = 0
        self.used: set[str] = set()

    def note(self, message: Heard) -> None:
        """Take over what a message says of the session."""
        found, seq = message.found, whole(message.found, MSG_SEQ_NUM)
        again = found.get(POSS_DUP_FLAG) == "Y"
        if message.who == ROUTER and not again:
            self.last_from_router = seq
        elif message.who == CLIENT:
            if message.type == "A" and found.get("141") == "Y":
                self.next_from_client = seq + 1
            elif message.type == "4":
                self.next_from_client = max(self.next_from_client, whole(found, "36"))
            elif not again:
                self.next_from_client = max(self.next_from_client, seq + 1)
            if message.type in ("D", "F", "G", "q") and CL_ORD_ID in found:
                self.used.add(found[CL_ORD_ID])


@dataclass
class Scene:
    """A case under way. `since`: when the present step began, ns UTC."""

    facts: Facts
    since: int
    names: dict[str, str] = field(default_factory=dict)
    began: bool = False
    last_seq: int = 0
    told: list[Heard] = field(default_factory=list)
    test_request: str = ""
    missed_from: int = 0
    resend_from: int = 0
    resend_to: int = 0

    def concerns(self, found: Mapping[str, str]) -> bool:
        """Whether a message names an order or request of this case."""
        ours = self.names.values()
        return found.get(CL_ORD_ID) in ours or found.get(ORIG_CL_ORD_ID) in ours

    def of_before(self, found: Mapping[str, str]) -> bool:
        """Whether a request is about an order of an earlier case."""
        orig = found.get(ORIG_CL_ORD_ID)
        return orig is not None and orig in self.facts.used and orig not in self.names.values()


# --- conditions on a tag; each says what would be right, "" where it is ---


class Condition(Protocol):
    def wrong(self, value: str | None, scene: Scene) -> str: ...


@dataclass(frozen=True, slots=True)
class Is:
    """One of some values."""

    values: tuple[str, ...]

    def wrong(self, value: str | None, scene: Scene) -> str:
        return "" if value in self.values else f"should be {' or '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class May:
    """Absent, or one of some values."""

    values: tuple[str, ...]

    def wrong(self, value: str | None, scene: Scene) -> str:
        return "" if value is None or value in self.values else f"should be {' or '.join(self.values)}, or absent"


@dataclass(frozen=True, slots=True)
class Absent:
    """Not there."""

    def wrong(self, value: str | None, scene: Scene) -> str:
        return "" if value is None else "should be absent"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, however it is written."""

    exact: Decimal

    def wrong(self, value: str | None, scene: Scene) -> str:
        try:
            same = number({} if value is None else {"": value}, "", "") == self.exact
        except Malformed:
            same = False
        return "" if same else f"should be {self.exact}"


@dataclass(frozen=True, slots=True)
class Named:
    """The ClOrdID of a message of this case; `said`: what to call it."""

    name: str
    said: str

    def wrong(self, value: str | None, scene: Scene) -> str:
        right = scene.names.get(self.name, "")
        return "" if value == right else f"should be {right}, {self.said}"


@dataclass(frozen=True, slots=True)
class Seq:
    """A number of the session's: `next` from the client, a number `beyond` that, the first one `missed` by it, or the `heartbeat`."""

    which: str

    def wrong(self, value: str | None, scene: Scene) -> str:
        got, facts = whole({"": value or ""}, ""), scene.facts
        if self.which == "beyond":
            right = facts.next_from_client + 1
            return "" if got >= right else f"should be {right} or more: the router is to miss something"
        due = {"next": facts.next_from_client, "missed": scene.missed_from, "heartbeat": facts.heartbeat_s}[self.which]
        said = {"next": "the next in sequence", "missed": "the first that was missed", "heartbeat": "seconds, as agreed"}[self.which]
        return "" if got == due else f"should be {due}, {said}"
