"""What PrimeBit tells of the account's money and positions, and what is made of it: exact, never older than the stream, never half."""

from __future__ import annotations

import json
from collections import deque
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.matching import Side as VenueSide
from bridges.primebit.holdings import REFRESH, Account
from bridges.primebit.protocol import PrimebitProtocol
from bridges.primebit.sim_rest import Answer as VenueAnswer
from bridges.primebit.sim_rest import Request as VenueRequest
from bridges.wire import Answer, Frame, Holdings, Note, Request
from router.model import Balance, Cancel, LinkUp, Position
from router.words import Side

from .desk import BTC, C1, C2, ID, Desk, S, place, position
from .sim_venue import ACCOUNT, KEY, SECRET, Venue

SAMPLE = {"balance": "1506.93744527", "equity": "1506.95849405", "margin": "229.35394987", "margin_free": "1277.60454418"}


def money(balance: Any = "1000.0", free: Any = "900.0") -> dict[str, Any]:
    return {"balance": balance, "equity": balance, "margin": "100.0", "margin_free": free}


class Teller(Desk):
    """A desk whose venue tells what the account holds."""

    def account(self, told: Any) -> list[Any]:
        return self.say({"channel": f"account_{ID}", "data": told, "message_timestamp_ms": 1})

    @property
    def held(self) -> Holdings:
        held = self.protocol.held()
        assert held is not None
        return held


def up(*positions: Any, told: Any = None) -> Teller:
    """Connected, and told by the confirmations."""
    desk = Teller(up=False)
    desk.money = told or money()
    assert LinkUp("acc") in desk.connect(positions=positions)
    return desk


def channels(outs: list[Any]) -> list[tuple[str, str]]:
    said = [json.loads(each.text) for each in outs if isinstance(each, Frame)]
    return [(each["method"], each["params"][0]) for each in said if "params" in each]


AGAIN = [("unsubscribe", f"account_{ID}"), ("subscribe", f"account_{ID}")]


def test_the_documents_samples() -> None:
    """The balance and the free margin, in the instruments' quote currency; positions signed, in the orders' volumes."""
    desk = up(position("0.0315", "8268.5", "sell", 44421321), position("0.5315", "196.5", "buy", 53252) | {"symbol": "ETHUSD"}, told=SAMPLE)
    assert desk.held == Holdings(
        (Balance("USD", D("1506.93744527"), D("1277.60454418")),),
        (Position("BTCUSD", D("-0.0315"), D("8268.5")), Position("ETHUSD", D("0.5315"), D("196.5"))),
    )


def test_nothing_is_held_until_both_channels_have_told() -> None:
    """Positions without money are half of it, and so is the reverse."""
    desk = Teller(up=False)
    assert desk.protocol.held() is None
    desk.connect()
    assert desk.protocol.held() is None
    desk.account(money())
    assert desk.held == Holdings((Balance("USD", D(1000), D(900)),), ())
    early = Teller(up=False)
    early.protocol.opened(early.now)
    early.account(money())
    assert early.protocol.held() is None


def test_what_changes_is_taken_and_what_does_not_is_the_same_object() -> None:
    """A position that is closed is 0 from then on; its current price is no change."""
    desk = up(position("3", "65000"))
    before = desk.held
    assert desk.held is before
    desk.account(money())
    desk.moved("modified", position("3", "65000") | {"price_current": "65001"})
    assert desk.held is before
    desk.account(money("1000.0", "-5.5"))
    assert desk.held == Holdings((Balance("USD", D(1000), D("-5.5")),), (Position("BTCUSD", D(3), D(65000)),))
    desk.moved("modified", position("2", "65000"))
    assert desk.held.positions == (Position("BTCUSD", D(2), D(65000)),)
    desk.moved("closed", {"position_id": 9, "symbol": "BTCUSD"})
    assert desk.held.positions == (Position("BTCUSD", D(0)),)
    desk.moved("new", position("1", "64000", "sell", 10))
    assert desk.held.positions == (Position("BTCUSD", D(-1), D(64000)),)


def test_several_positions_in_a_symbol_are_their_sum() -> None:
    """At their average, to eight decimals; at none where they are of both sides."""
    desk = up(position("1", "65000", ident=1), position("2", "65010", ident=2))
    assert desk.held.positions == (Position("BTCUSD", D(3), D("65006.66666667")),)
    desk.moved("new", position("4", "65000", "sell", 3))
    assert desk.held.positions == (Position("BTCUSD", D(-1)),)


