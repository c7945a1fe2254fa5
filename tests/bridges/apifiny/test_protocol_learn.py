"""Apifiny's protocol when symbols are added while it runs, and books that are read when they are asked for."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import pytest

from bridges.apifiny import calls
from bridges.wire import Frame, Note, Request
from router.model import Listed, NotSent, Stated
from router.rules import Instrument
from router.words import OrdStatus
from tests.bridges.apifiny.test_protocol import BTC, ETH, MS, NOW, SYMBOL, Desk, S, answer, ask, book, place

XRP = Instrument(symbol="XRP/USDT", venue_symbol="XRPUSDT", base="XRP", quote="USDT", tick=D("0.0001"), lot=D(1))
ALL = (BTC, ETH, XRP)
LISTED = [SYMBOL, SYMBOL | {"symbol": "ETHUSDT"}, SYMBOL | {"symbol": "XRPUSDT", "tickSize": 0.001}]


def subscribed(outs: Any) -> list[tuple[str, str]]:
    """Channel and symbol of each subscription."""
    told = [json.loads(each.text) for each in outs if isinstance(each, Frame)]
    return [(each["channel"], each["symbol"]) for each in told]


def ticks(desk: Desk, ns: int) -> list[Any]:
    """Ticks of 50 ms."""
    return [out for _ in range(ns // (50 * MS)) for out in desk.after()]


def feed() -> Desk:
    """A link with an open market stream on which everything was subscribed."""
    desk = Desk(market_url="wss://md")
    desk.protocol.opened(NOW, "market")
    ticks(desk, 6 * S)
    return desk


def test_an_order_of_a_new_symbol_leaves_once_it_is_learned() -> None:
    """Before: not sent. After: placed, and its updates are told."""
    desk = Desk(trading=True)
    (refused,) = desk.protocol.send(place(symbol="XRPUSDT"), NOW)
    assert isinstance(refused, NotSent)
    assert "XRPUSDT is not configured" in refused.text
    desk.protocol.learn(ALL, NOW)
    (create,) = desk.protocol.send(place(symbol="XRPUSDT"), NOW)
    assert isinstance(create, Request)
    assert json.loads(create.body)["orderInfo"]["symbol"] == "XRPUSDT"
    assert [type(each).__name__ for each in desk.update(symbol="XRPUSDT")] == ["Accepted"]


def test_the_venues_list_is_asked_for_what_is_new() -> None:
    """The list that is here says at once that the symbol is not in it; a new one is asked for, and its word counts."""
    desk = Desk()
    (note, listed) = desk.protocol.learn(ALL, NOW)
    assert isinstance(note, Note)
    assert isinstance(listed, Listed)
    assert [(each.venue_symbol, each.enabled) for each in listed.listings] == [("BTCUSDT", True), ("ETHUSDT", True), ("XRPUSDT", False)]
    (symbols,) = [each for each in desk.after() if isinstance(each, Request) and isinstance(each.context, calls.Symbols)]
    (again,) = desk.reply(symbols, answer(LISTED))
    assert isinstance(again, Listed)
    assert (again.listings[2].enabled, again.listings[2].tick) == (True, D("0.001"))
    assert not [each for each in ticks(desk, S) if isinstance(each, Request) and isinstance(each.context, calls.Symbols)]


def test_a_list_that_has_the_symbol_judges_it_at_once() -> None:
    """The venue's rules of it are known before an order can come."""
    desk = Desk(up=False)
    _, symbols, _ = desk.protocol.begin(NOW)
    desk.reply(symbols, answer(LISTED))
    (listed,) = desk.protocol.learn(ALL, NOW)
    assert isinstance(listed, Listed)
    assert (listed.listings[2].venue_symbol, listed.listings[2].tick, listed.listings[2].enabled) == ("XRPUSDT", D("0.001"), True)


def test_a_list_that_makes_no_sense_of_the_new_symbol_is_said() -> None:
    """A note, no exception."""
    desk = Desk(up=False)
    _, symbols, _ = desk.protocol.begin(NOW)
    desk.reply(symbols, answer([*LISTED[:2], SYMBOL | {"symbol": "XRPUSDT", "tickSize": "?"}]))
    (note,) = desk.protocol.learn(ALL, NOW)
    assert isinstance(note, Note)
    assert "XRPUSDT" in note.text


