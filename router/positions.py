"""Answers to RequestForPositions(AN). Pure.

The rules:

1. For an account of the client's: what was bought and sold through this router for the session that asks since the router's book began, by
   account, destination and symbol.
2. For an account at a venue, where the session may ask about it (`Client.venue_accounts`): what it holds by the venue's word, whoever
   traded, with when that was told. What the venue has never told is not there; a position or balance that is gone is told as 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from router.inquiries import PositionReport, PositionsRequest, Result
from router.model import Effect
from router.rules import Destination
from router.state import State, Traded
from router.words import EXACT, ZERO

__all__ = ["positions"]

_AVERAGE_STEP: Final = Decimal(1).scaleb(-12)
_SECOND: Final = 1_000_000_000


def positions(state: State, request: PositionsRequest, now: int) -> list[Effect]:
    """RequestForPositions(AN): a report for each account, destination and symbol, or one that says why there is none."""
    refused = _refused(state, request)
    if refused is not None:
        return [_none(request, *refused, now)]
    if request.account in state.policy.client(request.session).venue_accounts:
        rows, nothing = list(_held(state, request)), "nothing of this was told by the venue"
    else:
        rows, nothing = list(_traded(state, request)), "nothing was executed of this through the router"
    if not rows:
        return [_none(request, Result.NOTHING, nothing, now)]
    return [
        PositionReport(
            session=request.session, report_id=f"P{now}-{number}", request_id=request.request_id, result=Result.YES, total=len(rows),
            time=now, account_type=request.account_type, **row,
        )
        for number, row in enumerate(rows, 1)
    ]  # fmt: skip


def _traded(state: State, request: PositionsRequest) -> Iterator[dict[str, Any]]:
    for (session, account, destination, symbol), each in state.positions.items():
        if session == request.session and _wanted(state, request, account, destination, symbol):
            yield {
                "account": account, "destination": destination, "symbol": symbol, "currency": _currency(state, destination, symbol),
                "bought": each.bought, "sold": each.sold, "avg_px": _average(each),
            }  # fmt: skip


def _held(state: State, request: PositionsRequest) -> Iterator[dict[str, Any]]:
    """Rule 2. Several destinations may share a link: what it told is told once, a position where its symbol is traded."""
    places = [each for each in state.policy.configured.destinations if each.account == request.account]
    for link in dict.fromkeys(link for each in places for link in (each.witness, each.link) if link in state.held):
        told, here = state.held[link], [each for each in places if link in (each.witness, each.link)]
        for venue_symbol, stood in told.positions.items():
            place, symbol, currency = _where(state, here, venue_symbol)
            if _wanted(state, request, request.account or "", place.name, symbol):
                yield _row(
                    request, place, stood.qty, _as_of(stood.at), symbol=symbol, currency=currency,
                    avg_px=stood.avg_px or ZERO,
                )  # fmt: skip
        for currency, fund in told.balances.items():
            if request.symbol is None and (request.destination or here[0].name).upper() in {each.name.upper() for each in here}:
                text = f"available {fund.available.normalize(EXACT):f}, {_as_of(fund.at)}"
                yield _row(request, here[0], fund.total, text, currency=currency)


def _row(request: PositionsRequest, place: Destination, qty: Decimal, text: str, **more: Any) -> dict[str, Any]:
    bought, sold = (qty, ZERO) if qty >= 0 else (ZERO, qty.copy_negate())
    return {"account": request.account, "destination": place.name, "bought": bought, "sold": sold, "text": text, "held": True} | more


def _where(state: State, places: list[Destination], venue_symbol: str) -> tuple[Destination, str, str]:
    """The destination that trades a symbol of the venue, our name of it, and its currency; else the first, the venue's name, and none."""
    for each in places:
        found = state.policy.find(each.name, venue_symbol)
        if found is not None:
            return each, found[1].symbol, found[1].quote
    return places[0], venue_symbol, ""


def _as_of(at: int) -> str:
    return f"told {datetime.fromtimestamp(at // _SECOND, UTC):%Y%m%d-%H:%M:%S} UTC"


def _refused(state: State, request: PositionsRequest) -> tuple[Result, str] | None:
    if request.wrong:
        return Result.UNSUPPORTED, request.wrong
    client = state.policy.client(request.session)
    accounts = [each.name for each in client.accounts]
    if accounts and request.account is not None and request.account not in (*accounts, *client.venue_accounts):
        return Result.FORBIDDEN, f"this session trades for {', '.join(accounts)}"
    return None


def _none(request: PositionsRequest, result: Result, text: str, now: int) -> PositionReport:
    return PositionReport(
        session=request.session, report_id=f"P{now}-1", request_id=request.request_id, result=result, total=0, time=now,
        account=request.account or "", account_type=request.account_type, destination=request.destination or "",
        symbol=request.symbol or "", text=text,
    )  # fmt: skip


def _wanted(state: State, request: PositionsRequest, account: str, destination: str, symbol: str) -> bool:
    if request.account not in (None, account) or (request.destination or destination).upper() != destination.upper():
        return False
    found = state.policy.find(destination, request.symbol) if request.symbol is not None else None
    return request.symbol in (None, symbol) or (found is not None and found[1].symbol == symbol)


def _currency(state: State, destination: str, symbol: str) -> str:
    found = state.policy.find(destination, symbol)
    return symbol.rpartition("/")[2] if found is None else found[1].quote


def _average(traded: Traded) -> Decimal:
    """What the side that is ahead was traded at, on average."""
    quantity, value = (traded.bought, traded.paid) if traded.bought > traded.sold else (traded.sold, traded.received)
    if traded.bought == traded.sold or not quantity:
        return ZERO
    return EXACT.quantize(EXACT.divide(value, quantity), _AVERAGE_STEP).normalize(EXACT)
