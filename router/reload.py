"""What changed between two configurations, and what of it a running router can take into use.

Limits, symbols' rules, routes and what is agreed with clients are judged by the core, and may change while it runs. Connections,
credentials and files are what threads were started with: they need a restart, and one such change refuses the whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from router.settings import Settings

__all__ = ["Change", "differences"]

_LIVE: Final = re.compile(
    r"(routes|limits)(\[|$)"
    r"|router\.(answer_timeout_s|hold_when_down_s|hold_while_reconciling_s|reconcile_within_s|sweep_every_s|reference_stale_s|keep_orders_days)$"
    r"|clients\[[^]]+\]\.(accounts|default_time_in_force|max_age_s|report_pending|when_pending|day_ends_utc|cancel_on_disconnect_s|venue_accounts)(\[|$)"
    r"|accounts\[[^]]+\]\.mode$"
    r"|destinations\[[^]]+\]\.instruments\[[^]]+\]\.(tick|lot|min_qty|max_qty|min_px|max_px|min_notional|max_notional)$"
)
_INSTRUMENT: Final = re.compile(r"destinations\[[^]]+\]\.instruments\[[^]]+\]")
_NAMES: Final = ("name", "symbol", "session")


@dataclass(frozen=True, slots=True)
class Change:
    """One key that is different; "" where it is not there."""

    key: str
    before: str
    after: str
    live: bool
    """Whether it can change while the router runs."""

    def __str__(self) -> str:
        said = f"{self.key}: {self.before or 'nothing'} -> {self.after or 'nothing'}"
        return said if self.live else f"{said} (needs a restart)"


def differences(old: Settings, new: Settings) -> list[Change]:
    """Every key that is different, in the new file's order, then those that are gone."""
    before, after = dict(_flat("", old.model_dump(mode="json"))), dict(_flat("", new.model_dump(mode="json")))
    come_or_gone = {_item(key) for key in before} ^ {_item(key) for key in after}
    return [
        Change(key, before.get(key, ""), after.get(key, ""), _live(key, come_or_gone))
        for key in dict.fromkeys((*after, *before))
        if before.get(key, "") != after.get(key, "")
    ]


def _live(key: str, come_or_gone: set[str]) -> bool:
    """A symbol can come, and who speaks with the venue is told; one that is no more is only not traded any more. Another name at the venue
    for one that stays is neither."""
    return bool(_LIVE.match(key)) or (_item(key) in come_or_gone and bool(_INSTRUMENT.match(key)))


def _item(key: str) -> str:
    found = _INSTRUMENT.match(key)
    return found.group() if found else ""


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every leaf with its place; things of a list by their names, where they have any, so that a new one does not change the others."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _flat(f"{key}.{name}".lstrip("."), each)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, each in enumerate(value):
            named = next((str(each[name]) for name in _NAMES if each.get(name)), str(number))
            name = str(number) if key.startswith("routes") else named
            yield from _flat(f"{key}[{name}]", each)
    elif isinstance(value, list):
        yield key, ", ".join(str(each) for each in value)
    elif value is not None:
        yield key, str(value)
