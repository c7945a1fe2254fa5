"""The watchdog, against listeners of the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from fix.watchdog import Watchdog


class Listener:
    """Hangs up on each caller as many times as it is told; after that it takes calls and says nothing."""

    def __init__(self, answers: int) -> None:
        self.heard: list[bytes] = []
        self._answers = answers
        self._kept: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.heard.append(caller.recv(4096))
            self._answers -= 1
            if self._answers >= 0:
                caller.close()
            else:
                self._kept.append(caller)

    def close(self) -> None:
        self._socket.close()
        for each in self._kept:
            each.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener(3)
    yield made
    made.close()


def test_a_thread_that_hangs_is_found_and_one_that_answers_is_left_alone(listener: Listener) -> None:
    """Three knocks are answered, the fourth is not; each is a whole Logon of nobody."""
    dead = threading.Event()
    said: list[str] = []

    def died(why: str) -> None:
        said.append(why)
        dead.set()

    dog = Watchdog(listener.port, died, every_s=0.01, within_s=0.2)
    dog.start()
    assert dead.wait(20)
    dog.stop()
    assert len(listener.heard) == 4
    assert said == ["QuickFIX's acceptor has not answered for 0.2 s"]
    assert all(b"\x0135=A\x01" in each and b"49=NOBODY" in each for each in listener.heard)


def test_stopped_it_says_nothing(listener: Listener) -> None:
    """The acceptor's own end is not a death."""
    said: list[str] = []
    dog = Watchdog(listener.port, said.append, every_s=60)
    dog.start()
    dog.stop()
    assert said == []
