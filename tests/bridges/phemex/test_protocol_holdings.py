"""What Phemex tells of balances and positions, and what is made of it: exact, never older than the stream, never half of it."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.matching import Side as VenueSide
from bridges.phemex.holdings import Accounts
from bridges.wire import Holdings, Note
from router.model import Balance, LinkUp, Position
from router.words import Side

from .test_protocol import BTC, ETH, Desk, sample
from .test_protocol_sim import Rig
from .venue import USER


def account(total: Any = 100_000_000, used: Any = 0, currency: str = "BTC") -> dict[str, Any]:
    return {"accountID": 1, "currency": currency, "accountBalanceEv": total, "totalUsedBalanceEv": used, "userID": 1}


def position(size: Any = 7, side: str = "Buy", entry: Any = 650_005_000, symbol: str = "BTCUSD") -> dict[str, Any]:
    return {"symbol": symbol, "side": side, "size": size, "avgEntryPriceEp": entry}


class Teller(Desk):
    """A desk whose venue tells what the account holds."""

    def holds(self, told: Any, *positions: Any, kind: str = "incremental", sequence: int | None = None) -> list[Any]:
        self.sequence += 2
        at = self.sequence if sequence is None else sequence
        return self.say({"accounts": [told], "orders": [], "positions": list(positions), "sequence": at, "timestamp": 1, "type": kind})

    def first(self, told: Any, *positions: Any) -> list[Any]:
        return self.holds(told, *positions, kind="snapshot")

    @property
    def held(self) -> Holdings:
        held = self.protocol.held()
        assert held is not None
        return held


def up(told: Any = None, *positions: Any) -> Teller:
    """Logged in, and told by the first snapshot."""
    desk = Teller(up=False)
    desk.log_in()
    assert desk.first(told or account(), *positions) == [LinkUp("acc")]
    return desk


def test_nothing_is_held_until_every_account_has_told() -> None:
    """Of both accounts that are traded in, whatever increments come before."""
    desk = Teller(up=False, instruments=(BTC, ETH))
    assert desk.protocol.held() is None
    desk.log_in()
    desk.holds(account())
    desk.holds(account(currency="USD"))
    assert desk.protocol.held() is None
    desk.first(account())
    assert desk.protocol.held() is None
    desk.first(account(currency="USD"))
    assert desk.held.balances == (Balance("BTC", D(1), D(1)), Balance("USD", D(10_000), D(10_000)))


def test_the_documents_sample() -> None:
    """Scaled by each currency; available is what is not used, also where that is below 0; positions in contracts, with their price."""
    desk = Teller(up=False, instruments=(BTC, ETH))
    desk.log_in()
    told = sample("aop_incremental")
    desk.first(account(9992165009, 10841771568))
    desk.first(told["accounts"][0], *told["positions"])
    assert desk.held == Holdings(
        (Balance("BTC", D("99.92165009"), D("-8.49606559")), Balance("USD", D("9604963524.4492"), D("9604860248.2726"))),
        (Position("ETHUSD", D(18132), D("186.314")),),
    )


def test_what_changes_is_taken_and_what_does_not_is_the_same_object() -> None:
    """Sold is below 0; a position that is none is 0, without a price."""
    desk = up(account(), position())
    before = desk.held
    assert before == Holdings((Balance("BTC", D(1), D(1)),), (Position("BTCUSD", D(7), D("65000.5")),))
    desk.holds(account(), position())
    assert desk.held is before
    desk.holds(account(100_000_000, 25_000_000))
    assert desk.held == Holdings((Balance("BTC", D(1), D("0.75")),), before.positions)
    desk.holds(account(100_000_000, 25_000_000), position(3, "Sell"))
    assert desk.held.positions == (Position("BTCUSD", D(-3), D("65000.5")),)
    desk.holds(account(90_000_000), position(0, "None", 0))
    assert desk.held == Holdings((Balance("BTC", D("0.9"), D("0.9")),), (Position("BTCUSD", D(0)),))


def test_a_position_that_a_snapshot_leaves_out_is_gone() -> None:
    """And told as 0; one of another account is not meant, and an increment leaves out what did not change."""
    desk = Teller(up=False, instruments=(BTC, ETH))
    desk.log_in()
    desk.first(account(), position())
    desk.first(account(currency="USD"), position(5, symbol="ETHUSD"))
    desk.holds(account())
    assert [each.qty for each in desk.held.positions] == [7, 5]
    desk.first(account())
    assert [(each.symbol, each.qty) for each in desk.held.positions] == [("BTCUSD", 0), ("ETHUSD", 5)]


def test_after_a_lost_stream_nothing_is_held_until_it_is_told_anew() -> None:
    """What went away meanwhile is then 0."""
    desk = up(account(), position())
    desk.protocol.closed("gone", desk.now)
    assert desk.protocol.held() is None
    desk.sequence = 0
    desk.log_in()
    assert desk.protocol.held() is None
    desk.holds(account(5))
    assert desk.protocol.held() is None
    desk.first(account(200_000_000))
    assert desk.held == Holdings((Balance("BTC", D(2), D(2)),), (Position("BTCUSD", D(0)),))


def test_nothing_is_held_while_a_new_connection_is_asked_for() -> None:
    """The old one is not listened to any more."""
    desk = up()
    assert desk.later(8)
    assert desk.later(31)
    assert desk.protocol.held() is None


def test_an_account_that_we_do_not_trade_in_is_left_out() -> None:
    """With its positions, and whatever it says: nobody would wait for it after a lost stream."""
    desk = up()
    before = desk.held
    desk.first(account(currency="USD"), position(5, symbol="ETHUSD"))
    assert desk.first(account("many", currency="DOGE"), position(5, symbol="DOGEUSD")) == []
    assert desk.held is before


def test_what_comes_late_does_not_undo_what_came_since() -> None:
    """Of the balance and of each position by itself; a repetition neither."""
    desk = up(account(), position())
    desk.holds(account(300_000_000), sequence=900)
    desk.holds(account(200_000_000), position(9), sequence=800)
    assert desk.held == Holdings((Balance("BTC", D(3), D(3)),), (Position("BTCUSD", D(9), D("65000.5")),))
    desk.holds(account(200_000_000), position(8), sequence=700)
    desk.holds(account(500_000_000), position(1), sequence=900)
    assert desk.held == Holdings((Balance("BTC", D(3), D(3)),), (Position("BTCUSD", D(9), D("65000.5")),))


def test_a_snapshot_always_counts() -> None:
    """It was asked for: a number that makes no sense does not hide the truth until the next connection."""
    desk = up()
    desk.holds(account(300_000_000), position(), sequence=1 << 62)
    desk.first(account(100_000_000), position(1))
    desk.holds(account(50_000_000), position(2))
    assert desk.held == Holdings((Balance("BTC", D("0.5"), D("0.5")),), (Position("BTCUSD", D(2), D("65000.5")),))


@pytest.mark.parametrize(
    ("told", "positions"),
    [
        (account(total=None), [position()]), (account(total="many"), []), (account(total=1.5), []), (account(used=-1), []),
        (account(currency=""), []), (account() | {"currency": 7}, []), ("BTC", []), (account(), ["BTCUSD"]),
        (account(5), [position(size=-1)]), (account(5), [position(side="Up")]), (account(5), [position(side="None")]),
        (account(5), [position(entry=-1)]), (account(5), [position(size=1 << 63)]), (account(5), [position(), position(size=8)]),
        (account(5), [position(symbol="BTC USD\n")]),
    ],
)  # fmt: skip
def test_nonsense_is_told_once_and_nothing_of_it_is_believed(told: Any, positions: list[Any]) -> None:
    """One note, and what was known stays."""
    desk = up(account(), position(5))
    before = desk.held
    (note,) = desk.holds(told, *positions)
    assert isinstance(note, Note) and "makes no sense" in note.text
    assert desk.held is before


def test_a_snapshot_of_nonsense_tells_nothing() -> None:
    """The orders' part of it counts; what is held waits for the next one, which comes within the minute."""
    desk = Teller(up=False)
    desk.log_in()
    note, link_up = desk.first(account(total="many"))
    assert isinstance(note, Note) and link_up == LinkUp("acc") and desk.protocol.held() is None
    desk.later(61)
    desk.first(account())
    assert desk.held.balances == (Balance("BTC", D(1), D(1)),)


