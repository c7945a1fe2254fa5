"""A client's team for the tests of certification: an OMS that can go wrong, and the course that it is on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count

from fix.certify import Course, Notice, Verdict, log_stem
from router.certify_command import Tail, fresh
from tests.system import System
from tests.wire import Client, Message, stamp

VERSIONS = {"4.2": ("FIX.4.2", "OMS42"), "4.4": ("FIX.4.4", "OMS44"), "5.0SP2": ("FIXT.1.1", "OMS50")}
SECOND = 1_000_000_000
numbers = count(1)
"""For ClOrdIDs that nobody had."""


class Oms(Client):
    """The wire client, with a few ways of going wrong. `garble`: message type to fields that are sent instead; an
    empty 43 leaves a resend's PossDupFlag and OrigSendingTime out."""

    def __init__(self, port: int, begin: str, sender: str) -> None:
        super().__init__(port, begin, sender)
        self.garble: dict[str, list[tuple[str, str]]] = {}

    @property
    def away(self) -> bool:
        """Not connected."""
        return self._socket is None

    def send(self, msg_type: str, fields: list[tuple[str, str]], *, header: list[tuple[str, str]] | None = None, seq: int = 0) -> None:
        """As the client does, but for what is garbled."""
        changed = dict(self.garble.get(msg_type, []))
        body = [(tag, value) for tag, value in (dict(fields) | changed).items() if value]
        super().send(msg_type, body, header=header if "43" not in changed else None, seq=seq)

    def _session(self, message: Message) -> bool:
        return super()._session(message) or message["35"] == "1"


class Desk:
    """A client's team: its OMS, and the course that it is on."""

    def __init__(self, system: System, oms: Oms, version: str) -> None:
        self.system, self.oms, self.used, self.gone = system, oms, "", False
        self.session = f"{VERSIONS[version][0]}:ROUTER->{VERSIONS[version][1]}"
        folder = system.folder / "var" / "fix" / "log"
        self.logs = [Tail(folder / f"{log_stem(self.session)}.{kind}.log") for kind in ("messages", "event")]

    def begin(self, *names: str, heartbeat: int = 30) -> None:
        """Log on, and begin a case, or all of them."""
        if self.oms.away:
            self.oms.connect()
        self.course = Course(self.session, names, heartbeat)
        for line in fresh(self.logs):
            self.course.remember(line)
        self._do(self.course.begin(time.time_ns()))

    def read(self) -> None:
        """What the log has by now."""
        for line in fresh(self.logs):
            if line[25:26] == ":":
                self.gone = "Disconnecting" in line or (self.gone and "Received logon" not in line)
            self._do(self.course.hear(line))

    def verdict(self) -> Verdict:
        """Of the case, once the log has what the client did."""
        until = time.monotonic() + 20
        while not self.course.over:
            self.read()
            assert time.monotonic() < until, "the case does not end"
        return self.course.verdicts[0]

    def until_judged(self, name: str) -> None:
        """The case has its verdict, others may follow."""
        until = time.monotonic() + 20
        while name not in [each.name for each in self.course.verdicts]:
            self.read()
            assert time.monotonic() < until, f"{name} does not end"

    def keep_quiet(self) -> None:
        """Ten seconds in which nothing is sent."""
        self.read()
        self._do(self.course.tick(time.time_ns() + 10 * SECOND))

    def go(self, *, politely: bool = True) -> None:
        """End the connection, where the router has not, and wait until the router has seen it."""
        self.read()
        if politely and not self.gone:
            self.oms.send("5", [])
            self.oms.wait(lambda message: message["35"] == "5")
        self.oms.drop()
        until = time.monotonic() + 20
        while not self.gone:
            self.read()
            assert time.monotonic() < until, "the router does not see that the client is gone"

    def until_stored(self, name: str) -> None:
        """The router keeps an order's fill for the client that is away."""
        store = self.system.folder / "var" / "fix" / "store" / f"{log_stem(self.session)}.body"
        until = time.monotonic() + 20
        while not any(f"\x0111={name}\x01" in each and "\x0139=2\x01" in each for each in store.read_text().split("\x018=")):
            assert time.monotonic() < until, "the fill is not stored"

    def _do(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            if notice.act is not None:
                self.system.post(notice.act[0], **notice.act[1])

    # --- what an OMS does ---

    def order(self, price: str = "65000", **more: str) -> str:
        """An order; its ClOrdID."""
        name = f"c{next(numbers)}"
        self.oms.order(more.pop("t11", name), t44=price, **more)
        return name

    def resting(self, price: str = "65000") -> str:
        """An order that the router has reported New."""
        name = self.order(price)
        self.told(name, t39="0")
        return name

    def told(self, name: str, **expected: str) -> None:
        """A report came, and the course has seen it."""
        self.oms.report(name, **expected)
        self.read()

    def cancel(self, orig: str, **more: str) -> str:
        """A cancel; its ClOrdID."""
        name = f"c{next(numbers)}"
        self.oms.cancel(name, orig, **more)
        return name

    def replace(self, orig: str, qty: str, price: str) -> str:
        """A replace; its ClOrdID."""
        name = f"c{next(numbers)}"
        fields = {"11": name, "41": orig, "21": "1", "55": "BTC/USDT", "54": "1", "60": stamp(), "40": "2", "38": qty, "44": price}
        self.oms.send("G", list(fields.items()))
        return name

    def end(self, orig: str, **more: str) -> None:
        """A cancel, and its report."""
        self.told(self.cancel(orig, **more), t39="4")
