"""The front door and the tunnels of one router, put together from its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fix.admission import Network
from fix.first import SessionKey
from fix.gate import Gate, GateSettings
from fix.relay import Noted
from fix.sessions import SessionFile
from fix.tls import TlsClient, TlsServer
from fix.tunnel import Tunnel, TunnelSettings
from router.client_settings import FrontDoorSettings
from router.client_settings import TunnelSettings as Line
from router.settings import Settings

__all__ = ["front_door", "tunnels"]


def front_door(settings: Settings, folder: Path, clients: SessionFile, note: Noted) -> Gate | None:
    """The gate before QuickFIX's acceptor; None where QuickFIX itself listens. Raises `OSError`, `ValueError` for certificates."""
    door = settings.front_door
    if door is None:
        return None
    made = GateSettings(
        host=door.host, port=door.port, upstream_host="127.0.0.1", upstream_port=int(clients.default.get("SocketAcceptPort", 0)),
        sessions=_sessions(settings), tls=_certificates(door, folder), max_connections=door.max_connections,
        max_per_address=door.max_per_address, logon_attempts_per_minute=door.logon_attempts_per_minute,
        logon_within_s=door.logon_within_s, slow_reader_bytes=door.slow_reader_bytes, linger_s=0.5,
    )  # fmt: skip
    return Gate(made, note)


def tunnels(settings: Settings, folder: Path, note: Noted) -> list[Tunnel]:
    """A tunnel for each outgoing line with TLS. Raises `OSError`, `ValueError` for certificates."""
    return [Tunnel(_line(each, folder), note) for each in settings.tunnels]


def _sessions(settings: Settings) -> Mapping[SessionKey, Sequence[Network]]:
    """As a client's Logon names them: its own CompID first."""
    allowed = {each.session: each.allow for each in settings.clients} | {each.session: each.allow for each in settings.drop_copies}
    found: dict[SessionKey, Sequence[Network]] = {}
    for session, networks in allowed.items():
        begin, _, rest = session.partition(":")
        ours, _, theirs = rest.partition("->")
        found[begin, theirs.partition(":")[0], ours] = networks
    return found


def _certificates(door: FrontDoorSettings, folder: Path) -> TlsServer | None:
    if door.tls is None:
        return None
    client_ca = None if door.tls.client_ca is None else folder / door.tls.client_ca
    return TlsServer(folder / door.tls.certificate, folder / door.tls.key, client_ca)


def _line(each: Line, folder: Path) -> TunnelSettings:
    def found(path: Path | None) -> Path | None:
        return None if path is None else folder / path

    tls = TlsClient(found(each.ca), each.server_name, found(each.certificate), found(each.key))
    return TunnelSettings(each.name, each.port, each.host, each.venue_port, tls, linger_s=0.5)
