"""FIX as text: `tag=value` fields, times, numbers. Pure.

QuickFIX checks framing, checksum and dictionary before we see a message; this only takes apart what passed, and puts together what
is to leave. Measured: splitting the whole text costs what reading one field through the binding does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from fix.tags import SOH

__all__ = ["Malformed", "fields", "group", "join", "number", "plain", "printable", "timestamp", "timestamp_ns", "timestamp_us"]

_SECOND = 1_000_000_000
_DIGITS_AT_MOST = 30
_TEXT_AT_MOST: Final = 500
_NUMBER: Final = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)")
"""FIX's float (4.2 volume 1, data types): no exponent. Python's own reading takes "1_000", blanks and other alphabets' digits too."""
_OTHER_NUMBER: Final = re.compile(r"[-+]?([0-9.]+[eE][-+]?[0-9]+|NaN|Infinity)")
_TIME: Final = re.compile(r"[0-9]{8}-[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?")
_DATA: Final = {
    **{str(length): str(length + 1) for length in (90, 95, 212, *range(348, 366, 2), 445, 618, 621, 1184, 1401, 1403)},
    "93": "89",
}
"""Lengths and the raw data behind them, which may hold anything (FIX 4.2, 4.4, FIXT.1.1 dictionaries)."""
_LENGTHS: Final = frozenset(_DATA)


class Malformed(ValueError):
    """A value that cannot be read; says of which field, by name and tag."""


def fields(text: str) -> dict[str, str]:
    """Tag to value of a message without repeating groups; of a repeated tag, the first."""
    found: dict[str, str] = {}
    for field in text.split(SOH):
        tag, _, value = field.partition("=")
        if tag not in found:
            found[tag] = value
    return found if _LENGTHS.isdisjoint(found) else _around_data(text)


def _around_data(text: str) -> dict[str, str]:
    """The same where raw data may look like fields. Lengths are in bytes; one that does not fit is not heeded, as QuickFIX refuses it."""
    found: dict[str, str] = {}
    rest, due = text.encode("utf-8", "surrogateescape"), ("", 0)
    end = SOH.encode()
    while rest:
        name, _, after = rest.partition(b"=")
        tag = name.decode("utf-8", "surrogateescape")
        size = due[1] if tag == due[0] and after[due[1] : due[1] + 1] == end else after.find(end)
        raw, rest = (after[:size], after[size + 1 :]) if size >= 0 else (after, b"")
        value = raw.decode("utf-8", "surrogateescape")
        found.setdefault(tag, value)
        due = (_DATA[tag], int(value)) if tag in _LENGTHS and value.isascii() and value.isdigit() and len(value) < 9 else ("", 0)
    return found


def group(text: str, count_tag: str, members: frozenset[str]) -> str:
    """A repeating group as it stands in a message: the count and the fields that follow it; "" where there is none."""
    _, found, rest = text.partition(f"{SOH}{count_tag}=")
    if not found:
        return ""
    size, *following = rest.split(SOH)
    taken = [f"{count_tag}={size}"]
    for field in following:
        if field.partition("=")[0] not in members:
            break
        taken.append(field)
    return SOH.join(taken)


def join(pairs: Iterable[tuple[str, str]]) -> str:
    """The text of some fields. Raises `ValueError` for a value that would become two fields or none."""
    out = []
    for tag, value in pairs:
        if not value or SOH in value:
            raise ValueError(f"tag {tag} cannot hold {value!r}")
        out.append(f"{tag}={value}{SOH}")
    return "".join(out)


def printable(text: str) -> str:
    """A text from outside, fit to stand in Text(58): no control characters, and never so long that a receiver would choke."""
    cut = text[:_TEXT_AT_MOST]
    if not cut.isprintable():  # nor lone surrogates, which no encoding has, nor what turns a line around
        cut = "".join(each if each.isprintable() else " " for each in cut)
    return cut.strip()


def number(found: Mapping[str, str], tag: str, name: str) -> Decimal | None:
    """An exact number, None where the tag is absent. Raises `Malformed`."""
    value = found.get(tag)
    if value is None:
        return None
    if len(value) > _DIGITS_AT_MOST or _OTHER_NUMBER.fullmatch(value):
        raise Malformed(f"{name}({tag}) {printable(value[:40])} is beyond what can be handled exactly: {_DIGITS_AT_MOST} plain digits")
    if _NUMBER.fullmatch(value) is None:
        raise Malformed(f"{name}({tag}) {printable(value)} is not a number")
    return Decimal(value)


def plain(value: Decimal) -> str:
    """A number as FIX writes it, without an exponent; all of its digits."""
    text = str(value)  # three times as fast as a format, which only few need
    return f"{value:f}" if "E" in text else text


@lru_cache(maxsize=4)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%d-%H:%M:%S")


def timestamp(time: int, digits: int = 3) -> str:
    """ns UTC as UTCTimestamp with milliseconds (FIX 4.2 volume 1, UTCTimestamp), or as many digits as are wanted, at most nine."""
    second, rest = divmod(time, _SECOND)
    if digits == 3:
        return f"{_second(second)}.{rest // 1_000_000:03}"
    return f"{_second(second)}.{rest:09}"[: 18 + digits] if digits else _second(second)


def timestamp_us(time: int) -> str:
    """ns UTC with microseconds, for logs."""
    second, rest = divmod(time, _SECOND)
    return f"{_second(second)}.{rest // 1000:06}"


def timestamp_ns(value: str, name: str) -> int:
    """UTCTimestamp, with any fraction of a second, as ns UTC. Raises `Malformed`."""
    whole, _, fraction = value.partition(".")
    try:
        if _TIME.fullmatch(value) is None:
            raise ValueError
        moment = datetime.strptime(whole, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
        return int(moment.timestamp()) * _SECOND + int(fraction.ljust(9, "0")[:9] or 0)
    except ValueError:
        raise Malformed(f"{name} {printable(value[:40])} is not a UTC timestamp") from None
