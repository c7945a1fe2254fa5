"""FIX as text: taken apart and put together without loss, and never injectable."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fix.text import Malformed, fields, join, number, printable, timestamp, timestamp_ns, timestamp_us
from router.words import EXACT

values = st.text(st.characters(exclude_characters="\x01", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(st.integers(1, 9999).map(str), values), unique_by=lambda pair: pair[0]))
def test_what_is_joined_is_taken_apart_again(pairs: list[tuple[str, str]]) -> None:
    """Values may hold anything but SOH, also the equals sign."""
    assert {tag: value for tag, value in fields(join(pairs)).items() if tag} == dict(pairs)


@pytest.mark.parametrize("value", ["", "a\x01b", "\x01", "x\x0139=2"])
def test_a_value_that_would_become_other_fields_is_refused(value: str) -> None:
    """Or a client's id could write our OrdStatus."""
    with pytest.raises(ValueError, match="tag 11"):
        join([("11", value)])


@given(st.text(max_size=600))
def test_printable_is_always_fit_for_a_field(text: str) -> None:
    """Whatever a venue sends as its reason."""
    clean = printable(text)
    assert "\x01" not in clean
    assert len(clean) <= 500
    if clean:
        join([("58", clean)])


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_malformed(text: str) -> None:
    """No other exception, no NaN, no infinity, nothing too large to be exact."""
    try:
        value = number({"44": text}, "44", "Price")
    except Malformed as wrong:
        assert "Price(44)" in str(wrong)
    else:
        assert value is not None
        assert value.is_finite()
        assert EXACT.remainder(value, Decimal("0.00000001")) is not None
        assert EXACT.divide(EXACT.multiply(value, value), value) == value if value else True


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e400", "1E-400", "9" * 31, "", "1,5", "0x10"])
def test_numbers_that_cannot_be_money_are_malformed(text: str) -> None:
    """Each with the field's name."""
    with pytest.raises(Malformed, match=r"Price\(44\)"):
        number({"44": text}, "44", "Price")


def test_an_absent_number_is_none_and_digits_are_kept() -> None:
    """0.10 stays 0.10."""
    assert number({}, "44", "Price") is None
    assert str(number({"44": "0.10"}, "44", "Price")) == "0.10"


@given(st.integers(0, 4_000_000_000_000_000_000))
def test_times_go_to_text_and_back(time: int) -> None:
    """To the millisecond for messages, to the microsecond for logs."""
    assert timestamp_ns(timestamp(time), "60") == time // 1_000_000 * 1_000_000
    assert timestamp_ns(timestamp_us(time), "60") == time // 1000 * 1000


@pytest.mark.parametrize("text", ["", "20260101", "2026-01-01T00:00:00", "20261301-00:00:00", "20260101-00:00:00.x", "20260101-25:00:00"])
def test_times_that_are_none_are_malformed(text: str) -> None:
    """Named by field."""
    with pytest.raises(Malformed, match=r"TransactTime\(60\)"):
        timestamp_ns(text, "TransactTime(60)")
