"""What the front door adds: a round trip through it, plain and with TLS, against the same echo reached directly, in one run.

    python -m tests.bench.door [--rounds N]      # prints a table; takes about 20 s; stops by itself

Three processes on loopback: an echo, the gate, and this one. Ratios are what counts; the machine's own speed is in the direct column.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import socket
import ssl
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import trustme

from fix.gate import Gate, GateSettings
from fix.tls import TlsServer
from tests.system import free_port
from tests.wire import SOH, stamp

MESSAGE = b"8=FIX.4.4\x01" + b"x" * 180
ONE_BY_ONE, MANY, WINDOW = 5_000, 60_000, 64


class _Echo(asyncio.Protocol):
    """Echoes everything but a connection's first message, the Logon."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.logged_on = False

    def data_received(self, data: bytes) -> None:
        if self.logged_on:
            self.transport.write(data)
        elif b"\x0110=" in data:
            self.logged_on = True
            self.transport.write(b"on")


def _echo(port: int) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Echo, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(serve())


def _gate(port: int, upstream: int, certificate: tuple[str, str] | None) -> None:
    tls = None if certificate is None else TlsServer(Path(certificate[0]), Path(certificate[1]))
    made = GateSettings(
        "127.0.0.1", port, "127.0.0.1", upstream, sessions={("FIX.4.4", "C", "R"): ()}, tls=tls, logon_attempts_per_minute=1000
    )

    async def serve() -> None:
        await Gate(made, lambda *_args, **_fields: None).open()
        await asyncio.Event().wait()

    asyncio.run(serve())


def _logon() -> bytes:
    body = SOH.join(["35=A", "49=C", "56=R", "34=1", f"52={stamp()}", "98=0", "108=30", ""])
    text = f"8=FIX.4.4{SOH}9={len(body)}{SOH}{body}"
    return f"{text}10={sum(text.encode()) % 256:03}{SOH}".encode()


def _connected(port: int, context: ssl.SSLContext | None) -> socket.socket:
    until = time.monotonic() + 10
    while True:
        try:
            plain = socket.create_connection(("127.0.0.1", port), timeout=10)
            break
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line = plain if context is None else context.wrap_socket(plain, server_hostname="localhost")
    line.sendall(_logon())
    assert line.recv(2) == b"on"
    return line


def _exactly(line: socket.socket, size: int) -> None:
    while size:
        size -= len(line.recv(min(size, 1 << 20)))


def _measured(port: int, context: ssl.SSLContext | None) -> tuple[float, float]:
    """Median round trip in us, and messages a second with a window of them under way."""
    with _connected(port, context) as line:
        trips = []
        for _ in range(ONE_BY_ONE):
            began = time.perf_counter_ns()
            line.sendall(MESSAGE)
            _exactly(line, len(MESSAGE))
            trips.append(time.perf_counter_ns() - began)
        began = time.perf_counter_ns()
        for _ in range(MANY // WINDOW):
            line.sendall(MESSAGE * WINDOW)
            _exactly(line, len(MESSAGE) * WINDOW)
        return statistics.median(trips) / 1000, MANY / ((time.perf_counter_ns() - began) / 1e9)


def main() -> None:
    """Measure the three ways in turn, round by round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        authority = trustme.CA()
        ours = authority.issue_cert("localhost")
        files = (f"{folder}/cert.pem", f"{folder}/key.pem")
        ours.cert_chain_pems[0].write_to_path(files[0])
        ours.private_key_pem.write_to_path(files[1])
        context = ssl.create_default_context()
        authority.configure_trust(context)
        echo, plain, tls = free_port(), free_port(), free_port()
        parts = [(_echo, (echo,)), (_gate, (plain, echo, None)), (_gate, (tls, echo, files))]
        processes = [multiprocessing.get_context("spawn").Process(target=work, args=arguments, daemon=True) for work, arguments in parts]
        for process in processes:
            process.start()
        ways = {"direct": (echo, None), "gate": (plain, None), "gate, TLS": (tls, context)}
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (port, how) in ways.items():
                figures[name].append(_measured(port, how))
        for process in processes:
            process.kill()
    print("way         p50 round trip, us (ratio)      messages/s at window 64 (ratio)")
    base = [statistics.median(each[column] for each in figures["direct"]) for column in (0, 1)]
    for name, found in figures.items():
        trip, rate = (statistics.median(each[column] for each in found) for column in (0, 1))
        print(f"{name:10}  {trip:8.1f}  ({trip / base[0]:.2f})               {rate:10,.0f}  ({rate / base[1]:.2f})")


if __name__ == "__main__":
    main()
