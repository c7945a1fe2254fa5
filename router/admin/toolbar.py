"""The console's bottom line: what must be seen at a glance. What is bad is in capitals as well as in red. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from router.admin.contract import Status
from router.admin.texts import clean, lasting, moment

__all__ = ["Live", "line"]

Fragment = tuple[str, str]
_BAD, _WELL = "class:bad", ""


@dataclass(slots=True)
class Live:
    """What the console knows of the router just now."""

    status: Status | None = None
    away: str = ""
    """Why the router cannot be reached; ""."""


def line(live: Live, width: int) -> list[Fragment]:
    """The line in so many columns, as prompt_toolkit's fragments: what is bad first, and all of that; of the rest what fits."""
    if live.away or live.status is None:
        return [(_BAD if live.away else _WELL, f" {live.away or 'asking the router…'} "[:width])]
    facts = [*_bad(live.status), *_well(live.status)]
    shown: list[Fragment] = []
    left = width
    for style, text in facts:
        if len(text) + 2 <= left:
            shown.append((style, f" {text} "))
            left -= len(text) + 2
    return shown


def _bad(status: Status) -> list[Fragment]:
    halts = [f"HALTED {clean(f'{each.scope} {each.name}'.strip())}" for each in status.halted]
    if len(halts) > 2:
        halts = [f"HALTED {len(halts)} SCOPES"]
    facts = [
        ("JOURNAL FAILING", bool(status.journal_failing)),
        ("STOPPING", status.stopping),
        (f"UNKNOWN {status.unknown_orders}", bool(status.unknown_orders)),
        *((each, True) for each in halts),
        (f"VENUES {status.destinations.up}/{status.destinations.total}", status.destinations.up < status.destinations.total),
        (f"ALERTS {status.alerts}", bool(status.alerts)),
        (f"WAITING {lasting(status.oldest_pending_s)}", status.oldest_pending_s >= 5 and status.pending_orders > 0),
    ]
    return [(_BAD, text) for text, bad in facts if bad]


def _well(status: Status) -> list[Fragment]:
    facts = [
        f"open {status.open_orders}",
        "" if status.unknown_orders else "unknown 0",
        f"sessions {status.sessions.up}/{status.sessions.total}",
        "" if status.destinations.up < status.destinations.total else f"venues {status.destinations.up}/{status.destinations.total}",
        "" if status.alerts else "alerts 0",
        f"{moment(status.now)[11:19]} UTC",
    ]
    return [(_WELL, each) for each in facts if each]
