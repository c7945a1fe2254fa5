"""The router's process as the chaos tests run it: the product, with points at which it kills itself and bugs planted on request.

The product has no such switches: what is wrapped here is wrapped from outside, in this process only. Environment:

- `CHAOS_POINT=NAME:N`: SIGKILL at the N-th passage of a point of `POINTS`;
- `CHAOS_PLANT=NAME`: one of `PLANTS`, a bug that the ledgers must catch;
- `CHAOS_FULL=FILE`: while this file is there, the journal's disk is full (where a small file system cannot be mounted)."""

from __future__ import annotations

import errno
import os
import secrets
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

import router.__main__ as program
from bridges.moonbase import joins
from bridges.shell import Bridge
from fix.acceptor import Acceptor
from fix.initiator import VenueLink
from router import journal
from router.logs import Narrator
from router.model import (
    CancelOrder,
    ExecutionReport,
    Filled,
    NewOrder,
    NotSent,
    Place,
    ReplaceOrder,
    Started,
    Tick,
    Unanswered,
    VenueCommand,
    VenueEvent,
)
from router.runtime import Runtime

REQUESTS: Final = (NewOrder, CancelOrder, ReplaceOrder)
EVENTS: Final = VenueEvent.__args__
POINTS: Final = {
    "before-journal": "a client's request is decoded and not journaled",
    "after-journal": "it is journaled, and nothing has followed",
    "before-send": "a command is about to be given to its venue's link",
    "after-send": "it was given to the link",
    "order-sent": "the same, an order only",
    "answered": "a venue's HTTP answer is here, and nobody has been told",
    "event-heard": "a venue's event is decoded and not journaled",
    "event-journaled": "it is journaled, and not reported",
    "fill-journaled": "the same, an execution only",
    "reported": "a report is handed to the client's session; the next of the same input is not",
    "performed": "all of an input is done, and the record that says so is not written",
    "started": "the first record of a new life is written",
    "ticked": "a tick is journaled, and what it asks for is not done",
}


class _Point:
    """Counts the passages of the point asked for, and ends the process at the one asked for."""

    def __init__(self, wanted: str) -> None:
        self.name, _, number = wanted.partition(":")
        self._left = int(number or 0)

    def __call__(self, name: str) -> None:
        if name != self.name:
            return
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _around(owner: Any, name: str, before: Callable[..., None] | None, after: Callable[..., None] | None) -> None:
    """Have something called with a method's arguments before and after it."""
    inner = getattr(owner, name)

    def outer(self: Any, *args: Any, **more: Any) -> Any:
        if before is not None:
            before(*args)
        result = inner(self, *args, **more)
        if after is not None:
            after(*args)
        return result

    setattr(owner, name, outer)


def points(at: _Point) -> None:
    """Put every point in its place."""

    def journaling(event: Any, *_: Any) -> None:
        at("before-journal" if isinstance(event, REQUESTS) else "event-heard" if isinstance(event, EVENTS) else "")

    def journaled(event: Any, *_: Any) -> None:
        if isinstance(event, REQUESTS):
            at("after-journal")
        elif isinstance(event, EVENTS):
            at("event-journaled")
            at("fill-journaled" if isinstance(event, Filled) else "")
        else:
            at("started" if isinstance(event, Started) else "ticked" if isinstance(event, Tick) else "")

    _around(journal.JournalWriter, "append", journaling, journaled)

    def sent(command: VenueCommand) -> None:
        at("after-send")
        at("order-sent" if isinstance(command, Place) else "")

    for link in (Bridge, VenueLink):
        _around(link, "submit", lambda *_: at("before-send"), sent)
    _around(Bridge, "_look_at", lambda *_: at("answered"), None)
    _around(Acceptor, "report", None, lambda *_: at("reported"))
    _around(Narrator, "observe", lambda event, *_: at("" if isinstance(event, Tick) else "performed"), None)


# --- planted bugs -------------------------------------------------------------------------------------------------------


def late_journal() -> None:
    """Each record is written only when the next one comes: its consequences leave before it."""
    append = journal.JournalWriter.append
    held: list[tuple[Any, int]] = []

    def late(self: journal.JournalWriter, event: Any, now: int) -> Any:
        for before in held:
            append(self, *before)
        held[:] = [(event, now)]
        return self._position.sequence + 1

    journal.JournalWriter.append = late  # type: ignore[method-assign,assignment,unused-ignore]


def create_again() -> None:
    """A create whose answer was lost is sent again."""
    submit, hear = Bridge.submit, Runtime.hear
    placed: dict[str, tuple[Bridge, Place]] = {}

    def remembering(self: Bridge, command: VenueCommand) -> None:
        submit(self, command)
        if isinstance(command, Place):
            placed[command.order_id] = (self, command)

    def repeating(self: Runtime, event: Any) -> None:
        hear(self, event)
        if isinstance(event, Unanswered) and event.order_id in placed:
            bridge, place = placed.pop(event.order_id)
            submit(bridge, place)

    Bridge.submit = remembering  # type: ignore[method-assign]
    Runtime.hear = repeating  # type: ignore[method-assign]


def no_repeat() -> None:
    """After a crash the reports that may not have been handed over are not sent again."""
    begin = program.begin
    program.begin = lambda *args: (begin(*args)[0], [])  # type: ignore[attr-defined]


def random_exec_ids() -> None:
    """Every report has a new ExecID, also one that is told again."""
    report = Acceptor.report

    def renamed(self: Acceptor, message: Any, possibly_resent: bool = False) -> None:
        if isinstance(message, ExecutionReport) and message.exec_id != "0":
            message = msgspec.structs.replace(message, exec_id=secrets.token_hex(8))
        report(self, message, possibly_resent)

    Acceptor.report = renamed  # type: ignore[method-assign]


def silence_is_no() -> None:
    """A create whose answer was lost is taken for one that never left."""
    hear = Runtime.hear

    def hasty(self: Runtime, event: Any) -> None:
        if isinstance(event, Unanswered) and not self.engine.state.blotter.orders[event.order_id].done:
            event = NotSent(order_id=event.order_id, place=True, text=event.text)
        hear(self, event)

    Runtime.hear = hasty  # type: ignore[method-assign]


PLANTS: Final = {
    "late-journal": late_journal,
    "create-again": create_again,
    "no-repeat": no_repeat,
    "random-exec-ids": random_exec_ids,
    "silence-is-no": silence_is_no,
}


# --- the disk -----------------------------------------------------------------------------------------------------------


def full_while(flag: Path) -> None:
    """Nothing can be written to a journal while this file is there."""
    write = os.write

    def full(file: int, data: bytes) -> int:
        if flag.exists() and "/journal/" in os.readlink(f"/proc/self/fd/{file}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    os.write = full  # type: ignore[assignment]


def main() -> None:
    """Wrap what is asked for, and be the router."""
    # Moonbase allows twenty joins an hour, and the router keeps to it: a hundred lives in a quarter of an hour would have no Moonbase.
    setattr(joins, "PER_HOUR", 1_000_000)  # noqa: B010 - they are Final, and this is not the product
    setattr(joins, "_PAUSES", (0,))  # noqa: B010
    plant = os.environ.get("CHAOS_PLANT", "")
    if plant:
        PLANTS[plant]()
    if os.environ.get("CHAOS_FULL"):
        full_while(Path(os.environ["CHAOS_FULL"]))
    points(_Point(os.environ.get("CHAOS_POINT", "")))
    program.main()


if __name__ == "__main__":
    main()
