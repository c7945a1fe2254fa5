"""What must hold of everything that a protocol says, whatever it was told; and the real core, which hears all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from bridges.wire import Frame, Note, Reconnect, Request, Told
from fix.client import ClientDialect
from router.engine import Engine
from router.model import (
    Accepted,
    Alert,
    Barred,
    Canceled,
    CancelReject,
    CancelRejected,
    ExecutionReport,
    Filled,
    Found,
    Held,
    LinkDown,
    LinkUp,
    Listed,
    MassCancelReport,
    NotSent,
    Priced,
    Rejected,
    Remembered,
    Replaced,
    Send,
    Stated,
    Unanswered,
)

__all__ = ["INPUTS", "Core", "judged", "sound"]

INPUTS: Final = (
    Accepted, Filled, Canceled, Replaced, Rejected, CancelRejected, Stated, NotSent, Unanswered, Found, Listed, Remembered, LinkUp,
    LinkDown, Barred, Priced, Held,
)  # fmt: skip
_OTHERS: Final = (Request, Frame, Reconnect, Note, Told)
_NAME_AT_MOST: Final = 128
_TEXT_AT_MOST: Final = 1_000
_DIGITS_AT_MOST: Final = 100
_SIZE_AT_MOST: Final = 45
_SIGNED: Final = {"fee", "qty", "total", "available"}
_ABOVE_ZERO: Final = {"last_qty", "last_px", "avg_px", "order_qty", "tick", "lot", "max_qty", "max_px", "max_notional"}
_FREE_TEXT: Final = {"text", "why", "value", "error"}


def judged(outs: Iterable[Any]) -> list[Any]:
    """The outs, each found sound; those for the core are returned."""
    inputs = []
    for out in outs:
        assert isinstance(out, INPUTS + _OTHERS), f"not an out: {out!r:.200}"
        if isinstance(out, INPUTS):
            sound(out)
            inputs.append(out)
        else:
            _other(out)
    return inputs


def sound(event: Any) -> None:
    """An event that the core may hear: numbers that can be, names and texts that can be shown, and a journal that can hold it."""
    for name in event.__struct_fields__:
        _value(event, name, getattr(event, name))
    again = msgspec.json.decode(msgspec.json.encode(event), type=type(event))
    assert again == event, f"the journal gives back another event: {event}"


def _value(event: Any, name: str, value: Any) -> None:
    match value:
        case Decimal():
            _number(event, name, value)
        case str():
            most = _TEXT_AT_MOST if name in _FREE_TEXT else _NAME_AT_MOST
            assert len(value) <= most, f"{name} of {len(value)} characters: {type(event).__name__}"
            assert value.isprintable(), f"{name} cannot be shown: {value!r:.100}"
        case tuple() | list():
            for each in value:
                if isinstance(each, msgspec.Struct):
                    for inner in each.__struct_fields__:
                        _value(each, inner, getattr(each, inner))
                else:
                    _value(event, name, each)


def _number(event: Any, name: str, value: Decimal) -> None:
    assert value.is_finite(), f"{name} is {value}: {type(event).__name__}"
    assert len(value.as_tuple().digits) <= _DIGITS_AT_MOST, f"{name} has too many digits"
    assert abs(value.adjusted()) <= _SIZE_AT_MOST, f"{name} is absurd: {value}"
    if name in _ABOVE_ZERO:
        assert value > 0, f"{name} is {value}: {event}"
    elif name not in _SIGNED:
        assert value >= 0, f"{name} is {value}: {event}"


def _other(out: Any) -> None:
    match out:
        case Request():
            for part in (out.method, out.path, out.query):
                assert part.isascii() and part.isprintable() and " " not in part, f"not for a request line: {part!r:.100}"
            out.body.encode()
            assert len(out.path) + len(out.query) < 20_000
        case Frame():
            out.text.encode()
            assert len(out.text) < 100_000
        case Note() | Reconnect():
            text = out.text if isinstance(out, Note) else out.why
            assert text and len(text) <= _TEXT_AT_MOST, f"a text of {len(text)} characters"
            assert text.isprintable(), f"cannot be shown: {text!r:.200}"
        case Told():
            json.dumps(out.rows).encode()
            for each in (out.error, *(text for row in out.rows for pair in row.items() for text in pair)):
                assert each.isprintable() and len(each) <= _TEXT_AT_MOST, f"an operator cannot read {each!r:.200}"


class Core:
    """The real engine. Every input is checked as the runtime's journal would have it; the book is checked after each."""

    def __init__(self, now: int) -> None:
        self.engine = Engine()
        self.now = now
        self._dialects = [ClientDialect(each, "s") for each in ("FIX.4.2", "FIX.4.4", "FIXT.1.1")]

    def apply(self, event: Any, now: int) -> list[Send]:
        """One input; the commands for venues that follow from it."""
        self.now = max(self.now + 1, now)
        effects = self.engine.apply(event, self.now)
        self.engine.state.blotter.check()
        for each in effects:
            match each:
                case Alert():
                    assert not each.text.startswith("internal error"), f"{each.text} after {event}"
                    assert len(each.text) <= 2 * _TEXT_AT_MOST and each.text.isprintable(), (
                        f"an alert that cannot be shown: {each.text!r:.300}"
                    )
                case ExecutionReport() | CancelReject() | MassCancelReport():
                    for dialect in self._dialects:
                        dialect.encode(each).encode()
        return [each for each in effects if isinstance(each, Send)]
