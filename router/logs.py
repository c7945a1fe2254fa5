"""Structured logs: one line an event, with ClOrdID and OrderID where it concerns an order; secrets never.

The trading path only leaves what happened on a heap of work; a thread of its own words and writes it, some times a second and little by
little, so that it neither wakes at each order nor holds the interpreter for long. A crash can lose the last lines of this log, never of
the journal.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, TextIO

import structlog

from router.model import Alert, CancelReject, Effect, ExecutionReport, Input, LinkDown, LinkUp, Send, Started, Stopped
from router.rules import Configured

__all__ = ["Narrator", "without_secrets"]

_SECRET_KEYS: Final = frozenset({"secret", "password", "token", "signature", "raw_data", "554", "96"})
_BACKLOG_AT_MOST: Final = 100_000
_EVERY_S: Final = 0.05
_SLICE: Final = 32
_BREATH_S: Final = 0.001
"""Between slices: the trading threads go first."""


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under a secret's name are not written, whoever passes them."""
    for key in event:
        if key.lower() in _SECRET_KEYS:
            event[key] = "***"
    return event


def _stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["ts"] = _iso(event.pop("time"))
    return event


_Said = tuple[str, str, dict[str, Any]]
"""An event's name, level and fields."""
_Happened = tuple[Input, list[Effect], int, None]
"""An input, its effects, and when it was observed; the last place tells it from `_Said`."""


class _Lines:
    """What structlog renders, collected to be written at once."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def msg(self, line: str) -> None:
        self.waiting.append(line)

    debug = info = warning = error = msg


class Narrator:
    """Writes what happens to a stream. `note` and `observe` never block and may be called from any thread."""

    def __init__(self, stream: TextIO = sys.stdout, level: str = "info", form: str = "logfmt") -> None:
        """`level`: debug, info, warning or error. `form`: logfmt or json."""
        renderer: Any = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"], drop_missing=True)
        )
        self._stream = stream
        self._lines = _Lines()
        self._log = structlog.wrap_logger(
            self._lines,
            processors=[structlog.processors.add_log_level, _stamp, without_secrets, renderer],
            wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
            cache_logger_on_first_use=True,
        ).bind()
        self._everything = level in ("debug", "info")
        self._logfmt = form == "logfmt"
        self._work: deque[_Said | _Happened] = deque()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def note(self, event: str, level: str = "info", **fields: Any) -> None:
        """Log one event."""
        self._work.append((event, level, {"time": time.time_ns(), **fields}))

    def observe(self, event: Input, effects: list[Effect]) -> None:
        """Log what an input led to; the runtime's observer."""
        wanted = self._everything or isinstance(event, LinkDown) or any(isinstance(each, Alert) for each in effects)
        if wanted and len(self._work) < _BACKLOG_AT_MOST:
            self._work.append((event, effects, time.time_ns(), None))

    def close(self) -> None:
        """Write what is waiting, then nothing more."""
        self._closing.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._closing.wait(_EVERY_S) or self._work:
            while self._work:
                for _ in range(min(_SLICE, len(self._work))):
                    self._word(self._work.popleft())
                self._write()
                if not self._closing.is_set():
                    time.sleep(_BREATH_S)

    def _write(self) -> None:
        text = "".join(f"{line}\n" for line in self._lines.waiting)
        self._lines.waiting.clear()
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads our output any more; the router goes on.
            return

    def _word(self, item: _Said | _Happened) -> None:
        if len(item) == 3:
            event, level, fields = item
            getattr(self._log, level)(event, **fields)
            return
        happened, effects, time_ns, _ = item
        self._circumstance(happened, time_ns)
        for effect in effects:
            self._effect(effect, time_ns)

    def _circumstance(self, event: Input, time_ns: int) -> None:
        match event:
            case LinkUp():
                self._log.info("venue link up", time=time_ns, link=event.link)
            case LinkDown():
                self._log.warning("venue link down", time=time_ns, link=event.link, why=event.text)
            case Configured():
                self._log.info("configuration in use", time=time_ns, destinations=",".join(each.name for each in event.destinations))
            case Started():
                self._log.info("started", time=time_ns, version=event.version)
            case Stopped():
                self._log.info("stopped", time=time_ns)
            case _:
                pass

    def _effect(self, effect: Effect, time_ns: int) -> None:
        match effect:
            case Alert():
                self._log.warning("alert", time=time_ns, text=effect.text, **({"order_id": effect.order_id} if effect.order_id else {}))
            case _ if not self._everything:
                pass
            case ExecutionReport():
                self._often("report", time_ns, _report_fields(effect))
            case CancelReject():
                self._often("cancel reject", time_ns, _cancel_reject_fields(effect))
            case Send():
                self._often(type(effect.command).__name__.lower(), time_ns, _command_fields(effect))

    def _often(self, event: str, time_ns: int, fields: dict[str, str]) -> None:
        """The lines of every order. Written as structlog's renderer would, at a fifth of its price."""
        if not self._logfmt:
            self._log.info(event, time=time_ns, **fields)
            return
        said = " ".join(f"{key}={_quoted(value)}" for key, value in fields.items() if value)
        self._lines.msg(f"ts={_iso(time_ns)} level=info event={_quoted(event)} {said}")


def _report_fields(report: ExecutionReport) -> dict[str, str]:
    fields = {
        "exec_type": report.exec_type.value, "ord_status": report.ord_status.value, "cl_ord_id": report.cl_ord_id,
        "order_id": report.order_id, "session": report.session, "to": report.destination or "", "symbol": report.symbol,
        "side": report.side.value, "cum_qty": str(report.cum_qty), "leaves_qty": str(report.leaves_qty),
    }  # fmt: skip
    if report.last_qty:
        fields |= {"last_qty": str(report.last_qty), "last_px": str(report.last_px)}
    return fields | {"text": report.text} if report.text else fields


def _cancel_reject_fields(reject: CancelReject) -> dict[str, str]:
    return {
        "cl_ord_id": reject.cl_ord_id, "order_id": reject.order_id, "session": reject.session, "reason": reject.reason.value,
        "ord_status": reject.ord_status.value, "text": reject.text,
    }  # fmt: skip


def _command_fields(send: Send) -> dict[str, str]:
    command = send.command
    return {
        "order_id": command.order_id, "venue_cl_ord_id": command.venue_cl_ord_id, "link": send.link, "venue": command.venue,
        "symbol": command.symbol,
    }  # fmt: skip


def _quoted(value: str) -> str:
    """A logfmt value: quoted where a blank, a quote, an equals sign or a control character would break the line."""
    return value if value.isprintable() and not (" " in value or '"' in value or "=" in value) else json.dumps(value)


def _iso(time_ns: int) -> str:
    second, rest = divmod(time_ns, 1_000_000_000)
    return f"{_iso_second(second)}.{rest // 1_000_000:03}Z"


@lru_cache(maxsize=4)
def _iso_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
