"""Whatever PrimeBit sends, nothing raises, nothing is executed that was not told, and the protocol lives on."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridges.wire import Request, VenueProtocol
from router.model import Filled
from tests.bridges.primebit.desk import CANCEL, ID, MS, Desk, S, ask, order, place, position, replace

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["0.0", "5", "-1", "1e9"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8
)
KINDS = ["new_request", "new", "fill", "partial_fill", "reject", "modify", "modify_reject", "cancel", "cancel_reject", "other"]
CHANNELS = [f"order_{ID}", f"positions_{ID}", f"account_{ID}", "order_book_BTCUSD_demo", "tick_BTCUSD_market_demo"]


def test_it_is_a_venue_protocol() -> None:
    """Everything that the shell may call is there."""
    protocol: VenueProtocol = Desk().protocol
    protocol.recall({}, 0)
    assert protocol.address("main", 0).suffix == "" and protocol.begin(0) == () and protocol.streams == ("main",)
    assert protocol.budgets[0].requests == 5 and 0 < protocol.budgets[0].reserve < 5


@given(st.sampled_from(CHANNELS), VALUES, st.data())
def test_any_message_of_a_channel(channel: str, value: Any, data: st.DataObject) -> None:
    """A field of a true message is anything at all."""
    row = order("3") if channel.startswith("order_9") else position("2", "65000")
    row[data.draw(st.sampled_from(sorted(row)))] = value
    inner = {"event_type": data.draw(st.sampled_from(KINDS)), "order": row, "position": row}
    body = data.draw(st.sampled_from([value, inner, row]))
    desk = Desk()
    desk.placed()
    desk.say({"channel": channel, "data": body, "message_timestamp_ms": value})
    desk.later(S)
    assert isinstance(desk.send(place(order_id="2"))[0], Request)


@given(
    st.sampled_from([place(), CANCEL, replace(), ask(venue_order_id="77"), ask(cl_ord_id="other")]),
    st.integers(100, 599),
    VALUES | st.binary(max_size=9),
)
def test_any_answer(command: Any, status: int, body: Any) -> None:
    """Any status with any body."""
    desk = Desk()
    desk.placed()
    desk.now += 3 * S
    for request in desk.send(command):
        outs = desk.answer(request, body if isinstance(body, bytes) else json.loads(json.dumps(body)), status)
        assert not any(isinstance(each, Filled) for each in [*outs, *desk.later(S)])


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 6), st.integers(77, 78)), max_size=12))
def test_any_order_of_events(events: list[tuple[str, int, int]]) -> None:
    """However events follow each other: no execution is told twice, none without quantity, and never more than was ordered."""
    desk = Desk()
    desk.placed()
    outs: list[Any] = []
    for kind, left, number in events:
        outs += desk.event(kind, str(left), order_id=number)
        outs += desk.later(400 * MS)
    fills = [each for each in outs if isinstance(each, Filled) and each.venue_order_id == "77"]
    assert len({each.exec_id for each in fills}) == len(fills) and all(each.last_qty > 0 for each in fills)
    assert [each.cum_qty for each in fills] == sorted(each.cum_qty for each in fills if each.cum_qty is not None)