def test_what_is_new_is_subscribed_on_an_open_stream_one_a_second() -> None:
    """Its book and its trades, no sooner than 1.1 s after each other; what was subscribed before is not again."""
    desk = feed()
    desk.protocol.learn(ALL, desk.now)
    at: list[int] = []
    found: list[tuple[str, str]] = []
    for _ in range(100):
        new = subscribed(desk.after())
        found += new
        at += [desk.now] * len(new)
    assert found == [("orderbook", "XRPUSDT"), ("trade", "XRPUSDT")]
    assert at[1] - at[0] >= 1_100 * MS


def test_what_is_new_waits_behind_what_is_being_subscribed() -> None:
    """Learned while the first subscriptions still leave: all of them leave, once each, and paced."""
    desk = Desk(market_url="wss://md")
    found = subscribed(desk.protocol.opened(NOW, "market"))
    desk.protocol.learn(ALL, NOW)
    found += subscribed(ticks(desk, 10 * S))
    old = [(channel, symbol) for channel in ("orderbook", "trade") for symbol in ("BTCUSDT", "ETHUSDT")]
    assert found == [*old, ("orderbook", "XRPUSDT"), ("trade", "XRPUSDT")]


def test_on_a_closed_stream_it_is_subscribed_at_the_next_opening() -> None:
    """Nothing before; then all of them, once each."""
    desk = feed()
    desk.protocol.closed("gone", desk.now, "market")
    desk.protocol.learn(ALL, desk.now)
    assert subscribed(ticks(desk, 5 * S)) == []
    found = [*subscribed(desk.protocol.opened(desk.now, "market")), *subscribed(ticks(desk, 10 * S))]
    assert sorted(found) == sorted((channel, each.venue_symbol) for channel in ("orderbook", "trade") for each in ALL)


def test_a_new_symbol_is_priced() -> None:
    """Its books are taken."""
    desk = feed()
    told = book([99.5, 2], [100.5, 3], 10) | {"symbol": "XRPUSDT"}
    desk.say(told, "market")
    assert desk.protocol.top("XRPUSDT").bid is None
    desk.protocol.learn(ALL, desk.now)
    desk.say(told, "market")
    assert desk.protocol.top("XRPUSDT").bid == D("99.5")


def test_learning_twice_changes_nothing() -> None:
    """Neither a subscription nor a question nor a word more; what is left out stays known."""
    desk = feed()
    desk.say(book([99.5, 2], [100.5, 3], 10), "market")
    assert list(desk.protocol.learn((BTC, ETH), desk.now)) == []
    desk.protocol.learn(ALL, desk.now)
    ticks(desk, 5 * S)
    assert list(desk.protocol.learn(ALL, desk.now)) == []
    assert list(desk.protocol.learn((XRP, XRP), desk.now)) == []
    after = ticks(desk, 5 * S)
    assert subscribed(after) == []
    assert not [each for each in after if isinstance(each, Request) and isinstance(each.context, calls.Symbols)]
    assert desk.protocol.top("BTCUSDT").bid == D("99.5")


def test_what_is_open_is_not_disturbed() -> None:
    """Questions and updates of an old order go on, also when its symbol is not in the list any more."""
    desk = Desk()
    desk.protocol.send(ask(), NOW)
    desk.protocol.learn((XRP,), NOW)
    looks = [each for each in desk.after() if isinstance(each, Request) and isinstance(each.context, calls.Looking)]
    assert len(looks) == 1
    (stated,) = desk.update()
    assert isinstance(stated, Stated)
    assert stated.status is OrdStatus.NEW


