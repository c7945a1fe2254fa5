"""The whole FIX side of a running router, put together from its settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import quickfix

from fix import apifiny
from fix.acceptor import Acceptor, ClientSession, Steps, session_id
from fix.apifiny import ApifinyDialect
from fix.check import DIALECTS
from fix.client import ClientDialect
from fix.doors import front_door, tunnels
from fix.dropcopy import DropCopy
from fix.engine import Sessions
from fix.guard import Noted
from fix.initiator import Initiator, VenueLink
from fix.operations import Kind, Operations
from fix.passwords import Login
from fix.presence import Presence
from fix.rawlog import RawLogs
from fix.relay import LineThread
from fix.rules import compiled
from fix.sessions import SessionFile
from fix.tags import RAW_DATA, RAW_DATA_LENGTH
from fix.throttle import Throttle
from fix.watchdog import Watchdog
from router.client_settings import ClientSettings, DropCopySettings
from router.ports import Clock
from router.rules import Capabilities
from router.settings import Settings
from router.venue_settings import AccountSettings

__all__ = ["FixRim", "capabilities"]


def capabilities(settings: Settings) -> dict[str, Capabilities]:
    """What each destination reached over FIX can do."""
    ours = {each.name for each in settings.accounts if each.venue in DIALECTS}
    return {each.name: apifiny.capabilities(each.venue or each.name) for each in settings.destinations if each.account in ours}


class FixRim:
    """Client sessions and FIX venues."""

    def __init__(self, settings: Settings, folder: Path, clock: Clock, note: Noted, died: Callable[[str], None]) -> None:
        """`folder`: where the TOML file is. Raises `SessionFileError`, `OSError`, `Fault`, `RuntimeError` for what cannot be used."""
        state = settings.router.state / "fix"
        (state / "store").mkdir(parents=True, exist_ok=True)
        clients = SessionFile.read(folder / settings.fix.clients)
        venues = SessionFile.read(folder / settings.fix.venues)
        self._note = note
        self._said: set[tuple[str, str]] = set()
        presence = Presence(clock)
        ours = [each for each in settings.accounts if each.venue in DIALECTS]
        self.links = {name: _link(name, each, folder, clock) for each in ours for name in each.sessions}
        self.clients = Acceptor(
            {each.session: _client(each) for each in settings.clients}, [_copy(each) for each in settings.drop_copies],
            {name: partial(_dictionaries, *files) for name, files in clients.dictionaries().items()}, clock, note, presence,
        )  # fmt: skip
        self._initiator = Initiator(self.links, note, presence)
        logs = RawLogs(state / "log", clock, self._event)
        self._names = clients.keys()
        try:
            door, lines = front_door(settings, folder, clients, note), tunnels(settings, folder, note)
        except (OSError, ValueError) as wrong:
            raise RuntimeError(f"certificates: {wrong}") from None
        self._door = LineThread([door], note, died) if door is not None else None
        kinds: dict[str, Kind] = {each.session: "client" for each in settings.clients}
        kinds |= {each.session: "drop-copy" for each in settings.drop_copies}
        kinds |= dict.fromkeys(self.links, "venue")
        addresses = door.addresses if door is not None else {}
        self.operations = Operations(kinds, presence, lambda: addresses, state / "store", self.clients.send)
        self._tunnels = LineThread(lines, note, died) if lines else None
        self._watchdog = Watchdog(int(clients.default.get("SocketAcceptPort", 0)), died)
        self._acceptor_sessions = Sessions("acceptor", self.clients, clients, state, logs, died)
        self._venue_sessions = Sessions("initiator", self._initiator, venues, state, logs, died)

    def attach(self, runtime: Steps, around: Callable[[ClientSession], ClientSession] = lambda client: client) -> None:
        """Say where inputs go; before that none are taken. `around`: what is put around each client session, a clock for one."""
        self.clients.attach(runtime, around)
        self._initiator.attach(runtime)

    def start(self) -> None:
        """Venues first, then clients: an order that comes at once should find its venue."""
        if self._tunnels is not None:
            self._tunnels.start()
        self._venue_sessions.start()
        self._acceptor_sessions.start()
        self._watchdog.start()
        if self._door is not None:
            self._door.start()
        self._note("accepting clients", sessions=len(self._names))

    def stop(self) -> None:
        """Log everybody out: clients first, so that no order comes any more."""
        self._watchdog.stop()
        self._acceptor_sessions.stop(within_s=2)
        if self._door is not None:
            self._door.stop(within_s=1)
        self._venue_sessions.stop(within_s=1.5)
        if self._tunnels is not None:
            self._tunnels.stop(within_s=1)

    def _event(self, session: str, text: str) -> None:
        # A venue that cannot be reached is tried again for ever: say what is new, once.
        kind = (session, re.sub(r"\d+", "", text))
        level = "debug" if kind in self._said or text == "Created session" else "info"
        if "Received logon" in text:
            self._said = {each for each in self._said if each[0] != session}
        self._said.add(kind)
        self._note("fix session", level=level, session=session, what=text)


@lru_cache
def _dictionaries(*files: Path) -> tuple[quickfix.DataDictionary, ...]:
    """Read when first wanted: few sessions need them."""
    return tuple(quickfix.DataDictionary(str(file)) for file in files)


def _client(agreed: ClientSettings) -> ClientSession:
    dialect = ClientDialect(agreed.session.split(":")[0], agreed.session, agreed.report_destination)
    login = Login(agreed.username, agreed.password_hash) if agreed.username and agreed.password_hash else None
    throttle = Throttle(agreed.messages_per_second) if agreed.messages_per_second is not None else None
    return ClientSession(dialect, login, throttle, compiled(agreed.rules, "in"), compiled(agreed.rules, "out"))


def _copy(agreed: DropCopySettings) -> DropCopy:
    dialect = ClientDialect(agreed.session.split(":")[0], agreed.session)
    return DropCopy(agreed.session, dialect, frozenset(agreed.sessions), frozenset(agreed.accounts), frozenset(agreed.destinations))


def _link(name: str, account: AccountSettings, folder: Path, clock: Clock) -> VenueLink:
    secret = account.secret.read(folder)

    def logon_fields() -> dict[int, str]:
        token = apifiny.logon_token(account.account_id, account.key_id, secret.get_secret_value(), clock())
        return {int(RAW_DATA_LENGTH): str(len(token)), int(RAW_DATA): token}

    dialect = ApifinyDialect(account.name, account.account_id)
    return VenueLink(name, account.name, session_id(name), dialect, logon_fields, partial(apifiny.order_id, account.account_id))
