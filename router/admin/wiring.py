"""The operators' side of one router process, put together: what watches, what judges, and the API in front of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from router.admin.auth import Tokens, kept_secret, write_token
from router.admin.contract import Event, Role
from router.admin.monitor import Monitor, Pulse
from router.admin.needs import JournalState, Wiring
from router.admin.rims import Links, Sessions
from router.admin.server import AdminServer
from router.admin.token_command import SECRET_FILE, TOKEN_FILE
from router.admin.watch import StageClock, Watch
from router.model import Effect, Input
from router.runtime import Runtime
from router.settings import Settings

__all__ = ["Admin", "watching"]

_DAY_S = 86_400
_SHORT_S = 12 * 3600


def watching(settings: Settings) -> tuple[Watch, StageClock | None]:
    """What is told of every input, and what times its stages, where that is wanted."""
    stages = StageClock() if settings.metrics.stages else None
    return Watch(time.time_ns, stages), stages


class Admin:
    """The API, and what stands behind it. `observe` is part of the runtime's observer."""

    def __init__(
        self, settings: Settings, folder: Path, runtime: Runtime, watch: Watch, sessions: Sessions, links: Links,
        journal: Callable[[], JournalState], post: Callable[[Callable[[], None]], None], skews: Callable[[], Mapping[str, float]],
        in_use: Callable[[], Settings], reload: Callable[[bool], tuple[bool, str, list[str]]], stop: Callable[[bool], None],
        note: Callable[..., None], version: str,
    ) -> None:  # fmt: skip
        """`folder`: where the TOML file is; `post`: have something called on the bridges' loop. Raises `OSError`, `ValueError`, `Fault`."""
        assert settings.admin is not None
        self._settings = settings.admin
        self._state = settings.router.state
        self._tokens = Tokens(kept_secret(self._state / SECRET_FILE))
        monitor = Monitor(
            runtime, watch, sessions, links, journal, settings.alerts, settings.health, time.time_ns, note, version=version, folder=folder,
            pulses={"bridges": Pulse(post)}, skews=skews, unauthorized=lambda: self.server.unauthorized,
        )  # fmt: skip
        wiring = Wiring(
            version=version, started=time.time_ns(), clock=time.time_ns, settings=in_use, reload=reload, stop=stop, journal=journal,
            alerts=monitor.alerts, metrics=monitor.scrape, alive=monitor.dead, ready=monitor.missing, note=note,
        )  # fmt: skip
        self.server = AdminServer(
            settings.admin, self._tokens, runtime, sessions, links, watch, wiring, self._state, background=[monitor.run]
        )
        monitor.on_alert = lambda row: self.server.publish(Event(kind="alert", alert=row))
        self.where = ""
        """Where it is, as its clients take it; "" before the start."""

    def observe(self, event: Input, effects: list[Effect]) -> None:
        """For the stream of events. Never blocks."""
        self.server.observe(event, effects)

    def start(self) -> None:
        """Serve. Raises `OSError`."""
        port = self.server.start()
        self.where = f"unix:{self._settings.socket}" if self._settings.socket is not None else f"http://{self._settings.host}:{port}"

    def token(self, name: str, days: int = 0) -> str:
        """A token for everything, of this process's own making."""
        return self._tokens.make(name, Role.ADMIN, days * _DAY_S or _SHORT_S, int(time.time()))

    def leave_token(self) -> Path:
        """Write a token where the clients look for one. Raises `OSError`."""
        path = self._state / TOKEN_FILE
        write_token(path, self.token("demo", days=30))
        return path
