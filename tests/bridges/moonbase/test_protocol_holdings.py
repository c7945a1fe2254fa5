"""What Moonbase's protocol holds of an account: balances and positions, and the joins that this may cost."""

from __future__ import annotations

import json
from decimal import Decimal as D
from typing import Any

import pytest

from bridges.matching import Side as Maker
from bridges.moonbase.inquiries import KEEP_AGAIN
from bridges.moonbase.joins import SPAN, Purpose
from bridges.moonbase.protocol import SETTLED, MoonbaseProtocol
from bridges.shelf import ROWS_AT_MOST
from bridges.wire import Frame, Holdings, Note, Told
from router.model import Balance, LinkUp, Position
from tests.bridges.moonbase import sim_venue
from tests.bridges.moonbase.desk import ETC, MS, ORDERS, SYMBOL, TRADES, Desk, S

BALANCES, POSITIONS = "/balances", "/positions"
BALANCE: dict[str, Any] = {
    "withdrawn_amount": 0, "pledged_amount": 0, "placed_amount": 0, "offered_amount": 0, "loaned_amount": 0, "id": 15, "drawn_amount": 0,
    "borrowed_amount": 0, "available_amount": 90, "assigned_amount": 10, "asset": "BTC_D",
}  # fmt: skip
LONG = {"user_id": 5, "total": -1, "symbol": SYMBOL, "price": 1, "margin": 10, "id": 1, "fee": -0.001, "amount": 1}
NONE = {"user_id": 5, "total": 0, "symbol": "ICO_D:BTC_D", "price": 0, "margin": 10, "id": 2, "fee": 0, "amount": 0}
"""The document's samples."""
HELD = Holdings(
    (Balance("BTC_D", D(100), D(90)),), (Position(SYMBOL, D(1), D(1)), Position("ICO_D:BTC_D", D(0))),
)  # fmt: skip


def up() -> Desk:
    """Joined to orders and trades, and old enough for the rest."""
    desk = Desk(trades=True)
    desk.wait(SETTLED)
    return desk


def told() -> Desk:
    """Balances and positions told as the document's samples have them."""
    desk = up()
    assert desk.reply([BALANCE], desk.last(BALANCES)) == []
    assert desk.reply([LONG, NONE], desk.last(POSITIONS)) == []
    return desk


def update(desk: Desk, topic: str, *rows: Any) -> list[Any]:
    return desk.say(topic, "upsert", {"data": list(rows)})


def held(desk: Desk) -> Holdings | None:
    return desk.protocol.held()


# --- what is told ---------------------------------------------------------------------------------------------------------


def test_both_channels_are_joined_and_tell_all() -> None:
    """Nothing is held before both have told; then it is the same object while nothing changes."""
    desk = up()
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (1, 1)
    desk.reply([BALANCE], desk.last(BALANCES))
    assert held(desk) is None
    desk.reply([LONG, NONE], desk.last(POSITIONS))
    assert held(desk) == HELD
    before = held(desk)
    update(desk, BALANCES, BALANCE)
    update(desk, POSITIONS, LONG)
    assert held(desk) is before


def test_upserts_tell_what_changed() -> None:
    """Exact; a row need not be whole; total is available, placed and assigned; a short position is negative."""
    desk = told()
    update(desk, BALANCES, {"asset": "BTC_D", "available_amount": "0.1", "placed_amount": 0.2}, BALANCE | {"asset": "etc_d"})
    update(desk, POSITIONS, LONG | {"amount": -2.5, "price": 0.005})
    found = held(desk)
    assert found == Holdings(
        (Balance("BTC_D", D("10.3"), D("0.1")), Balance("ETC_D", D(100), D(90))),
        (Position(SYMBOL, D("-2.5"), D("0.005")), Position("ICO_D:BTC_D", D(0))),
    )  # fmt: skip


def test_what_a_new_snapshot_leaves_out_is_gone() -> None:
    """Kept as 0 from then on."""
    desk = told()
    desk.lose()
    desk.connect()
    desk.join()
    desk.wait(SETTLED)
    desk.reply([], desk.last(BALANCES))
    desk.reply([NONE], desk.last(POSITIONS))
    assert held(desk) == Holdings((Balance("BTC_D", D(0), D(0)),), (Position(SYMBOL, D(0)), Position("ICO_D:BTC_D", D(0))))


def test_a_lost_connection_is_believed_no_more() -> None:
    """Nor one that does not answer; nor a channel that the venue closed."""
    desk = told()
    desk.lose()
    assert held(desk) is None
    desk = told()
    desk.say(POSITIONS, "phx_close", {}, desk.last(POSITIONS)["ref"])
    assert held(desk) is None
    desk = told()
    for _ in range(4):
        desk.now += 20 * S
        desk.do(desk.protocol.tick(desk.now))
    assert held(desk) is None


