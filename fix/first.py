"""The first message of a client's connection: is it a complete Logon, and of which session? Pure.

QuickFIX must read it exactly as the gate did: what the two could read differently is refused, never interpreted. Read against
QuickFIX's Parser (the first `9=` behind a SOH, an integer that may have a sign, then the next `10=`) and its session lookup (the
header's first CompIDs, header fields only). Source: FIX 4.2 and 4.4 volume 1 and 2, "Message format", "Standard header", "Logon".

Assumptions, each the cautious reading:
1. BeginString(8), BodyLength(9) and MsgType(35) come first and in this order, as the standard demands; QuickFIX is more lenient.
2. BodyLength is one to six decimal digits, leading zeros allowed (many engines pad it), without sign or space; CheckSum is three digits.
3. The tags read here, and 10, occur once in the whole message. RawData(96) that contains what looks like one of them is refused.
4. SenderCompID and TargetCompID stand in the header before any data field (90/91, 212/213) or group (627).
5. A NUL byte is refused: no Logon needs one, and C strings end there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fix.text import printable

__all__ = ["Logon", "NotALogon", "SessionKey", "first_message", "shown"]

SessionKey = tuple[str, str, str]
"""BeginString, the client's CompID, ours: as the client's Logon has them."""

_HEAD: Final = re.compile(
    rb"8=(FIX\.4\.[0-4]|FIXT\.1\.1)\x019=([0-9]{1,10})\x01"
)  # zeros before it are common: there are engines that write ten digits
_HEAD_BYTES: Final = len("8=FIXT.1.1|9=1234567890|")
_LOGON: Final = b"35=A\x01"
_TRAILER: Final = re.compile(rb"10=([0-9]{3})\x01")
_TRAILER_BYTES: Final = 7
_FIELD: Final = re.compile(rb"([1-9][0-9]{0,5})=([^\x01]+)\x01")
_ONCE: Final = tuple(b"\x01%d=" % tag for tag in (8, 9, 10, 35, 49, 56))
_HEADER: Final = frozenset(
    b"%d" % tag
    for tag in (8, 9, 34, 35, 43, 49, 50, 52, 56, 57, 97, 115, 116, 122, 128, 129, 142, 143, 144, 145, 347, 369, 1128, 1129, 1156)
)


class NotALogon(ValueError):
    """These bytes are not, and will not become, a Logon for us. Says why, without a word of what they were."""


@dataclass(frozen=True, slots=True)
class Logon:
    """What the gate needs of a Logon; its bytes, the password among them, are not kept."""

    session: SessionKey
    size: int
    """Bytes of the whole message."""


def first_message(data: bytes, at_most: int) -> Logon | None:
    """The Logon that `data` begins with; None while it is not complete. A message may be `at_most` bytes long, what follows it
    is not looked at. Raises `NotALogon`, as early as can be known."""
    head = _HEAD.match(data)
    if head is None:
        _may_become_a_head(data)
        return None
    start = head.end()
    end = start + int(head[2])
    total = end + _TRAILER_BYTES
    if total > at_most:
        raise NotALogon(f"too long: {total} bytes")
    if not data.startswith(_LOGON[: len(data) - start], start):
        raise NotALogon("MsgType(35) is not A, or not the third field")
    if len(data) < total:
        return None
    return Logon(_session(_sound(data[:total], end), head[1]), total)


def _may_become_a_head(data: bytes) -> None:
    if data.startswith((b"\x16\x03", b"\x80")):
        raise NotALogon("TLS, where plain FIX is spoken")
    if not data.startswith(b"8=FIX"[: len(data)]):
        raise NotALogon("not FIX")
    if len(data) >= _HEAD_BYTES:
        raise NotALogon("BeginString(8) or BodyLength(9) cannot be read")


def _sound(message: bytes, end: int) -> bytes:
    """The message, its framing checked; `end` is where the trailer begins."""
    trailer = _TRAILER.fullmatch(message, end)
    if trailer is None or message[end - 1] != 1:
        raise NotALogon("BodyLength(9) does not agree with where CheckSum(10) stands")
    if int(trailer[1]) != sum(message[:end]) % 256:
        raise NotALogon("CheckSum(10) is wrong")
    if 0 in message:
        raise NotALogon("a NUL byte")
    if any((b"\x01" + message).count(tag) != 1 for tag in _ONCE):
        raise NotALogon("a tag of the header or trailer is missing or occurs twice")
    return message


def _session(message: bytes, begin_string: bytes) -> SessionKey:
    found: dict[bytes, bytes] = {}
    at = 0
    while (field := _FIELD.match(message, at)) and field[1] in _HEADER:
        found.setdefault(field[1], field[2])
        at = field.end()
    try:
        return begin_string.decode(), _text(found[b"49"]), _text(found[b"56"])
    except KeyError:
        raise NotALogon("SenderCompID(49) or TargetCompID(56) is not in the header") from None


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")  # one text for each value: nothing may look like another


def shown(session: SessionKey) -> str:
    """A session as logs show it, in our direction: `FIX.4.2:ROUTER->OMS42`; strange characters escaped, long names cut."""
    begin, theirs, ours = (printable(part[:64].encode("ascii", "backslashreplace").decode())[:256] for part in session)
    return f"{begin}:{ours}->{theirs}"