def test_what_cannot_be_scaled_is_not_guessed() -> None:
    """A contract that is not known has a number of contracts and no price."""
    desk = up()
    desk.holds(account(), position(symbol="XRPUSD"))
    assert desk.held == Holdings((Balance("BTC", D(1), D(1)),), (Position("XRPUSD", D(7), None),))


def test_a_thousand_positions_are_kept() -> None:
    """What is more is noted once; those that are kept go on being told."""
    desk = up(account(), *(position(symbol=f"S{n}") for n in range(1_000)))
    notes = desk.holds(account(), position(symbol="one"), position(symbol="more")) + desk.holds(account(), position(symbol="another"))
    assert [type(each) for each in notes] == [Note]
    desk.holds(account(), position(9, symbol="S7"))
    assert len(desk.held.positions) == 1_000 and desk.held.positions[7].qty == 9


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["BTC", "BTCUSD", "Buy", "None"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*account(), *position()]), inner),
    max_leaves=8,
)
_ROW = st.one_of(_JSON, st.builds(lambda field, value: account() | {field: value}, st.sampled_from([*account()]), _JSON))
_POSITION = st.one_of(_JSON, st.builds(lambda field, value: position() | {field: value}, st.sampled_from([*position()]), _JSON))


@given(st.lists(_ROW, max_size=2) | _JSON, st.lists(_POSITION, max_size=2) | _JSON, st.sampled_from(["snapshot", "incremental"]) | _JSON)
def test_whatever_is_told_what_is_held_makes_sense(accounts: Any, positions: Any, kind: Any) -> None:
    """No exception; at most one note a message; amounts that are exact and finite."""
    book = Accounts(["BTC"])
    for sequence in range(2):
        outs = book.heard({"accounts": accounts, "positions": positions, "sequence": sequence, "type": kind})
        assert [type(each) for each in outs] in ([], [Note])
    held = book.held()
    for balance in held.balances if held is not None else ():
        assert balance.currency == "BTC" and balance.total.is_finite() and balance.available <= balance.total
    for each in held.positions if held is not None else ():
        assert each.symbol and each.qty == each.qty.to_integral_value() and (each.avg_px is None or each.avg_px > 0)


