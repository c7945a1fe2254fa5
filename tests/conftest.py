"""One running system for all tests that do not break it; tests that do start their own."""

from __future__ import annotations

import tracemalloc  # noqa: F401 - pytest imports it as it says a warning of the collector; a second one meanwhile would find half of it
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import System


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A router and its simulated venue, on free ports."""
    system = System(tmp_path_factory.mktemp("system") / "s")
    try:
        yield system.start()
    finally:
        system.close()


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """One of the test's own, not started yet."""
    made = System(tmp_path / "s")
    try:
        yield made
    finally:
        made.close()
