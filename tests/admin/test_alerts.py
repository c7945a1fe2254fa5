"""Alerts: what is not well is said once, in words that name the order or the place, and said to be over once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from router.admin.alert_rules import open_now
from router.admin.alert_settings import AlertSettings, HoursSettings
from router.admin.alerts import Alerts, spell
from router.admin.contract import AlertRow
from router.admin.facts import CoreAlert, DestinationFacts, Facts, LiveOrders, OrdersAt, Waiting
from router.admin.needs import JournalState
from router.admin.rims import BudgetState
from tests.admin.watched import NOW, SECOND, budget, facts, session

HOUR = 3600 * SECOND


def settings(**more: Any) -> AlertSettings:
    return AlertSettings.model_validate(more)


def judged(given_facts: Facts, **more: Any) -> list[AlertRow]:
    return Alerts(settings(**more)).evaluate(given_facts)


def texts(rows: list[AlertRow]) -> list[tuple[str, str, str]]:
    return [(row.rule, row.level, row.text) for row in rows]


def orders(**at: OrdersAt) -> LiveOrders:
    return LiveOrders(OrdersAt(), at, {})


def destination(up: bool = True, since: int = NOW, **more: Any) -> DestinationFacts:
    return DestinationFacts(**{"name": "PHEMEX", "link": "phemex", "up": up, "since": since, "why": ""} | more)


class TestRules:
    """What each rule says, in its exact words, and when it says nothing."""

    def test_all_is_well(self) -> None:
        """Nothing to say."""
        well = facts(sessions=(session(),), budgets=(budget(89),), destinations=(destination(),), skews={"phemex": 1.9})
        assert judged(well) == []

    def test_an_order_waits_too_long(self) -> None:
        """One alert for a destination, with the oldest order's id and how many there are."""
        at = OrdersAt(open=3, pending=3, oldest_pending=Waiting("261123080000-5", NOW, "pending-new"))
        assert judged(facts(9.9, book=orders(PHEMEX=at))) == []
        (row,) = judged(facts(10, book=orders(PHEMEX=at)))
        assert row == AlertRow(
            alert_id=1, time="2026-11-23T08:00:10.000000Z", rule="order-pending", level="warning", order_id="261123080000-5", active=True,
            text="PHEMEX: order 261123080000-5 (pending-new) waits since 08:00:00 UTC; 3 orders there wait", cleared="",
        )  # fmt: skip

    def test_an_order_is_unknown_too_long(self) -> None:
        """With why it is not known."""
        at = OrdersAt(open=1, unknown=1, oldest_unknown=Waiting("261123080000-5", NOW, "the link to PHEMEX was lost"))
        assert texts(judged(facts(30, book=orders(PHEMEX=at)))) == [
            ("order-unknown", "critical",
             "PHEMEX: the state of order 261123080000-5 is not known since 08:00:00 UTC (the link to PHEMEX was lost)"),
        ]  # fmt: skip

    def test_a_destination_is_down(self) -> None:
        """With why, and how much is open there; not one that an operator switched off."""
        down = destination(up=False, why="connection refused")
        at = orders(PHEMEX=OrdersAt(open=1))
        assert judged(facts(29, destinations=(down,), book=at)) == []
        assert texts(judged(facts(30, destinations=(down,), book=at))) == [
            ("destination-down", "critical", "PHEMEX is not connected since 08:00:00 UTC: connection refused; 1 order open there"),
        ]
        assert judged(facts(30, destinations=(destination(up=False, off=True),))) == []

    def test_reconciling_takes_too_long(self) -> None:
        """With how many orders are left."""
        slow = destination(reconciling=4, reconciling_since=NOW)
        assert texts(judged(facts(30, destinations=(slow,)))) == [
            ("reconciling", "warning",
             "PHEMEX is asked about its open orders since 08:00:00 UTC; 4 orders still to be answered for"),
        ]  # fmt: skip

    @pytest.mark.parametrize(("skew", "text"), [(2.5, "the clock of phemex is 2.5 s ahead of ours"),
                                                (-3.0, "the clock of phemex is 3.0 s behind ours")])  # fmt: skip
    def test_the_clocks_disagree(self, skew: float, text: str) -> None:
        """Either way."""
        assert texts(judged(facts(skews={"phemex": skew}))) == [("clock-skew", "warning", text)]

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            (budget(90), ("budget", "warning",
                          "phemex orders: 90 of 100 requests in 60 s are used; 20 of them are kept for cancels and queries")),
            (budget(5, closed_for_s=12.4), ("budget-closed", "critical", "phemex orders: the venue takes no requests for 12 s more")),
        ],
    )  # fmt: skip
    def test_a_budget_is_near_its_end(self, state: BudgetState, said: tuple[str, str, str]) -> None:
        """At nine tenths, and when the venue shut us out whatever was used."""
        assert texts(judged(facts(budgets=(state,)))) == [said]

    def test_the_journal_fails(self) -> None:
        """With what the system said."""
        failing = JournalState(sequence=1, bytes=1, failing="No space left on device", durability="process")
        assert texts(judged(facts(journal=failing))) == [
            ("journal", "critical", "the journal cannot be written, so no new orders are taken: No space left on device"),
        ]

    def test_a_storm_of_rejects(self) -> None:
        """Of one session; another's few are no storm."""
        assert texts(judged(facts(rejects={"A": 20, "B": 19}))) == [("reject-storm", "warning", "A: 20 rejects within 10 s")]

    def test_a_session_is_down_in_its_hours(self) -> None:
        """From when it went, or the hours began; never outside of them, nor one that an operator switched off."""
        hours = {"hours": [{"sessions": ["FIX.4.4:ROUTER->OMS44"], "opens": "07:59", "closes": "17:00"}]}
        away = session(logged_on=False, since=NOW - 5 * HOUR)
        assert judged(facts(-1, sessions=(away,)), **hours) == []
        assert texts(judged(facts(sessions=(away,)), **hours)) == [
            ("session-down", "critical",
             "FIX.4.4:ROUTER->OMS44 is not logged on since 07:59:00 UTC, within its hours (07:59 to 17:00 UTC)"),
        ]  # fmt: skip
        assert judged(facts(sessions=(session(logged_on=False, enabled=False),)), **hours) == []
        assert judged(facts(-3600, sessions=(away,)), **hours) == []
        assert judged(facts(sessions=(session("another", logged_on=False, since=1),)), **hours) == []

    def test_a_router_that_has_just_started_gives_sessions_time(self) -> None:
        """They were not there to be seen before."""
        hours = {"hours": [{"sessions": ["FIX.4.4:ROUTER->OMS44"]}]}
        fresh = facts(started=NOW - 59 * SECOND, sessions=(session(logged_on=False, since=0),))
        assert judged(fresh, **hours) == []

    def test_the_process_is_not_well(self) -> None:
        """A late loop, much memory, inputs that were not counted."""
        unwell = facts(loop_lags={"admin": 0.4, "bridges": 0.6}, memory_bytes=3 << 30, dropped=12)
        assert texts(judged(unwell)) == [
            ("loop-lag", "warning", "the event loop of bridges is 0.6 s late"),
            ("memory", "warning", "the router uses 3072 MiB of memory, more than 2048"),
            ("watch", "warning",
             "12 inputs were not counted since the router started: operators see figures that are too low; orders are not affected"),
        ]  # fmt: skip

    def test_what_the_core_says(self) -> None:
        """As it said it; more executed than ordered, and a fault of our own, wake somebody."""
        said = (CoreAlert(NOW, "odd", "7"), CoreAlert(NOW, "PHEMEX executed 2 of 1", "8", overfill=True),
                CoreAlert(NOW, "internal error, please report it: Filled: KeyError('x')"))  # fmt: skip
        assert [(row.rule, row.level, row.order_id) for row in judged(facts(1, said=said))] == [
            ("core", "warning", "7"), ("overfill", "critical", "8"), ("core", "critical", ""),
        ]  # fmt: skip
        assert judged(facts(1, said=said))[0].time == "2026-11-23T08:00:00.000000Z"

    def test_a_rule_set_to_nought_says_nothing(self) -> None:
        """Each can be switched off."""
        rules = (
            "pending_s", "unknown_s", "destination_down_s", "reconciling_s", "clock_skew_s", "budget_percent", "reject_storm", "loop_lag_s",
            "memory_mib",
        )  # fmt: skip
        off = dict.fromkeys(rules, 0)
        waiting = OrdersAt(oldest_pending=Waiting("1", 1, ""), oldest_unknown=Waiting("1", 1, ""))
        all_wrong = facts(
            book=orders(PHEMEX=waiting), destinations=(destination(False, 1), destination(reconciling=1)), skews={"a": 9.0},
            budgets=(budget(100),), rejects={"A": 1000}, loop_lags={"admin": 9.0}, memory_bytes=1 << 50,
        )  # fmt: skip
        assert judged(all_wrong, **off) == []


