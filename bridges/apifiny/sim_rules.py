"""The venue's rules for a new order, each raising `sim_errors.Refused`. Pure, and of the request alone.

Assumptions where the document is silent stand at the head of `sim_exchange`.
"""

from decimal import Decimal

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_orders import GTC, IOC, POST_ONLY, NewOrder, OrderType
from bridges.apifiny.sim_settings import Instrument
from bridges.matching import Side

# "Order Type": "Only 6 exchanges support market order now".
MARKET_VENUES = frozenset({"BINANCE", "BINANCEUS", "COINBASEPRO", "HUOBI", "KUCOIN", "OKEX"})
MAX_ID_DIGITS = 64
TIMESTAMP_DIGITS, TAIL_DIGITS = 13, 3
TIMESTAMP_TOLERANCE_MS = 60_000


def account_number(account_id: str) -> str:
    """The digits of an account id: STA-00000001 -> 00000001."""
    return "".join(c for c in account_id if "0" <= c <= "9")


def check_order_id(order_id: str, number: str, now_ms: int) -> None:
    """ "account number + random number + 13 digit timestamp+3 digit random number. Up to 64 digits." """
    if not (order_id.isascii() and order_id.isdigit()):
        raise Refused(errors.ORDER_ID_RULE, "not all digits")
    if len(order_id) > MAX_ID_DIGITS:
        raise Refused(errors.ORDER_ID_RULE, f"longer than {MAX_ID_DIGITS} digits")
    if not order_id.startswith(number):
        raise Refused(errors.ORDER_ID_RULE, "does not begin with the account number")
    if len(order_id) < len(number) + 1 + TIMESTAMP_DIGITS + TAIL_DIGITS:
        raise Refused(errors.ORDER_ID_RULE, "too short: no room for a random number")
    stamp = int(order_id[-TIMESTAMP_DIGITS - TAIL_DIGITS : -TAIL_DIGITS])
    if abs(stamp - now_ms) > TIMESTAMP_TOLERANCE_MS:
        raise Refused(errors.ORDER_TIMESTAMP, "more than 60 s from the venue's clock")


def check_terms(new: NewOrder, instrument: Instrument, best: Decimal | None) -> None:
    """Type, time in force, and the limits of `listSymbolInfo`. `best` is the best price a market order would meet."""
    if new.tif not in (GTC, IOC, POST_ONLY):
        raise Refused(errors.REQUEST_ERROR, "timeInForce is not 1, 3 or 7")
    if new.order_type is OrderType.MARKET:
        if new.venue not in MARKET_VENUES:
            raise Refused(errors.REQUEST_ERROR, "this venue has no market orders")
        if new.tif == POST_ONLY:
            raise Refused(errors.REQUEST_ERROR, "a market order cannot be post only")
        if new.price is not None:
            raise Refused(errors.REQUEST_ERROR, "a market order has no price")
        if new.side is Side.BUY:
            if new.total is None or new.qty is not None:
                raise Refused(errors.REQUEST_ERROR, "a market buy takes total and no quantity")
            _check_notional(new.total, instrument)
            return
    elif new.price is None:
        raise Refused(errors.REQUEST_ERROR, "a limit order needs a price")
    else:
        _check_range("price", new.price, instrument.min_price, instrument.max_price, instrument.tick_size)
        best = new.price
    if new.qty is None or new.total is not None:
        raise Refused(errors.REQUEST_ERROR, "this order takes quantity and no total")
    _check_range("quantity", new.qty, instrument.min_quantity, instrument.max_quantity, instrument.step_size)
    if best is not None:
        _check_notional(best * new.qty, instrument)


def _check_range(name: str, value: Decimal, least: Decimal, most: Decimal, step: Decimal) -> None:
    # The range first: the remainder of an absurdly large number has no exact answer in 28 digits.
    if not least <= value <= most:
        raise Refused(errors.REQUEST_ERROR, f"{name} is not between {least} and {most}")
    if value % step:
        raise Refused(errors.REQUEST_ERROR, f"{name} is not a multiple of {step}")


def _check_notional(value: Decimal, instrument: Instrument) -> None:
    if not instrument.min_notional <= value <= instrument.max_notional:
        raise Refused(errors.REQUEST_ERROR, f"notional is not between {instrument.min_notional} and {instrument.max_notional}")
