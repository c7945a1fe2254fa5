"""What the admin API needs of the process it is in, as protocols: the core, the watch over it, and what only the wiring can do.

`rims.py` says the same of the FIX rim and the bridges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

from router.admin.contract import AlertRow, FillRow, Latency, RejectRow
from router.engine import Engine
from router.model import Effect, Input

__all__ = ["Core", "Figures", "JournalState", "LinkState", "Totals", "Watch", "Wiring"]


class Core(Protocol):
    """The runtime, as operators see it."""

    @property
    def engine(self) -> Engine: ...

    def step(self, event: Input) -> list[Effect]:
        """Handle one input to its end. Raises `OSError` when it cannot be journaled: then it had no effect."""
        ...

    def reading(self) -> AbstractContextManager[object]:
        """Hold the state still; for microseconds only, trading waits."""
        ...


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts since the process began."""

    fills: int = 0
    rejects: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one client session, since the process began."""

    orders: int = 0
    reports: int = 0
    rejects: int = 0


class LinkState(Protocol):
    """A link to a venue, as its events told."""

    @property
    def since(self) -> int:
        """ns UTC."""
        ...

    @property
    def why(self) -> str: ...


class Watch(Protocol):
    """What is counted and kept of what happened: fed by the runtime's observer. All of it may be called from the admin thread at any time,
    and returns at once. Rows are the newest first."""

    def fills(self) -> Sequence[FillRow]: ...

    def rejects(self) -> Sequence[RejectRow]: ...

    def latency(self) -> Sequence[Latency]: ...

    def totals(self) -> Totals: ...

    def figures(self, session: str) -> Figures: ...

    def link(self, name: str) -> LinkState | None:
        """When a link last came or went; None: it has done neither."""
        ...


@dataclass(frozen=True, slots=True)
class JournalState:
    """The journal now."""

    sequence: int
    bytes: int
    failing: str
    """Why nothing can be written; ""."""
    durability: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """What only `__main__` can do or knows. Called on the admin's own threads; none may block for long but `reload`."""

    version: str
    started: int
    """ns UTC."""
    clock: Callable[[], int]
    """ns UTC."""
    settings: Callable[[], BaseModel]
    """Those in use now; shown by /v1/config, passwords' hashes blotted out."""
    reload: Callable[[bool], tuple[bool, str, list[str]]]
    """Take the configuration file into use, or (True) only say what would change: done, in a sentence, line by line."""
    stop: Callable[[bool], None]
    """Ask for the orderly end, with every open order canceled first (True). Returns at once."""
    journal: Callable[[], JournalState]
    alerts: Callable[[], Sequence[AlertRow]]
    """Active ones first, then those of before; the newest first."""
    metrics: Callable[[], tuple[bytes, str]]
    """The body of /metrics, and its content type."""
    alive: Callable[[], list[str]]
    """What is dead; empty: /healthz answers 200."""
    ready: Callable[[], list[str]]
    """What is missing before orders can be taken; empty: /readyz answers 200."""
    note: Callable[..., None]
    """`Narrator.note`: event, level=, fields."""
