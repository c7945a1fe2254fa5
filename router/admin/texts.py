"""Texts for a terminal: what came from outside made harmless, and times as a desk reads them. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel

__all__ = ["as_json", "brief", "clean", "lasting", "moment", "size"]

_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode's categories of what moves the cursor, colours, reverses or hides text instead of being seen."""


def clean(text: str) -> str:
    """The text with every control character replaced by U+FFFD: a ClOrdID must not drive the terminal of who reads it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(each) in _UNSEEN else each for each in text)


def moment(time: str, today: str = "") -> str:
    """A time of the contract as HH:MM:SS.mmm UTC, with its date unless that is `today` (YYYY-MM-DD); what is no time stays."""
    try:
        when = datetime.fromisoformat(time).astimezone(UTC)
    except ValueError:
        return clean(time)
    clock = f"{when:%H:%M:%S}.{when.microsecond // 1000:03}"
    return clock if f"{when:%Y-%m-%d}" == today else f"{when:%Y-%m-%d} {clock}"


def lasting(seconds: float) -> str:
    """A span of time in its two largest units: "3 d 4 h", "12 min 5 s", "0.4 s"."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 and seconds != int(seconds) else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))]
    first = next(at for at, part in enumerate(parts) if not part.startswith("0 "))
    return " ".join(part for part in parts[first : first + 2] if not part.startswith("0 "))


def size(octets: int) -> str:
    """How much that is on a disk, to one decimal."""
    amount, unit = float(octets), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{octets} B" if unit == "B" else f"{amount:.1f} {unit}"


def brief(text: str, width: int) -> str:
    """An id in at most so many columns, its end kept: that is where ids differ."""
    if len(text) <= width:
        return text
    tail = max(1, (width - 1) * 2 // 3)
    return text[: max(0, width - 1 - tail)] + "…" + text[-tail:]


def as_json(told: BaseModel | Sequence[BaseModel]) -> str:
    """One JSON document of what the API told."""
    if isinstance(told, BaseModel):
        return told.model_dump_json(indent=2)
    return "[" + ",".join("\n  " + each.model_dump_json() for each in told) + ("\n]" if told else "]")
