"""The demo's settings, and faults in them."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from bridges import simulators
from bridges.cryptocom.sim_exchange import Exchange
from bridges.matching import Side

from .venue import NOW, D, settings

DEMO = Path(__file__).parents[3] / "config" / "demo" / "simulators.toml"


def test_the_demo_is_as_the_interfaces_say():
    """Port 9501, ten requests a second, books of twenty levels and more, a secret that is long and not shown."""
    demo = simulators.load(DEMO).cryptocom
    assert (demo.port, demo.user_requests_per_second, demo.market_requests_per_second) == (9501, 10, 10)
    (user,) = demo.users
    assert len(user.secret.get_secret_value()) >= 32
    assert user.secret.get_secret_value() not in repr(demo)
    books = Exchange(demo, NOW).books
    assert {symbol: (book.best(Side.BUY), book.best(Side.SELL)) for symbol, book in books.items()} == {
        "btcusdt": (Decimal(64990), Decimal(65010)),
        "ethusdt": (Decimal(3499), Decimal(3501)),
    }
    assert all(len(book.levels(side)) >= 20 for book in books.values() for side in Side)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"symbol": "BTCUSDT"}, "symbol"),
        ({"symbol": "btceur"}, "not base and quote"),
        ({"price_precision": 8, "amount_precision": 5}, "more than 12 decimals"),
        ({"amount_precision": -1}, "amount_precision"),
        ({"seed": {"bid": 2, "ask": 1, "step": 1, "levels": 1, "qty": 1}}, "crossed"),
        ({"seed": {"bid": 2, "ask": 3, "step": 1, "levels": 3, "qty": 1}}, "reach down to zero"),
        ({"seed": {"bid": 2, "ask": 3, "step": D("0.001"), "levels": 3, "qty": 1}}, "finer than the precision"),
        ({"limit": 1}, "limit"),
    ],
)
def test_a_fault_in_an_instrument_is_named(change, words):
    """Before anything starts."""
    row = settings().instruments[0].model_dump() | change
    with pytest.raises(ValidationError, match=words):
        settings(instruments=(row,))


def test_users_and_symbols_are_there_once():
    """user_id, api_key, symbol."""
    one = settings()
    with pytest.raises(ValidationError, match="user_id"):
        settings(users=one.users[:1] * 2)
    with pytest.raises(ValidationError, match="api_key"):
        settings(users=(one.users[0], one.users[1].model_copy(update={"api_key": one.users[0].api_key})))
    with pytest.raises(ValidationError, match="symbol"):
        settings(instruments=one.instruments[:1] * 2)
