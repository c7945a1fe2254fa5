"""FIX as text: `tag=value` fields, times, numbers. Pure.

QuickFIX checks framing, checksum and dictionary before we see a message; this only takes apart what passed, and puts together what
is to leave. Measured: splitting the whole text costs what reading one field through the binding does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from fix.tags import SOH

__all__ = ["Malformed", "fields", "group", "join", "number", "plain", "printable", "timestamp", "timestamp_ns", "timestamp_us"]

_SECOND = 1_000_000_000
_DIGITS_AT_MOST = 30
_UNPRINTABLE = dict.fromkeys((*range(32), 127), " ")


class Malformed(ValueError):
    """A value that cannot be read; says of which field, by name and tag."""


def fields(text: str) -> dict[str, str]:
    """Tag to value of a message without repeating groups; of a repeated tag, the first."""
    found: dict[str, str] = {}
    for field in text.split(SOH):
        tag, _, value = field.partition("=")
        if tag not in found:
            found[tag] = value
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
    return text.translate(_UNPRINTABLE).strip()[:500]


def number(found: Mapping[str, str], tag: str, name: str) -> Decimal | None:
    """An exact number, None where the tag is absent. Raises `Malformed`."""
    value = found.get(tag)
    if value is None:
        return None
    try:
        exact = Decimal(value)
    except InvalidOperation:
        raise Malformed(f"{name}({tag}) {value[:40]} is not a number") from None
    if not exact.is_finite() or len(value) > _DIGITS_AT_MOST or abs(exact.adjusted()) > _DIGITS_AT_MOST:
        raise Malformed(f"{name}({tag}) {value[:40]} is beyond what can be handled exactly: {_DIGITS_AT_MOST} digits")
    return exact


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
        moment = datetime.strptime(whole, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
        return int(moment.timestamp()) * _SECOND + int(fraction.ljust(9, "0")[:9] or 0)
    except ValueError:
        raise Malformed(f"{name} {value[:40]} is not a UTC timestamp") from None
