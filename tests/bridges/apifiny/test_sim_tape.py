"""Candles, their periods, and the day's statistics; and JSON without floats."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.apifiny.sim_json import dumps, loads
from bridges.apifiny.sim_tape import DAY_MS, Tape, begin_of
from bridges.matching import Side, Trade

D = Decimal
NOW = 1_700_000_000_000  # Tuesday, 14 November 2023, 22:13:20 UTC


@pytest.mark.parametrize(
    ("period", "begin"),
    [
        ("1m", 1_699_999_980_000),
        ("1h", 1_699_999_200_000),
        ("1d", 1_699_920_000_000),
        ("1w", 1_699_833_600_000),
        ("1M", 1_698_796_800_000),
    ],
)
def test_periods_begin_where_the_calendar_says(period, begin):
    """Weeks on Monday, months on the first."""
    assert begin_of(NOW, period) == begin
    assert begin_of(begin, period) == begin
    assert begin_of(begin - 1, period) < begin


def test_the_day_forgets_what_is_older_but_for_the_price():
    """24 hours."""
    tape = Tape()
    tape.record([Trade("x", D(5), D(2)), Trade("y", D(7), D(1))], Side.BUY, NOW)
    day = tape.day(NOW + DAY_MS - 1)
    assert (day.open, day.high, day.close, day.volume, day.amount, day.count) == (5, 7, 7, 3, 17, 2)
    day = tape.day(NOW + DAY_MS)
    assert (day.open, day.close, day.volume, day.count) == (7, 7, 0, 0)
    assert Tape().day(NOW).close == 0


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=D(-(10**20)), max_value=D(10**20), places=15))
def test_numbers_survive_json_exactly(value):
    """And never have an exponent."""
    text = dumps([value])
    assert "e" not in text.lower()
    assert loads(text) == [value]


@given(st.text())
def test_any_text_is_json_or_a_value_error(text):
    """Nothing else comes out."""
    try:
        loads(text)
    except ValueError:
        return


def test_a_float_is_not_written():
    """A bug of ours would show."""
    with pytest.raises(TypeError):
        dumps({"price": 0.1})
