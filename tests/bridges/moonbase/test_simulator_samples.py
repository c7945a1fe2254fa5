"""What the simulated Moonbase sends, field by field against the samples of the venue's document."""

import re

import pytest

from bridges.matching import Side
from bridges.moonbase.sim_settings import decimals
from bridges.moonbase.sim_text import plain, stamp, to_json

from .sim_venue import NOW, ORDERS, TRADES, D, Rig, rows

TICKER = {"symbol", "quote_amount", "mark_price", "bid_price", "base_amount", "ask_price"}
TRADE = {"timestamp", "symbol", "price", "id", "amount"}
CANDLE = {"volume", "timestamp", "symbol", "sells", "resolution", "open", "low", "id", "high", "close", "buys"}
ORDER = {
    "updated_at", "triggered_at", "trigger_price", "symbol", "requested_amount", "limit_price", "is_liquidation", "is_active",
    "inserted_at", "id", "filled_total", "filled_amount", "fee", "external_id", "cancelled_at",
}  # fmt: skip
BALANCE = {
    "withdrawn_amount", "pledged_amount", "placed_amount", "offered_amount", "loaned_amount", "id", "drawn_amount", "borrowed_amount",
    "available_amount", "assigned_amount", "asset",
}  # fmt: skip
POSITION = {"total", "symbol", "price", "margin", "id", "fee", "amount"}
DEPOSIT = {
    "updated_at", "transaction_hash", "is_processed", "inserted_at", "id", "confirmation_count", "asset", "amount", "address",
}  # fmt: skip
WITHDRAWAL = {"inserted_at", "id", "asset", "amount", "address"}
# Topic, parameters of the join, fields in its reply, fields in its pushes, the event of these.
CHANNELS = [
    ("/tickers", {}, TICKER, TICKER | {"updated_at"}, "upsert"),
    (TRADES, {}, TRADE, TRADE | {"taker_order_id", "maker_order_id"}, "insert"),
    ("/candles/ETC:BTC", {"from": 0, "to": 10**10, "resolution": 60}, CANDLE, CANDLE, "upsert"),
    (ORDERS, {"status": "open", "limit": 100}, ORDER | {"user_id"}, ORDER, "upsert"),
    ("/balances", {}, BALANCE, BALANCE, "upsert"),
    ("/positions", {}, POSITION | {"user_id"}, POSITION, "upsert"),
    ("/deposits", {}, DEPOSIT, None, ""),
]


@pytest.mark.parametrize(("topic", "params", "in_reply", "in_push", "event"), CHANNELS)
def test_rows_have_the_fields_of_the_samples(topic, params, in_reply, in_push, event):
    """No more and no fewer; of the join's reply and of the pushes."""
    rig = Rig()
    rig.trader().placed(3, 0.005)
    rig.counterparty(Side.SELL, "1", "0.005")
    client = rig.connect()
    response = client.join(topic, **params)
    found = response["data"][0] if topic.startswith("/candles") else response
    assert found
    assert all(set(row) == in_reply for row in found)
    rig.counterparty(Side.SELL, "1", "0.005")
    pushed = client.take()
    assert all((each["ref"], each["join_ref"]) == (None, None) for each in pushed)
    if in_push is not None:
        told = rows(pushed, event, topic)
        assert told
        assert all(set(row) == in_push for row in told)


def test_a_withdrawal_has_the_fields_and_the_time_of_the_sample():
    """ "2017-12-24T12:30:01.234Z", with a zone, unlike every other time."""
    rig = Rig(allow_withdrawals=True)
    client = rig.trader("/withdrawals")
    (reply,) = client.ask("/withdrawals", "create_withdrawal", {"amount": "1.0", "address": "some address", "asset": "ETC"})
    row = reply["payload"]["response"]
    assert set(row) == WITHDRAWAL
    assert row["inserted_at"] == "2019-02-17T20:37:41.686Z"


@pytest.mark.parametrize("text", ["0.00000001", "1", "0", "-1.5", "100", "12345678.00000001"])
def test_amounts_are_written_in_full_and_exact(text):
    """Whatever form the Decimal has; a float is refused."""
    for written in (text, text + "0" if "." in text else text + ".00"):
        assert plain(D(written)) == text
    assert plain(D("1E+2")) == "100"
    assert plain(D("-0.00")) == "0"
    with pytest.raises(TypeError):
        to_json({"amount": [0.5]})


def test_times_have_six_decimals_and_no_zone():
    """Also at a full second."""
    assert stamp(NOW) == "2019-02-17T20:37:41.686411"
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.000000", stamp(NOW // 10**9 * 10**9))


def test_decimals_of_a_step():
    """What the settings' check counts."""
    assert [decimals(D(text)) for text in ("0.010", "1", "100", "1E-7")] == [2, 0, 0, 7]
