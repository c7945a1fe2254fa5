"""The watch: what is counted and kept of what happened, how long it took, and the live orders, one by one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.admin.contract import FillRow
from router.admin.facts import Survey, Waiting, iso
from router.admin.latency import Latencies, bucket, top
from router.admin.needs import Figures, Totals
from router.admin.watch import BACKLOG_AT_MOST, Watch
from router.model import LinkDown, Tick
from router.words import Done, OrdRejReason, OrdStatus
from tests.admin.watched import NOW, WatchedDesk
from tests.router.desk import LINK, SECOND, SESSION, D

US = 1000


class TestCounts:
    """What is counted, by session, destination and outcome."""

    def test_an_order_that_is_filled(self) -> None:
        """It is one order, three reports, one end, two fills."""
        desk = WatchedDesk()
        desk.new()
        desk.accept()
        desk.fill("0.4")
        desk.fill("0.6", "99.5")
        watch = desk.watch
        assert watch.orders == {(SESSION, "BINANCE"): 1}
        assert watch.reports == {(SESSION, "BINANCE", "new"): 1, (SESSION, "BINANCE", "trade"): 2}
        assert watch.ends == {(SESSION, "BINANCE", "filled"): 1}
        assert watch.commands == {(LINK, "place"): 1}
        assert watch.figures(SESSION) == Figures(orders=1, reports=3, rejects=0)
        assert watch.figures("another") == Figures()
        assert watch.totals() == Totals(fills=2, rejects=0)

    @pytest.mark.parametrize(
        ("end", "how"),
        [(lambda desk: desk.end(), "canceled"), (lambda desk: desk.end(how=Done.EXPIRED), "expired"),
         (lambda desk: desk.end(how=Done.DONE_FOR_DAY), "done-for-day"), (lambda desk: desk.fill("1"), "filled")],
    )  # fmt: skip
    def test_how_orders_end(self, end: Any, how: str) -> None:
        """Each once, also where the venue executes more afterwards, up to all of it and beyond."""
        desk = WatchedDesk()
        desk.new()
        desk.accept()
        end(desk)
        desk.fill("0.5")
        desk.fill("0.5")
        assert desk.watch.ends == {(SESSION, "BINANCE", how): 1}

    def test_a_duplicate_ends_no_order(self) -> None:
        """The order of that ClOrdID goes on, and has its own end."""
        desk = WatchedDesk()
        desk.new()
        desk.accept()
        desk.new()
        desk.fill("1")
        assert desk.watch.orders == {(SESSION, "BINANCE"): 2}
        assert desk.watch.ends == {(SESSION, "BINANCE", "rejected"): 1, (SESSION, "BINANCE", "filled"): 1}

    def test_a_fill_while_a_cancel_is_pending_ends_the_order(self) -> None:
        """OrdStatus(39) says PendingCancel then, but nothing is left."""
        desk = WatchedDesk()
        desk.new()
        desk.accept()
        desk.cancel()
        desk.fill("1")
        assert desk.watch.ends == {(SESSION, "BINANCE", "filled"): 1}

    def test_what_is_refused(self) -> None:
        """By kind and reason: by a limit, by the venue, and a cancel of nothing."""
        desk = WatchedDesk()
        desk.new("off tick", price=D("1.001"))
        desk.new("b")
        desk.reject(2, reason=OrdRejReason.EXCHANGE_CLOSED, text="closed")
        desk.cancel("c", "nobody")
        desk.replace("r", "nobody")
        assert [key[1:] for key in desk.watch.refused] == [
            ("BINANCE", "order", "unsupported-order-characteristic"),
            ("BINANCE", "order", "exchange-closed"), ("none", "cancel", "unknown-order"), ("none", "replace", "unknown-order"),
        ]  # fmt: skip
        assert desk.watch.figures(SESSION).rejects == 4
        assert [(row.kind, row.cl_ord_id, row.order_id, row.reason) for row in desk.watch.rejects()][:3] == [
            ("replace", "r", "", "unknown-order"), ("cancel", "c", "", "unknown-order"),
            ("order", "b", desk.order("b").order_id, "exchange-closed"),
        ]  # fmt: skip

    def test_a_message_that_never_became_an_input(self) -> None:
        """Told by the FIX rim."""
        desk = WatchedDesk()
        desk.watch.message_refused(SESSION, "Price(44) is no number", "a")
        desk.watch.digest()
        (row,) = desk.watch.rejects()
        assert (row.kind, row.session, row.cl_ord_id, row.text) == ("message", SESSION, "a", "Price(44) is no number")

    def test_what_a_client_writes_is_never_a_label(self) -> None:
        """However many destinations it invents."""
        desk = WatchedDesk()
        for number in range(50):
            desk.new(f"a{number}", destination=f"NOWHERE{number}")
        assert desk.watch.orders == {(SESSION, "other"): 50}
        assert {key[1] for key in desk.watch.refused} == {"other"}

    def test_fills_as_rows(self) -> None:
        """The newest first, amounts exactly as they are."""
        desk = WatchedDesk()
        desk.new(order_qty=D("1.000"), account="fund")
        desk.accept()
        desk.fill("0.100", "100.10", fee=D("-0.0001"), fee_currency="BTC")
        desk.fill("0.9", "99")
        newest, oldest = desk.watch.fills()
        assert newest.last_qty == "0.9"
        order_id = desk.order().order_id
        assert oldest == FillRow(
            time=iso(desk.inputs[-2][0]), exec_id=f"{order_id}-2", exec_type="trade", exec_ref_id="", order_id=order_id, cl_ord_id="a",
            session=SESSION, account="fund", destination="BINANCE", symbol="BTC/USDT", side="buy", last_qty="0.100", last_px="100.10",
            cum_qty="0.100", leaves_qty="0.900", fee="-0.0001", fee_currency="BTC", text="",
        )  # fmt: skip

    def test_rows_are_a_sequence(self) -> None:
        """Of any cut, as a list would give it."""
        desk = WatchedDesk()
        desk.new(order_qty=D(10))
        desk.accept()
        for _ in range(5):
            desk.fill("1")
        fills = desk.watch.fills()
        rows = list(fills)
        assert [row.cum_qty for row in rows] == ["5", "4", "3", "2", "1"]
        assert (fills[-1], fills[1:3], fills[::-2], len(fills)) == (rows[-1], rows[1:3], rows[::-2], 5)
        with pytest.raises(IndexError):
            fills[5]

    def test_what_was_recovered(self) -> None:
        """Passed no observer: its fills are rows all the same, and counted."""
        desk = WatchedDesk()
        desk.new(price=D("1.001"))
        for number in (2, 3):
            desk.new(f"a{number}")
            desk.accept(number)
            desk.fill("0.5", number=number)
        watch = Watch(lambda: desk.now)
        watch.seed(desk.engine)
        assert [row.order_id for row in watch.fills()] == [desk.order("a3").order_id, desk.order("a2").order_id]
        assert watch.fills()[0].text == "of before the router's last start; the time is that of the order's last change"
        assert watch.totals() == Totals(fills=2, rejects=1)
        assert watch.figures(SESSION) == Figures()
        desk.fill("0.5", number=3)
        watch.observe(desk.inputs[-1][1], desk.said[-1:])
        watch.digest()
        assert (watch.totals().fills, watch.fills()[0].cum_qty) == (3, "1.0")

    def test_only_the_newest_are_kept(self) -> None:
        """Of what was recovered, too."""
        desk = WatchedDesk()
        desk.new(order_qty=D(10))
        desk.accept()
        for _ in range(5):
            desk.fill("1")
        watch = Watch(lambda: desk.now, kept=2)
        watch.seed(desk.engine)
        assert [row.exec_id[-2:] for row in watch.fills()] == ["-6", "-5"]

    def test_nobody_digests(self) -> None:
        """The trading path goes on; what is not kept is counted."""
        watch = Watch(lambda: NOW)
        for _ in range(BACKLOG_AT_MOST + 3):
            watch.observe(Tick(), [])
        assert (watch.backlog, watch.dropped) == (BACKLOG_AT_MOST, 3)

    def test_links_come_and_go(self) -> None:
        """Since when, and why; a link that fails again and again is down since the first time."""
        desk = WatchedDesk()
        came = desk.inputs[-1][0]
        state = desk.watch.link(LINK)
        assert state is not None
        assert (state.up, state.since) == (True, came)
        desk.apply(LinkDown(LINK, "reset by peer"))
        went = desk.inputs[-1][0]
        desk.apply(LinkDown(LINK, "connection refused"))
        state = desk.watch.link(LINK)
        assert state is not None
        assert (state.up, state.since, state.why) == (False, went, "connection refused")
        assert desk.watch.link("another") is None


class TestLatency:
    """How long things took, within 7 %."""

    @given(st.integers(min_value=0, max_value=10**14))
    def test_buckets(self, ns: int) -> None:
        """They follow each other without a gap, and none is wider than a fifteenth of what falls into it."""
        number = bucket(ns)
        assert top(number - 1) < ns <= top(number) if number else ns == 0
        assert bucket(top(number)) == number == bucket(top(number) + 1) - 1
        assert top(number) - ns <= max(ns // 15, 0)

    @given(st.lists(st.integers(min_value=1, max_value=10**10), min_size=1, max_size=300))
    def test_percentiles(self, taken: list[int]) -> None:
        """As sorting would find them, and the worst exactly."""
        latencies = Latencies()
        for ns in taken:
            latencies.took("apply", ns, NOW)
        (row,) = latencies.rows(NOW)
        taken.sort()
        for told, share in ((row.p50, 0.5), (row.p90, 0.9), (row.p99, 0.99)):
            exact = taken[math.ceil(share * len(taken)) - 1] / US
            assert exact * 0.999 <= told <= exact * 1.0667 + 0.001
        assert (row.worst, row.count) == (taken[-1] / US, len(taken))

    def test_only_the_last_minutes_count(self) -> None:
        """What is older is forgotten, also when nothing new comes."""
        latencies = Latencies(seconds=300)
        latencies.took("apply", 9_000_000, NOW)
        latencies.took("apply", 1_000_000, NOW + 200 * SECOND)
        assert latencies.rows(NOW + 299 * SECOND)[0].worst == 9000
        assert latencies.rows(NOW + 300 * SECOND)[0].worst == 1000
        assert latencies.rows(NOW + 500 * SECOND)[0].count == 0
        assert sum(latencies.histogram("apply")[0]) == 2

    def test_a_venue_s_answer(self) -> None:
        """From the order's sending to the venue's first word of it, once, in the journal's times; a refusal of our own is none."""
        desk = WatchedDesk()
        desk.new(price=D("1.001"))
        desk.new("b")
        desk.later(0.001)
        desk.accept(2)
        desk.fill("0.1", number=2)
        desk.new("c")
        desk.later(0.002)
        desk.reject(3)
        (row,) = desk.watch.latency()
        assert (row.stage, row.count, row.worst) == ("venue answer", 2, 2001.0)

    @pytest.mark.parametrize("status", [OrdStatus.NEW, OrdStatus.CANCELED])
    def test_an_answer_that_is_asked_for_is_none(self, status: OrdStatus) -> None:
        """A link that was lost for an hour says nothing of the venue's speed."""
        desk = WatchedDesk()
        desk.new()
        desk.down()
        desk.later(3600)
        desk.up()
        desk.state(status, "0")
        assert desk.order().base is status
        assert desk.watch.latency() == []

    def test_stages(self) -> None:
        """What the runtime measures of itself, in the order of an order's way."""
        desk = WatchedDesk()
        for stage in ("report", "apply", "journal"):
            desk.stages.took(stage, 7000)
        desk.watch.digest()
        assert [(row.stage, row.worst) for row in desk.watch.latency()] == [("journal", 7.0), ("apply", 7.0), ("report", 7.0)]


