"""Reports that the session layer could not store: kept, in order, and stored when that is possible again."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fix.outbox import Outbox
from tests.system import System


class Store:
    """A session layer whose disk can be full, and which stays deaf until it is opened anew."""

    def __init__(self) -> None:
        self.full = self.deaf = False
        self.kept: list[tuple[str, str]] = []
        self.said: list[str] = []

    def store(self, session: str, text: str) -> bool:
        self.deaf = self.deaf or self.full
        if not self.deaf:
            self.kept.append((session, text))
        return not self.deaf

    def reopen(self, session: str) -> None:
        self.deaf = False


def test_nothing_is_left_out_and_nothing_overtakes() -> None:
    """Also what comes when there is space again goes behind what waits; said once at each end."""
    store = Store()
    outbox = Outbox(store.store, store.reopen, store.said.append)
    outbox.send("s", "1")
    store.full = True
    outbox.send("s", "2")
    outbox.send("s", "3")
    assert (outbox.waiting("s"), outbox.retry()) == (2, True)
    store.full = False
    outbox.send("s", "4")
    assert store.kept == [("s", "1")]
    assert not outbox.retry()
    assert [text for _, text in store.kept] == ["1", "2", "3", "4"]
    assert (outbox.waiting("s"), len(store.said)) == (0, 2)
    outbox.send("s", "5")
    assert store.kept[-1] == ("s", "5")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A small disk under the sessions' store."""
    store = tmp_path / "s" / "var" / "fix" / "store"
    store.mkdir(parents=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(store)], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield store
    finally:
        subprocess.run(["umount", "-l", str(store)], check=False)


def filled(file: int) -> None:
    """Write until there is no space any more."""
    try:
        while True:
            os.write(file, b"x" * 512)
    except OSError as full:
        assert full.errno == errno.ENOSPC
    finally:
        os.close(file)


def test_a_disk_full_for_a_while_makes_no_session_deaf(small: Path, tmp_path: Path) -> None:
    """Reports of that time arrive when there is space again, and later ones are as ever."""
    system = System(tmp_path / "s")
    try:
        oms = system.start().client("FIX.4.4", "OMS44").connect()
        oms.order("a", t44="64000")
        oms.report("a", t39="0")
        ballast = small / "ballast"
        file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        filled(file)
        names = [f"b{n}" for n in range(60)]  # more than the last blocks of its files still hold
        for name in names:
            oms.order(name, t44="64000")
        assert system.router is not None
        system.router.wait_for("cannot be stored")
        ballast.unlink()
        system.router.wait_for("stored again")
        told: set[str] = set()
        while not told >= set(names):  # taken, or refused meanwhile; none is silent
            told.add(oms.wait(lambda m: m["35"] == "8")["11"])
        oms.order("d", t44="64000")
        assert oms.report("d")["39"] == "0"
    finally:
        system.close()