def test_after_a_lost_stream_nothing_is_held_until_it_is_told_anew() -> None:
    """Neither from memory, nor to an operator; a position that went away meanwhile is then 0."""
    desk = up(position("3", "65000"))
    assert desk.held
    desk.protocol.closed("gone", desk.now)
    assert desk.protocol.held() is None
    desk.money = None
    desk.connect()
    assert desk.protocol.held() is None
    (told,) = desk.protocol.inquire(1, "balances", {}, desk.now)
    assert "has not told" in told.error  # type: ignore[union-attr]
    desk.account(money("7.0", "7.0"))
    assert desk.held == Holdings((Balance("USD", D(7), D(7)),), (Position("BTCUSD", D(0)),))


def test_nothing_is_held_while_a_new_connection_is_asked_for() -> None:
    """The old one is not listened to any more."""
    desk = up()
    desk.now += 6 * S
    desk.protocol.tick(desk.now)
    desk.now += 16 * S
    desk.protocol.tick(desk.now)
    assert desk.protocol.held() is None


@pytest.mark.parametrize("told", [[], "money", 5, {}, money(None), money("many"), money(free=1e300), money(free=True), {"balance": "5"}])
def test_nonsense_is_told_once_and_nothing_of_it_is_believed(told: Any) -> None:
    """One note, no new snapshots of orders, and what was known stays."""
    desk = up(position("3", "65000"))
    before = desk.held
    desk.now += 2 * S
    (note,) = desk.account(told)
    assert isinstance(note, Note) and "makes no sense" in note.text
    assert desk.held is before
    assert desk.later(1) == []


