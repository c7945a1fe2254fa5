"""What Apifiny's protocol holds of an account's balances: the asset stream, the question for all of them, and how often it is asked."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any
from urllib.parse import parse_qs

import pytest

from bridges.apifiny import sim_rest
from bridges.apifiny.protocol import ApifinyProtocol
from bridges.matching import Side as Maker
from bridges.shelf import ROWS_AT_MOST
from bridges.wire import Answer, Holdings, Note, Reconnect, Request
from router.model import Balance
from tests.bridges.apifiny import venue
from tests.bridges.apifiny.test_protocol import ACCOUNT, BTC, CANCEL, MS, Desk, S, answer, order, place, refusal

BITCOIN = {"accountId": "STA-BINANCE_00000001", "venue": "BINANCE", "currency": "BTC", "amount": 51.95, "available": 51.95, "frozen": 0}
DOLLARS = BITCOIN | {"currency": "USDT", "amount": 101.95, "available": 51.95, "frozen": 50}
HELD = [Balance("BTC", D("51.95"), D("51.95")), Balance("USDT", D("101.95"), D("51.95"))]
"""As the samples of "Query Account Asset" have them."""


def listings(desk: Desk, time: int = 50 * MS) -> list[Request]:
    """The questions for all balances after this time; one for the state of the account is answered."""
    outs = desk.after(time)
    for probe in outs:
        if isinstance(probe, Request) and probe.path == "/account/queryAccountInfo":
            desk.reply(probe, answer([ACCOUNT]))
    return [out for out in outs if isinstance(out, Request) and out.path == "/asset/listBalance"]


def asking(desk: Desk, time: int = 50 * MS) -> Request:
    """The question that is due after this time, the only one."""
    (request,) = listings(desk, time)
    return request


def opened(**how: Any) -> Desk:
    """With the asset stream open, and nothing asked yet."""
    desk = Desk(**how)
    assert desk.protocol.opened(desk.now, "asset") == []
    return desk


def told(*rows: dict[str, Any]) -> Desk:
    """With all balances told."""
    desk = opened()
    assert desk.reply(asking(desk), answer(list(rows or (BITCOIN, DOLLARS)))) == []
    return desk


def update(desk: Desk, *rows: dict[str, Any]) -> list[Any]:
    """The stream's "Account Update"."""
    return desk.say({"result": {"logTimestamp": 1625036845606, "payload": list(rows)}, "error": None}, "asset")


def balances(desk: Desk) -> list[Balance] | None:
    held = desk.protocol.held()
    return None if held is None else list(held.balances)


# --- what is told ---------------------------------------------------------------------------------------------------------


def test_all_balances_are_asked_for_when_the_stream_is_open() -> None:
    """Nothing is held before; then total is available and frozen, exact, and it is the same object while nothing changes."""
    desk = Desk()
    assert listings(desk, 5 * S) == []
    desk.protocol.opened(desk.now, "asset")
    request = asking(desk)
    assert parse_qs(request.query) == {"accountId": ["STA-00000001"], "venue": ["BINANCE"]}
    assert desk.protocol.held() is None
    assert desk.reply(request, answer([DOLLARS, BITCOIN])) == []
    held = desk.protocol.held()
    assert isinstance(held, Holdings)
    assert sorted(held.balances, key=lambda each: each.currency) == HELD
    assert held.positions == ()
    desk.reply(asking(desk, 60 * S), answer([BITCOIN, DOLLARS]))
    assert desk.protocol.held() is held


def test_the_stream_tells_what_changed() -> None:
    """Its `amount` is "amount of currency changed" and says nothing of the total."""
    desk = told()
    before = desk.protocol.held()
    assert update(desk, DOLLARS | {"amount": 7, "available": 1.10, "frozen": "0.05"}, BITCOIN | {"currency": "eth"}) == []
    assert balances(desk) == [HELD[0], Balance("USDT", D("1.15"), D("1.1")), Balance("ETH", D("51.95"), D("51.95"))]
    assert desk.protocol.held() is not before
    assert desk.protocol.held() is desk.protocol.held()


def test_what_an_answer_leaves_out_is_gone() -> None:
    """A currency that a whole answer does not name is kept, as 0."""
    desk = told()
    desk.reply(asking(desk, 60 * S), answer([DOLLARS]))
    assert balances(desk) == [Balance("BTC", D(0), D(0)), HELD[1]]


def test_an_answer_does_not_undo_what_the_stream_told_meanwhile() -> None:
    """It may have been made before; also of what it leaves out."""
    desk = told()
    request = asking(desk, 60 * S)
    update(desk, DOLLARS | {"available": 1, "frozen": 0}, BITCOIN | {"currency": "ETH", "available": 2})
    desk.reply(request, answer([BITCOIN, DOLLARS]))
    assert balances(desk) == [HELD[0], Balance("USDT", D(1), D(1)), Balance("ETH", D(2), D(2))]
    desk.reply(asking(desk, 60 * S), answer([BITCOIN, DOLLARS]))
    assert balances(desk) == [*HELD, Balance("ETH", D(0), D(0))]