def _agrees(rig: Rig) -> Holdings:
    """What is held is what the venue's own book says."""
    held = rig.protocol.held()
    assert held is not None
    exchange = rig.venue.exchange
    for balance in held.balances:
        there, scale = exchange.accounts[USER][balance.currency], {"BTC": D(10) ** 8, "USD": D(10) ** 4}[balance.currency]
        assert (balance.total, balance.available) == (there.balance_ev / scale, (there.balance_ev - exchange.used_ev(there)) / scale)
    sizes = {symbol: each.size for account in exchange.accounts[USER].values() for symbol, each in account.positions.items()}
    assert {each.symbol: each.qty for each in held.positions} == sizes
    return held


def test_the_simulated_venue_is_held_as_it_is() -> None:
    """An open order ties up money and its cancel gives it back; a fill moves the balance and the position; a lost stream is healed."""
    rig = Rig()
    rig.pass_time(1)
    start = _agrees(rig)
    assert start.balances[0] == Balance("BTC", D(1), D(1))
    rests = rig.new(price="60000", qty=1000)
    resting = _agrees(rig)
    assert resting.balances[0].total == 1 and resting.balances[0].available < 1
    rig.cancel(rests)
    assert _agrees(rig).balances == start.balances
    rig.new(price="65010", qty=100)
    bought = _agrees(rig)
    assert bought.balances[0].available < bought.balances[0].total < 1
    assert bought.positions[0].qty == 100 and bought.positions[0].avg_px is not None
    rig.new(Side.SELL, "64990", 160)
    assert _agrees(rig).positions[0].qty == -60
    rests = rig.new(Side.BUY, "64995", 60)
    rig.disconnect()
    assert rig.protocol.held() is None
    rig.venue.counterparty(VenueSide.SELL, 60, 64995)
    rig.connect()
    rig.pass_time(1)
    flat = _agrees(rig)
    assert flat.positions[0].qty == 0 and flat.balances[0].total == flat.balances[0].available


def test_what_the_stream_loses_is_known_within_the_minute() -> None:
    """Nothing of ours is open, and the position is moved by hand: the next snapshot tells."""
    rig = Rig()
    rig.new(price="65010", qty=100)
    rig.deaf = True
    outcome = rig.venue.place(side="Sell", priceEp=649_900_000, orderQty=40, clOrdID="by-hand")
    assert outcome["code"] == 0
    rig.listen()
    rig.deaf = False
    held = rig.protocol.held()
    assert held is not None and held.positions[0].qty == 100
    rig.pass_time(65)
    assert _agrees(rig).positions[0].qty == 60