def test_the_account_is_asked_for_anew_every_minute() -> None:
    """By subscribing again, once, beginning with the link; the answer counts like any telling."""
    desk = up()
    desk.later(REFRESH // 2)
    assert channels(desk.later(REFRESH // 2 - 1)) == []
    outs = desk.later(1)
    assert channels(outs) == AGAIN
    desk.money = money("5.0", "4.0")
    assert desk.confirm(outs) == []
    assert desk.held.balances == (Balance("USD", D(5), D(4)),)
    desk.later(REFRESH // 2)
    assert channels(desk.later(REFRESH // 2 - 1)) == []
    assert channels(desk.later(1)) == AGAIN


def test_a_frame_that_cannot_be_read_may_have_been_the_accounts() -> None:
    """It is asked for with the orders and the positions."""
    desk = up()
    desk.now += 2 * S
    outs = desk.say("{nonsense")
    assert channels(outs)[-2:] == AGAIN and len(channels(outs)) == 6


def test_a_channel_that_is_refused_is_not_asked_for_again() -> None:
    """It is noted, the link is up, and nothing is held."""
    desk = Teller(up=False)
    frames = desk.protocol.opened(desk.now)
    ident = next(json.loads(each.text)["correlation_id"] for each in frames if isinstance(each, Frame) and "account_" in each.text)
    desk.confirm([each for each in frames if isinstance(each, Frame) and "account_" not in each.text])
    (note,) = desk.say({"correlation_id": ident, "response": {"message": "no", "success": False, "data": None}})
    assert isinstance(note, Note)
    for _ in range(5):
        assert channels(desk.later(REFRESH // 4)) == []
    assert desk.protocol.held() is None


def test_a_balance_without_a_currency_is_not_kept() -> None:
    """Instruments of two quotes: noted once, and the positions are told all the same."""
    account = Account(["USD", "EUR"])
    assert [type(each) for each in account.money(money())] == [Note]
    assert account.money(money("5.0")) == []
    assert account.held(1, [("BTCUSD", D(1), None)]) == Holdings((), (Position("BTCUSD", D(1)),))
    assert Account(["usd", "USD"]).money(money()) == []


def test_a_thousand_symbols_are_kept() -> None:
    """What is more is noted once; those that are kept go on being told."""
    account = Account(["USD"])
    account.money(money())
    many = [(f"S{n}", D(n), None) for n in range(1_002)]
    for version in (1, 2):
        held = account.held(version, many)
        assert held is not None and len(held.positions) == 1_000
    assert [type(each) for each in account.notes()] == [Note]
    held = account.held(3, [("S7", D(9), None)])
    assert held is not None and len(held.positions) == 1_000 and held.positions[7].qty == 9 and held.positions[8].qty == 0


_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["0.0", "1e9", "-1.5"])


@given(st.dictionaries(st.sampled_from([*money()]), _VALUE) | _VALUE, st.lists(st.tuples(_VALUE, _VALUE, st.sampled_from(["buy", "sell"]))))
def test_whatever_is_told_what_is_held_makes_sense(told: Any, positions: list[Any]) -> None:
    """No exception; amounts that are exact and finite."""
    desk = up()
    desk.account(told)
    for n, (volume, px, side) in enumerate(positions):
        desk.moved("new", position(volume, px, side, n))
        desk.later(S)
    held = desk.protocol.held()
    if held is None:
        return  # a new connection was asked for
    (balance,) = held.balances
    assert balance.total.is_finite() and balance.available.is_finite()
    for each in held.positions:
        assert each.qty.is_finite() and (each.avg_px is None or each.avg_px >= 0)


class Rig:
    """The protocol and the simulated venue; what is sent arrives at once."""

    def __init__(self) -> None:
        self.venue = Venue()
        self.protocol = PrimebitProtocol("acc", ACCOUNT, KEY, SECRET, (BTC,), "demo")
        self.connect()

    def connect(self) -> None:
        self.session, self.line = self.venue.connect()
        self.do(self.protocol.opened(self.venue.now))

    def disconnect(self) -> None:
        del self.venue.sessions[self.session]
        self.do(self.protocol.closed("gone", self.venue.now))

    def do(self, outs: Any) -> None:
        waiting = deque(outs)
        while waiting or self.line.sent:
            each = waiting.popleft() if waiting else None
            if isinstance(each, Frame):
                self.session.receive(each.text, self.venue.now)
            elif isinstance(each, Request):
                waiting += self.request(each)
            while self.line.sent:
                waiting += self.protocol.receive(self.line.sent.pop(0), self.venue.now)

    def request(self, request: Request) -> Any:
        signed = self.protocol.sign(request, self.venue.now)
        api_key, timestamp, authorization = (signed.headers[name] for name in ("api-key", "timestamp", "authorization"))
        told = VenueRequest(signed.method, signed.target, "", signed.body.encode(), api_key, timestamp, authorization, "127.0.0.1")
        outcome = self.venue.handle(told)
        assert isinstance(outcome, VenueAnswer) and outcome.status == 200
        return self.protocol.answered(request, Answer(outcome.status, {}, outcome.text.encode()), self.venue.now)

    def send(self, command: Any) -> None:
        self.do(self.protocol.send(command, self.venue.now))

    def agrees(self) -> tuple[Balance, D]:
        """What is held is what the venue's own book says: the balance, and the volume of the position."""
        held = self.protocol.held()
        assert held is not None
        account = self.venue.exchange.account_row(ACCOUNT)
        (balance,) = held.balances
        assert (balance.total, balance.available) == (D(account["balance"]), D(account["margin_free"]))
        there = self.venue.exchange.accounts[ACCOUNT].positions.get("BTCUSD")
        (position,) = held.positions or (Position("BTCUSD", D(0)),)
        assert (position.qty, position.avg_px) == ((there.size, there.price_open) if there is not None else (0, None))
        return balance, position.qty


def test_the_simulated_venue_is_held_as_it_is() -> None:
    """An open order ties up margin and its cancel gives it back; fills move the balance and the position; a lost stream is healed."""
    rig = Rig()
    start, _ = rig.agrees()
    rig.send(place(order_qty=D(7), price=D(60000)))
    resting, _ = rig.agrees()
    assert (resting.total, start.available - resting.available) == (start.total, 4200)
    order_id = str(next(iter(rig.venue.exchange.orders())).order_id)
    rig.send(Cancel("1", C1, order_id, "", "BTCUSD"))
    assert rig.agrees() == (start, 0)
    rig.send(place(order_id="2", venue_cl_ord_id=C2, price=D(65010)))
    bought, volume = rig.agrees()
    assert volume == 5 and bought.available < bought.total
    rig.disconnect()
    assert rig.protocol.held() is None
    rig.connect()
    assert rig.agrees() == (bought, 5)
    more = {"order_id": "3", "venue_cl_ord_id": "1700000000000-000007-000003", "side": Side.SELL, "price": D(64990)}
    rig.send(place(**more, order_qty=D(5)))
    sold, volume = rig.agrees()
    assert (sold.total, sold.available, volume) == (start.total - 100, start.total - 100, 0)


def test_a_price_that_moves_is_known_within_the_minute() -> None:
    """The venue tells nothing when only the price has moved; the free margin is asked for."""
    rig = Rig()
    rig.send(place(price=D(65010)))
    before, _ = rig.agrees()
    rig.venue.counterparty(VenueSide.SELL, 1, 64990)
    rig.do([])
    held = rig.protocol.held()
    assert held is not None and held.balances == (before,)
    assert D(rig.venue.exchange.account_row(ACCOUNT)["margin_free"]) < before.available
    rig.venue.now += REFRESH
    rig.do(rig.protocol.tick(rig.venue.now))
    rig.agrees()
