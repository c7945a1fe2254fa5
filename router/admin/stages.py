"""How long each stage of an order takes: a clock around the parts of the trading path, put there only where it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Protocol, TypeVar

__all__ = ["timed"]

_Part = TypeVar("_Part")


class Stages(Protocol):
    """Where times go; from any thread, never blocks."""

    def took(self, stage: str, ns: int) -> None: ...


class _Timed:
    """A part with a clock around one of its methods; all else is the part's own."""

    def __init__(self, part: Any, method: str, stage: str, stages: Stages) -> None:
        self._part = part
        setattr(self, method, _clocked(getattr(part, method), stage, stages))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


def timed(part: _Part, method: str, stage: str, stages: Stages | None) -> _Part:
    """The part itself where nothing is to be timed, else the same with a clock around a method: decode, journal, apply, send, report."""
    return part if stages is None else _Timed(part, method, stage, stages)  # type: ignore[return-value]


def _clocked(call: Callable[..., Any], stage: str, stages: Stages) -> Callable[..., Any]:
    def clocked(*arguments: Any, **named: Any) -> Any:
        began = perf_counter_ns()
        try:
            return call(*arguments, **named)
        finally:
            stages.took(stage, perf_counter_ns() - began)

    return clocked
