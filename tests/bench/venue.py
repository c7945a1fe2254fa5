"""The demo's configuration on ports of the benchmark's own, and the simulated Apifiny that it describes: the far side of s, e and d."""

from __future__ import annotations

import re
import shutil
import time
import tomllib
from pathlib import Path
from typing import Final

from fix.apifiny import logon_token
from tests.bench.client import Failed, Party
from tests.bench.processes import ROOT, Child, free_ports

__all__ = ["ACCOUNT", "KEY_ID", "Configuration", "secret", "straight"]

ACCOUNT: Final = "STA-00000001"
KEY_ID: Final = "demo-key"
_DEMO: Final = ROOT / "config" / "demo"
_PORT: Final = re.compile(r"(?im)(?P<key>^[^#\n]*?port\s*=\s*|127\.0\.0\.1:|localhost:)(?P<port>\d+)")
_TABLE: Final = re.compile(r"(?m)^(?=\[)")
_NUMBER: Final = "".join(character for character in ACCOUNT if character.isdigit())


def secret() -> str:
    """The demo account's."""
    return (_DEMO / "apifiny.secret").read_text().strip()


class Configuration:
    """A copy of the demo's configuration in which every port is another, the same in every file, and state is in the copy's folder.

    Of accounts, destinations and routes only Apifiny's are left: a router that keeps looking for other venues measures that."""

    def __init__(self, folder: Path, level: str = "info", *more: tuple[str, str]) -> None:
        """`level`: that of the router's log; `more`: patterns of its file, and what stands there instead."""
        self.state = folder / "state"
        self._ports: dict[str, int] = {}
        shutil.copytree(ROOT / "config", folder / "config")
        self._demo = folder / "config" / "demo"
        for path in sorted([*self._demo.glob("*.toml"), *self._demo.glob("*.cfg")]):
            path.write_text(_PORT.sub(self._moved, path.read_text()))
        self.router = self._demo / "router.toml"
        text = self.router.read_text()
        text, states = re.subn(r"(?m)^state = .*$", f'state = "{self.state}"', text)
        text, levels = re.subn(r"(?m)^level = .*$", f'level = "{level}"', text)
        for pattern, setting in more:
            text, changed = re.subn(pattern, setting, text)
            if not changed:
                raise Failed(f"config/demo/router.toml: {pattern} is not there")
        if states != 1 or levels != 1:
            raise Failed("config/demo/router.toml: state and level are not where the benchmark looks for them")
        self.router.write_text(_apifiny_alone(text))
        self.client_port = self._port("clients.cfg", "SocketAcceptPort")
        self.admin_url = f"http://127.0.0.1:{tomllib.loads(self.router.read_text())['admin']['port']}"
        self.venue_port = self._port("apifiny.cfg", "SocketConnectPort")

    def simulator(self, folder: Path) -> Child:
        """The simulated Apifiny as a process of its own."""
        return Child(["router", "simulate", "apifiny", "--config", str(self._demo / "simulators.toml")], folder)

    def _moved(self, found: re.Match[str]) -> str:
        port = found["port"]
        if port not in self._ports:
            (self._ports[port],) = free_ports(1)
        return f"{found['key']}{self._ports[port]}"

    def _port(self, file: str, key: str) -> int:
        found = re.search(rf"(?m)^{key}=(\d+)", (self._demo / file).read_text())
        if found is None:
            raise Failed(f"config/demo/{file} has no {key}")
        return int(found[1])


def _apifiny_alone(text: str) -> str:
    """A router's TOML without the tables that are about other venues."""
    kept: list[str] = []
    destinations: set[str] = set()
    for table in _TABLE.split(text):
        entries = tomllib.loads(table)
        if "front_door" in entries:
            continue  # its cost is measured by itself
        if any(each["venue"] != "apifiny" for each in entries.get("accounts", ())):
            continue
        if any(each["account"] != "apifiny" for each in entries.get("destinations", ())):
            continue
        places = [place for each in entries.get("routes", ()) for place in (each.get("destination"), *each.get("fallbacks", ()))]
        if any(place is not None and place not in destinations for place in places):
            continue
        destinations.update(each["name"] for each in entries.get("destinations", ()))
        kept.append(table)
    return "".join(kept)


def _order_id(serial: int) -> str:
    return f"{_NUMBER}{serial:07}{time.time_ns() // 1_000_000:013}{serial % 1000:03}"


def _logon() -> str:
    token = logon_token(ACCOUNT, KEY_ID, secret(), time.time_ns())
    return f"141=Y\x0195={len(token)}\x0196={token}\x01"


def straight() -> Party:
    """The client as Apifiny's own customer, with nothing in between."""

    def order(cl_ord_id: str, now: str) -> str:
        return (
            f"11={cl_ord_id}\x011={ACCOUNT}\x01207=BINANCE\x0155=BTCUSDT\x0121=1\x0140=2\x0159=1\x0160={now}\x0154=1\x01"
            f"44=65000\x0138=0.001\x01"
        )

    return Party(ACCOUNT, "APIFINY", order, _order_id, _logon)
