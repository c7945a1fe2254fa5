"""What a venue's own list says of its instruments, and what a protocol wants back after a restart: both are in the journal."""

from __future__ import annotations

from typing import Any

from router.engine import Engine
from router.model import Barred, Listed, Listing, Remembered, Started
from router.words import OrdRejReason, OrdStatus
from tests.router.desk import LINK, D, Desk, configured, reports, sent


def listed(desk: Desk, **rules: Any) -> None:
    assert desk.apply(Listed(link=LINK, listings=(Listing(venue_symbol="BTCUSDT", **rules),))) == []


def test_the_venues_own_rules_go_before_the_configurations() -> None:
    """A tick, a lot and a least quantity that it told; what it did not tell stays."""
    desk = Desk()
    listed(desk, tick=D("0.5"), lot=D("0.1"), min_qty=D("0.2"))
    assert "off the tick of BTC/USDT: 0.5" in reports(desk.new("a", price=D("100.1")))[0].text
    assert "off the lot" in reports(desk.new("b", order_qty=D("0.25")))[0].text
    assert "below the least allowed, 0.2" in reports(desk.new("c", order_qty=D("0.1")))[0].text
    assert "above the most allowed" in reports(desk.new("d", order_qty=D(101)))[0].text
    assert sent(desk.new("e", price=D("100.5"))) == ["Place"]


def test_what_cannot_be_traded_now_is_refused_before_it_is_sent_and_only_so_long() -> None:
    """By the venue's own word."""
    desk = Desk()
    listed(desk, enabled=False)
    refused = reports(desk.new("a"))[0]
    assert (refused.ord_rej_reason, "cannot be traded now" in refused.text) == (OrdRejReason.EXCHANGE_CLOSED, True)
    listed(desk, enabled=True)
    assert sent(desk.new("b")) == ["Place"]


def test_a_list_of_another_link_or_symbol_changes_nothing() -> None:
    """Each destination has its own."""
    desk = Desk()
    desk.apply(Listed(link="elsewhere", listings=(Listing(venue_symbol="BTCUSDT", enabled=False),)))
    desk.apply(Listed(link=LINK, listings=(Listing(venue_symbol="ETHUSDT", enabled=False),)))
    assert sent(desk.new("a")) == ["Place"]


def test_a_witness_lists_for_the_destination_that_it_watches() -> None:
    """The FIX session has no list."""
    desk = Desk(witness="REST")
    desk.apply(Listed(link="REST", listings=(Listing(venue_symbol="BTCUSDT", enabled=False),)))
    assert "cannot be traded now" in reports(desk.new("a"))[0].text


def test_the_last_list_outlives_a_restart_and_a_new_configuration() -> None:
    """Until the venue tells it again."""
    desk = Desk()
    listed(desk, enabled=False)
    desk.apply(configured())
    assert "cannot be traded now" in reports(desk.new("a"))[0].text
    again = Engine()
    for now, event in desk.inputs:
        again.apply(event, now)
    assert again.state.listed == desk.engine.state.listed


def test_what_is_remembered_is_the_latest_by_link_and_key() -> None:
    """And comes back by replay."""
    desk = Desk()
    for link, key, value in (("m", "joins", "1"), ("n", "joins", "7"), ("m", "joins", "1,2"), ("m", "other", "x")):
        assert desk.apply(Remembered(link=link, key=key, value=value)) == []
    again = Engine()
    for now, event in desk.inputs:
        again.apply(event, now)
    assert again.state.remembered == {"m": {"joins": "1,2", "other": "x"}, "n": {"joins": "7"}}


def test_an_account_that_the_venue_restricts_takes_no_orders_until_it_is_open_again() -> None:
    """Said by the link, or by the witness beside it; cancels pass; a fallback is used; it outlives a restart."""
    for link in (LINK, "REST"):
        desk = Desk(witness="REST")
        desk.new("a")
        desk.accept(1)
        assert desk.apply(Barred(link=link, why="Apifiny says that the account is RESTRICTED")) == []
        desk.apply(Started("again"))
        desk.up()
        desk.up("REST")
        desk.state(OrdStatus.NEW, "0")
        refused = reports(desk.new("b"))[0]
        assert (refused.ord_status, refused.text) == (OrdStatus.REJECTED, "Apifiny says that the account is RESTRICTED: not executed")
        assert sent(desk.cancel("c", "a")) == ["Cancel"]
        desk.apply(Barred(link=link, why=""))
        assert sent(desk.new("d")) == ["Place"]
