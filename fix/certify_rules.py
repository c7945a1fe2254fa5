"""What holds for every message of a client during certification, whatever the case. Pure."""

from __future__ import annotations

from typing import Final

from fix.certify_facts import CLIENT, ROUTER, SECOND, Fault, Heard, Scene, named, whole
from fix.tags import CL_ORD_ID, ORIG_SENDING_TIME, POSS_DUP_FLAG, POSS_RESEND, SENDING_TIME, TEXT, TRANSACT_TIME
from fix.text import Malformed, printable, timestamp_ns

__all__ = ["standing"]

_NAMING: Final = frozenset({"D", "F", "G", "q"})
_LONGEST: Final = 64
_SKEW_S: Final = 120
_ID_CLAUSE: Final = "fix/README.md, In, NewOrderSingle, 11 ClOrdID"
_SESSION_CLAUSE: Final = "fix/README.md, Session"
_DUP_CLAUSE: Final = "FIX 4.4 volume 2, PossDup handling"


def standing(message: Heard, scene: Scene) -> list[Fault]:
    """Faults of a message, apart from what the case asks."""
    if message.who == ROUTER:
        return _refused(message, scene)
    if message.who != CLIENT:
        return []
    faults = _session(message) + _logon(message, scene) + _repetition(message)
    if message.type in _NAMING and "Y" not in (message.found.get(POSS_DUP_FLAG), message.found.get(POSS_RESEND)):
        faults += _request(message, scene)
    return faults


def _request(message: Heard, scene: Scene) -> list[Fault]:
    """ClOrdID and TransactTime of an order or a request about one."""
    cl_ord_id, at = message.found.get(CL_ORD_ID), message.found.get(TRANSACT_TIME)
    faults = []
    if not cl_ord_id:
        faults.append(Fault(CL_ORD_ID, cl_ord_id, "is required", _ID_CLAUSE))
    elif len(cl_ord_id) > _LONGEST:
        faults.append(Fault(CL_ORD_ID, cl_ord_id, f"has {len(cl_ord_id)} characters, {_LONGEST} are allowed", _ID_CLAUSE))
    elif cl_ord_id in scene.facts.used:
        faults.append(Fault(CL_ORD_ID, cl_ord_id, "was used before in this session: unique for ever, also over restarts", _ID_CLAUSE))
    wrong = _time(at, message.found.get(SENDING_TIME))
    if wrong:
        faults.append(Fault(TRANSACT_TIME, at, wrong, "fix/README.md, In, NewOrderSingle, 60 TransactTime"))
    return faults


def _time(value: str | None, sent: str | None) -> str:
    """What is wrong with a TransactTime; "" where it is the time of sending, in UTC."""
    if value is None:
        return "is required"
    try:
        away = abs(timestamp_ns(value, "60") - timestamp_ns(sent or value, "52"))
    except (Malformed, OverflowError):
        return "is not a UTCTimestamp, YYYYMMDD-HH:MM:SS[.sss]"
    return f"is {away // SECOND} s from SendingTime(52): should be now, in UTC" if away > _SKEW_S * SECOND else ""


def _session(message: Heard) -> list[Fault]:
    """What would break the session or say that our messages are not understood."""
    found, faults = message.found, []
    if message.type == "4" and found.get("123") != "Y":
        faults.append(Fault("123", found.get("123"), "should be Y: a reset loses messages", "FIX 4.4 volume 2, Sequence Reset"))
    if message.type in ("3", "j"):
        text = printable(found.get(TEXT, "no Text(58)"))
        wrong = f"your side refused the router's message {found.get('45', '?')} with {named(message.type)}: {text}"
        faults.append(Fault("", None, wrong, "fix/README.md, Dictionaries"))
    try:
        skew = abs(timestamp_ns(found.get(SENDING_TIME, ""), "52") - message.time)
    except (Malformed, OverflowError):
        return [*faults, Fault(SENDING_TIME, found.get(SENDING_TIME), "is not a UTCTimestamp", f"{_SESSION_CLAUSE}, Clock")]
    if skew > _SKEW_S * SECOND:
        wrong = f"is {skew // SECOND} s off: at most {_SKEW_S} s"
        faults.append(Fault(SENDING_TIME, found.get(SENDING_TIME), wrong, f"{_SESSION_CLAUSE}, Clock"))
    return faults


def _logon(message: Heard, scene: Scene) -> list[Fault]:
    """What every Logon must say, and must not."""
    found, faults = message.found, []
    if message.type == "A" and found.get("141") == "Y":
        faults.append(Fault("141", "Y", "throws away what was not yet delivered: do not send it", f"{_SESSION_CLAUSE}, Sequence numbers"))
    if message.type == "A" and scene.facts.version == "5.0SP2" and found.get("1137") != "9":
        faults.append(Fault("1137", found.get("1137"), "should be 9, FIX 5.0SP2", f"{_SESSION_CLAUSE}, Logon"))
    return faults


def _repetition(message: Heard) -> list[Fault]:
    """A message sent again says when it was sent first."""
    found = message.found
    if found.get(POSS_DUP_FLAG) != "Y":
        return []
    first = found.get(ORIG_SENDING_TIME)
    if first is None:
        return [Fault(ORIG_SENDING_TIME, None, "is required with PossDupFlag(43)=Y", _DUP_CLAUSE)]
    try:
        later = timestamp_ns(first, "122") > timestamp_ns(found.get(SENDING_TIME, first), "52")
    except (Malformed, OverflowError):
        return [Fault(ORIG_SENDING_TIME, first, "is not a UTCTimestamp", _DUP_CLAUSE)]
    return [Fault(ORIG_SENDING_TIME, first, "is later than SendingTime(52)", _DUP_CLAUSE)] if later else []


def _refused(message: Heard, scene: Scene) -> list[Fault]:
    """The router's Reject(3) or BusinessMessageReject(j) of the last message that the case took."""
    if message.type not in ("3", "j") or not scene.last_seq or whole(message.found, "45") < scene.last_seq:
        return []
    text = printable(message.found.get(TEXT, "no Text(58)"))
    tag = f" (tag {message.found['371']})" if "371" in message.found else ""
    wrong = f"the router refused your {named(message.found.get('372', '?'))} with {named(message.type)}: {text}{tag}"
    return [Fault("", None, wrong, "fix/README.md, What bad input gets")]
