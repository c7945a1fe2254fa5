"""A desk with a watch over it, rims that say what they are told to say, and facts to judge. Nothing in here decides anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from router.admin.alert_settings import AlertSettings, HealthSettings
from router.admin.contract import AlertRow
from router.admin.facts import Facts, LiveOrders, OrdersAt
from router.admin.monitor import Monitor
from router.admin.needs import JournalState
from router.admin.rims import BudgetState, SessionState
from router.admin.watch import StageClock, Watch
from router.engine import Engine
from router.model import Effect
from tests.router.desk import SECOND, Desk

NOW = 1_795_420_800 * SECOND
"""Monday, 2026-11-23 08:00:00 UTC."""


class WatchedDesk(Desk):
    """A desk whose watch is told of everything, and has digested it."""

    def __init__(self, up: bool = True, **config: Any) -> None:
        self.stages = StageClock()
        self.watch = Watch(lambda: self.now, self.stages)
        super().__init__(up, **config)

    def apply(self, event: Any) -> list[Effect]:
        effects = super().apply(event)
        self.watch.observe(event, effects)
        self.watch.digest()
        return effects


class StandIn:
    """The runtime as far as it is watched: the desk's engine, and how often the state was held."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.held = 0
        self.ticked = 0

    @property
    def engine(self) -> Engine:
        return self._desk.engine

    @contextmanager
    def reading(self) -> Iterator[object]:
        self.held += 1
        yield self._desk.engine.state


class Rims:
    """FIX sessions and links that say what they are told to say; satisfies as much of both protocols as is asked here."""

    def __init__(self) -> None:
        self.sessions: list[SessionState] = []
        self.groups: list[BudgetState] = []

    def states(self) -> list[SessionState]:
        return self.sessions

    def budgets(self) -> list[BudgetState]:
        return self.groups


class Watching:
    """A monitor over a desk, and everything it said."""

    def __init__(self, desk: WatchedDesk | None = None, **more: Any) -> None:
        self.desk = desk or WatchedDesk()
        self.runtime = StandIn(self.desk)
        self.rims = Rims()
        self.journal = JournalState(sequence=7, bytes=4096, failing="", durability="process")
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.told: list[AlertRow] = []
        standard: dict[str, Any] = {
            "alerts": AlertSettings(), "health_settings": HealthSettings(), "version": "1.2.3", "journal": lambda: self.journal,
        }  # fmt: skip
        rims: Any = self.rims
        self.monitor = Monitor(self.runtime, self.desk.watch, rims, rims, clock=lambda: self.desk.now, note=self.note, **standard | more)
        self.monitor.on_alert = self.told.append

    def note(self, event: str, **fields: Any) -> None:
        self.notes.append((event, fields))

    def later(self, seconds: float) -> None:
        self.desk.now += int(seconds * SECOND)

    def metrics(self) -> str:
        return self.monitor.scrape()[0].decode()


def facts(seconds: float = 0, **more: Any) -> Facts:
    """All is well, so many seconds after `NOW`."""
    now = NOW + int(seconds * SECOND)
    well: dict[str, Any] = {
        "now": now, "started": NOW - 3600 * SECOND, "ticked": now, "book": LiveOrders(OrdersAt(), {}, {}),
        "journal": JournalState(sequence=7, bytes=4096, failing="", durability="process"),
    }  # fmt: skip
    return Facts(**well | more)


def session(name: str = "FIX.4.4:ROUTER->OMS44", logged_on: bool = True, **more: Any) -> SessionState:
    standard: dict[str, Any] = {
        "kind": "client", "enabled": True, "since": NOW - 60 * SECOND, "next_in": 1, "next_out": 1, "last_heard": 0, "address": "",
    }  # fmt: skip
    return SessionState(name=name, logged_on=logged_on, **standard | more)


def budget(used: int, **more: Any) -> BudgetState:
    standard: dict[str, Any] = {
        "link": "phemex", "group": "orders", "requests": 100, "seconds": 60.0, "reserve": 20, "closed_for_s": 0.0,
    }  # fmt: skip
    return BudgetState(used=used, **standard | more)