def test_what_is_left_out_stays_known() -> None:
    """The venue's word on it is told on, and a command that was on its way leaves: whether it may is the core's business."""
    desk = Desk(trading=True)
    (_, listed) = desk.protocol.learn((XRP,), NOW)
    assert isinstance(listed, Listed)
    assert [each.venue_symbol for each in listed.listings] == ["BTCUSDT", "ETHUSDT", "XRPUSDT"]
    (create,) = desk.protocol.send(place(), NOW)
    assert isinstance(create, Request)


# --- books that are read when they are asked for --------------------------------------------------------------------------


def test_the_levels_of_a_book_are_read_when_they_are_asked_for() -> None:
    """A book that is followed by another one costs nothing, not even a complaint."""
    desk = feed()
    desk.say(book("x", [1, 1], 10), "market")
    desk.say(book([99.5, 2], [100.5, 3], 11), "market")
    assert desk.protocol.top("BTCUSDT").bid == D("99.5")
    assert not [each for each in desk.after() if isinstance(each, Note)]


def test_a_stale_book_is_not_taken() -> None:
    """Whether the newer one was read already or not; one of the same time is."""
    desk = feed()
    desk.say(book([99.5, 2], [100.5, 3], 10), "market")
    desk.say(book([1.0, 1], [2.0, 1], 9), "market")
    assert desk.protocol.top("BTCUSDT").bid == D("99.5")
    desk.say(book([1.0, 1], [2.0, 1], 9), "market")
    assert desk.protocol.top("BTCUSDT").bid == D("99.5")
    desk.say(book([98.5, 1], [99.0, 1], 10), "market")
    assert desk.protocol.top("BTCUSDT").bid == D("98.5")


@pytest.mark.parametrize("bad", ["x", [1], ["x", 1], [1, None], [-1, 1], {}, [[1], 1]])
@pytest.mark.parametrize("side", [0, 1])
def test_a_nonsense_book_is_said_once_and_not_believed(bad: Any, side: int) -> None:
    """Neither side of it, nor the book before it; the last trade stays. The next that makes sense counts, and the next complaint too."""
    desk = feed()
    good: list[Any] = [[99.5, 2], [100.5, 3]]
    wrong = [bad, good[1]] if side == 0 else [good[0], bad]
    desk.say({"channel": "trade", "symbol": "BTCUSDT", "trade": {"trades": [{"price": 100.1, "tradeTime": 6}]}}, "market")
    desk.say(book(*good, 10), "market")
    assert desk.protocol.top("BTCUSDT").bid == D("99.5")
    notes = []
    for updated in (10**15, 10**15 + 1):
        assert desk.say(book(*wrong, updated), "market") == []
        top = desk.protocol.top("BTCUSDT")
        assert (top.bid, top.bid_qty, top.ask, top.ask_qty, top.last) == (None, None, None, None, D("100.1"))
        notes += [each.text for each in ticks(desk, S) if isinstance(each, Note)]
    assert len(notes) == 1
    assert "BTCUSDT" in notes[0]
    desk.say(book(*good, 9), "market")
    assert desk.protocol.top("BTCUSDT").ask is None  # older than what was believed last
    desk.say(book(*good, 11), "market")
    assert desk.protocol.top("BTCUSDT").ask == D("100.5")
    desk.say(book(*wrong, 12), "market")
    desk.protocol.top("BTCUSDT")
    assert len([each for each in desk.after() if isinstance(each, Note)]) == 1


def test_a_book_that_was_not_read_is_gone_with_its_stream() -> None:
    """A book of a connection that is lost is not read afterwards."""
    desk = feed()
    desk.say(book([99.5, 2], [100.5, 3], 10), "market")
    desk.protocol.closed("gone", desk.now, "market")
    assert desk.protocol.top("BTCUSDT").bid is None


@pytest.mark.parametrize("updated", [None, "x", True, -1])
def test_a_book_without_a_time_is_said_at_once(updated: Any) -> None:
    """The envelope is looked at when it comes, and the book before it stays."""
    desk = feed()
    desk.say(book([99.5, 2], [100.5, 3], 10), "market")
    (note,) = desk.say(book([1.0, 1], [2.0, 1], updated), "market")
    assert isinstance(note, Note)
    assert desk.protocol.top("BTCUSDT").bid == D("99.5")
