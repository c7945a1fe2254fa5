"""The load client, the same for every contender: FIX 4.2 on one blocking socket, no QuickFIX, nothing built while the clock runs.

Orders are made ahead, sequence numbers and checksums included: what is timed is the contender and the kernel. Nothing but the expected
messages may come (heartbeats are far apart on purpose), so anything else is a fault and ends the run."""

from __future__ import annotations

import gc
import itertools
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

__all__ = ["Client", "Failed", "Party", "batch", "utc"]

Order = tuple[bytes, bytes]
"""ClOrdID and the whole message."""

_WAIT_S: Final = 10
_HEARTBEAT_S: Final = 600
_ACKNOWLEDGED: Final = b"\x01150=0\x01"


class Failed(Exception):
    """Something did not work: no figure can be given."""


@dataclass(frozen=True)
class Party:
    """Who the client is to a contender, and what it orders.

    `order(cl_ord_id, time)`: the body of an order after the header. `cl_ord_id(n)`: the n-th id. `logon`: the body of its Logon, None
    where there is no session at all, as with the bare TCP echo. `msg_type`: what the orders are."""

    sender: str
    target: str
    order: Callable[[str, str], str]
    cl_ord_id: Callable[[int], str]
    logon: Callable[[], str] | None
    msg_type: str = "D"


class Client:
    """One connection to one contender."""

    def __init__(self, port: int, party: Party) -> None:
        """Connect and log on. Raises `Failed`, `OSError`."""
        self._party = party
        self._rest = b""
        self._sequence = itertools.count(1)
        self._serial = itertools.count(1)
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_WAIT_S)
        # A timeout of Python's own would cost a poll before every call.
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _WAIT_S, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _WAIT_S, 0))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if party.logon is not None:
            self._log_on(party.logon())

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def make(self, count: int) -> list[Order]:
        """So many orders, to be sent next and within a minute."""
        made = []
        now = utc()
        for _ in range(count):
            cl_ord_id = self._party.cl_ord_id(next(self._serial))
            made.append((cl_ord_id.encode(), self._message(self._party.msg_type, self._party.order(cl_ord_id, now), now)))
        return made

    def closed(self, orders: list[Order]) -> list[int]:
        """One order in flight: ns from each send to its acknowledgement."""
        send, clock, times = self._socket.sendall, time.perf_counter_ns, []
        with _no_collector():
            for cl_ord_id, message in orders:
                start = clock()
                send(message)
                while not (acknowledged := self._hear()):
                    pass
                times.append(clock() - start)
                if acknowledged != [cl_ord_id]:
                    raise Failed(f"{cl_ord_id!r} was sent, {acknowledged} was acknowledged")
        return times

    def window(self, orders: list[Order], depth: int) -> int:
        """`depth` orders in flight: ns from the first send to the last acknowledgement. What was acknowledged together is followed by
        as many orders in one write, as a busy client's would be."""
        messages = [message for _, message in orders]
        waiting = {cl_ord_id for cl_ord_id, _ in orders}
        with _no_collector():
            start = time.perf_counter_ns()
            self._socket.sendall(b"".join(messages[:depth]))
            sent = depth
            while waiting:
                acknowledged = self._hear()
                waiting.difference_update(acknowledged)
                following = messages[sent : sent + len(acknowledged)]
                if following:
                    self._socket.sendall(b"".join(following))
                    sent += len(following)
            return time.perf_counter_ns() - start

    def ready(self, within_s: float) -> None:
        """Send an order now and then until one is acknowledged: only then is the whole way to the venue open. Raises `Failed`."""
        until = time.monotonic() + within_s
        while True:
            try:
                self.closed(self.make(1))
            except _Refused as refused:
                if time.monotonic() > until:
                    raise Failed(f"no order was taken within {within_s:g} s: {refused}") from None
                time.sleep(0.05)
            else:
                return

    # --- the wire ---------------------------------------------------------------------------------------------------------

    def _log_on(self, body: str) -> None:
        self._socket.sendall(self._message("A", f"98=0\x01108={_HEARTBEAT_S}\x01{body}", utc()))
        while b"\x0110=" not in self._rest or not self._rest.endswith(b"\x01"):
            self._rest += self._receive()
        if b"\x0135=A\x01" not in self._rest:
            raise Failed(f"the logon was answered with {self._rest!r}")
        self._rest = b""

    def _message(self, msg_type: str, body: str, now: str) -> bytes:
        party = self._party
        text = f"35={msg_type}\x0134={next(self._sequence)}\x0149={party.sender}\x0156={party.target}\x0152={now}\x01{body}"
        framed = f"8=FIX.4.2\x019={len(text)}\x01{text}".encode()
        return b"%b10=%03d\x01" % (framed, sum(framed) & 255)

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(1 << 16)
        except BlockingIOError:
            raise Failed(f"no answer within {_WAIT_S} s") from None
        if not data:
            raise Failed("the connection was closed")
        return data

    def _hear(self) -> list[bytes]:
        """The ClOrdIDs acknowledged by what comes next; nothing in it carries raw data, so 10= is always a message's end."""
        buffer = self._rest + self._receive()
        acknowledged = []
        start = 0
        while (end := buffer.find(b"\x0110=", start)) >= 0 and len(buffer) >= end + 8:
            message = buffer[start : end + 1]
            start = end + 8
            if _ACKNOWLEDGED in message:
                at = message.index(b"\x0111=") + 4
                acknowledged.append(message[at : message.index(b"\x01", at)])
            elif b"\x0135=0\x01" not in message:
                raise (_Refused if b"\x01150=8\x01" in message else Failed)(message.replace(b"\x01", b"|").decode("latin-1"))
        self._rest = buffer[start:]
        return acknowledged


class _Refused(Failed):
    """An order was rejected."""


def batch(client: Client, depth: int, warm_up: int) -> None:
    """Orders that are not counted, both ways of sending them."""
    client.closed(client.make(warm_up))
    client.window(client.make(warm_up), depth)


def utc() -> str:
    """Now as UTCTimestamp with milliseconds."""
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


@contextmanager
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
