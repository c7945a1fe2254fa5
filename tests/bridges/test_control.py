"""The simulator control over HTTP, in front of a recording simulator."""

from decimal import Decimal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bridges import control
from bridges.control import BadRequest, Counterparty
from bridges.faults import Fault
from bridges.matching import Side


class Recorder:
    """A `Simulated` that remembers; it knows no order named "nope"."""

    def __init__(self) -> None:
        self.asked: list = []

    def orders(self):
        return [{"id": "1", "price": "65000.10"}]

    def requests(self):
        return {"by_kind": {"new": 2}}

    def trade(self, order):
        self.asked.append(order)
        return {"filled": "1"}

    def cancel(self, order_id):
        if order_id == "nope":
            raise BadRequest("id: no order 'nope'")
        self.asked.append(order_id)
        return {"id": order_id}

    def fault(self, fault):
        self.asked.append(fault)

    def reset(self):
        self.asked.append("reset")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def client(recorder):
    app = web.Application()
    app.add_routes(control.routes(recorder))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_orders_and_requests_are_given_as_they_are(client):
    """Numbers are texts."""
    assert await (await client.get("/_sim/orders")).json() == [{"id": "1", "price": "65000.10"}]
    assert await (await client.get("/_sim/requests")).json() == {"by_kind": {"new": 2}}


@pytest.mark.parametrize("qty", ['"0.10"', "0.10"])
async def test_a_trade_reads_amounts_exactly_from_text_or_number(client, recorder, qty):
    """0.10 never was a float: its last zero is still there."""
    text = f'{{"symbol": "BTCUSDT", "side": "buy", "qty": {qty}, "price": 65000}}'
    answer = await client.post("/_sim/trade", data=text)
    assert (answer.status, await answer.json()) == (200, {"filled": "1"})
    (order,) = recorder.asked
    assert order == Counterparty("BTCUSDT", Side.BUY, Decimal("0.1"), Decimal(65000))
    assert str(order.qty) == "0.10"


async def test_cancel_fault_and_reset_are_passed_on(client, recorder):
    """With the defaults of interfaces.md: once, any request."""
    await client.post("/_sim/cancel", json={"id": "7"})
    await client.post("/_sim/fault", json={"kind": "reject"})
    await client.post("/_sim/fault", json={"kind": "delay", "count": 3, "delay_s": 0.5, "match": "new"})
    await client.post("/_sim/reset")
    assert recorder.asked == ["7", Fault("reject"), Fault("delay", 3, 0.5, "new"), "reset"]


GOOD = {"symbol": "S", "side": "BUY", "qty": "1", "price": "1"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("trade", "{", "body"),
        ("trade", "[]", "body"),
        ("trade", b"\xff", "body"),
        ("trade", '{"qty": NaN}', "body"),
        ("trade", "[" * 100_000, "body"),
        *[("trade", {k: v for k, v in GOOD.items() if k != name}, name) for name in GOOD],
        ("trade", GOOD | {"side": "LEFT"}, "side"),
        ("trade", GOOD | {"qty": "-1"}, "qty"),
        ("trade", GOOD | {"qty": "x"}, "qty"),
        ("trade", GOOD | {"qty": True}, "qty"),
        ("trade", GOOD | {"price": "Infinity"}, "price"),
        ("trade", GOOD | {"price": "1e99"}, "price"),
        ("trade", GOOD | {"symbol": 5}, "symbol"),
        ("trade", GOOD | {"colour": "red"}, "colour"),
        ("cancel", {}, "id"),
        ("cancel", {"id": "nope"}, "id"),
        ("fault", {}, "kind"),
        ("fault", {"kind": "explode"}, "kind"),
        ("fault", {"kind": "delay", "count": 1.5}, "count"),
        ("fault", {"kind": "delay", "count": 0}, "count"),
        ("fault", {"kind": "delay", "delay_s": "soon"}, "delay_s"),
        ("fault", {"kind": "delay", "match": "all"}, "match"),
    ],
)
async def test_bad_input_is_refused_by_field_and_nothing_is_done(client, recorder, path, body, field):
    """400 with the field's name first, whatever it is."""
    sent = {"json": body} if isinstance(body, dict) else {"data": body}
    answer = await client.post(f"/_sim/{path}", **sent)
    assert answer.status == 400
    assert (await answer.json())["error"].startswith(f"{field}:")
    assert recorder.asked == []
