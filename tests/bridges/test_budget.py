"""Request budgets: never more than the venue allows in any window, a reserve for cancels, pauses that the venue asks for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridges.budget import SLACK, Budgets
from bridges.wire import Budget, Kind

SECOND = 1_000_000_000


def budgets() -> Budgets:
    return Budgets([Budget("user", 10, 1.0, 4), Budget("market", 1, 1.0, 0)])


def test_new_orders_stop_before_the_reserve_and_cancels_use_it() -> None:
    """Ten a second, four of them kept."""
    made = budgets()
    assert [made.take("user", Kind.NEW, 0)[0] for _ in range(7)] == [True] * 6 + [False]
    assert made.take("user", Kind.NEW, SECOND // 2) == (False, 0.6)
    assert [made.take("user", Kind.CANCEL, SECOND // 2)[0] for _ in range(5)] == [True] * 4 + [False]
    assert next((each.group, used, shut) for each, used, shut in made.used(SECOND // 2)) == ("user", 10, 0.0)
    assert made.take("user", Kind.NEW, SECOND + SLACK) == (True, 0.0)


def test_queries_leave_a_place_for_cancels_and_for_new_orders() -> None:
    """Half of the reserve is for cancels only; polling does not use up what new orders may have."""
    made = budgets()
    assert [made.take("user", Kind.QUERY, 0)[0] for _ in range(5)] == [True] * 5
    assert [made.take("user", Kind.NEW, 0)[0] for _ in range(4)] == [True] * 3 + [False]
    assert made.take("user", Kind.QUERY, 0) == (False, 1.1)
    assert [made.take("user", Kind.CANCEL, 0)[0] for _ in range(3)] == [True] * 2 + [False]


def test_a_new_order_waits_as_long_as_it_may_and_no_longer() -> None:
    """Its place is kept for it; one that would come too late is not taken."""
    made = budgets()
    for _ in range(6):
        made.take("user", Kind.NEW, 0)
    assert made.take("user", Kind.NEW, SECOND // 2, patience=1.0) == (True, 0.6)
    assert [made.take("user", Kind.NEW, SECOND // 2, patience=1.0) for _ in range(5)] == [(True, 0.6)] * 5
    assert made.take("user", Kind.NEW, SECOND // 2, patience=1.0) == (False, 1.7)


def test_a_pause_the_venue_asked_for_holds_everything_back() -> None:
    """429 with Retry-After; a shorter one later does not shorten it."""
    made = budgets()
    made.close("user", 5, 0)
    made.close("user", 1, 0)
    assert made.take("user", Kind.CANCEL, SECOND) == (False, 4.0)
    assert made.take("user", Kind.CANCEL, 5 * SECOND) == (True, 0.0)


def test_groups_do_not_touch_each_other() -> None:
    """Market data does not eat the orders' budget."""
    made = budgets()
    assert made.take("user", Kind.QUERY, 0)[0]
    assert made.take("market", Kind.QUERY, 0)[0]
    assert made.take("market", Kind.QUERY, 0) == (False, 1.1)


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(list(Kind)), st.sampled_from([0.0, 0.5, 2.0])), max_size=80))
def test_no_window_ever_holds_more_than_allowed(asked: list[tuple[int, Kind, float]]) -> None:
    """Whatever is asked when: at most ten in any second, at most six of them new, two places left for cancels."""
    made, now = budgets(), 0
    taken: list[tuple[int, Kind]] = []
    for pause_ms, kind, patience in asked:
        now += pause_ms * 1_000_000
        has_place, wait = made.take("user", kind, now, patience)
        if has_place:
            taken.append((now + round(wait * SECOND), kind))
    for start, _ in taken:
        window = [kind for time, kind in taken if start <= time < start + SECOND]
        assert len(window) <= 10
        assert window.count(Kind.NEW) <= 6
        assert window.count(Kind.NEW) + window.count(Kind.QUERY) <= 8
