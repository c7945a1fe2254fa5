"""Orders through the real router to the simulated Apifiny and back, over sockets, on all three FIX versions."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count

import pytest

from tests.system import System
from tests.wire import Client, stamp

VERSIONS = {"4.2": ("FIX.4.2", "OMS42"), "4.4": ("FIX.4.4", "OMS44"), "5.0SP2": ("FIXT.1.1", "OMS50")}
_numbers = count(1)


@pytest.fixture(scope="module", params=VERSIONS)
def oms(shared: System, request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client session of each version."""
    client = shared.client(*VERSIONS[request.param]).connect()
    yield client
    client.drop()


@pytest.fixture(scope="module")
def other(shared: System) -> Iterator[Client]:
    """A second desk."""
    client = shared.client("FIX.4.4", "OMS44B").connect()
    yield client
    client.drop()


@pytest.fixture
def me() -> str:
    """A ClOrdID nobody had."""
    return f"o{next(_numbers)}"


def fill_code(oms: Client, whole: bool) -> str:
    """ExecType of a fill in this version."""
    return ("2" if whole else "1") if oms.begin == "FIX.4.2" else "F"


def test_a_limit_order_rests_is_filled_in_parts_and_is_done(shared: System, oms: Client, me: str) -> None:
    """Every figure an OMS books from, at each step."""
    oms.order(me, t1="ACC-7", t5001="strategy 9")
    new = oms.report(me)
    assert {tag: new[tag] for tag in ("150", "39", "38", "44", "40", "59", "14", "151", "6", "54", "55", "100", "1", "5001")} == {
        "150": "0", "39": "0", "38": "0.5", "44": "65000", "40": "2", "59": "1", "14": "0", "151": "0.5", "6": "0", "54": "1",
        "55": "BTC/USDT", "100": "BINANCE", "1": "ACC-7", "5001": "strategy 9",
    }  # fmt: skip
    assert new["198"]
    shared.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty="0.2", price="65000")
    part = oms.report(me)
    assert {tag: part[tag] for tag in ("150", "39", "32", "31", "14", "151", "6", "44")} == {
        "150": fill_code(oms, whole=False), "39": "1", "32": "0.2", "31": "65000", "14": "0.2", "151": "0.3", "6": "65000", "44": "65000",
    }  # fmt: skip
    shared.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty="0.3", price="64999")
    last = oms.report(me)
    assert {tag: last[tag] for tag in ("150", "39", "32", "14", "151", "37")} == {
        "150": fill_code(oms, whole=True), "39": "2", "32": "0.3", "14": "0.5", "151": "0", "37": new["37"],
    }  # fmt: skip
    assert len({new["17"], part["17"], last["17"]}) == 3


def test_a_market_sell_is_filled_by_the_book(shared: System, oms: Client, me: str) -> None:
    """At the book's prices, without a limit price in the report."""
    oms.order(me, t40="1", t44="", t54="2", t59="3", t38="0.25")
    done = oms.report(me, t39="2")
    assert (done["31"], done["14"], done["151"], done["44"]) == ("64990", "0.25", "0", "")


def test_a_market_buy_states_an_amount(oms: Client, me: str) -> None:
    """CashOrderQty(152); by OrderQty it is refused, with what to write instead."""
    oms.order(me, t40="1", t44="", t38="", t152="6501")
    done = oms.report(me, t39="2")
    assert (done["152"], done["38"], Decimal(done["14"])) == ("6501", "", Decimal("0.1"))
    oms.order(f"{me}q", t40="1", t44="")
    assert "CashOrderQty(152)" in oms.report(f"{me}q", t39="8")["58"]


def test_ioc_fills_what_it_can_and_cancels_the_rest(shared: System, oms: Client, me: str) -> None:
    """Nothing at 64,995; then two parts against a resting order."""
    oms.order(me, t59="3", t44="64995")
    assert oms.report(me, t39="4")["14"] == "0"
    oms.order(f"{me}r", t54="2", t38="0.2", t44="65000")
    oms.report(f"{me}r", t39="0")
    oms.order(f"{me}i", t59="3", t38="0.5", t44="65000")
    oms.report(f"{me}r", t39="2")
    end = oms.report(f"{me}i", t39="4")
    assert (end["14"], end["151"], end["6"]) == ("0.2", "0", "65000")


@pytest.mark.parametrize("how", [{"t18": "6"}, {"t59": "7"}], ids=["18=6", "59=7"])
def test_post_only_rests_or_is_refused(shared: System, oms: Client, me: str, how: dict[str, str]) -> None:
    """Both ways to say it; the venue sees 59=7."""
    oms.order(me, **how)
    rests = oms.report(me)
    assert (rests["39"], rests["18"]) == ("0", "6")
    oms.cancel(f"{me}c", me)
    oms.report(f"{me}c", t39="4")
    oms.order(f"{me}x", t44="66000", **how)
    assert oms.report(f"{me}x")["39"] == "8"