@pytest.mark.parametrize(
    ("topic", "row"),
    [
        (BALANCES, {"asset": "BTC_D", "available_amount": "many"}), (BALANCES, BALANCE | {"asset": ""}), (BALANCES, 5),
        (BALANCES, BALANCE | {"asset": None}), (BALANCES, BALANCE | {"placed_amount": None}), (POSITIONS, LONG | {"amount": True}),
        (POSITIONS, LONG | {"symbol": "X" * 65}),
        (POSITIONS, {"symbol": "NEW", "price": 1}), (POSITIONS, LONG | {"price": 10**40}),
    ],
)  # fmt: skip
def test_a_row_that_makes_no_sense_is_not_believed(topic: str, row: Any) -> None:
    """Nothing is held until the channel was joined anew, ten minutes after the last time; the orders' channel is none the worse for it."""
    desk = told()
    assert [type(out) for out in update(desk, topic, BALANCE | LONG, row)] == [Note]
    assert held(desk) is None
    update(desk, topic, BALANCE | LONG)
    assert held(desk) is None
    desk.wait(KEEP_AGAIN - 10 * S)
    assert desk.joins(topic) == 1
    desk.wait(10 * S)
    assert (desk.joins(BALANCES) + desk.joins(POSITIONS), desk.joins(ORDERS)) == (3, 1)
    desk.reply([BALANCE] if topic == BALANCES else [LONG, NONE], desk.last(topic))
    assert held(desk) == HELD
    assert [type(out) for out in update(desk, topic, row)] == [Note]


@pytest.mark.parametrize("nonsense", [None, 5, {"data": []}, [5], [BALANCE, {}]])
def test_a_snapshot_that_makes_no_sense_tells_nothing(nonsense: Any) -> None:
    """No exception, and nothing held."""
    desk = up()
    desk.reply([LONG, NONE], desk.last(POSITIONS))
    desk.reply(nonsense, desk.last(BALANCES))
    assert held(desk) is None


def test_a_frame_that_cannot_be_read_may_have_been_of_these() -> None:
    """Nothing is held after it until both were joined anew."""
    desk = told()
    desk.do(desk.protocol.receive("{", desk.now))
    assert held(desk) is None
    desk.wait(KEEP_AGAIN)
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (2, 2)


def test_too_many_rows_are_refused() -> None:
    """At most so many are kept, those known go on, and it is noted once."""
    desk = told()
    many = [BALANCE | {"asset": f"C{n}"} for n in range(ROWS_AT_MOST)]
    assert [type(out) for out in update(desk, BALANCES, *many, BALANCE | {"available_amount": 1})] == [Note]
    assert update(desk, BALANCES, BALANCE | {"asset": "ONEMORE"}) == []
    found = held(desk)
    assert found is not None
    assert len(found.balances) == ROWS_AT_MOST
    assert found.balances[0] == Balance("BTC_D", D(11), D(1))


# --- what it may cost -----------------------------------------------------------------------------------------------------


def test_a_connection_that_dies_soon_has_cost_no_joins_for_this() -> None:
    """The link is up for five seconds first."""
    desk = Desk(trades=True)
    desk.wait(SETTLED - 50 * MS)
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (0, 0)
    desk.wait(50 * MS)
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (1, 1)


def test_joins_are_spent_only_while_half_of_them_stay() -> None:
    """Eight used: two more may be. Nine used: not before an hour has passed, and the link does without."""
    for used, joined in ((6, 1), (7, 0)):
        desk = Desk(up=False)
        desk.protocol.recall({"joins": ",".join(f"c{desk.now // MS}" for _ in range(used))}, desk.now)
        desk.connect()
        assert LinkUp("acc") in desk.join()
        desk.reply([], desk.last(TRADES))
        desk.wait(60 * S)
        assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (joined, joined)
        assert held(desk) is None
        desk.wait(SPAN)
        assert (desk.joins(BALANCES), desk.joins(POSITIONS)) >= (1, 1)


def test_they_are_the_inquiries_joins() -> None:
    """What connecting and clearing up need is left to them; and an operator's question costs nothing more."""
    desk = told()
    assert [each[0] for each in desk.remembered.split(",")] == [Purpose.CONNECT, Purpose.TRADES, Purpose.INQUIRY, Purpose.INQUIRY]
    (answer,) = desk.do(desk.protocol.inquire(7, "balances", {}, desk.now))
    assert isinstance(answer, Told)
    assert [row["available_amount"] for row in answer.rows] == ["90"]
    assert desk.joins(BALANCES) == 1


