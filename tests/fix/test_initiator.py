"""The session with a FIX venue, with a venue of the test's own that asks for what no simulator does."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fix.door import message
from tests.system import System
from tests.wire import SOH, stamp

PATIENCE_S = 30
_MESSAGE = re.compile(rf"8=FIX\.4\.2{SOH}.*?{SOH}10=\d{{3}}{SOH}")


class Venue:
    """An acceptor that says what it is told to."""

    def __init__(self, port: int) -> None:
        self._listening = socket.create_server(("127.0.0.1", port))
        self._listening.settimeout(PATIENCE_S)
        self._line: socket.socket | None = None
        self._said = 0
        self._came = ""

    def accept(self) -> None:
        """The router logs on."""
        self._line, _ = self._listening.accept()
        self._line.settimeout(PATIENCE_S)
        self._account = self.hear("A")["49"]
        self.say("A", "98=0", "108=30", "141=Y")

    def say(self, msg_type: str, *fields: str) -> None:
        self._said += 1
        head = (f"35={msg_type}", "49=APIFINY", f"56={self._account}", f"34={self._said}", f"52={stamp()}")
        assert self._line is not None
        self._line.sendall(message(*head, *fields))

    def hear(self, *wanted: str) -> dict[str, str]:
        """The next message of one of these types; heartbeats and tests of the line are passed over."""
        while True:
            found = _MESSAGE.search(self._came)
            if found is None:
                assert self._line is not None
                more = self._line.recv(65536)
                assert more, "the router hung up"
                self._came += more.decode()
                continue
            self._came = self._came[found.end() :]
            said = dict(field.split("=", 1) for field in found.group().split(SOH) if field)
            if said["35"] in wanted:
                return said
            assert said["35"] in "01", said

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
        self._listening.close()


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[tuple[System, Venue]]:
    """A router that is logged on there, and to no other venue."""
    system = System(tmp_path / "s")
    made = Venue(system.venue_port)
    try:
        system.start_router("accepting clients")
        made.accept()
        assert system.router is not None
        system.router.wait_for('"venue link up" link=FIX.4.2:STA-00000001->APIFINY')
        yield system, made
    finally:
        made.close()
        system.close()


def test_an_order_is_never_sent_again_whatever_the_venue_asks_for(venue: tuple[System, Venue]) -> None:
    """A ResendRequest gets a gap fill over everything, and the session goes on: the next order is the next message."""
    system, far = venue
    oms = system.client().connect()
    oms.order("first", t100="BINANCE")
    first = far.hear("D")
    far.say("2", "7=1", "16=0")
    gap = far.hear("4", "D")
    assert (gap["35"], gap["123"], gap["43"], gap["34"]) == ("4", "Y", "Y", "1")
    assert int(gap["36"]) == int(first["34"]) + 1
    oms.order("second", t100="BINANCE")
    second = far.hear("D")
    assert (second["11"] != first["11"], int(second["34"])) == (True, int(gap["36"]))
