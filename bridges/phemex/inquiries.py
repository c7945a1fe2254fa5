"""What an operator may ask Phemex: topics, their requests, their answers as rows of texts. Pure.

Only questions. Readings, where the document is silent:

- Balances and positions are `GET /accounts/accountPositions?currency=<currency>`, one request a trading account. The document shows how it
  is signed ("Signature Example 1") and not its answer: {"code", "msg", "data": {"account", "positions"}}, with the fields of AOP.
- No request is documented that lists orders: open orders are those of a fresh AOP snapshot, asked for as in `aop.py`, and of an order's
  rows the one with the highest execSeq counts. What has no status that we know as an end is open.
- Books and trades are those of the streams, as they stand.
- Scaled numbers are told in full, without their suffix ("accountBalanceEv" as "accountBalance"): ...Ep 10^4, ...Er 10^8, ...Ev by the
  account's currency (`scaling.py`). Of a currency that we do not know the number stays as it is, with its suffix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from bridges.phemex.market import Market
from bridges.phemex.payload import Malformed, listed, loads, plain, printable, whole
from bridges.phemex.rows import ENDED
from bridges.phemex.scaling import CONTRACTS, PRICE_SCALE, VALUE_SCALES, price
from bridges.wire import Answer, Kind, Out, Request, Told
from router.words import EXACT

__all__ = ["TOPICS", "Inquiries", "Inquiring"]

TOPICS: Final[Mapping[str, str]] = {
    "balances": "balance and used balance of each trading account; may have currency",
    "positions": "positions of each trading account; may have currency",
    "open-orders": "all open orders of the user, by a fresh snapshot of the account stream",
    "order-book": "the order book of a symbol, as the stream tells it; needs symbol",
    "trades": "the latest trades of a symbol, as the stream tells them; needs symbol",
}
_NEEDED: Final = {"order-book": {"symbol"}, "trades": {"symbol"}}
_ALLOWED: Final = {"balances": {"currency"}, "positions": {"currency"}} | _NEEDED
_RATIO_SCALE: Final = 100_000_000
_ROWS_AT_MOST: Final = 10_000
_BALANCE: Final = ("currency", "accountBalance", "totalUsedBalance")
_POSITION: Final = ("symbol", "currency", "side", "size", "avgEntryPrice", "markPrice", "unrealisedPnl", "positionMargin")
_ORDER: Final = (
    "order_id", "cl_ord_id", "symbol", "side", "orderQty", "price", "stopPx", "leavesQty", "cumQty", "ordType", "timeInForce", "ordStatus",
)  # fmt: skip


@dataclass(slots=True)
class _Asking:
    """One question to several trading accounts."""

    ticket: int
    topic: str
    left: int
    rows: list[Mapping[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Inquiring:
    """Context of a request: the account's part of a question."""

    asking: _Asking
    currency: str


@dataclass(frozen=True, slots=True)
class _Heard:
    currency: str
    row: Mapping[str, Any]

    @property
    def seq(self) -> int:
        value = self.row.get("execSeq")
        return value if type(value) is int else 0