class TestNews:
    """Raised once, cleared once."""

    def test_it_is_raised_once_and_cleared_once(self) -> None:
        """However long it lasts; its text keeps up with the facts."""
        alerts = Alerts(settings())
        assert [row.active for row in alerts.evaluate(facts(0, rejects={"A": 20}))] == [True]
        assert alerts.evaluate(facts(1, rejects={"A": 33})) == []
        assert [row.text for row in alerts.rows()] == ["A: 33 rejects within 10 s"]
        assert alerts.evaluate(facts(2)) == []
        assert [(row.active, row.cleared) for row in alerts.evaluate(facts(6))] == [(False, "2026-11-23T08:00:06.000000Z")]
        assert alerts.evaluate(facts(7)) == []
        assert alerts.active == 0

    def test_what_flutters_is_one_alert(self) -> None:
        """It must stay over for a while."""
        alerts = Alerts(settings())
        news = [row.active for second in range(60) for row in alerts.evaluate(facts(second, rejects={"A": 20} if second % 4 == 0 else {}))]
        assert news == [True]

    def test_each_subject_has_its_own(self) -> None:
        """Two destinations that are silent are two alerts, the newest first."""
        alerts = Alerts(settings())
        alerts.evaluate(facts(0, skews={"one": 5.0}))
        alerts.evaluate(facts(1, skews={"one": 5.0, "two": 5.0}))
        assert [(row.alert_id, row.text[:18]) for row in alerts.rows()] == [(2, "the clock of two i"), (1, "the clock of one i")]
        assert alerts.by_rule() == {"clock-skew": 2}

    def test_what_only_happens_is_active_for_a_while(self) -> None:
        """Then it is of before; said again meanwhile, it is the same alert for longer."""
        alerts = Alerts(settings(core_s=300))
        assert len(alerts.evaluate(facts(0, said=(CoreAlert(NOW, "odd"),)))) == 1
        assert alerts.evaluate(facts(200, said=(CoreAlert(NOW, "odd"),))) == []
        assert alerts.evaluate(facts(499)) == []
        (over,) = alerts.evaluate(facts(500))
        assert (over.active, over.alert_id, spell(over)) == (False, 1, "over: odd")
        assert [row.active for row in alerts.rows()] == [False]

    def test_a_flood_of_the_core_is_one_alert(self) -> None:
        """After the first few; all of it is listed, and none of the rest is said to be over. More executed than ordered is always said."""
        alerts = Alerts(settings(core_s=30))
        flood = tuple(CoreAlert(NOW, f"odd {number}") for number in range(50))
        news = alerts.evaluate(facts(0, said=flood))
        assert [row.text for row in news] == [
            *(f"odd {number}" for number in range(20)),
            "the core has said 50 different things within a minute; all of them are listed as alerts",
        ]
        assert (news[-1].rule, alerts.active) == ("core-flood", 51)
        assert [row.rule for row in alerts.evaluate(facts(1, said=(CoreAlert(NOW, "odd 50"), CoreAlert(NOW, "2 of 1", "7", True))))] == [
            "overfill"
        ]
        over = [row for second in range(2, 100) for row in alerts.evaluate(facts(second))]
        assert len(over) == 22
        assert not any(row.active for row in over)
        assert alerts.active == 0

    def test_what_was_is_kept_within_bounds(self) -> None:
        """A flood of different words fills no memory, and does not crowd out what lasts."""
        alerts = Alerts(settings())
        news = []
        for second in range(5):
            said = tuple(CoreAlert(NOW, f"{second} {number}") for number in range(1000))
            news += alerts.evaluate(facts(second, said=said, skews={"one": 5.0}))
        assert len(alerts.rows()) == 2002
        assert alerts.by_rule() == {"clock-skew": 1, "core": 1000, "core-flood": 1}
        assert len(news) == 22

    @given(st.lists(st.sets(st.sampled_from(["A", "B", "C"])), max_size=60))
    def test_raised_and_cleared_take_turns(self, history: list[set[str]]) -> None:
        """For any history of any subjects, news of one alternates, and begins with being raised."""
        alerts = Alerts(settings())
        news: dict[str, list[bool]] = {}
        for second, storms in enumerate([*history, *[set[str]()] * 10]):
            for row in alerts.evaluate(facts(second, rejects=dict.fromkeys(storms, 20))):
                news.setdefault(row.text, []).append(row.active)
        for each in news.values():
            assert each == [True, False] * (len(each) // 2)
        assert alerts.active == 0


class TestHours:
    """When a session should be there."""

    @pytest.mark.parametrize(
        ("given_hours", "time", "is_open"),
        [
            ({"opens": "08:00", "closes": "17:00"}, 0, True),
            ({"opens": "08:00", "closes": "17:00"}, -1, False),
            ({"opens": "08:00", "closes": "17:00"}, 9 * 3600 - 1, True),
            ({"opens": "08:00", "closes": "17:00"}, 9 * 3600, False),
            ({"days": ["tue"]}, 0, False),
            ({"days": ["tue"]}, 24 * 3600, True),
            ({}, 16 * 3600 - 1, True),
            ({"days": ["mon"]}, 16 * 3600, False),
            ({"days": ["sun"], "opens": "22:00", "closes": "08:01"}, 0, True),
            ({"days": ["mon"], "opens": "22:00", "closes": "08:01"}, 0, False),
            ({"days": ["sun"], "opens": "08:30", "closes": "08:30"}, 0, True),
        ],
    )
    def test_hours(self, given_hours: dict[str, Any], time: int, is_open: bool) -> None:
        """Days are those on which they begin; hours that end before they begin go over midnight. Monday 08:00 UTC is 0."""
        hours = HoursSettings.model_validate({"sessions": ["a"], **given_hours})
        assert open_now(hours, NOW + time * SECOND) is is_open


class TestSettings:
    """What is not understood stops the start."""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"pending": 1}, {"pending_s": -1}, {"budget_percent": 101}, {"hours": [{"sessions": []}]}, {"core_s": 0},
            {"hours": [{"sessions": ["a"], "opens": "24:00"}]}, {"hours": [{"sessions": ["a"], "days": ["monday"]}]},
            {"webhook": {"url": "ftp://a"}}, {"webhook": {"url": "https://a", "header": "a: b"}},
            {"webhook": {"url": "https://a", "secret": {"env": "A", "file": "b"}}}, {"pending_s": Decimal("inf")},
        ],
    )  # fmt: skip
    def test_wrong_settings(self, wrong: dict[str, Any]) -> None:
        """Each by its key."""
        with pytest.raises(ValidationError):
            settings(**wrong)

    def test_the_address_can_be_a_secret(self) -> None:
        """As those of chat services are."""
        assert settings(webhook={"url": {"env": "HOOK"}}).webhook is not None