def test_what_an_operator_had_joined_is_heard_too() -> None:
    """Only what is missing is joined."""
    desk = Desk(trades=True)
    assert desk.do(desk.protocol.inquire(7, "balances", {}, desk.now)) == []
    assert [type(out) for out in desk.reply([BALANCE], desk.last(BALANCES))] == [Told]
    desk.wait(SETTLED)
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (1, 1)
    desk.reply([LONG, NONE], desk.last(POSITIONS))
    assert held(desk) == HELD


def test_a_join_that_is_refused_or_not_answered_is_tried_again_after_ten_minutes() -> None:
    """And no sooner, whatever else is said; the link stays."""
    desk = up()
    desk.refuse("forbidden", desk.last(BALANCES))
    desk.wait(KEEP_AGAIN - 20 * S)
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (1, 1)
    desk.wait(30 * S)
    assert (desk.joins(BALANCES), desk.joins(POSITIONS)) == (2, 2)


# --- the simulated venue --------------------------------------------------------------------------------------------------


class Rig:
    """The protocol on a connection of the simulator's pure core."""

    def __init__(self) -> None:
        self.venue = sim_venue.Rig()
        self.client = self.venue.connect()
        etc = type(ETC)(symbol="ETC/BTC", venue_symbol=sim_venue.SYMBOL, base="ETC", quote="BTC", tick=D("0.00001"), lot=D("0.01"))
        self.protocol = MoonbaseProtocol("acc", sim_venue.KEY, sim_venue.SECRET, [etc])
        self._do(self.protocol.opened(self.venue.now))
        for _ in range(2):
            self.venue.now += SETTLED
            self._do(self.protocol.tick(self.venue.now))

    def _do(self, outs: Any) -> None:
        for out in outs:
            if isinstance(out, Frame):
                self.client.session.receive(out.text, self.venue.now)
            assert not isinstance(out, Note), out
        self.hear()

    def hear(self) -> None:
        """What the venue has sent."""
        texts, self.client.sent = self.client.sent, []
        for text in texts:
            self._do(self.protocol.receive(text, self.venue.now))

    def figures(self) -> tuple[dict[str, tuple[D, D]], dict[str, tuple[D, D | None]]]:
        """Total and available by asset; quantity and price by symbol. Checked against the venue's own."""
        found = self.protocol.held()
        assert found is not None
        account = self.venue.exchange.accounts[5]
        for each in found.balances:
            own = account.balances[each.currency]
            assert (each.total, each.available) == (own.available + own.placed + own.assigned, own.available)
        assert {each.symbol: each.qty for each in found.positions} == {name: each.amount for name, each in account.positions.items()}
        return (
            {each.currency: (each.total, each.available) for each in found.balances},
            {each.symbol: (each.qty, each.avg_px) for each in found.positions if each.qty},
        )


def test_the_simulators_figures_are_held() -> None:
    """An order ties up what it may cost, a fill moves both sides and the position, a cancel gives back."""
    rig = Rig()
    assert rig.figures() == ({"ETC": (D(1000), D(1000)), "BTC": (D(10), D(10)), "ICO": (D(0), D(0))}, {})
    trader = rig.venue.trader()
    order_id = trader.placed(-4, 0.005)
    rig.hear()
    funds, positions = rig.figures()
    assert (funds["ETC"], positions) == ((D(1000), D(996)), {})
    rig.venue.counterparty(Maker.BUY, "1", "0.005")
    rig.hear()
    funds, positions = rig.figures()
    assert (funds["ETC"], positions) == ((D(999), D(996)), {sim_venue.SYMBOL: (D(-1), D("0.005"))})
    assert D("10.004") < funds["BTC"][1] <= D("10.005")
    trader.cancel(order_id)
    rig.hear()
    assert rig.figures()[0]["ETC"] == (D(999), D(999))


def test_no_exact_figure_is_rounded() -> None:
    """A JSON number of many digits is the Decimal of its own text."""
    desk = told()
    frame = {
        "ref": None,
        "join_ref": None,
        "topic": BALANCES,
        "event": "upsert",
        "payload": {"data": [BALANCE | {"available_amount": "%"}]},
    }
    desk.do(desk.protocol.receive(json.dumps(frame).replace('"%"', "0.1234567890123456789012345678"), desk.now))
    found = held(desk)
    assert found is not None
    assert found.balances[0] == Balance("BTC_D", D("10.1234567890123456789012345678"), D("0.1234567890123456789012345678"))
