"""Operators who look at a router while it is measured: a page and a console's worth of questions, and their event streams.

    python -m tests.bench.watchers URL SECRET_FILE

Two clients listen to the stream of events; one asks each second what the console's bottom line shows and a `watch orders`, the other each
two seconds what the page's charts and gauges need. Runs until it is ended."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import aiohttp

from router.admin.auth import Tokens
from router.admin.contract import Role

_PAGE = ("/v1/latency", "/v1/budgets", "/v1/venues", "/v1/sessions")
_CONSOLE = ("/v1/status", "/v1/orders?state=all&limit=200", "/v1/alerts")


async def _listen(http: aiohttp.ClientSession, url: str) -> None:
    async with http.ws_connect(f"{url}/v1/events", protocols=("fixrouter.v1",)) as stream:
        async for _ in stream:
            pass


async def _ask(http: aiohttp.ClientSession, url: str, paths: tuple[str, ...], every_s: float) -> None:
    while True:
        for path in paths:
            async with http.get(f"{url}{path}") as answer:
                await answer.read()
        await asyncio.sleep(every_s)


async def main(url: str, secret: Path) -> None:
    """Look until ended. Raises where the router does not answer as it should."""
    token = Tokens(secret.read_bytes().strip()).make("bench", Role.VIEW, 3600, int(time.time()))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, raise_for_status=True) as http:
        print("watching", flush=True)
        await asyncio.gather(*(_listen(http, url) for _ in range(2)), _ask(http, url, _CONSOLE, 1), _ask(http, url, _PAGE, 2))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