class Inquiries:
    """One API key's. `markets`: by the venue's symbol."""

    def __init__(self, currencies: Sequence[str], markets: Mapping[str, Market]) -> None:
        self._currencies = tuple(currencies)
        self._markets = markets
        self._waiting: dict[int, int] = {}
        """Tickets that wait for a snapshot, with the number of the last round begun before them."""
        self._heard: dict[str, _Heard] = {}
        """By orderID, while anybody waits."""

    def learn(self, currencies: Iterable[str]) -> None:
        """More trading accounts to ask about."""
        self._currencies = tuple(sorted({*self._currencies, *currencies}))

    def put(self, ticket: int, topic: str, arguments: Mapping[str, str], up: bool, rounds: int) -> list[Out]:
        """A question; nothing is returned where a fresh snapshot is needed. `up`: the account stream is; `rounds`: begun so far."""
        wrong = self._wrong(topic, arguments)
        if wrong:
            return [Told(ticket, error=wrong)]
        if topic in ("order-book", "trades"):
            return [self._market(ticket, topic, arguments["symbol"])]
        if topic != "open-orders":
            return self._accounts(ticket, topic, arguments.get("currency"))
        if not up:
            return [Told(ticket, error="the account stream of Phemex is down")]
        self._waiting[ticket] = rounds
        return []

    def _wrong(self, topic: str, arguments: Mapping[str, str]) -> str:
        if topic not in TOPICS:
            return f"Phemex is not asked about {printable(topic)}; known: {', '.join(TOPICS)}"
        missing, strange = _NEEDED.get(topic, set()) - set(arguments), set(arguments) - _ALLOWED.get(topic, set())
        if missing or strange:
            return f"{topic} needs {', '.join(sorted(missing))}" if missing else f"{topic}: {printable(min(strange))} is not taken"
        if arguments.get("symbol", next(iter(self._markets), "")) not in self._markets:
            return f"{printable(arguments['symbol'])} is none of {', '.join(self._markets)}"
        if arguments.get("currency", self._currencies[0] if self._currencies else "") not in self._currencies:
            return f"{printable(arguments['currency'])} is none of {', '.join(self._currencies)}"
        return ""

    # --- accounts ---------------------------------------------------------------------------------------------------------

    def _accounts(self, ticket: int, topic: str, only: str | None) -> list[Out]:
        wanted = self._currencies if only is None else (only,)
        asking = _Asking(ticket, topic, len(wanted))
        path = "/accounts/accountPositions"
        return [
            Request(kind=Kind.QUERY, method="GET", path=path, query=f"currency={each}", context=Inquiring(asking, each)) for each in wanted
        ]

    def answered(self, context: Inquiring, answer: Answer) -> list[Out]:
        """An account's part came."""
        asking = context.asking
        try:
            asking.rows += _account_rows(_data(answer), asking.topic, context.currency)
        except Malformed as wrong:
            asking.errors.append(f"{context.currency}: {wrong}")
        return _told(asking)

    def lost(self, context: Inquiring, why: str) -> list[Out]:
        """An account's part did not come."""
        context.asking.errors.append(f"{context.currency}: {printable(why)}")
        return _told(context.asking)

    # --- open orders ------------------------------------------------------------------------------------------------------

    def heard(self, message: Mapping[str, Any], rounds: int, complete: bool) -> list[Out]:
        """An AOP message that is no repetition; `complete`: every snapshot of the latest of the `rounds` has come."""
        if not self._waiting:
            return []
        currency = _currency(message)
        if message.get("type") == "snapshot":
            self._heard = {name: each for name, each in self._heard.items() if each.currency != currency}
        for row in listed(message, "orders"):
            if isinstance(row, dict):
                self._keep(printable(row.get("orderID")), _Heard(currency, row))
        return self._answer(rounds) if complete else []

    def _keep(self, order_id: str, heard: _Heard) -> None:
        before = self._heard.get(order_id)
        if before.seq <= heard.seq if before is not None else len(self._heard) < _ROWS_AT_MOST:
            self._heard[order_id] = heard

    def _answer(self, rounds: int) -> list[Out]:
        answered = [ticket for ticket, before in self._waiting.items() if before < rounds]
        rows = tuple(_order(each) for each in self._heard.values() if _open(each.row)) if answered else ()
        for ticket in answered:
            del self._waiting[ticket]
        if not self._waiting:
            self._heard.clear()
        return [Told(ticket, rows) for ticket in answered]

    def closed(self) -> list[Out]:
        """The stream is gone."""
        waiting, self._waiting = self._waiting, {}
        self._heard.clear()
        return [Told(ticket, error="the account stream of Phemex was lost") for ticket in waiting]

    # --- market data ------------------------------------------------------------------------------------------------------

    def _market(self, ticket: int, topic: str, symbol: str) -> Told:
        market = self._markets[symbol]
        if topic == "trades":
            return Told(ticket, tuple({"symbol": symbol, **_trade(each)} for each in market.latest))
        if not market.sound:
            return Told(ticket, error=f"Phemex has not told the book of {symbol}")
        levels = ((side, px, qty) for side, of in market.levels for px, qty in of)
        return Told(ticket, tuple({"side": side, "price": f"{price(px):f}", "size": str(qty)} for side, px, qty in levels))