def test_another_venues_balances_are_not_ours() -> None:
    """A stream without a venue in its path tells of all; a row that names none is ours."""
    desk = told()
    update(desk, BITCOIN | {"venue": "GBBO", "available": 1}, {key: DOLLARS[key] for key in ("currency", "available")} | {"frozen": 0})
    assert balances(desk) == [HELD[0], Balance("USDT", D("51.95"), D("51.95"))]


def test_a_stream_that_is_lost_is_believed_no_more() -> None:
    """Nothing is held until it is open and all was asked for anew; an answer to a question of before does not count."""
    desk = told()
    request = asking(desk, 60 * S)
    desk.protocol.closed("gone", desk.now, "asset")
    assert balances(desk) is None
    assert listings(desk, 70 * S) == []
    desk.protocol.opened(desk.now, "asset")
    assert listings(desk) == []  # one at a time
    desk.reply(request, answer([BITCOIN, DOLLARS]))
    assert balances(desk) is None
    desk.reply(asking(desk), answer([BITCOIN, DOLLARS]))
    assert balances(desk) == HELD


def test_a_silent_stream_is_believed_no_more() -> None:
    """From the moment on that a new connection is asked for."""
    desk = told()
    assert Reconnect("Apifiny's asset stream: nothing came for 75 s", "asset") in desk.after(76 * S)
    assert balances(desk) is None


@pytest.mark.parametrize(
    "message",
    ["{", {"payload": 1}, {"payload": [BITCOIN | {"available": 1}, DOLLARS | {"frozen": "a lot"}]},
     {"payload": [BITCOIN | {"available": True}]}, {"payload": [BITCOIN | {"currency": ""}]},
     {"payload": [BITCOIN | {"available": 10**60}]}, {"payload": [BITCOIN | {"venue": 7}]}],
)  # fmt: skip
def test_a_change_that_cannot_be_read_means_asking_for_all_anew(message: Any) -> None:
    """It may have been of anything: nothing of it is believed, nothing is held until then, and it is noted once."""
    desk = told()
    desk.now += 10 * S
    assert [type(out) for out in desk.say(message, "asset")] == [Note]
    assert desk.say(message, "asset") == []
    assert balances(desk) is None
    desk.reply(asking(desk), answer([BITCOIN, DOLLARS]))
    assert balances(desk) == HELD
    assert [type(out) for out in desk.say(message, "asset")] == [Note]


@pytest.mark.parametrize(
    "nonsense",
    [answer("none"), answer([BITCOIN, {}]), answer([BITCOIN, BITCOIN | {"coin": "BTC-2", "available": 1}]),
     answer([BITCOIN | {"frozen": None}]), Answer(200, {}, b"{"), refusal("0x02001A"), answer()],
)  # fmt: skip
def test_an_answer_that_makes_no_sense_changes_nothing(nonsense: Answer) -> None:
    """The stream goes on telling; it is noted once, and asked again later each time, at most a minute apart."""
    desk = told()
    request, notes = asking(desk, 60 * S), []
    for wait in (5, 10, 20, 40, 60, 60):
        notes += [out for out in desk.reply(request, nonsense) if isinstance(out, Note)]
        assert balances(desk) == HELD
        assert listings(desk, wait * S - MS) == []
        desk.say({"ping": 1}, "asset")
        desk.say({"ping": 1})
        request = asking(desk, MS)
    assert len(notes) == 1
    desk.reply(request, answer([BITCOIN, DOLLARS]))
    assert Note in {type(out) for out in desk.reply(asking(desk, 60 * S), nonsense)}
    assert listings(desk, 5 * S - MS) == []
    asking(desk, MS)


def test_too_many_currencies_are_refused() -> None:
    """At most so many are kept, those known go on, and it is noted once."""
    desk = told()
    many = [BITCOIN | {"currency": f"C{n}"} for n in range(ROWS_AT_MOST)]
    assert [type(out) for out in update(desk, *many, DOLLARS | {"available": 1, "frozen": 0})] == [Note]
    assert update(desk, BITCOIN | {"currency": "ONEMORE"}) == []
    rows = balances(desk)
    assert rows is not None
    assert len(rows) == ROWS_AT_MOST
    assert rows[1] == Balance("USDT", D(1), D(1))


# --- how often ------------------------------------------------------------------------------------------------------------


def test_all_is_asked_for_every_minute_and_never_twice_at_once() -> None:
    """A question that is not answered yet is not repeated; one that was lost is, 5 s later."""
    desk = told()
    assert listings(desk, 59 * S) == []
    request = asking(desk, 1 * S)
    desk.say({"ping": 1}, "asset")
    desk.say({"ping": 1})
    assert listings(desk, 70 * S) == []
    desk.protocol.lost(request, True, "no answer", desk.now)
    assert listings(desk, 4 * S) == []
    asking(desk, 1 * S)


