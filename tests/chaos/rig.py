"""The system under chaos: the demo's simulators in a process of their own, relays before each of them, and the router's process, which is
started again whenever it dies. The disk of its journal can be made full."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.relay import Relay
from tests.system import ROOT, System, free_port

DISK_MIB = 256
_AFTERMATH_S = 5.0
QUICK = (
    ("router.toml", r"answer_timeout_s = 5", "answer_timeout_s = 1"),
    ("simulators.toml", "joins_per_hour = 20", "joins_per_hour = 0"),  # see child.main
)


class Rig:
    """Use as an asynchronous context."""

    def __init__(self, folder: Path, plant: str = "", module: str = "tests.chaos.child") -> None:
        """`module`: what runs as the router; with the product itself there are no points, no plants and no full disk."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.system = System(folder / "s", *QUICK)
        self.journal = self.system.folder / "var" / "journal"
        self.process: asyncio.subprocess.Process | None = None
        self.lives = 0
        self._full_until = 0.0
        self._plant = plant
        self._module = module
        self._mounted = False
        self._flag = folder / "disk-is-full"
        ports = self.system.control_ports
        self.relays = {name: Relay(name, free_port(), port) for name, port in ports.items()}
        self.relays["apifiny-fix"] = Relay("apifiny-fix", free_port(), self.system.venue_port)
        for name, port in ports.items():
            self.system.edit("router.toml", rf"127\.0\.0\.1:{port}\b", f"127.0.0.1:{self.relays[name].port}")
        self.system.edit("apifiny.cfg", r"SocketConnectPort=\d+", f"SocketConnectPort={self.relays['apifiny-fix'].port}")

    async def __aenter__(self) -> Rig:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        self._mount()
        try:
            await asyncio.to_thread(self.system.start_simulator)
            for relay in self.relays.values():
                await relay.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        for relay in self.relays.values():
            relay.close()
        self.system.close()
        await self._http.close()

    # --- the router -------------------------------------------------------------------------------------------------------

    async def start(self, point: str = "") -> asyncio.subprocess.Process:
        """Begin a life of the router, with a point at which it kills itself, or "" (`child.POINTS`)."""
        self.lives += 1
        if self._mounted and not self.journal.is_mount():
            raise RuntimeError(f"somebody has taken the file system of {self.journal} away")
        kept = sum(each.stat().st_size for each in self.journal.glob("*.log"))
        environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "CHAOS_POINT": point, "CHAOS_PLANT": self._plant}
        if not self._mounted:
            environment["CHAOS_FULL"] = str(self._flag)
        with (self.folder / "router.log").open("a") as log:
            log.write(f"--- life {self.lives}, point {point or 'none'}, journal of {kept} bytes\n")
            log.flush()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, "run", "--no-console", "--config", str(self.system.demo / "router.toml"),
                cwd=self.system.folder, stdout=log, stderr=log, env=environment,
            )  # fmt: skip
        return self.process

    async def died(self, within_s: float) -> int | None:
        """The router's exit code, or None while it lives."""
        assert self.process is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                return await self.process.wait()
        return None

    async def kill(self, number: int = signal.SIGKILL, within_s: float = 20) -> int | None:
        """End the router."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await self.died(within_s)

    def log_lines(self) -> list[str]:
        """What all lives of the router have said."""
        return (self.folder / "router.log").read_text(errors="replace").splitlines()

    # --- the venues -------------------------------------------------------------------------------------------------------

    async def get(self, venue: str, path: str) -> Any:
        """Ask a simulator."""
        async with self._http.get(f"http://127.0.0.1:{self.system.control_ports[venue]}{path}") as answer:
            return await answer.json()

    async def post(self, venue: str, path: str, /, **body: Any) -> bool:
        """Tell a simulator; returns whether it could."""
        async with self._http.post(f"http://127.0.0.1:{self.system.control_ports[venue]}{path}", json=body) as answer:
            return answer.status == 200

    async def venue_orders(self) -> dict[str, list[dict[str, Any]]]:
        """Every order that each simulator ever accepted."""
        return {venue: await self.get(venue, "/_sim/orders") for venue in self.system.control_ports}

    # --- the journal's disk -----------------------------------------------------------------------------------------------

    def fill_disk(self) -> None:
        """Nothing more can be written to the journal."""
        self._full_until = float("inf")
        if not self._mounted:
            self._flag.touch()
            return
        with (self.journal / "ballast").open("wb") as ballast, suppress(OSError):
            room = os.fstatvfs(ballast.fileno())
            if room.f_blocks * room.f_frsize > DISK_MIB * 1024 * 1024:
                raise RuntimeError(
                    f"{self.journal} is not on the small file system of this run any more: the machine's is not to be filled"
                )
            os.posix_fallocate(ballast.fileno(), 0, room.f_bavail * room.f_bsize)

    def free_disk(self) -> None:
        """It can again."""
        self._flag.unlink(missing_ok=True)
        (self.journal / "ballast").unlink(missing_ok=True)
        self._full_until = time.monotonic() + _AFTERMATH_S

    @property
    def disk_full(self) -> bool:
        """Whether the disk is, or was only just, full: a router that starts then may well say so and end."""
        return time.monotonic() < self._full_until

    def _mount(self) -> None:
        """A file system of its own for the journal, where we may; else the child pretends."""
        self.journal.mkdir(parents=True)
        if os.geteuid() == 0 and self._module != "router":
            command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "fixrouter-chaos", str(self.journal)]
            self._mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        """Keep the journal, and give the file system back."""
        if self._mounted:
            kept = {each.name: each.read_bytes() for each in self.journal.iterdir() if each.is_file()}
            subprocess.run(["umount", "--lazy", str(self.journal)], capture_output=True, check=False)
            self._mounted = False
            for name, content in kept.items():
                (self.journal / name).write_bytes(content)
