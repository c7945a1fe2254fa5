"""FIX framing of the simulator's own: bytes to messages and back. Pure; it knows no session and no message type.

A stretch of bytes that is not a message is dropped, as FIX has it for garbled messages (FIX 4.2, "Message integrity":
BeginString, BodyLength and MsgType first and in this order, a true BodyLength and CheckSum), and counted.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

SOH = "\x01"
MAX_BODY = 65_536
# Tags as FIX spells them: no sign, no leading zero. FIX 4.2 and its user-defined tags end at 9999.
_TAGS = {str(tag): tag for tag in range(1, 10_000)}
_HEAD = re.compile(rb"8=([^\x01=]{1,16})\x019=(\d{1,7})\x01")
_HEAD_MOST = 2 + 16 + 3 + 7 + 1
_RAW_DATA = "\x0195="

# SessionRejectReason(373) for what can be seen without knowing the message type.
INVALID_TAG, NO_VALUE, REPEATED_TAG = 0, 4, 2


@dataclass(slots=True)
class Message:
    """A message by tag, without 8, 9 and 10. `flaw`: SessionRejectReason and tag of the first fault, if any."""

    begin_string: str
    msg_type: str
    fields: dict[int, str]
    flaw: tuple[int, str] | None = None


class Parser:
    """Takes bytes in pieces of any size. `garbled` counts the stretches that were dropped.

    It keeps no more than one message of `max_body` bytes: a longer BodyLength is garbled at once.
    """

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._buffer = b""
        self._max_body = max_body
        self.garbled = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are now complete."""
        buffer = self._buffer + data if self._buffer else data
        messages: list[Message] = []
        at = 0
        while True:
            at, message = self._next(buffer, at)
            if message is None:
                break
            messages.append(message)
        self._buffer = buffer[at:]
        return messages

    def _next(self, buffer: bytes, at: int) -> tuple[int, Message | None]:
        """The next whole message from `at` on, and where the bytes begin that are still wanted."""
        while True:
            start = buffer.find(b"8=FIX", at)
            if start < 0:
                keep = _partial_start(buffer, at)
                self.garbled += keep > at
                return keep, None
            self.garbled += start > at
            head = _HEAD.match(buffer, start)
            if head is None:
                if len(buffer) - start < _HEAD_MOST and _may_become_head(buffer[start:]):
                    return start, None
                self.garbled += 1
                at = start + 5
                continue
            end = head.end() + int(head[2])
            if int(head[2]) > self._max_body:
                self.garbled += 1
                at = start + 5
                continue
            if len(buffer) < end + 7:
                return start, None
            if buffer[end - 1 : end + 3] != b"\x0110=" or buffer[end + 6] != 1:
                self.garbled += 1
                at = start + 5  # the length is wrong: look for the next beginning
                continue
            at = end + 7
            message = None
            if buffer[end + 3 : end + 6] == b"%03d" % (sum(buffer[start:end]) & 255):
                message = _parse(head[1].decode("latin-1"), buffer[head.end() : end].decode("latin-1"))
            if message is not None:
                return at, message
            self.garbled += 1


def _partial_start(buffer: bytes, at: int) -> int:
    """Where a beginning of "8=FIX" stands at the end of the buffer, or the end."""
    for length in range(min(4, len(buffer) - at), 0, -1):
        if buffer.endswith(b"8=FIX"[:length]):
            return len(buffer) - length
    return len(buffer)


def _may_become_head(piece: bytes) -> bool:
    return re.fullmatch(rb"8=([^\x01=]{0,16})(\x01(9(=(\d{0,7}))?)?)?", piece) is not None


def _parse(begin_string: str, body: str) -> Message | None:
    """None where MsgType is not the first field of the body: that is garbled too."""
    if not body.startswith("35="):
        return None
    fields: dict[int, str] = {}
    flaw: tuple[int, str] | None = None
    for part in _split(body):
        name, _, value = part.partition("=")
        tag = _TAGS.get(name)
        if tag is None:
            flaw = flaw or (INVALID_TAG, name)
        elif tag in fields:
            flaw = flaw or (REPEATED_TAG, name)
        else:
            fields[tag] = value
            if not value:
                flaw = flaw or (NO_VALUE, name)
    return Message(begin_string, fields[35], fields, flaw)


def _split(body: str) -> list[str]:
    """The fields of a body, each of which ends with SOH. RawData(96) is as long as RawDataLength(95) says."""
    start = body.find(_RAW_DATA)
    if start >= 0:
        middle = body.find(SOH, start + 1)
        length = body[start + len(_RAW_DATA) : middle]
        if length.isascii() and length.isdigit() and len(length) < 6 and body.startswith("96=", middle + 1):
            end = middle + 4 + int(length)
            if body[end : end + 1] == SOH:
                return [*body[:middle].split(SOH), body[middle + 1 : end], *body[end + 1 : -1].split(SOH)][
                    : None if end + 1 < len(body) else -1
                ]
    return body[:-1].split(SOH)


def encode(begin_string: str, msg_type: str, rest: str) -> bytes:
    """A whole message. `rest`: everything after 35=, each field ending with SOH."""
    body = f"35={msg_type}{SOH}{rest}"
    text = f"8={begin_string}{SOH}9={len(body)}{SOH}{body}".encode("latin-1")
    return b"%s10=%03d\x01" % (text, sum(text) & 255)


_last_second = (-1, "")


def utc_timestamp(ms: int) -> str:
    """UTCTimestamp with milliseconds: 20260102-03:04:05.678."""
    global _last_second  # one second's text serves thousands of messages
    second, rest = divmod(ms, 1000)
    known, text = _last_second
    if known != second:
        text = datetime.fromtimestamp(second, UTC).strftime("%Y%m%d-%H:%M:%S")
        _last_second = (second, text)
    return f"{text}.{rest:03d}"


_TIMESTAMP = re.compile(r"\d{8}-\d\d:\d\d:\d\d(\.\d{3})?", re.ASCII)
_last_parsed = ("", 0)


def parse_utc_timestamp(text: str) -> int:
    """Epoch milliseconds; ValueError where the text is no UTCTimestamp."""
    global _last_parsed
    if not _TIMESTAMP.fullmatch(text):
        raise ValueError(f"not a UTCTimestamp: {text!r}")
    known, second = _last_parsed
    if known != text[:17]:
        second = int(datetime.strptime(text[:17], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp())
        _last_parsed = (text[:17], second)
    return second * 1000 + int(text[18:] or 0)
