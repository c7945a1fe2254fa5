"""The real thing for tests: the router and the simulated venues as processes, on free ports, in a folder of the test's own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tests.wire import Client

_PORTS = {"phemex": 9201, "primebit": 9301, "moonbase": 9401, "cryptocom": 9501}
ROOT = Path(__file__).resolve().parent.parent
_ports = count(os.getpid() % 2500)


def free_port() -> int:
    """One nobody has, below those the kernel gives to outgoing connections, and not another worker's: nobody takes it meanwhile."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        port = 12000 + worker % 8 * 2500 + next(_ports) % 2500
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Child:
    """A process whose output lines can be waited for."""

    def __init__(self, *arguments: str, cwd: Path, program: tuple[str, ...] = ("-m", "router")) -> None:
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(
            [sys.executable, "-u", *program, *arguments],
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        )  # fmt: skip
        self.lines: list[str] = []
        self._log = cwd / f"{arguments[0]}.log"  # to look at when a test fails
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream, self._log.open("a") as log:
            for line in stream:
                log.write(line)
                log.flush()
                self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def wait_for(self, text: str, timeout: float = 20) -> str:
        """The next line that contains a text."""
        until = time.monotonic() + timeout
        while True:
            try:
                line = self._queue.get(timeout=max(until - time.monotonic(), 0.001))
            except Empty:
                raise TimeoutError(f"no line with {text!r}; there were {self.lines[-15:]}") from None
            if line is None:
                raise ChildProcessError(f"ended before it said {text!r}; it said {self.lines[-15:]}")
            self.lines.append(line)
            if text in line:
                return line

    def wait_for_all(self, *texts: str) -> None:
        """Lines with each of these, in any order, within 30 s."""
        missing = set(texts)
        until = time.monotonic() + 30
        while missing:
            if time.monotonic() > until:
                raise TimeoutError(f"no line with {missing}; there were {self.lines[-15:]}")
            line = self.wait_for("")
            missing = {text for text in missing if text not in line or (text.startswith("link=") and "venue link up" not in line)}

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit code. All of its output is in `lines` afterwards."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self._reader.join(timeout=20)
        while not self._queue.empty():
            line = self._queue.get()
            self.lines += [line] if line is not None else []
        return code


class System:
    """A router and its simulated venues. The demo's configuration, with other ports, and lines replaced where a test wants it."""

    def __init__(self, folder: Path, *replace: tuple[str, str, str]) -> None:
        """`replace`: file under config/demo, a regular expression, and what stands there instead."""
        self.folder = folder
        self.fix_port, self.venue_port, self.quickfix_port = free_port(), free_port(), free_port()
        self.admin_port = free_port()
        self.control_ports = {name: free_port() for name in ("apifiny", "phemex", "primebit", "moonbase", "cryptocom")}
        shutil.copytree(ROOT / "config", folder / "config")
        self.demo = folder / "config" / "demo"
        ports = (
            ("clients.cfg", r"SocketAcceptPort=\d+", f"SocketAcceptPort={self.quickfix_port}"),
            # All clients of all tests come from one address.
            ("router.toml", r"\nport = 9876\b", f"\nport = {self.fix_port}\nlogon_attempts_per_minute = 100000"),
            ("router.toml", r"\nport = 8080\b", f"\nport = {self.admin_port}"),
            ("apifiny.cfg", r"SocketConnectPort=\d+", f"SocketConnectPort={self.venue_port}"),
            ("simulators.toml", r"port = 9101", f"port = {self.venue_port}"),
            ("simulators.toml", r"control_port = 9102", f"control_port = {self.control_ports['apifiny']}"),
            *(("simulators.toml", rf"\nport = {port}\b", f"\nport = {self.control_ports[venue]}") for venue, port in _PORTS.items()),
            *(("router.toml", rf"127\.0\.0\.1:{port}\b", f"127.0.0.1:{self.control_ports[venue]}") for venue, port in _PORTS.items()),
            ("router.toml", r"127\.0\.0\.1:9102\b", f"127.0.0.1:{self.control_ports['apifiny']}"),
        )
        for name, pattern, text in (*ports, *replace):
            self.edit(name, pattern, text)
        self._clients: list[Client] = []
        self.links = (
            "FIX.4.2:STA-00000001->APIFINY", "apifiny:BINANCE", "apifiny:COINBASEPRO", "apifiny:GBBO",
            "phemex", "primebit", "moonbase", "cryptocom",
        )  # fmt: skip
        self.simulator: Child | None = None
        self.router: Child | None = None

    def edit(self, name: str, pattern: str, text: str) -> None:
        """Change a file of the configuration."""
        path = self.demo / name
        before = path.read_text()
        after = re.sub(pattern, text, before)
        assert after != before, f"{pattern} is not in {name}"
        path.write_text(after)

    def start(self) -> System:
        self.start_simulator()
        self.start_router()
        return self

    def start_simulator(self) -> None:
        self.simulator = Child("simulate", "all", "--config", str(self.demo / "simulators.toml"), cwd=self.folder)
        self.simulator.wait_for("simulating")

    def start_router(self, *ready: str, program: tuple[str, ...] = ("-m", "router")) -> None:
        """Start it and wait for a line with each of these texts; without any, until it accepts clients and has its venue."""
        self.router = Child("run", "--no-console", "--config", str(self.demo / "router.toml"), cwd=self.folder, program=program)
        self.router.wait_for_all(*ready or ("accepting clients", *(f"link={link}" for link in self.links)))

    def kill_router(self) -> None:
        assert self.router is not None
        self.router.end(signal.SIGKILL)

    def close(self) -> None:
        for client in self._clients:
            client.drop()
        for child in (self.router, self.simulator):
            if child is not None:
                child.end(signal.SIGKILL)

    def client(self, begin: str = "FIX.4.2", sender: str = "OMS42") -> Client:
        self._clients.append(Client(self.fix_port, begin, sender))
        return self._clients[-1]

    def fixrouter(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of ours, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "router", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "160"}, check=False,
        )  # fmt: skip

    def get(self, path: str, venue: str = "apifiny") -> Any:
        """Ask a simulator."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.control_ports[venue]}{path}", timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, venue: str = "apifiny", /, **body: Any) -> Any:
        """Tell a simulator."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.control_ports[venue]}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def venue_orders(self, venue: str = "apifiny") -> list[dict[str, Any]]:
        """Every order the venue ever accepted."""
        orders: list[dict[str, Any]] = self.get("/_sim/orders", venue)
        return orders

    def until_at_venue(self, count: int, venue: str = "apifiny") -> None:
        """Wait until the venue has accepted so many orders in all."""
        until = time.monotonic() + 30
        while len(self.venue_orders(venue)) < count:
            assert time.monotonic() < until, f"{count} orders did not arrive at {venue}"