def test_cancel(shared: System, oms: Client, me: str) -> None:
    """Pending Cancel and Canceled under the request's id; then too late, and unknown."""
    oms.order(me)
    order_id = oms.report(me)["37"]
    oms.cancel(f"{me}c", me)
    pending, done = oms.report(f"{me}c"), oms.report(f"{me}c")
    assert [(each["150"], each["39"], each["11"], each["41"]) for each in (pending, done)] == [
        ("6", "6", f"{me}c", me), ("4", "4", f"{me}c", me),
    ]  # fmt: skip
    assert done["151"] == "0"
    oms.cancel(f"{me}d", me)
    late = oms.report(f"{me}d")
    assert (late["35"], late["102"], late["39"], late["434"], late["37"]) == ("9", "0", "4", "1", order_id)
    oms.cancel(f"{me}e", "nobody")
    unknown = oms.report(f"{me}e")
    assert (unknown["35"], unknown["102"], unknown["39"], unknown["37"]) == ("9", "1", "8", "NONE")


def test_status(oms: Client, me: str) -> None:
    """Of a live order, by either id; of an unknown one."""
    oms.order(me)
    order_id = oms.report(me)["37"]
    for fields in ({}, {"t37": order_id}):
        oms.status(me, **fields)
        told = oms.report(me)
        assert (told["39"], told["17"], told["151"]) == ("0", "0", "0.5")
        assert (told["150"], told["20"]) == (("0", "3") if oms.begin == "FIX.4.2" else ("I", ""))
    oms.status("nobody")
    told = oms.report("nobody")
    assert (told["39"], told["103"]) == ("8", "5")
    oms.cancel(f"{me}c", me)
    oms.report(f"{me}c", t39="4")


def test_a_duplicate_cl_ord_id_leaves_the_first_order_alone(shared: System, oms: Client, me: str) -> None:
    """8 with 103=6; and a repetition that says it is one gets the status instead."""
    oms.order(me)
    order_id = oms.report(me)["37"]
    oms.order(me, t38="9")
    second = oms.report(me)
    assert (second["150"], second["39"], second["103"], second["37"]) == ("8", "0", "6", order_id)
    oms.send("D", [("11", me), ("21", "1"), ("55", "BTC/USDT"), ("54", "1"), ("60", stamp()), ("40", "2"), ("38", "0.5"), ("44", "65000")],
             header=[("97", "Y")])  # fmt: skip
    again = oms.report(me)
    assert (again["39"], again["37"], again["17"]) == ("0", order_id, "0")
    oms.cancel(f"{me}c", me)
    oms.report(f"{me}c", t39="4")
    assert len([each for each in shared.venue_orders() if each["qty"] == "9"]) == 0


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"t55": "DOGE/USDT"}, "Symbol(55) DOGE/USDT"),
        ({"t100": "NASDAQ"}, "NASDAQ"),
        ({"t40": "3", "t44": "", "t99": "1"}, "OrdType(40) stop"),
        ({"t59": "4"}, "TimeInForce(59) fill-or-kill"),
        ({"t59": "2"}, "TimeInForce(59) at-the-opening"),
        ({"t44": "65000.001"}, "Price(44) 65000.001 is off the tick"),
        ({"t38": "0.000001"}, "OrderQty(38) 0.000001 is off the lot"),
        ({"t38": "0"}, "OrderQty(38) 0 is not above zero"),
        ({"t38": "-1"}, "OrderQty(38) -1 is not above zero"),
        ({"t44": ""}, "Price(44) is missing"),
        ({"t40": "1", "t54": "2"}, "Price(44) 65000 is not allowed"),
        ({"t100": "GBBO", "t40": "1", "t44": "", "t54": "2"}, "OrdType(40) market is not offered by GBBO"),
        ({"t111": "0.1"}, "MaxFloor(111)"),
    ],
)
def test_what_is_refused_is_refused_with_field_and_reason(oms: Client, me: str, more: dict[str, str], text: str) -> None:
    """8, Rejected, 103 and Text; nothing reaches the venue."""
    oms.order(me, **more)
    refused = oms.report(me)
    assert (refused["150"], refused["39"], refused["151"]) == ("8", "8", "0")
    assert refused["103"] != ""
    assert text in refused["58"]


def test_session_level_faults_are_answered_at_session_level(oms: Client, me: str) -> None:
    """3 names the missing or wrong tag; j the message type; the session goes on."""
    oms.send("D", [("11", me), ("21", "1"), ("55", "BTC/USDT"), ("54", "1"), ("60", stamp()), ("38", "1")])
    missing = oms.wait(lambda message: message["35"] == "3")
    assert (missing["371"], missing["372"], missing["373"]) == ("40", "D", "1")
    oms.order(me, t44="abc")
    wrong = oms.wait(lambda message: message["35"] == "3")
    assert (wrong["371"], wrong["373"]) == ("44", "6")
    oms.send("R", [("131", "q"), ("146", "1"), ("55", "BTC/USDT")])
    unsupported = oms.wait(lambda message: message["35"] == "j")
    assert (unsupported["372"], unsupported["380"]) == ("R", "3")
    oms.send(
        "G", [("11", f"{me}g"), ("41", "nobody"), ("21", "1"), ("55", "BTC/USDT"), ("54", "1"), ("60", stamp()), ("40", "2"), ("38", "1")]
    )
    assert oms.report(f"{me}g")["434"] == "2"
    oms.order(me, t44="64000")
    assert oms.report(me)["39"] == "0"


