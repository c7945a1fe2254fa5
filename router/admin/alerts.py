"""Which findings of the rules are news. Pure.

1. A finding is known by its rule and its subject; it is raised once, however long it lasts, and cleared once. While it lasts its text is
   kept up to date, without being news.
2. What is over must stay over for `clear_after_s` before it is cleared, so what flutters is one alert.
3. What the core says by itself only happens: it is active for `core_s` after it was last said.
4. Of what the core says, so much a minute is news; of a flood the rest is only kept, and one alert says that there is a flood.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final

from router.admin.alert_rules import RULES, Finding, Level
from router.admin.alert_settings import AlertSettings
from router.admin.contract import AlertRow
from router.admin.facts import CoreAlert, Facts, iso

__all__ = ["Alerts", "spell"]

_SECOND: Final = 1_000_000_000
_KEPT: Final = 1000
FLOOD: Final = 20
"""Different words of the core within a minute."""


class _Active:
    """An alert that was raised and not cleared."""

    __slots__ = ("quiet", "row", "seen", "until")

    def __init__(self, row: AlertRow, seen: int, until: int, quiet: bool) -> None:
        self.row = row
        self.quiet = quiet
        """It was no news, so neither is its end."""
        self.seen = seen
        """When it last held, ns UTC."""
        self.until = until
        """Until when it is active in any case: for what only happens; 0: as long as it holds."""


class Alerts:
    """The alerts of one process. Not thread-safe but for `rows`."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._active: dict[tuple[str, str], _Active] = {}
        self._past: deque[AlertRow] = deque(maxlen=_KEPT)
        self._serial = 0
        self._flood: deque[int] = deque()

    def configure(self, settings: AlertSettings) -> None:
        """Judge by these from now on."""
        self._settings = settings

    def evaluate(self, facts: Facts) -> list[AlertRow]:
        """What is news: alerts that were raised, and such that were cleared (`active` false)."""
        now = facts.now
        changes = [row for rule in RULES for finding in rule(self._settings, facts) if (row := self._found(finding, now, now)) is not None]
        return changes + self._said(facts) + self._cleared(now)

    def rows(self) -> list[AlertRow]:
        """Active ones, then those of before; the newest first."""
        active = [each.row for each in list(self._active.values())]
        return [*sorted(active, key=lambda row: -row.alert_id), *reversed(list(self._past))]

    @property
    def active(self) -> int:
        """How many are active."""
        return len(self._active)

    def by_rule(self) -> dict[str, int]:
        """How many are active, by rule."""
        count: dict[str, int] = {}
        for each in list(self._active.values()):
            count[each.row.rule] = count.get(each.row.rule, 0) + 1
        return count

    def _said(self, facts: Facts) -> list[AlertRow]:
        now, changes = facts.now, []
        until = now + _ns(self._settings.core_s)
        while self._flood and self._flood[0] <= now - 60 * _SECOND:
            self._flood.popleft()
        for said in facts.said:
            quiet = len(self._flood) >= FLOOD and not said.overfill
            row = self._found(_finding(said), said.time, now, until, quiet)
            if row is not None:
                self._flood.append(now)
                changes += [] if quiet else [row]
        if len(self._flood) > FLOOD:
            text = f"the core has said {len(self._flood)} different things within a minute; all of them are listed as alerts"
            flood = self._found(Finding("core-flood", "core", "critical", text), now, now)
            changes += [] if flood is None else [flood]
        return changes

    def _found(self, finding: Finding, time: int, now: int, until: int = 0, quiet: bool = False) -> AlertRow | None:
        key = (finding.rule, finding.subject)
        known = self._active.get(key)
        if known is not None:
            known.seen, known.until = now, until
            if (known.row.text, known.row.level) != (finding.text, finding.level):
                known.row = known.row.model_copy(update={"text": finding.text, "level": finding.level, "order_id": finding.order_id})
            return None
        self._serial += 1
        row = AlertRow(
            alert_id=self._serial, time=iso(time), rule=finding.rule, level=finding.level, text=finding.text, order_id=finding.order_id,
            active=True, cleared="",
        )  # fmt: skip
        self._active[key] = _Active(row, now, until, quiet)
        return row

    def _cleared(self, now: int) -> list[AlertRow]:
        quiet = _ns(self._settings.clear_after_s)
        over = [
            key for key, each in self._active.items()
            if (now >= each.until if each.until else now > each.seen and now - each.seen >= quiet)
        ]  # fmt: skip
        cleared = []
        for key in over:
            ended = self._active.pop(key)
            row = ended.row.model_copy(update={"active": False, "cleared": iso(now)})
            self._past.append(row)
            cleared += [] if ended.quiet else [row]
        self._past.extend(self._crowded_out(now))
        return cleared

    def _crowded_out(self, now: int) -> list[AlertRow]:
        """Thousands of different words of the core: the oldest make place. What lasts is never taken for over."""
        words = [key for key, each in self._active.items() if each.until]
        oldest = words[: max(len(words) - _KEPT, 0)]
        return [self._active.pop(key).row.model_copy(update={"active": False, "cleared": iso(now)}) for key in oldest]


def spell(row: AlertRow) -> str:
    """An alert in a line, for the log."""
    return row.text if row.active else f"over: {row.text}"


def _finding(said: CoreAlert) -> Finding:
    """A fault of the core's own, or more executed than ordered, is for now and not for tomorrow."""
    rule = "overfill" if said.overfill else "core"
    level: Level = "critical" if said.overfill or said.text.startswith("internal error") else "warning"
    return Finding(rule, f"{said.order_id} {said.text}", level, said.text, said.order_id)


def _ns(seconds: Decimal) -> int:
    return int(seconds * _SECOND)
