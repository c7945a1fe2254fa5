"""Which changes of the configuration a running router can take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from router.reload import differences
from router.settings import load
from router.terminal import DEMO_ROUTER


def changed(tmp_path: Path, pattern: str, text: str) -> list[str]:
    before = DEMO_ROUTER.read_text()
    after = re.sub(pattern, text, before, count=1)
    assert after != before
    (tmp_path / "router.toml").write_text(after)
    return [str(each) for each in differences(load(DEMO_ROUTER), load(tmp_path / "router.toml"))]


def test_nothing_changed() -> None:
    """Nothing is said."""
    assert differences(load(DEMO_ROUTER), load(DEMO_ROUTER)) == []


@pytest.mark.parametrize(
    ("pattern", "text", "said"),
    [
        ("answer_timeout_s = 5", "answer_timeout_s = 7", "router.answer_timeout_s: 5 -> 7"),
        (r'(?m)(name = "phemex"\n)', r'\1mode = "view"' + "\n", "accounts[phemex].mode: trade -> view"),
        ("max_qty = 9000", "max_qty = 10", "destinations[BINANCE].instruments[BTC/USDT].max_qty: 9000 -> 10"),
        (r'(OMS42"\n)', r'\1accounts = ["A", "B"]' + "\n", "clients[FIX.4.2:ROUTER->OMS42].accounts: nothing -> A, B"),
    ],
)
def test_what_the_core_judges_can_change(tmp_path: Path, pattern: str, text: str, said: str) -> None:
    """Limits, times, what is agreed with clients."""
    assert changed(tmp_path, pattern, text) == [said]


def test_routes_can_change(tmp_path: Path) -> None:
    """By their number: their order is what they mean."""
    said = changed(tmp_path, r'\[\[routes\]\]\ndestination = "COINBASEPRO"', "")
    assert said == ["routes[3].destination: COINBASEPRO -> nothing"]


def test_a_symbol_can_go_and_come_but_not_turn_into_another(tmp_path: Path) -> None:
    """Its name at the venue is what its open orders are known by."""
    gone = changed(tmp_path, r'    \{ symbol = "ETH/USDT", venue_symbol = "ETHUSDT".*\n', "")
    assert gone
    assert not [each for each in gone if "needs a restart" in each]
    come = changed(
        tmp_path, r'(    \{ symbol = "ETC/BTC")', '    { symbol = "ETC/USD", venue_symbol = "ETC:USD", tick = 1, lot = 1 },\n' + r"\1"
    )
    assert [each for each in come if each.endswith("instruments[ETC/USD].venue_symbol: nothing -> ETC:USD")]
    assert not [each for each in come if "needs a restart" in each]
    other = changed(tmp_path, r'venue_symbol = "ETHUSDT"', 'venue_symbol = "ETHUSD"')
    assert other
    assert all("needs a restart" in each for each in other)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("port = 9876", "port = 9877"), ('key_id = "demo-key"', 'key_id = "other"'), ('rest_url = "http://127.0.0.1:9201"', 'rest_url = "http://127.0.0.1:9202"'),
     (r'\[\[clients\]\]\nsession = "FIX.4.4:ROUTER->OMS44B"\n.*\n', "")],
)  # fmt: skip
def test_connections_and_credentials_need_a_restart(tmp_path: Path, pattern: str, text: str) -> None:
    """Threads were started with them."""
    said = changed(tmp_path, pattern, text)
    assert said
    assert any(each.endswith("(needs a restart)") for each in said)