@pytest.mark.parametrize("more", [{"43": "Y", "122": stamp(120)}, {"97": "Y"}], ids=["43", "97"])
def test_an_old_order_arriving_by_resend_is_refused(oms: Client, me: str, more: dict[str, str]) -> None:
    """By 122 or 60: never executed."""
    body = {"11": me, "21": "1", "55": "BTC/USDT", "54": "1", "60": stamp(120), "40": "2", "38": "0.5", "44": "65000"}
    oms.send("D", list(body.items()), header=list(more.items()))
    refused = oms.report(me)
    assert (refused["39"], refused["103"]) == ("8", "8")


def test_the_venue_cancels_on_its_own(shared: System, oms: Client, me: str) -> None:
    """Unsolicited: Canceled under the order's own id."""
    oms.order(me)
    venue_id = oms.report(me)["198"]
    shared.post("/_sim/cancel", id=venue_id)
    report = oms.report(me)
    assert (report["150"], report["11"], report["41"], report["151"]) == ("4", me, "", "0")


def test_a_cancel_is_held_until_the_venue_has_acknowledged(shared: System, oms: Client, me: str) -> None:
    """Apifiny refuses to cancel PENDING_SUBMIT; the router waits, so it does not come to that."""
    shared.post("/_sim/fault", kind="delay", count=1, delay_s=0.3, match="new")
    oms.order(me)
    oms.cancel(f"{me}c", me)
    assert oms.report(f"{me}c")["39"] == "6"
    new = oms.report(me, t150="0")
    assert new["39"] == "6"
    assert oms.report(f"{me}c")["39"] == "4"


@pytest.mark.parametrize("kind", ["duplicate_event", "garbage"])
def test_a_venue_that_repeats_itself_or_talks_nonsense(shared: System, oms: Client, me: str, kind: str) -> None:
    """A fill said twice is booked once; garbage changes nothing."""
    oms.order(me)
    oms.report(me)
    shared.post("/_sim/fault", kind=kind, count=1, match="stream")
    shared.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty="0.2", price="65000")
    oms.report(me, t14="0.2")
    shared.post("/_sim/trade", symbol="BTCUSDT", side="sell", qty="0.3", price="65000")
    done = oms.report(me)
    assert (done["39"], done["14"]) == ("2", "0.5")


def test_reports_that_overtake_each_other(shared: System, oms: Client, me: str) -> None:
    """The fill comes before the acknowledgement that names the venue's id."""
    shared.post("/_sim/fault", kind="reorder_events", count=1, match="any")
    oms.order(me, t54="2", t44="64990", t38="0.1")
    done = oms.report(me, t39="2")
    assert (done["14"], done["31"]) == ("0.1", "64990")


def test_each_session_sees_its_own_orders_only(oms: Client, other: Client, me: str) -> None:
    """Another session's order is unknown, by any id."""
    other.order(me)
    order_id = other.report(me)["37"]
    oms.status("nothing", t37=order_id)
    assert oms.report("nothing")["103"] == "5"
    oms.cancel(f"{me}c", me, t37=order_id)
    assert oms.report(f"{me}c")["102"] == "1"
    other.cancel(f"{me}c", me)
    other.report(f"{me}c", t39="4")


def test_secrets_are_in_no_log(shared: System, oms: Client) -> None:
    """Neither ours nor QuickFIX's, nor in a message store."""
    secret = (shared.demo / "apifiny.secret").read_text().strip()
    state = shared.folder / "var"
    logs = [path for path in state.rglob("*") if path.is_file()]
    raw = [path for path in logs if path.name.endswith(".messages.log") and "APIFINY" in path.name]
    assert raw
    assert "\x0196=***\x01" in raw[0].read_text()
    for path in logs:
        content = path.read_bytes()
        assert secret.encode() not in content
        assert b"96=eyJ" not in content


def test_another_address_and_bytes_that_are_not_fix_hurt_nobody(shared: System, oms: Client, me: str) -> None:
    """Garbage on one connection; the other session trades on."""
    stranger = shared.client("FIX.4.2", "NOBODY")
    with pytest.raises((ConnectionError, TimeoutError)):
        stranger.connect()
    stranger.drop()
    oms.send_bytes(b"this is not FIX\x01\x00\xff")
    oms.order(me, t44="64000")
    assert oms.report(me)["39"] == "0"


def test_a_field_that_only_we_require_is_named(oms: Client, me: str) -> None:
    """The 4.4 and 5.0 dictionaries let an order through without a Symbol; it is refused with the tag, and the session goes on."""
    oms.send("D", [("11", me), ("21", "1"), ("54", "1"), ("60", stamp()), ("40", "2"), ("38", "1"), ("44", "64000")])
    refused = oms.wait(lambda message: message["35"] in ("3", "j"))
    assert "55" in (refused["371"], refused["58"].split("=")[-1]) or "55" in refused["58"]
    oms.order(me, t44="64000")
    assert oms.report(me)["39"] == "0"
