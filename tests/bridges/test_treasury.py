"""Nothing here can take money out of a venue: neither a client nor an operator, for there is no such call to make."""

from __future__ import annotations

import time

import pytest

from bridges import venues
from router.settings import load
from router.terminal import DEMO_ROUTER
from tests.system import ROOT

CALLS = ("asset/withdraw", "createWithdrawTicket", "transferToVenue", "create_withdrawal", '/withdraw"', "transferTo")


@pytest.mark.parametrize("call", CALLS)
def test_no_protocol_knows_a_treasury_call(call: str) -> None:
    """The simulators do, so that they can refuse it."""
    sources = [path for path in (ROOT / "bridges").rglob("*.py") if not path.name.startswith("sim")]
    assert len(sources) > 40
    assert [path.name for path in sources if call in path.read_text()] == []


def test_no_topic_moves_anything_out() -> None:
    """What an operator may ask: questions, and nothing that acts."""
    settings = load(DEMO_ROUTER)
    bridges = venues.bridges(settings, DEMO_ROUTER.parent, lambda _event: None, time.time_ns, lambda *_args, **_fields: None)
    topics = {topic for bridge in bridges.values() for topic in bridge.topics}
    assert {"balances", "positions", "deposits", "withdrawals"} <= topics
    assert not {topic for topic in topics if any(word in topic for word in ("assign", "cancel", "create", "set-"))}
    assert all("balances" in bridge.topics for bridge in bridges.values())
    assert all("open-orders" in bridge.topics for bridge in bridges.values())
    assert not {topic for topic in topics if "withdraw" in topic and topic != "withdrawals"} | {t for t in topics if "transfer" in t}
