"""The transition table, read in both directions."""

from __future__ import annotations

from decimal import Decimal

import pytest

from router.model import NewOrder
from router.order import DONE, TRANSITIONS, Contradiction, Happening, Order, Pending
from router.words import OrdStatus, Side

BASES = [each for each in OrdStatus if each not in (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)]

# What the table must say, written down a second time as a person would read it from FIX 4.4 Appendix D; "-" is a contradiction.
EXPECTED = """
                  accepted          filled-in-part    filled   canceled  expired  done-for-day  rejected  reduced   emptied  reopened
pending-new       new               partially-filled  filled   canceled  expired  done-for-day  rejected  -  -            -
new               new               partially-filled  filled   canceled  expired  done-for-day  -  -  -            -
partially-filled  partially-filled  partially-filled  filled   canceled  expired  done-for-day  -  -  new            -
filled            filled            -                 filled   -         -        -             -  canceled  -            partially-filled
canceled          -                 canceled          filled   canceled  -        -             -  -  -            -
expired           -                 expired           filled   -         expired  -             -  -  -            -
done-for-day      -                 done-for-day      filled   -         -        done-for-day  -  -  -            -
rejected          new               partially-filled  filled   -         -        -             rejected  -  -            -
"""


def expected() -> dict[tuple[OrdStatus, Happening], OrdStatus]:
    header, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    return {
        (OrdStatus(row[0]), Happening(what)): OrdStatus(after)
        for row in rows
        for what, after in zip(header, row[1:], strict=True)
        if after != "-"
    }


def order(**more: object) -> Order:
    request = NewOrder(session="s", cl_ord_id="a", symbol="BTC/USDT", side=Side.BUY, order_qty=Decimal(10), price=Decimal(1))
    made = Order("1", request, 1)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def test_the_table_says_what_is_expected_and_nothing_else() -> None:
    """No move is missing, none is there by accident."""
    assert expected() == TRANSITIONS


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("what", Happening)
def test_each_state_takes_each_happening_or_names_the_contradiction(base: OrdStatus, what: Happening) -> None:
    """The order follows the table; what is not in it changes nothing."""
    moved = order(base=base)
    after = expected().get((base, what))
    if after is None:
        with pytest.raises(Contradiction, match=f"{what} cannot follow {base}"):
            moved.happen(what, 2)
        assert moved.base is base
    else:
        assert moved.happen(what, 2) == (after is not base)
        assert moved.base is after


@pytest.mark.parametrize(
    ("base", "shown"),
    [
        (OrdStatus.NEW, OrdStatus.PENDING_CANCEL),
        (OrdStatus.PARTIALLY_FILLED, OrdStatus.PENDING_CANCEL),
        (OrdStatus.FILLED, OrdStatus.PENDING_CANCEL),
        (OrdStatus.DONE_FOR_DAY, OrdStatus.PENDING_CANCEL),
        (OrdStatus.CANCELED, OrdStatus.CANCELED),
        (OrdStatus.EXPIRED, OrdStatus.EXPIRED),
        (OrdStatus.REJECTED, OrdStatus.REJECTED),
    ],
)
def test_a_pending_cancel_shows_over_everything_that_does_not_end_it(base: OrdStatus, shown: OrdStatus) -> None:
    """Precedence, FIX 4.4 Appendix D: Pending Cancel 12 over Done For Day 10 and Filled 8."""
    assert order(base=base, pending=Pending(OrdStatus.PENDING_CANCEL, None, shown=True)).ord_status is shown


@pytest.mark.parametrize("base", BASES)
def test_leaves_is_nothing_once_done_and_the_rest_before(base: OrdStatus) -> None:
    """FIX 4.2 volume 6, LeavesQty."""
    assert order(base=base, cum_qty=Decimal(4)).leaves_qty == (0 if base in DONE else 6)


def test_the_average_price_is_exact_or_the_nearest_of_twelve_decimals() -> None:
    """3 at 1 and 7 at 2 is 1.7; 1 at 1 and 2 at 2 has no end."""
    exact, endless = order(), order()
    exact.fill(exact.leg, Decimal(3), Decimal(1), False, 2)
    exact.fill(exact.leg, Decimal(7), Decimal(2), True, 3)
    assert exact.avg_px == Decimal("1.7")
    endless.fill(endless.leg, Decimal(1), Decimal(1), False, 2)
    endless.fill(endless.leg, Decimal(2), Decimal(2), False, 3)
    assert str(endless.avg_px) == "1.666666666667"


@pytest.mark.parametrize(
    "broken",
    [
        {"cum_qty": Decimal(-1)},
        {"base": OrdStatus.FILLED, "cum_qty": Decimal(3)},
        {"base": OrdStatus.NEW, "cum_qty": Decimal(3)},
        {"notional": Decimal(3)},
        {"placed": True},
    ],
)
def test_check_notices_what_cannot_be(broken: dict[str, object]) -> None:
    """A check that cannot fail is none."""
    with pytest.raises(AssertionError):
        order(**broken).check()
