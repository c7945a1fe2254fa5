"""The documents say what the code does, where that is data."""

from __future__ import annotations

import pytest

from router.__main__ import _capabilities
from router.settings import load
from router.terminal import DEMO_ROUTER
from tests.system import ROOT


def row(name: str) -> str:
    """A destination's line of the capability table, from the code."""
    can = _capabilities(load(DEMO_ROUTER))[name]
    also = {
        "post-only": can.post_only,
        "reduce-only": can.reduce_only,
        "replace": can.native_replace,
        "market buy by cash": can.market_buy_by_cash,
        "no id of ours": not can.client_id,
    }
    words = (
        ", ".join(can.ord_types),
        ", ".join(each.name for each in can.times_in_force),
        ", ".join(w for w, true in also.items() if true),
    )
    return f"| `{name}` | {' | '.join(words)} |"


@pytest.mark.parametrize("name", [each.name for each in load(DEMO_ROUTER).destinations])
def test_the_capability_table_is_the_codes(name: str) -> None:
    """bridges/README.md, and every destination is in the README."""
    assert row(name) in (ROOT / "bridges" / "README.md").read_text()
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()


def test_every_key_of_the_demo_is_explained_and_every_file_it_names_is_there() -> None:
    """A stranger starts from the demo's configuration."""
    text = DEMO_ROUTER.read_text()
    for key in (
        "state",
        "answer_timeout_s",
        "hold_when_down_s",
        "one_core",
        "default_time_in_force",
        "max_age_s",
        "report_pending",
        "report_destination",
    ):
        assert key in text
