"""Structured logs: one line an event, with ClOrdID and OrderID where it concerns an order; secrets never.

The trading path only puts what happened into a queue; a thread of its own words and writes it. A crash can lose the last lines of this
log, never of the journal.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import MutableMapping
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Final, TextIO

import structlog

from router.model import (
    Alert,
    CancelReject,
    Configured,
    Effect,
    ExecutionReport,
    Input,
    LinkDown,
    LinkUp,
    Send,
    Started,
    Stopped,
)  # fmt: skip

__all__ = ["Narrator", "without_secrets"]

_SECRET_KEYS: Final = frozenset({"secret", "password", "token", "signature", "raw_data", "554", "96"})
_BACKLOG_AT_MOST: Final = 100_000


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values under a secret's name are not written, whoever passes them."""
    for key in event:
        if key.lower() in _SECRET_KEYS:
            event[key] = "***"
    return event


def _stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    time = event.pop("time", None)
    moment = datetime.now(UTC) if time is None else datetime.fromtimestamp(time / 1e9, UTC)
    event["ts"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


class Narrator:
    """Writes what happens to a stream. `note` and `observe` never block and may be called from any thread."""

    def __init__(self, stream: TextIO = sys.stdout, level: str = "info", form: str = "logfmt") -> None:
        """`level`: debug, info, warning or error. `form`: logfmt or json."""
        renderer: Any = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.processors.LogfmtRenderer(key_order=["ts", "level", "event"], drop_missing=True)
        )
        self._log = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=[structlog.processors.add_log_level, _stamp, without_secrets, renderer],
            wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        )
        self._queue: SimpleQueue[tuple[str, str, dict[str, Any]] | tuple[Input, list[Effect]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def note(self, event: str, level: str = "info", **fields: Any) -> None:
        """Log one event."""
        self._queue.put((event, level, fields))

    def observe(self, event: Input, effects: list[Effect]) -> None:
        """Log what an input led to; the runtime's observer."""
        if self._queue.qsize() < _BACKLOG_AT_MOST:
            self._queue.put((event, effects))

    def close(self) -> None:
        """Write what is waiting, then nothing more."""
        self._queue.put(None)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if len(item) == 3:
                    event, level, fields = item
                    getattr(self._log, level)(event, **fields)
                else:
                    self._tell(*item)
            except (OSError, ValueError):
                # Nobody reads our output any more; the router goes on.
                continue

    def _tell(self, event: Input, effects: list[Effect]) -> None:
        match event:
            case LinkUp():
                self._log.info("venue link up", link=event.link)
            case LinkDown():
                self._log.warning("venue link down", link=event.link, why=event.text)
            case Configured():
                self._log.info("configuration in use", destinations=",".join(each.name for each in event.destinations))
            case Started():
                self._log.info("started", version=event.version)
            case Stopped():
                self._log.info("stopped")
            case _:
                pass
        for effect in effects:
            self._effect(effect)

    def _effect(self, effect: Effect) -> None:
        match effect:
            case ExecutionReport():
                self._log.info(
                    "report", time=effect.time, exec_type=str(effect.exec_type), ord_status=str(effect.ord_status),
                    cl_ord_id=effect.cl_ord_id, order_id=effect.order_id, session=effect.session, to=effect.destination or "",
                    symbol=effect.symbol, side=str(effect.side), cum_qty=f"{effect.cum_qty:f}", leaves_qty=f"{effect.leaves_qty:f}",
                    **({"last_qty": f"{effect.last_qty:f}", "last_px": f"{effect.last_px:f}"} if effect.last_qty else {}),
                    **({"text": effect.text} if effect.text else {}),
                )  # fmt: skip
            case CancelReject():
                self._log.info(
                    "cancel reject", time=effect.time, cl_ord_id=effect.cl_ord_id, order_id=effect.order_id, session=effect.session,
                    reason=str(effect.reason), ord_status=str(effect.ord_status), text=effect.text,
                )  # fmt: skip
            case Send():
                command = effect.command
                self._log.info(
                    type(command).__name__.lower(), order_id=command.order_id, venue_cl_ord_id=command.venue_cl_ord_id,
                    link=effect.link, venue=command.venue, symbol=command.symbol,
                )  # fmt: skip
            case Alert():
                self._log.warning("alert", text=effect.text, **({"order_id": effect.order_id} if effect.order_id else {}))
