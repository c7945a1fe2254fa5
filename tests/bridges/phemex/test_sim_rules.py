"""What a new order must be, field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.matching import Side
from bridges.phemex import sim_errors as errors
from bridges.phemex.sim_contract import Contract
from bridges.phemex.sim_errors import Refused
from bridges.phemex.sim_orders import NewOrder
from bridges.phemex.sim_rules import check_terms, new_order

from .venue import body, settings

BTC, ETH = (Contract.of(each) for each in settings().contracts)
MARKET = {"ordType": "Market", "priceEp": None}
STOP = {"ordType": "Stop", "priceEp": 0, "stopPxEp": 660_000_000, "triggerType": "ByLastPrice"}


def code_of(content: bytes, contract: Contract = BTC) -> int:
    """The code that a body is refused with, 0 for none."""
    try:
        check_terms(new_order(content), contract)
    except Refused as no:
        return no.code
    return 0


def test_a_request_is_read_exactly():
    """Integers stay integers; what is absent has the document's default."""
    assert new_order(body()) == NewOrder("BTCUSD", "c1", Side.BUY, 7, "Limit", "GoodTillCancel", 650_000_000)
    bare = b'{"symbol":"ETHUSD","clOrdID":"x","side":"Sell","orderQty":1,"priceEp":35000500}'
    assert new_order(bare) == NewOrder("ETHUSD", "x", Side.SELL, 1, price_ep=35_000_500)
    stop = new_order(body(**STOP, closeOnTrigger=True))
    assert (stop.stop_px_ep, stop.conditional, stop.at_market, stop.reduces) == (660_000_000, True, True, True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": None}, errors.MISSING_PARAMETER),
        ({"clOrdID": None}, errors.MISSING_PARAMETER),
        ({"clOrdID": ""}, errors.MISSING_PARAMETER),
        ({"side": None}, errors.MISSING_PARAMETER),
        ({"orderQty": None}, errors.MISSING_PARAMETER),
        ({"clOrdID": "x" * 40}, 0),
        ({"clOrdID": "x" * 41}, errors.BAD_ARGUMENTS),
        ({"clOrdID": "with blank"}, errors.BAD_ARGUMENTS),
        ({"clOrdID": "é"}, errors.BAD_ARGUMENTS),
        ({"actionBy": "Somebody"}, errors.TE_ACTION_BY_INVALID),
        ({"side": "BUY"}, errors.TE_SIDE_INVALID),
        ({"ordType": "MarketIfTouched"}, errors.TE_ORD_TYPE_INVALID),
        ({"timeInForce": "GTC"}, errors.TE_TIME_IN_FORCE_INVALID),
        ({"orderQty": 7.0}, errors.BAD_ARGUMENTS),
        ({"orderQty": "7"}, errors.BAD_ARGUMENTS),
        ({"orderQty": True}, errors.BAD_ARGUMENTS),
        ({"orderQty": 0}, errors.TE_QTY_TOO_SMALL),
        ({"orderQty": -1}, errors.TE_QTY_TOO_SMALL),
        ({"orderQty": 1_000_000}, 0),
        ({"orderQty": 1_000_001}, errors.TE_QTY_TOO_LARGE),
        ({"priceEp": "650000000"}, errors.BAD_ARGUMENTS),
        ({"priceEp": 65e7}, errors.BAD_ARGUMENTS),
        ({"priceEp": None}, errors.TE_PRICE_TOO_SMALL),
        ({"priceEp": 0}, errors.TE_PRICE_TOO_SMALL),
        ({"priceEp": 650_004_999}, errors.BAD_ARGUMENTS),
        ({"priceEp": 650_005_000}, 0),
        ({"priceEp": 10_000_005_000}, errors.TE_PRICE_TOO_LARGE),
        ({"reduceOnly": 1}, errors.BAD_ARGUMENTS),
        ({"reduceonly": True}, errors.BAD_ARGUMENTS),
        ({"price": 65000}, errors.BAD_ARGUMENTS),
        ({"takeProfitEp": 1}, errors.TE_CANNOT_ATTACH_TP_SL),
        ({"pegPriceType": "TrailingStopPeg"}, errors.TE_PEG_PRICE_TYPE_INVALID),
        ({"displayQty": 3}, errors.BAD_ARGUMENTS),
        ({"displayQty": 7}, 0),
        (MARKET, 0),
        (MARKET | {"priceEp": 650_000_000}, errors.BAD_ARGUMENTS),
        (MARKET | {"timeInForce": "PostOnly"}, errors.TE_TIME_IN_FORCE_INVALID),
        (STOP, 0),
        (STOP | {"triggerType": "ByMarkPrice"}, 0),
        (STOP | {"triggerType": "UNSPECIFIED"}, errors.TE_TRIGGER_INVALID),
        (STOP | {"triggerType": None}, errors.TE_TRIGGER_INVALID),
        (STOP | {"stopPxEp": 0}, errors.TE_TRIGGER_PRICE_TOO_SMALL),
        (STOP | {"stopPxEp": 660_000_001}, errors.BAD_ARGUMENTS),
        (STOP | {"stopPxEp": 10_000_005_000}, errors.TE_TRIGGER_PRICE_TOO_LARGE),
        (STOP | {"ordType": "StopLimit"}, errors.TE_PRICE_TOO_SMALL),
        (STOP | {"ordType": "StopLimit", "priceEp": 650_000_000}, 0),
        ({"stopPxEp": 660_000_000}, errors.TE_TRIGGER_INVALID),
        ({"triggerType": "ByLastPrice"}, errors.TE_TRIGGER_INVALID),
        ({"closeOnTrigger": True}, errors.TE_TRIGGER_INVALID),
    ],
)
def test_each_rule_has_its_code(changes, code):
    """One field at a time; a change to None leaves it out."""
    assert code_of(body(**changes)) == code


def test_the_tick_is_the_contracts():
    """0.05 for ETHUSD."""
    assert code_of(body(symbol="ETHUSD", priceEp=35_000_500), ETH) == 0
    assert code_of(body(symbol="ETHUSD", priceEp=35_000_100), ETH) == errors.BAD_ARGUMENTS


@pytest.mark.parametrize("content", [b"", b"[]", b"1", b'"x"', b"{", b"\xff", b'{"orderQty":NaN}', b"[" * 100_000, b'{"a":1,"a":1}'])
def test_what_is_no_object_is_refused(content):
    """And nothing else happens."""
    assert code_of(content) == errors.BAD_ARGUMENTS


@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(["symbol", "side", "orderQty"]), st.none()).map(str).map(str.encode))
def test_no_body_does_more_than_be_refused(content):
    """Whatever comes."""
    assert code_of(content) != 0