def survey(desk: WatchedDesk, later: int = 0, seen: dict[tuple[str, str], int] | None = None) -> Survey:
    """One look at the desk's live orders, so many seconds later."""
    survey = Survey(desk.now + later * SECOND, seen)
    for order in desk.engine.state.blotter.live.values():
        survey.look(order)
    return survey


class TestSurvey:
    """Live orders, counted one by one."""

    def test_each_is_counted_where_it_is(self) -> None:
        """Waiting from when it was sent; a cancel from when it was first seen to be pending; unknown ones are not pending as well."""
        desk = WatchedDesk()
        for number in (1, 2, 3):
            desk.new(f"a{number}", destination="GBBO" if number == 3 else None)
        desk.accept(2)
        desk.accept(3)
        sent = desk.order("a1").placed
        desk.cancel("c", "a2")
        first = survey(desk)
        second = survey(desk, 5, first.seen)
        book = second.book()
        assert (book.all.open, book.all.pending, book.all.unknown) == (3, 2, 0)
        assert book.open_by_session == {SESSION: 3}
        assert {name: each.open for name, each in book.by_destination.items()} == {"BINANCE": 2, "GBBO": 1}
        assert book.all.oldest_pending == Waiting(desk.order("a1").order_id, sent, "pending-new")
        assert second.seen == {(desk.order("a2").order_id, "pending-cancel c"): desk.now}
        desk.down()
        lost = survey(desk)
        assert (lost.book().all.unknown, lost.book().all.pending) == (3, 0)
        assert lost.book().by_destination["GBBO"].oldest_unknown == Waiting(
            desk.order("a3").order_id, desk.now, "unknown at GBBO: the link to GBBO was lost; it is being asked"
        )

    def test_an_order_that_was_held(self) -> None:
        """Waits for its link since it came, and for its venue since it was sent."""
        desk = WatchedDesk(up=False, hold_when_down=60 * SECOND)
        desk.new()
        (order,) = desk.engine.state.blotter.live.values()
        assert survey(desk).book().all.oldest_pending == Waiting(order.order_id, order.created, "pending-new")
        desk.later(30)
        desk.up()
        assert order.placed > order.created
        assert survey(desk).book().all.oldest_pending == Waiting(order.order_id, order.placed, "pending-new")
