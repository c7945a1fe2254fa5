"""Alerts to a webhook: posted as JSON, one at a time and in order, repeated with growing pauses until somebody answers. Never blocks.

`{"text", "level", "rule", "time", "router", "active"}`, and the secret's header where one is set. Certificates are verified. Redirects are
not followed: they would carry the secret to who knows whom. The address's path and query are never logged: with chat services they are the
secret.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from router.admin.alert_settings import WebhookSettings
from router.admin.contract import AlertRow
from router.secret_source import Fault, SecretSource

__all__ = ["Webhook"]

QUEUE_AT_MOST: Final = 1000
_PAUSE_AT_MOST_S: Final = 60.0
_Noted = Callable[..., None]


class _Refused(Exception):
    """The receiver does not want this message, and would not the next time."""


class Webhook:
    """One receiver. `say` from the loop that `run` runs on."""

    def __init__(
        self, settings: WebhookSettings, folder: Path, note: _Noted,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        """`folder`: where the TOML file is, for secrets' files. Raises `Fault` for a secret that is missing or no address."""
        self._settings = settings
        self._note = note
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        url = settings.url
        self._url = url.read(folder).get_secret_value() if isinstance(url, SecretSource) else url
        self._host = _host(self._url)
        self._headers = {settings.header: _header(settings.secret, folder)} if settings.secret is not None else {}
        self._waiting: deque[AlertRow] = deque()
        self._more = asyncio.Event()
        self.dropped = 0
        """Alerts that were never delivered: too many at once, refused, or tried for too long."""
        self.delivered = 0

    def say(self, row: AlertRow) -> None:
        """Have an alert delivered; where too many wait, the oldest is dropped."""
        if len(self._waiting) >= QUEUE_AT_MOST:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(row)
        self._more.set()

    @property
    def waiting(self) -> int:
        """How many are still to be delivered."""
        return len(self._waiting)

    async def run(self) -> None:
        """Deliver until canceled."""
        timeout = aiohttp.ClientTimeout(total=float(self._settings.answer_within_s))
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
            while True:
                await self._more.wait()
                self._more.clear()
                while self._waiting:
                    await self._deliver(http, self._waiting.popleft())

    async def _deliver(self, http: aiohttp.ClientSession, row: AlertRow) -> None:
        begun, attempts = self._clock(), 0
        while True:
            try:
                await self._post(http, row)
            except _Refused as why:
                self._drop(row, str(why))
                return
            except (aiohttp.ClientError, TimeoutError, OSError) as failed:
                attempts += 1
                why_not = _why(failed)
                if attempts == 1:
                    self._note("webhook does not answer", level="warning", host=self._host, why=why_not)
                if self._clock() - begun >= self._settings.give_up_after_s:
                    self._drop(row, f"{attempts} attempts: {why_not}")
                    return
                await self._sleep(min(2.0 ** min(attempts - 1, 10), _PAUSE_AT_MOST_S) * (0.5 + self._chance() / 2))
            else:
                self.delivered += 1
                if attempts:
                    self._note("webhook answers again", host=self._host)
                return

    async def _post(self, http: aiohttp.ClientSession, row: AlertRow) -> None:
        body = {
            "text": row.text, "level": row.level, "rule": row.rule, "time": row.time if row.active else row.cleared,
            "router": self._settings.router, "active": row.active,
        }  # fmt: skip
        async with http.post(self._url, json=body, headers=self._headers, allow_redirects=False) as answer:
            if answer.status in (408, 429) or answer.status >= 500:
                raise aiohttp.ClientError(f"status {answer.status}")
            if answer.status >= 300:
                raise _Refused(f"status {answer.status}")

    def _drop(self, row: AlertRow, why: str) -> None:
        self.dropped += 1
        self._note("webhook did not take an alert", level="error", host=self._host, rule=row.rule, why=why)


def _host(url: str) -> str:
    try:
        address = URL(url)
        usable = address.scheme in ("http", "https") and bool(address.host)
    except ValueError:
        usable = False
    if not usable:
        raise Fault(["alerts.webhook.url: it is not an address that begins with http:// or https://"])
    return address.host or ""


def _header(source: SecretSource, folder: Path) -> str:
    secret = source.read(folder).get_secret_value()
    if not (secret.isascii() and secret.isprintable()):
        raise Fault(["alerts.webhook.secret: it holds characters that a header cannot"])
    return secret


def _why(failed: Exception) -> str:
    """Without the address, which some of aiohttp's texts quote."""
    if isinstance(failed, TimeoutError):
        return "no answer in time"
    said = str(failed) if type(failed) is aiohttp.ClientError else ""
    return said or type(failed).__name__