def _told(asking: _Asking) -> list[Out]:
    asking.left -= 1
    return [] if asking.left else [Told(asking.ticket, tuple(asking.rows), "; ".join(asking.errors)[:300])]


def _data(answer: Answer) -> Mapping[str, Any]:
    """`data` of a yes. Raises `Malformed`."""
    try:
        fields = loads(answer.body)
        if not isinstance(fields, dict):
            raise Malformed("it is not an object")
        code = whole(fields, "code")
    except Malformed as wrong:
        raise Malformed(f"HTTP {answer.status} that cannot be read: {wrong}") from None
    if code != 0 or answer.status != 200:
        raise Malformed(f"{code} {printable(fields.get('msg'))}".strip() if code else f"HTTP {answer.status} with code 0")
    if not isinstance(fields.get("data"), dict):
        raise Malformed("the answer has no data")
    return dict(fields["data"])


def _account_rows(data: Mapping[str, Any], topic: str, currency: str) -> list[Mapping[str, str]]:
    found: list[Any] = [data.get("account")] if topic == "balances" else listed(data, "positions")[:_ROWS_AT_MOST]
    if not all(isinstance(each, dict) for each in found):
        raise Malformed("an account or a position is not an object")
    first = _BALANCE if topic == "balances" else _POSITION
    return [_arranged(descaled({"currency": currency, **each}), first) for each in found]


def _open(row: Mapping[str, Any]) -> bool:
    return printable(row.get("ordStatus")) not in ENDED and row.get("execStatus") != "CreateRejected"


def _currency(message: Mapping[str, Any]) -> str:
    """Whose account's message it is; "" where it does not say."""
    accounts = listed(message, "accounts")
    return printable(accounts[0].get("currency")) if len(accounts) == 1 and isinstance(accounts[0], dict) else ""


def _order(heard: _Heard) -> Mapping[str, str]:
    row = dict(heard.row)
    contract = CONTRACTS.get(printable(row.get("symbol")))
    currency = contract.settle if contract is not None else heard.currency
    names = {"order_id": printable(row.pop("orderID", None)), "cl_ord_id": printable(row.pop("clOrdID", None))}
    return _arranged(names | descaled(row, currency), _ORDER)


def _trade(trade: Any) -> Mapping[str, str]:
    """[ns, side, priceEp, contracts], as texts or as numbers; what is not one stays as it is."""
    at, side, px, qty = trade[:4]
    try:
        text = f"{price(whole({'price': px}, 'price')):f}"
    except Malformed:
        text = plain(px)
    return {"time": plain(at), "side": plain(side), "price": text, "size": plain(qty)}


def _arranged(row: Mapping[str, str], first: Sequence[str]) -> Mapping[str, str]:
    return {name: row[name] for name in first if name in row} | {name: text for name, text in row.items() if name not in first}


def descaled(row: Mapping[str, Any], currency: str | None = None) -> dict[str, str]:
    """A row of the venue as texts, its scaled numbers in full units. A number that it also tells unscaled, as a fraction, is told by the
    scaled one, which is exact. `currency`: of its values, where the row has none."""
    value_scale = VALUE_SCALES.get(printable(row.get("currency")) or currency or "")
    scales = {"Ep": PRICE_SCALE, "Er": _RATIO_SCALE, "Ev": value_scale}
    told: dict[str, str] = {}
    scaled: dict[str, str] = {}
    for key, value in row.items():
        name, scale = printable(key), scales.get(key[-2:])
        if scale is not None and type(value) is int and abs(value) < 1 << 63:
            scaled[name[:-2]] = f"{EXACT.divide(Decimal(value), Decimal(scale)):f}"
        else:
            told[name] = plain(value)
    return told | scaled
