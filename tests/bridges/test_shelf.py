"""What is kept of an account's balances and positions."""

from __future__ import annotations

from decimal import Decimal as D

from bridges.shelf import ROWS_AT_MOST, Shelf
from bridges.wire import Holdings
from router.model import Balance, Position

BTC, ETH = Balance("BTC", D(2), D(1)), Balance("ETH", D(5), D(5))
LONG = Position("BTCUSD", D(3), D(100))


def test_the_same_object_as_long_as_nothing_changed() -> None:
    """Whoever asks every second sees at once that there is nothing new."""
    shelf = Shelf("Venue")
    assert shelf.balances({"BTC": BTC}) == shelf.positions({"BTCUSD": LONG}) == []
    first = shelf.holdings
    shelf.balances({"BTC": BTC}, whole=True)
    assert shelf.holdings is first == Holdings((BTC,), (LONG,))
    shelf.balances({"ETH": ETH})
    assert shelf.holdings == Holdings((BTC, ETH), (LONG,))


def test_what_a_whole_answer_leaves_out_is_nothing() -> None:
    """Of its own kind; a change leaves out what it will."""
    shelf = Shelf("Venue")
    shelf.balances({"BTC": BTC, "ETH": ETH})
    shelf.positions({"BTCUSD": LONG})
    shelf.balances({"ETH": ETH}, whole=True)
    assert shelf.holdings == Holdings((Balance("BTC", D(0), D(0)), ETH), (LONG,))
    shelf.positions({}, whole=True)
    assert shelf.holdings.positions == (Position("BTCUSD", D(0)),)


def test_it_has_an_end_and_says_so_once() -> None:
    """What is kept already is still kept up."""
    shelf = Shelf("Venue")
    many = {f"C{n}": Balance(f"C{n}", D(1), D(1)) for n in range(ROWS_AT_MOST + 1)}
    (note,) = shelf.balances(many)
    assert note.text == f"Venue: more than {ROWS_AT_MOST} currencies are told; not all are kept"
    assert shelf.balances(many | {"C0": Balance("C0", D(9), D(9))}) == []
    assert (len(shelf.holdings.balances), shelf.holdings.balances[0].total) == (ROWS_AT_MOST, 9)


def test_nonsense_is_said_once_until_all_is_well() -> None:
    """By its kind."""
    shelf = Shelf("Venue")
    assert [len(shelf.note(kind, "no sense")) for kind in ("a", "a", "b")] == [1, 0, 1]
    shelf.well("a")
    assert [len(shelf.note(kind, "no sense")) for kind in ("a", "b")] == [1, 0]
