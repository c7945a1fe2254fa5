"""A FIX client of the tests' own: a socket, framing and just enough session to trade. It shares no code with the router."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime

SOH = "\x01"


def stamp(seconds_ago: float = 0) -> str:
    """UTCTimestamp of now, or of so many seconds ago."""
    return datetime.fromtimestamp(time.time() - seconds_ago, UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


class Message(dict[str, str]):
    """Tag to value; of a repeated tag the first. `raw`: all of it, | for SOH."""

    raw = ""

    def __missing__(self, tag: str) -> str:
        return ""


class Client:
    """One client session; sequence numbers are kept by the object, so that it can come back with a new socket."""

    def __init__(self, port: int, begin: str, sender: str, target: str = "ROUTER") -> None:
        self.port, self.begin, self.sender, self.target = port, begin, sender, target
        self.next_out = 1
        self.next_in = 1
        self.seen: list[Message] = []
        self._sent: dict[int, tuple[str, list[tuple[str, str]], str]] = {}
        self._socket: socket.socket | None = None
        self._buffer = b""

    # --- session ---

    def dial(self, source: str = "127.0.0.1") -> None:
        """Connect, and say nothing."""
        self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=10, source_address=(source, 0))
        self._buffer = b""

    def connect(self, source: str = "127.0.0.1", logon: Sequence[tuple[str, str]] = ()) -> Client:
        """Log on and return once the answer is there; what was missed is asked for and arrives by itself."""
        self.dial(source)
        extra = [("1137", "9")] if self.begin == "FIXT.1.1" else []
        self.send("A", [("98", "0"), ("108", "30"), *extra, *logon])
        self.wait(lambda message: message["35"] == "A")
        return self

    def drop(self) -> None:
        """Go away without a word."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, msg_type: str, fields: list[tuple[str, str]], *, header: list[tuple[str, str]] | None = None, seq: int = 0) -> None:
        """Send a message under the next sequence number."""
        number = seq or self.next_out
        if not seq:
            self.next_out += 1
            if msg_type in "DFGH":
                self._sent[number] = (msg_type, fields, stamp())
        head = [("35", msg_type), ("49", self.sender), ("56", self.target), ("34", str(number)), ("52", stamp()), *(header or [])]
        body = "".join(f"{tag}={value}{SOH}" for tag, value in [*head, *fields])
        text = f"8={self.begin}{SOH}9={len(body.encode())}{SOH}{body}"
        self.send_bytes(f"{text}10={sum(text.encode()) % 256:03}{SOH}".encode())

    def _resend(self, begin: int) -> None:
        """Orders again, as possible duplicates with their first sending time; for the rest a gap fill."""
        for number in range(begin, self.next_out):
            if number in self._sent:
                msg_type, fields, first = self._sent[number]
                self.send(msg_type, fields, header=[("43", "Y"), ("122", first)], seq=number)
            else:
                self.send("4", [("123", "Y"), ("36", str(number + 1))], header=[("43", "Y"), ("122", stamp())], seq=number)

    def send_bytes(self, data: bytes) -> None:
        """Send what is not a message."""
        assert self._socket is not None
        self._socket.sendall(data)

    def wait(self, wanted, timeout: float = 30) -> Message:  # type: ignore[no-untyped-def]
        """The next message that fits; all others are remembered in `seen`."""
        until = time.monotonic() + timeout
        while True:
            message = self._next(until)
            self.seen.append(message)
            if wanted(message):
                return message

    def _next(self, until: float) -> Message:
        while True:
            message = self._framed()
            if message is not None:
                answer = self._session(message)
                if answer:
                    return message
                continue
            assert self._socket is not None
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"nothing that fits; last seen: {[dict(each) for each in self.seen[-4:]]}")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue  # and say what came instead
            if not data:
                raise ConnectionError("the router hung up")
            self._buffer += data

    def _framed(self) -> Message | None:
        end = self._buffer.find(b"\x0110=")
        if end < 0 or len(self._buffer) < end + 8:
            return None
        raw, self._buffer = self._buffer[: end + 8], self._buffer[end + 8 :]
        message = Message()
        message.raw = raw.decode().replace(SOH, "|")
        for field in raw.decode().split(SOH):
            tag, _, value = field.partition("=")
            message.setdefault(tag, value)
        assert int(message["10"]) == sum(raw[: end + 1]) % 256, "bad checksum from the router"
        return message

    def _session(self, message: Message) -> bool:
        """Keep the session; returns whether the message is for the test."""
        number = int(message["34"])
        if message["35"] == "4":
            self.next_in = int(message["36"])
            return False
        if message["35"] == "2":
            self._resend(int(message["7"]))  # at once, even while a resend to us is under way
        if number > self.next_in and message["35"] != "A":
            return False  # a resend is under way; it comes again in its place
        if number > self.next_in:
            self.send("2", [("7", str(self.next_in)), ("16", "0")])
        elif number == self.next_in:
            self.next_in += 1
        elif message["43"] != "Y" and message["35"] != "A":
            raise AssertionError(f"sequence number {number} again without PossDupFlag")
        if message["35"] == "1":
            self.send("0", [("112", message["112"])])
            return False
        return message["35"] not in ("0", "2")

    # --- trading ---

    def order(self, cl_ord_id: str, **more: str) -> None:
        """A limit order, GTC, BTC/USDT at BINANCE, but for what `more` says; its keys are `t` and a tag; "" leaves a tag out."""
        fields = {
            "11": cl_ord_id, "21": "1", "55": "BTC/USDT", "54": "1", "60": stamp(), "40": "2", "38": "0.5", "44": "65000", "59": "1",
            "100": "BINANCE",
        }  # fmt: skip
        fields |= {key[1:]: value for key, value in more.items()}
        self.send("D", [(tag, value) for tag, value in fields.items() if value])

    def cancel(self, cl_ord_id: str, orig: str, **more: str) -> None:
        """An OrderCancelRequest."""
        fields = {"11": cl_ord_id, "41": orig, "55": "BTC/USDT", "54": "1", "60": stamp()} | {k[1:]: v for k, v in more.items()}
        self.send("F", [(tag, value) for tag, value in fields.items() if value])

    def status(self, cl_ord_id: str, **more: str) -> None:
        """An OrderStatusRequest."""
        fields = {"11": cl_ord_id, "55": "BTC/USDT", "54": "1"} | {key[1:]: value for key, value in more.items()}
        self.send("H", [(tag, value) for tag, value in fields.items() if value])

    def report(self, cl_ord_id: str, **expected: str) -> Message:
        """The next report (8 or 9) of this ClOrdID whose tags are as expected."""

        def fits(message: Message) -> bool:
            about = message["35"] in ("8", "9") and cl_ord_id in (message["11"], message["41"])
            return about and all(message[key[1:]] == value for key, value in expected.items())

        return self.wait(fits)