def test_all_is_asked_for_a_second_after_an_order_moved() -> None:
    """At most every 5 s; what moved less than a second before a question is asked about once more."""
    desk = told()
    desk.now += 10 * S
    desk.update()
    assert listings(desk, 999 * MS) == []
    desk.update(orderStatus="CANCELLED")
    desk.reply(asking(desk, MS), answer([BITCOIN, DOLLARS]))
    assert listings(desk, 4_999 * MS) == []
    desk.reply(asking(desk, MS), answer([BITCOIN, DOLLARS]))
    assert listings(desk, 59 * S) == []


def test_an_order_of_our_own_over_rest_moves_the_balances_too() -> None:
    """The answers to creates and cancels are heeded."""
    desk = opened(trading=True)
    desk.reply(asking(desk), answer([BITCOIN, DOLLARS]))
    for command in (place(), CANCEL):
        desk.now += 10 * S
        (request,) = desk.protocol.send(command, desk.now)
        desk.reply(request, answer([order()]))
        desk.reply(asking(desk, 1 * S), answer([BITCOIN, DOLLARS]))


def test_nothing_is_asked_while_the_link_is_down() -> None:
    """It waits until the order stream is back."""
    desk = told()
    desk.protocol.closed("gone", desk.now, "order")
    assert listings(desk, 61 * S) == []
    desk.protocol.opened(desk.now, "order")
    asking(desk)


# --- the simulated venue --------------------------------------------------------------------------------------------------


class Rig:
    """The protocol before the simulator's pure core: its REST side and the asset stream."""

    def __init__(self) -> None:
        self.venue = venue.RestVenue()
        self.ears = venue.Ears()
        self.protocol = ApifinyProtocol("acc", "link", venue.ACCOUNT, "key", venue.SECRET, "BINANCE", (BTC,), True)
        self._do(self.protocol.begin(self._now))
        for stream in ("order", "asset"):
            self.protocol.opened(self._now, stream)
        self.venue.feed.tell_assets(self.ears, venue.ACCOUNT, "")
        self.tick()

    @property
    def _now(self) -> int:
        return self.venue.now * MS

    def _do(self, outs: Any) -> None:
        for out in outs:
            if isinstance(out, Request):
                signed = self.protocol.sign(out, self._now)
                path, _, query = signed.target.partition("?")
                request = sim_rest.Request(
                    signed.method, f"/ac/v2/BINANCE{path}", query, signed.body.encode(), signed.headers.get("signature", "")
                )
                (outcome,) = self.venue.ask(request)
                assert isinstance(outcome, sim_rest.Answer)
                self._do(self.protocol.answered(out, Answer(outcome.status, {}, outcome.text.encode()), self._now))

    def tick(self, ms: int = 50) -> None:
        self.venue.now += ms
        self._do(self.protocol.tick(self._now))

    def hear(self) -> None:
        """What the stream has sent."""
        texts, self.ears.texts = self.ears.texts, []
        for text in texts:
            assert self.protocol.receive(text, self._now, "asset") == []

    def held(self) -> dict[str, tuple[D, D]]:
        found = self.protocol.held()
        assert found is not None
        return {each.currency: (each.total, each.available) for each in found.balances}


def test_the_simulators_figures_are_held() -> None:
    """An order freezes what it may cost, a fill moves both sides, a cancel gives back; the stream and the question say the same."""
    rig = Rig()
    start = {"USDT": (D(1_000_000), D(1_000_000)), "BTC": (D(10), D(10))}
    assert rig.held() == start
    rig.venue.new(1)
    rig.hear()
    assert rig.held() == start | {"USDT": (D(1_000_000), D(993_500))}
    rig.venue.trade(Maker.SELL, "0.04", "65000")
    rig.hear()
    funds = rig.venue.exchange.ledger.of(venue.ACCOUNT, "BINANCE", "BTC")
    assert D(10) < funds.available <= D("10.04")
    part = {"USDT": (D(997_400), D(993_500)), "BTC": (funds.available, funds.available)}
    assert rig.held() == part
    rig.venue.cancel(1, orderId=venue.order_id(1, rig.venue.now))
    rig.hear()
    end = part | {"USDT": (D(997_400), D(997_400))}
    assert rig.held() == end
    rig.tick(60_000)
    assert rig.held() == end


def test_what_the_stream_did_not_tell_the_question_does() -> None:
    """A change whose message was lost is found within the minute."""
    rig = Rig()
    rig.venue.new(1)
    rig.ears.texts.clear()
    rig.tick(59_000)
    assert rig.held()["USDT"] == (D(1_000_000), D(1_000_000))
    rig.tick(1_000)
    assert rig.held()["USDT"] == (D(1_000_000), D(993_500))
