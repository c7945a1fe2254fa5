"""The simulated Phemex before a client that is not ours: ccxt's phemex class signs, words and reads everything by itself.

The class is written for what the venue is today, the simulator for its document of 2019, so they meet only in part. What the class does
otherwise, and is not tested here, since the simulator has nothing that the document has not:

- It loads its markets from `/public/products`: they are given by hand (`tests/bench/ccxtphemex.py`).
- It puts `posSide` into every order: it is taken out before the order is signed.
- `cancel_order` is `DELETE /orders/cancel?orderID=...&symbol=...`; the document has `DELETE /orders/orderID=...&symbol=...`, which the
  class is told to call here, and still signs itself.
- `fetch_order` is `GET /exchange/order`, `fetch_open_orders` `GET /orders/activeList`, `edit_order` `PUT /orders/replace`: none of them is
  in the document, where orders are seen on the stream alone. So an order is looked for at the simulator's control.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed: pip install -e '.[bench]'")

from bridges.phemex.simulator import serve  # noqa: E402 - what follows needs ccxt
from tests.bench.ccxtphemex import Phemex  # noqa: E402

from .venue import SECRET, TOKEN, settings  # noqa: E402

BTC, ETH = "BTC/USD:BTC", "ETH/USD:USD"


class Desk:
    """A running simulator and ccxt as its client."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ccxt = Phemex(self.url, TOKEN, SECRET)

    async def buy(self, quantity: float, price: float, **params: Any) -> Any:
        return await self.ccxt.create_order(BTC, "limit", "buy", quantity, price, params)

    async def cancel(self, order: Any) -> Any:
        """As the document has it; the class signs the path as it stands."""
        path = f"orders/orderID={order['id']}&symbol={order['info']['symbol']}"
        return await self.ccxt.request(path, ["private"], "DELETE")

    async def ground(self, what: str) -> Any:
        """What the simulator's control tells."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/_sim/{what}") as answer:
            return await answer.json()


async def _running(**changes: Any) -> AsyncIterator[Desk]:
    simulator = await serve(settings(**changes))
    desk = Desk(simulator.port)
    try:
        yield desk
    finally:
        await desk.ccxt.close()
        await simulator.close()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async for each in _running():
        yield each


@pytest.fixture
async def hurried() -> AsyncIterator[Desk]:
    """At a venue that allows one request a minute."""
    async for each in _running(requests_per_minute=1):
        yield each


async def test_an_order_is_taken_and_read_back_as_it_was_meant(desk: Desk) -> None:
    placed = await desk.buy(7, 60_000.5, clientOrderId="mine-1")
    assert (placed["clientOrderId"], placed["symbol"], placed["side"], placed["status"]) == ("mine-1", BTC, "buy", "open")
    assert (placed["price"], placed["amount"], placed["filled"], placed["remaining"]) == (60_000.5, 7, 0, 7)
    (order,) = await desk.ground("orders")
    told = {key: order[key] for key in ("id", "client_id", "symbol", "side", "type", "tif", "price", "qty", "filled", "status")}
    assert told == {
        "id": placed["id"], "client_id": "mine-1", "symbol": "BTCUSD", "side": "Buy", "type": "Limit", "tif": "GoodTillCancel",
        "price": "60000.5", "qty": "7", "filled": "0", "status": "New",
    }  # fmt: skip
    requests = await desk.ground("requests")
    assert (requests["by_kind"]["new"], requests["rejected_signatures"]) == (1, 0)


async def test_ids_of_the_class_are_ids_of_the_venue(desk: Desk) -> None:
    placed = [await desk.buy(1, 60_000) for _ in range(3)]
    orders = await desk.ground("orders")
    assert [each["client_id"] for each in orders] == [each["clientOrderId"] for each in placed]
    assert len({each["id"] for each in placed}) == 3


async def test_a_market_order_trades_and_its_position_is_seen(desk: Desk) -> None:
    await desk.ccxt.create_order(BTC, "market", "sell", 8)
    (order,) = await desk.ground("orders")
    assert (order["status"], order["type"], order["filled"], order["price"]) == ("Filled", "Market", "8", None)
    (position,) = await desk.ccxt.fetch_positions([BTC])
    assert (position["symbol"], position["side"], position["contracts"]) == (BTC, "short", 8)


async def test_a_stop_limit_waits(desk: Desk) -> None:
    await desk.buy(3, 71_000, triggerPrice=70_000, triggerDirection="up")
    (order,) = await desk.ground("orders")
    assert (order["type"], order["stop_price"], order["price"], order["status"]) == ("StopLimit", "70000", "71000", "Untriggered")


async def test_a_linear_contract_has_its_own_tick_and_account(desk: Desk) -> None:
    placed = await desk.ccxt.create_order(ETH, "limit", "sell", 8, 3600.05)
    assert (placed["price"], placed["amount"]) == (3600.05, 8)
    (order,) = await desk.ground("orders")
    assert (order["symbol"], order["price"]) == ("ETHUSD", "3600.05")
    balance = await desk.ccxt.fetch_balance({"type": "swap", "code": "USD"})
    assert balance["USD"]["total"] == 100_000
    assert balance["USD"]["used"] > 0


async def test_the_balance_is_read_in_whole_units(desk: Desk) -> None:
    before = await desk.ccxt.fetch_balance({"type": "swap", "code": "BTC"})
    assert before["BTC"] == {"free": 1, "used": 0, "total": 1}
    await desk.buy(6_000, 60_000)
    after = await desk.ccxt.fetch_balance({"type": "swap", "code": "BTC"})
    assert after["BTC"]["total"] == 1
    assert 0.001 <= after["BTC"]["used"] < 0.0012, "a hundredth of 0.1 BTC, and the fees to come"


async def test_a_cancel_by_the_documents_path_is_signed_as_it_stands(desk: Desk) -> None:
    first, second = await desk.buy(1, 60_000), await desk.buy(2, 60_000)
    answer = await desk.cancel(first)
    assert (answer["code"], answer["data"]["orderID"]) == (0, first["id"])
    assert {each["id"]: each["status"] for each in await desk.ground("orders")} == {first["id"]: "Canceled", second["id"]: "New"}
    assert (await desk.ground("requests"))["rejected_signatures"] == 0


async def test_all_orders_of_a_symbol_are_canceled(desk: Desk) -> None:
    for price in (60_000, 60_001):
        await desk.buy(1, price)
    await desk.ccxt.create_order(ETH, "limit", "buy", 1, 3_000)
    (answer,) = await desk.ccxt.cancel_all_orders(BTC)
    assert answer["info"]["data"] == 2
    assert [each["status"] for each in await desk.ground("orders")] == ["Canceled", "Canceled", "New"]


async def test_what_the_venue_refuses_the_class_knows_by_its_code(desk: Desk) -> None:
    with pytest.raises(ccxt.InsufficientFunds, match="11001"):
        await desk.buy(1_000_000, 60)
    with pytest.raises(ccxt.InvalidOrder, match="11056"):
        await desk.buy(1_000_001, 60_000)
    placed = await desk.buy(1, 60_000)
    await desk.cancel(placed)
    with pytest.raises(ccxt.ExchangeError, match="11062"):
        await desk.cancel(placed)


@pytest.mark.parametrize("change", [{"secret": SECRET + "x"}, {"apiKey": TOKEN + "x"}])
async def test_who_does_not_know_the_secret_is_not_let_in(desk: Desk, change: dict[str, str]) -> None:
    for name, value in change.items():
        setattr(desk.ccxt, name, value)
    with pytest.raises(ccxt.AuthenticationError):
        await desk.buy(1, 60_000)
    assert await desk.ground("orders") == []
    assert (await desk.ground("requests"))["rejected_signatures"] == 1


async def test_the_rate_limit_is_read_as_one(hurried: Desk) -> None:
    await hurried.buy(1, 60_000)
    with pytest.raises(ccxt.RateLimitExceeded):
        await hurried.buy(1, 60_000)
    assert len(await hurried.ground("orders")) == 1
