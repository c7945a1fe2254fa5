"""The simulated Moonbase before a client that is not ours: Phoenix's official JavaScript client joins, beats, places and cancels.

It comes from npm into a temporary folder, with `ws` as its transport; without node, npm or the registry the test is skipped. It
signs by node's own HMAC. Version 1.8 speaks arrays (`vsn=2.0.0`) by itself, and the document's objects (`vsn=1.0.0`) with `encode`
and `decode` given: both are tried.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bridges.moonbase.simulator import serve

from .sim_venue import KEY, SECRET, settings

SCRIPT = Path(__file__).with_name("phoenix_client.js")
PACKAGES = ("phoenix@1.8.16", "ws@8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client and the script."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node or npm is not installed")
    folder = tmp_path_factory.mktemp("phoenix")
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=0", "--fetch-timeout=20000", *PACKAGES]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm did not get the Phoenix client within a minute")
    if done.returncode:
        pytest.skip(f"npm could not get the Phoenix client: {done.stderr.strip()[-200:]}")
    shutil.copy(SCRIPT, folder)
    return folder


async def run(folder: Path, **told: Any) -> tuple[int, str, str]:
    """Exit code, standard output and error of the script."""
    process = await asyncio.create_subprocess_exec(
        "node", SCRIPT.name, json.dumps(told), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
async def test_the_official_client_trades(folder: Path, vsn: str) -> None:
    """Each step is answered as the client expects, and its pushes arrive in order."""
    simulator = await serve(settings())
    try:
        code, out, err = await run(folder, port=simulator.port, key=KEY, secret=SECRET, vsn=vsn)
    finally:
        await simulator.close()
    assert code == 0, err
    seen = json.loads(out, parse_float=str)
    assert seen["joined"] == {"ok": []}
    assert seen["heartbeat"]["status"] == "ok"
    placed, cancelled, traded = (seen[name]["ok"] for name in ("placed", "cancelled", "traded"))
    assert (placed["is_active"], placed["limit_price"], placed["requested_amount"]) == (True, "0.005", "1.5")
    assert (cancelled["id"], cancelled["is_active"]) == (placed["id"], False)
    assert (seen["refused"]["error"]["type"], seen["left"], seen["closed"]) == ("already_done", {"ok": {}}, True)
    told = [(each["id"], each["is_active"], each["filled_amount"]) for each in seen["upserts"]]
    ids = placed["id"], traded["id"]
    assert told == [(ids[0], True, 0), (ids[0], False, 0), (ids[1], True, 0), (ids[1], False, -2)]
    assert [order.order_id for order in simulator.exchange.orders()] == list(ids)


async def test_the_official_client_with_a_wrong_secret_is_not_let_in(folder: Path) -> None:
    """403 to its upgrade."""
    simulator = await serve(settings())
    try:
        code, out, err = await run(folder, port=simulator.port, key=KEY, secret="wrong", vsn="2.0.0")
    finally:
        await simulator.close()
    assert (code, out) == (1, "")
    assert "the connection failed" in err
