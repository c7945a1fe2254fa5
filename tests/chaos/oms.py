"""A client's order management system in asyncio: one persistent FIX session that comes back for ever. No code of the router's.

It keeps its sequence numbers, asks for what it has missed, answers the router's ResendRequests with PossDupFlag(43), and remembers every
message it was told, in order and once. What a careful counterparty would call a fault of the session is in `faults`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from tests.wire import SOH, Message, stamp

_HEARTBEAT_S = 10


class Oms:
    """One session. Everything happens on the loop that runs `run`."""

    def __init__(self, port: int, begin: str, sender: str, told: Callable[[Oms, Message], None]) -> None:
        """`told` hears every application message, once and in order."""
        self.name = f"{begin}:ROUTER->{sender}"
        self.logged_on = False
        self.logons = 0
        self.heard: list[Message] = []
        self.faults: list[str] = []
        self.last_heard = 0.0
        self._port, self._begin, self._sender, self._told = port, begin, sender, told
        self._next_out = self._next_in = 1
        self._sent: dict[int, tuple[str, list[tuple[str, str]], str]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._asked_from = 0
        self._probe = 0
        self._probed = asyncio.Event()

    async def run(self) -> None:
        """Be there, until canceled."""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._one_connection()
            self.logged_on = False
            await asyncio.sleep(0.1)

    def send(self, msg_type: str, fields: list[tuple[str, str]]) -> int:
        """Send under the next sequence number, now or, when the connection is gone, at the router's request. Returns the number."""
        number, self._next_out = self._next_out, self._next_out + 1
        if msg_type in "DFGH":
            self._sent[number] = (msg_type, fields, stamp())
        self._write(msg_type, fields, number)
        return number

    async def all_heard(self, within_s: float) -> bool:
        """Whether everything that the router has sent by now has arrived: a TestRequest and its answer. One that falls into a gap of ours
        is never answered (a resend fills over it), so it is tried again."""
        until = time.monotonic() + within_s
        self._probed.clear()
        while time.monotonic() < until:
            self._probe += 1
            self.send("1", [("112", f"probe{self._probe}")])
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._probed.wait()
                    return self._asked_from == 0
        return False

    # --- the session ------------------------------------------------------------------------------------------------------

    async def _one_connection(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        beating = asyncio.ensure_future(self._beat())
        self._asked_from = 0
        try:
            self.send("A", [("98", "0"), ("108", "30"), *([("1137", "9")] if self._begin == "FIXT.1.1" else [])])
            while True:
                self._take(_read(await _frame(reader)))
        finally:
            beating.cancel()
            self._writer.close()
            self._writer = None

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_S)
            self.send("0", [])

    def _take(self, message: Message) -> None:
        number, msg_type = int(message["34"]), message["35"]
        if msg_type == "2":
            self._resend(int(message["7"]))  # at once, also while a resend to us is under way
        if msg_type == "4" and message["123"] == "Y" and number > self._next_in:
            return
        if number > self._next_in:
            if msg_type == "A":
                self._up()
            if not self._asked_from:
                self._asked_from = number
                self.send("2", [("7", str(self._next_in)), ("16", "0")])
            return
        if number < self._next_in:
            if message["43"] != "Y":
                self.faults.append(f"MsgSeqNum {number} again, {self._next_in} expected, without PossDupFlag: {message.raw[:200]}")
            return
        self._next_in = int(message["36"]) if msg_type == "4" else number + 1
        if self._next_in > self._asked_from:
            self._asked_from = 0
        self._in_order(msg_type, message)

    def _in_order(self, msg_type: str, message: Message) -> None:
        match msg_type:
            case "A":
                self._up()
            case "1":
                self.send("0", [("112", message["112"])])
            case "0" if message["112"] == f"probe{self._probe}":
                self._probed.set()
            case "5":
                if "MsgSeqNum" in message["58"]:
                    self.faults.append(f"the router logs out: {message['58']}")
            case "8" | "9" | "3" | "j":
                self.heard.append(message)
                self.last_heard = time.monotonic()
                self._told(self, message)

    def _up(self) -> None:
        self.logged_on = True
        self.logons += 1

    def _resend(self, begin: int) -> None:
        """Orders again, with their first sending time; gap fills over the rest."""
        number, end = begin, self._next_out
        while number < end:
            if number in self._sent:
                msg_type, fields, first = self._sent[number]
                self._write(msg_type, fields, number, [("43", "Y"), ("122", first)])
                number += 1
                continue
            after = next((each for each in range(number, end) if each in self._sent), end)
            self._write("4", [("123", "Y"), ("36", str(after))], number, [("43", "Y"), ("122", stamp())])
            number = after

    def _write(self, msg_type: str, fields: list[tuple[str, str]], number: int, header: list[tuple[str, str]] | None = None) -> None:
        if self._writer is None:
            return
        head = [("35", msg_type), ("49", self._sender), ("56", "ROUTER"), ("34", str(number)), ("52", stamp()), *(header or [])]
        body = "".join(f"{tag}={value}{SOH}" for tag, value in [*head, *fields])
        text = f"8={self._begin}{SOH}9={len(body.encode())}{SOH}{body}"
        self._writer.write(f"{text}10={sum(text.encode()) % 256:03}{SOH}".encode())


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One message, by its BodyLength(9)."""
    head = await reader.readuntil(b"\x019=") + await reader.readuntil(b"\x01")
    length = int(head[head.rindex(b"=") + 1 : -1])
    return head + await reader.readexactly(length + len("10=000|"))


def _read(raw: bytes) -> Message:
    message = Message()
    message.raw = raw.decode().replace(SOH, "|")
    for field in raw.decode().split(SOH):
        tag, _, value = field.partition("=")
        message.setdefault(tag, value)
    end = raw.rindex(b"10=")
    assert int(message["10"]) == sum(raw[:end]) % 256, "bad checksum from the router"
    return message
