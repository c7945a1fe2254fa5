"""A hostile venue: the real protocol between it and the real core. What must hold is in `judge.py`; what the venue does, on the tape."""

from __future__ import annotations

import inspect
import sys
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridges.wire import Answer
from tests.bridges.apifiny import test_protocol as apifiny
from tests.fuzz import nasty
from tests.fuzz.judge import judged
from tests.fuzz.nasty import Raw
from tests.fuzz.venues import VENUES, by_name
from tests.fuzz.world import Venue, play, world

every_venue = pytest.mark.parametrize("venue", VENUES, ids=lambda each: each.name)


@every_venue
@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.binary(min_size=20, max_size=600) | st.integers(0, 1 << 32).map(lambda seed: Random(seed).randbytes(400)))
def test_whatever_a_venue_does(venue: Venue, data: bytes) -> None:
    """Never an exception, never a number that cannot be, and a book that stays sound."""
    play(venue, data)


@every_venue
def test_every_token_in_every_field_of_every_true_frame(venue: Venue) -> None:
    """One thing wrong at a time. A tenth of all, a different tenth for each field."""
    the = world(venue)
    the.new()
    for stream in venue_streams(venue):
        for message in venue.frames(the, stream)[:12]:
            for at, path in enumerate(nasty.paths(message)):
                for token in nasty.TOKENS[at % 10 :: 10]:
                    if len(token) < 50_000:
                        the = the if stream in the.open and len(the.events) < 90 else world(venue)
                        frame = nasty.dumps(nasty.put(message, path, Raw(token)))
                        the.take(the.protocol.receive(frame, the.now, stream))


def venue_streams(venue: Venue) -> tuple[str, ...]:
    """The streams of a venue."""
    return tuple(world(venue).protocol.streams)


@every_venue
@pytest.mark.parametrize("size", [100_000, 900, 600, 300])
def test_nesting_is_an_error_like_any_other(venue: Venue, size: int) -> None:
    """Brackets within brackets: as a frame, and within a field of a true one; as an answer too."""
    the = world(venue)
    the.new()
    deep = Raw("[" * size + "]" * size)
    for stream in venue_streams(venue):
        for message in (deep, *(nasty.put(each, path, deep) for each in venue.frames(the, stream)[:3] for path in nasty.paths(each))):
            if stream in the.open:
                the.take(the.protocol.receive(nasty.dumps(message), the.now, stream))
    for request in the.requests:
        the.take(
            the.protocol.answered(request, Answer(200, {}, nasty.dumps({"result": deep, "code": deep, "data": deep}).encode()), the.now)
        )


@pytest.mark.parametrize("stack", [120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130])
def test_what_can_just_be_read_can_be_spoken_of(stack: int) -> None:
    """JSON that is nested as deep as the interpreter's stack allows, in an error's code: showing it needs no more than reading it."""
    desk = apifiny.Desk()
    text = '{"error":{"code":' + "[" * stack + "]" * stack + "}}"
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        outs = desk.protocol.receive(text, desk.now, "order")
    finally:
        sys.setrecursionlimit(before)
    judged(outs)


@every_venue
def test_ten_megabytes_are_a_frame_like_any_other(venue: Venue) -> None:
    """One long text, one long number, one long list: an error each, and what comes next is heard."""
    for body in ('"' + "x" * 10_000_000 + '"', "9" * 10_000_000, "[" + "1," * 4_000_000 + "1]", "0." + "1" * 10_000_000):
        the = world(venue)
        stream = the.protocol.streams[0]
        the.take(the.protocol.receive(body, the.now, stream))
        the.take(the.protocol.receive(nasty.dumps({"price": Raw(body), "symbol": Raw(body)}), the.now, stream))
        if stream in the.open:
            the.take(the.protocol.receive(nasty.dumps(venue.frames(the, stream)[0]), the.now, stream))


def test_a_fee_in_no_currency_hides_no_execution() -> None:
    """Apifiny: the execution counts, the fee is left out."""
    desk = apifiny.Desk(trading=True)
    last = {"lastFilledQuantity": 0.5, "lastFilledPrice": 100, "lastCommission": 1, "lastCommissionCurrency": "x" * 300}
    outs = desk.update(filledCumulativeQuantity=0.5, filledAveragePrice=100, **last)
    [fill] = [each for each in judged(outs) if hasattr(each, "last_qty")]
    assert fill.fee is None and fill.fee_currency == ""


@pytest.mark.parametrize("wrong", [{"orderQty": 0}, {"orderQty": -7}, {"cumValueEv": -1}, {"priceEp": -5}])
def test_an_order_of_less_than_nothing_is_nonsense(wrong: dict[str, int]) -> None:
    """Phemex: such a row makes no event."""
    the = world(by_name("phemex"))
    the.new()
    frame = dict(next(each for each in by_name("phemex").frames(the, "main") if each.get("orders")))
    frame["orders"] = [frame["orders"][0] | wrong]
    assert judged(the.protocol.receive(nasty.dumps(frame), the.now)) == []


def test_a_price_of_nothing_is_nonsense() -> None:
    """Moonbase: something was executed, for a total that no price leads to."""
    the = world(by_name("moonbase"))
    row = {"filled_amount": 1, "filled_total": Raw("1e-30")}
    frame = next(each for each in by_name("moonbase").frames(the, "main") if each["event"] == "upsert")
    frame["payload"]["data"][0] |= row
    assert judged(the.protocol.receive(nasty.dumps(frame), the.now)) == []
