"""A new order as text, and the rules for it that need no state. Pure; whatever is wrong raises `errors.Refused`.

Readings, where "Place Order" is silent (it shows one request and explains nothing):
 1. `symbol`, `clOrdID`, `side` and `orderQty` are required; `ordType` is Limit and `timeInForce` GoodTillCancel unless
    said; `clOrdID` is 1 to 40 printable ASCII characters.
 2. Scaled numbers are JSON integers: 7.0, "7" and 7e0 are refused, as is any field that this venue does not know, for a
    misspelt `reduceOnly` that is passed over is somebody's money.
 3. A limit needs `priceEp`, a multiple of the tick; a market order's is absent or 0. Stop and StopLimit need `stopPxEp`,
    a multiple of the tick, and `triggerType` ByLastPrice or ByMarkPrice; others take neither (0 or "UNSPECIFIED").
 4. A market order cannot be post only, and neither can a Stop. GoodTillCancel on them means ImmediateOrCancel.
 5. Take profit, stop loss, pegs and display quantities are not simulated, and refused unless they say nothing.
"""

import json
from typing import Any, NoReturn, get_args

from bridges.matching import Side
from bridges.phemex import sim_errors as errors
from bridges.phemex.sim_contract import Contract
from bridges.phemex.sim_errors import Refused
from bridges.phemex.sim_orders import NewOrder, OrdType, TimeInForce

MAX_CL_ORD_ID = 40
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_TRIGGERS = ("ByLastPrice", "ByMarkPrice")
_NOTHING = (None, "UNSPECIFIED")
_TEXTS = frozenset(
    {"actionBy", "symbol", "clOrdID", "side", "ordType", "triggerType", "pegPriceType", "timeInForce", "text"} | {"tpTrigger", "slTrigger"}
)
_NUMBERS = frozenset({"priceEp", "orderQty", "displayQty", "stopPxEp", "takeProfitEp", "stopLossEp", "pegOffsetValueEp"})
_FLAGS = frozenset({"reduceOnly", "closeOnTrigger"})


def new_order(body: bytes) -> NewOrder:
    """The request in a body, every field of the right kind; of its terms only what concerns no contract is checked."""
    fields = _fields(body)
    for name in ("symbol", "clOrdID", "side", "orderQty"):
        if fields.get(name) in (None, ""):
            raise Refused(errors.MISSING_PARAMETER, name)
    if fields.get("actionBy", "FromOrderPlacement") != "FromOrderPlacement":
        raise Refused(errors.TE_ACTION_BY_INVALID)
    side = _SIDES.get(fields["side"])
    if side is None:
        raise Refused(errors.TE_SIDE_INVALID)
    ord_type, tif = fields.get("ordType", "Limit"), fields.get("timeInForce", "GoodTillCancel")
    if ord_type not in get_args(OrdType):
        raise Refused(errors.TE_ORD_TYPE_INVALID)
    if tif not in get_args(TimeInForce):
        raise Refused(errors.TE_TIME_IN_FORCE_INVALID)
    cl_ord_id = fields["clOrdID"]
    if len(cl_ord_id) > MAX_CL_ORD_ID or not all(" " < c <= "~" for c in cl_ord_id):
        raise Refused(errors.BAD_ARGUMENTS, f"clOrdID is not 1 to {MAX_CL_ORD_ID} printable characters")
    _check_what_is_not_simulated(fields)
    new = NewOrder(
        fields["symbol"],
        cl_ord_id,
        side,
        fields["orderQty"],
        ord_type,
        tif,
        fields.get("priceEp", 0),
        fields.get("stopPxEp", 0),
        fields.get("reduceOnly", False),
        fields.get("closeOnTrigger", False),
    )
    _check_trigger(new, fields.get("triggerType"))
    return new


def check_terms(new: NewOrder, contract: Contract) -> None:
    """Quantity, price and trigger price against the contract."""
    if new.qty < 1:
        raise Refused(errors.TE_QTY_TOO_SMALL)
    if new.qty > contract.settings.max_order_qty:
        raise Refused(errors.TE_QTY_TOO_LARGE)
    if new.at_market:
        if new.price_ep:
            raise Refused(errors.BAD_ARGUMENTS, "a market order has no priceEp")
        if new.time_in_force == "PostOnly":
            raise Refused(errors.TE_TIME_IN_FORCE_INVALID, "a market order cannot be post only")
    else:
        _check_price("priceEp", new.price_ep, contract, errors.TE_PRICE_TOO_SMALL, errors.TE_PRICE_TOO_LARGE)
    if new.conditional:
        least, most = errors.TE_TRIGGER_PRICE_TOO_SMALL, errors.TE_TRIGGER_PRICE_TOO_LARGE
        _check_price("stopPxEp", new.stop_px_ep, contract, least, most)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_float=_no_integer, parse_constant=_no_integer, object_pairs_hook=_once)
    except (ValueError, RecursionError) as no:
        raise Refused(errors.BAD_ARGUMENTS, f"the body is not JSON: {no}") from None
    if not isinstance(fields, dict):
        raise Refused(errors.BAD_ARGUMENTS, "the body is not a JSON object")
    for name, value in fields.items():
        kind = str if name in _TEXTS else int if name in _NUMBERS else bool if name in _FLAGS else None
        if kind is None:
            raise Refused(errors.BAD_ARGUMENTS, f"unknown field {name!r}")
        # By the type itself: in Python, true is an integer.
        if type(value) is not kind:
            raise Refused(errors.BAD_ARGUMENTS, f"{name} is not of type {kind.__name__}")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def _no_integer(text: str) -> NoReturn:
    raise ValueError(f"{text} is no integer")


def _check_what_is_not_simulated(fields: dict[str, Any]) -> None:
    if fields.get("takeProfitEp", 0) or fields.get("stopLossEp", 0):
        raise Refused(errors.TE_CANNOT_ATTACH_TP_SL)
    if fields.get("pegPriceType") not in _NOTHING or fields.get("pegOffsetValueEp", 0):
        raise Refused(errors.TE_PEG_PRICE_TYPE_INVALID)
    if fields.get("displayQty", 0) not in (0, fields["orderQty"]):
        raise Refused(errors.BAD_ARGUMENTS, "displayQty is not simulated")


def _check_trigger(new: NewOrder, trigger: str | None) -> None:
    if new.conditional and trigger not in _TRIGGERS:
        raise Refused(errors.TE_TRIGGER_INVALID)
    if not new.conditional and (trigger not in _NOTHING or new.stop_px_ep):
        raise Refused(errors.TE_TRIGGER_INVALID, f"{new.ord_type} has no trigger")
    if not new.conditional and new.close_on_trigger:
        raise Refused(errors.TE_TRIGGER_INVALID, f"closeOnTrigger on {new.ord_type}")


def _check_price(name: str, price_ep: int, contract: Contract, too_small: int, too_large: int) -> None:
    if price_ep <= 0:
        raise Refused(too_small)
    if price_ep > contract.max_price_ep:
        raise Refused(too_large)
    if price_ep % contract.tick_ep:
        raise Refused(errors.BAD_ARGUMENTS, f"{name} is not a multiple of the tick, {contract.tick_ep}")
