"""A FIX engine that is not ours: jspurefix from npm logs on to the real acceptor with our dictionary, trades, and logs out."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system import System

PACKAGE = "jspurefix@5.11.4"
CLIENT = Path(__file__).parent / "jspurefix_client.cjs"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package; without node, npm or the registry there is nothing to test."""
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"name": "client", "private": true}')
    # Without its scripts: they only unpack dictionaries, and ours is used.
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", PACKAGE]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install {PACKAGE} within three minutes: no registry?")
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        pytest.skip(f"npm cannot install {PACKAGE}: {' '.join(reasons)[:300]}")
    return folder


def test_another_engine(installed: Path, system: System) -> None:
    """It is logged on, told of its order and of its cancel, and logged out, and finds nothing to complain of."""
    system.start()
    dictionary = system.folder / "config" / "dictionaries" / "FIX44.xml"
    client = subprocess.run(
        ["node", str(CLIENT), str(system.fix_port), str(dictionary), "OMS44B"],
        cwd=installed, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    told = [json.loads(line) for line in client.stdout.splitlines()]
    order = {"event": "report", "type": "8", "cum": "0", "symbol": "BTC/USDT"}
    assert told == [
        {"event": "logged on"},
        order | {"id": "js-1", "execType": "0", "status": "0", "leaves": "0.5"},
        order | {"id": "js-2", "execType": "6", "status": "6", "leaves": "0.5"},
        order | {"id": "js-2", "execType": "4", "status": "4", "leaves": "0"},
        {"event": "logged out", "error": None},
    ], client.stderr
    assert client.returncode == 0
