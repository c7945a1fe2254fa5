"""Do the TOML file and the QuickFIX files fit together? Reads everything, connects to nothing."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fix import rules
from fix.passwords import is_hash
from fix.sessions import SessionFile, SessionFileError
from router.settings import Fault, Settings

__all__ = ["DIALECTS", "faults"]

DIALECTS = frozenset({"apifiny"})
"""Venues reached over FIX."""


def faults(settings: Settings, path: Path, elsewhere: Collection[str] = ()) -> list[str]:
    """What is wrong beyond the TOML file itself, a line each with file and key. `elsewhere`: venues that are not reached over FIX."""
    folder = path.parent
    found: list[str] = []
    clients = _file(f"{path}: fix.clients", folder / settings.fix.clients, "acceptor", found)
    venues = _file(f"{path}: fix.venues", folder / settings.fix.venues, "initiator", found)
    if clients is not None:
        agreed = {each.session for each in settings.clients} | {each.session for each in settings.drop_copies}
        found += [f"{clients.path}: session {key}: no [[clients]] entry in {path} has it" for key in clients.keys() if key not in agreed]  # noqa: SIM118
        found += [f"{path}: clients: session: {key} is not in {clients.path}" for key in sorted(agreed - set(clients.keys()))]
    found += [
        f"{path}: clients[{number}].password_hash: not an argon2 hash; make one with: fixrouter password"
        for number, client in enumerate(settings.clients)
        if client.password_hash is not None and not is_hash(client.password_hash)
    ]
    for number, client in enumerate(settings.clients):
        found += rules.faults(client.rules, f"{path}: clients[{number}].rules")
    if settings.front_door is not None and clients is not None:
        if clients.default.get("SocketAcceptPort") == str(settings.front_door.port):
            found.append(f"{path}: front_door.port: {settings.front_door.port} is SocketAcceptPort of {clients.path} too")
        tls = settings.front_door.tls
        for key, file in () if tls is None else (("certificate", tls.certificate), ("key", tls.key), ("client_ca", tls.client_ca)):
            if file is not None and not (folder / file).is_file():
                found.append(f"{path}: front_door.tls.{key}: no such file: {file}")
    elif any(each.allow for each in settings.clients) or any(each.allow for each in settings.drop_copies):
        found.append(f"{path}: allow: it is judged by the front door, and there is no [front_door]")
    if venues is not None:
        used = [key for account in settings.accounts for key in account.sessions]
        found += [f"{venues.path}: session {key}: no account uses it" for key in venues.keys() if key not in used]  # noqa: SIM118
        found += [f"{path}: accounts: sessions: {key} is not in {venues.path}" for key in used if key not in venues.keys()]  # noqa: SIM118
        found += [f"{path}: accounts: sessions: two accounts use {key}" for key in sorted({each for each in used if used.count(each) > 1})]
    for number, account in enumerate(settings.accounts):
        if account.venue not in DIALECTS and account.venue not in elsewhere:
            known = ", ".join(sorted(DIALECTS | set(elsewhere)))
            found.append(f"{path}: accounts[{number}].venue: there is no venue {account.venue}: {known}")
        if account.venue in DIALECTS and not account.sessions:
            found.append(f"{path}: accounts[{number}].sessions: missing, {account.venue} is reached over FIX")
        try:
            account.secret.read(folder)
        except Fault as missing:
            found += [f"{path}: accounts[{number}].secret: {line}" for line in missing.lines]
    return found


def _file(key: str, path: Path, kind: str, found: list[str]) -> SessionFile | None:
    try:
        file = SessionFile.read(path)
    except OSError as wrong:
        found.append(f"{key}: {path}: {wrong.strerror}")
        return None
    except (SessionFileError, UnicodeDecodeError) as wrong:
        found.append(str(wrong))
        return None
    found += file.faults(kind)
    return file
