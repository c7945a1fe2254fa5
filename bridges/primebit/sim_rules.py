"""Bodies of requests, and the rules for them that need no state. Pure; whatever is wrong raises `sim_errors.Refused`.

Assumptions; the document leaves bodies to a Swagger file that is not here, so the names are the order channel's:
1. New order: `symbol`, `side`, `volume`, `limit_price` and `fill_type` are required. `stop_price` is "0.0", `expiration_time`
   0 and `comment` "" unless said. Modification: `volume`, `limit_price` and `stop_price`, all of them required.
2. Prices and volumes are texts of plain digits, as the channel writes them ("53.3"); `expiration_time` is an integer of
   seconds. A field that this venue does not know, or that stands twice, is refused: a misspelt `stop_price` that is
   passed over is somebody's money.
3. `comment` is at most 64 printable characters.
4. A price is a multiple of the tick and a volume one of the volume step, both within the contract's limits.
5. A modification leaves the kind of the order as it is: a price that is 0 stays 0, and one that is not stays so; the stop
   price of a triggered order stays what it was. Its volume is above what is executed.
"""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from bridges.primebit import sim_errors as errors
from bridges.primebit.sim_orders import FILL_TYPES, SIDES, ZERO, Modification, NewOrder, Order, Status
from bridges.primebit.sim_settings import ContractSettings

MAX_COMMENT = 64
# Exact in 28 digits, a price times a volume included.
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")
_TEXTS = frozenset({"symbol", "side", "volume", "limit_price", "stop_price", "fill_type", "comment"})
_NEW = _TEXTS | {"expiration_time"}
_REQUIRED = ("symbol", "side", "volume", "limit_price", "fill_type")
_MODIFICATION = ("volume", "limit_price", "stop_price")
# 5138-11-16, in seconds: a time in milliseconds is past it.
_LATEST_S = 10**11


def new_order(body: bytes) -> NewOrder:
    """The request in a body, every field of the right kind."""
    fields = _fields(body, _NEW, _REQUIRED)
    if fields["side"] not in SIDES:
        raise errors.field("side", "neither buy nor sell")
    if fields["fill_type"] not in FILL_TYPES:
        raise errors.field("fill_type", f"none of {', '.join(FILL_TYPES)}")
    expiration_time = fields.get("expiration_time", 0)
    if not 0 <= expiration_time < _LATEST_S:
        raise errors.field("expiration_time", "not a Unix time in seconds")
    comment = fields.get("comment", "")
    if len(comment) > MAX_COMMENT or not comment.isprintable():
        raise errors.field("comment", f"not at most {MAX_COMMENT} printable characters")
    return NewOrder(
        fields["symbol"],
        SIDES[fields["side"]],
        _number(fields, "volume"),
        _number(fields, "limit_price"),
        _number(fields, "stop_price"),
        fields["fill_type"],
        expiration_time,
        comment,
    )


def modification(body: bytes) -> Modification:
    fields = _fields(body, frozenset(_MODIFICATION), _MODIFICATION)
    return Modification(_number(fields, "volume"), _number(fields, "limit_price"), _number(fields, "stop_price"))


def check_terms(asked: NewOrder | Modification, contract: ContractSettings) -> None:
    """Volume and prices against the contract."""
    if not ZERO < asked.volume <= contract.max_volume:
        raise errors.field("volume", f"not above 0 and at most {contract.max_volume:f}")
    if asked.volume % contract.volume_step:
        raise errors.field("volume", f"not a multiple of {contract.volume_step:f}")
    for name, price in (("limit_price", asked.limit_price), ("stop_price", asked.stop_price)):
        if price > contract.max_price:
            raise errors.field(name, f"above {contract.max_price:f}")
        if price % contract.tick_size:
            raise errors.field(name, f"not a multiple of {contract.tick_size:f}")


def check_modification(change: Modification, order: Order, contract: ContractSettings) -> None:
    check_terms(change, contract)
    if change.volume <= order.filled:
        raise errors.field("volume", "not above what is executed")
    for name, before, after in (
        ("limit_price", order.asked.limit_price, change.limit_price),
        ("stop_price", order.asked.stop_price, change.stop_price),
    ):
        if bool(before) != bool(after):
            raise errors.field(name, "the kind of an order cannot be modified")
    if order.status is not Status.UNTRIGGERED and change.stop_price != order.asked.stop_price:
        raise errors.field("stop_price", "the order is triggered")


def _fields(body: bytes, known: frozenset[str], required: tuple[str, ...]) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_float=_no_integer, parse_constant=_no_integer, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise errors.bad_request("The body is not JSON, has a fraction that is no text, or a field twice") from None
    if not isinstance(fields, dict):
        raise errors.bad_request("The body is not a JSON object")
    for name, value in fields.items():
        if name not in known:
            raise errors.field(name[:40], "unknown field")
        # By the type itself: in Python, true is an integer.
        if type(value) is not (str if name in _TEXTS else int):
            raise errors.field(name, "not a text" if name in _TEXTS else "not an integer")
    for name in required:
        if name not in fields:
            raise errors.field(name, "missing")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def _no_integer(text: str) -> NoReturn:
    raise ValueError(f"{text} is no integer")


def _number(fields: dict[str, Any], name: str) -> Decimal:
    text = fields.get(name, "0.0")
    if not _NUMBER.fullmatch(text):
        raise errors.field(name, "not a decimal number")
    return Decimal(text)
