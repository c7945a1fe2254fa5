"""Questions about instruments, destinations and positions, as each version has them: words, and over sockets from the real acceptor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import quickfix

from fix.acceptor import Acceptor, ClientSession
from fix.client import ClientDialect, MissingField, Refused, grouped
from fix.dropcopy import DropCopy
from fix.presence import Presence
from fix.reference import REQUESTS
from router.inquiries import (
    Answer,
    PositionReport,
    PositionsRequest,
    Result,
    SecurityDefinition,
    SecurityDefinitionRequest,
    SecurityList,
    SecurityListRequest,
    Subscription,
    Tradable,
    TradingStatus,
    TradingStatusReport,
    TradingStatusRequest,
)
from router.model import Report
from router.rules import Instrument
from router.words import NONE
from tests.router.desk import BTC, D
from tests.system import ROOT, System
from tests.wire import SOH, Client, Message, stamp

BEGIN = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}
FILES = {"4.2": ("FIX42",), "4.4": ("FIX44",), "5.0SP2": ("FIXT11", "FIX50SP2")}
OMS = {"4.2": "OMS42", "4.4": "OMS44", "5.0SP2": "OMS50"}
LATER = ["4.4", "5.0SP2"]
BARE = Instrument(symbol="ETC/BTC", venue_symbol="etcbtc", base="ETC", quote="BTC", tick=D("0.00001"), lot=D("0.01"), enabled=False)
INVERSE = msgspec.structs.replace(BARE, symbol="BTC/USD", quote="USD", contract_size=D(100), inverse=True)


def dialect(version: str, own_tags: bool = True) -> ClientDialect:
    return ClientDialect(BEGIN[version], "s", report_destination=own_tags)


def pairs(text: str) -> list[tuple[str, str]]:
    """Every field of a message in its order."""
    return [(tag, value) for tag, _, value in (field.partition("=") for field in text.strip(SOH).split(SOH))]


def body(text: str) -> dict[str, str]:
    return dict(pairs(text))


# --- in -----------------------------------------------------------------------------------------------------------------


class TestRequests:
    @staticmethod
    def decode(version: str, msg_type: str, **fields: str) -> Any:
        return dialect(version).decode({"35": msg_type, **{tag[1:]: value for tag, value in fields.items()}})

    @pytest.mark.parametrize("version", LATER)
    def test_security_list_request(self, version: str) -> None:
        """Of a symbol, or of all; anything else, and updates, are not offered."""
        one = SecurityListRequest(session="s", request_id="q", symbol="BTC/USDT", destination="GBBO")
        assert self.decode(version, "x", t320="q", t559="0", t55="BTC/USDT", t207="GBBO") == one
        assert self.decode(version, "x", t320="q", t559="4", t263="0") == SecurityListRequest(session="s", request_id="q")
        assert not self.decode(version, "x", t320="q", t559="1").offered
        assert not self.decode(version, "x", t320="q", t559="4", t263="1").offered

    @pytest.mark.parametrize("version", ["4.2", "5.0SP2"])
    def test_definitions_of_all(self, version: str) -> None:
        """4.4 has another message for it."""
        expected = SecurityDefinitionRequest(session="s", request_id="q", listing=True, destination="GBBO")
        assert self.decode(version, "c", t320="q", t321="3", t207="GBBO") == expected
        assert "SecurityListRequest(x)" in self.decode("4.4", "c", t320="q", t321="3").wrong

    @pytest.mark.parametrize("version", BEGIN)
    def test_definition_of_one(self, version: str) -> None:
        """What is not offered is named."""
        expected = SecurityDefinitionRequest(session="s", request_id="q", symbol="BTC/USDT")
        assert self.decode(version, "c", t320="q", t321="0", t55="BTC/USDT") == expected
        assert self.decode(version, "c", t320="q", t321="1").wrong == "SecurityRequestType(321) 1 is not offered"
        assert self.decode(version, "c", t320="q", t321="0", t55="a", t263="1").wrong == "SubscriptionRequestType(263) 1 is not offered: 0"

    @pytest.mark.parametrize("version", BEGIN)
    @pytest.mark.parametrize(("code", "word"), [("0", Subscription.SNAPSHOT), ("1", Subscription.UPDATES), ("2", Subscription.STOP)])
    def test_trading_session_status_request(self, version: str, code: str, word: Subscription) -> None:
        """Of one destination, or of all."""
        expected = TradingStatusRequest(session="s", request_id="q", subscription=word)
        assert self.decode(version, "g", t335="q", t263=code) == expected
        assert self.decode(version, "g", t335="q", t263=code, t336="GBBO").destination == "GBBO"

    @pytest.mark.parametrize("version", LATER)
    @pytest.mark.parametrize(("account", "meant"), [("*", None), (NONE, ""), ("desk-7", "desk-7"), (None, None)])
    def test_request_for_positions(self, version: str, account: str | None, meant: str | None) -> None:
        """Of one account, of orders without one, of all."""
        fields = {"t710": "q", "t724": "0", "t581": "3"} | ({"t1": account} if account else {})
        expected = PositionsRequest(session="s", request_id="q", account=meant, account_type="3")
        assert self.decode(version, "AN", **fields) == expected
        assert self.decode(version, "AN", t710="q", t724="1").wrong == "PosReqType(724) 1 is not offered: 0"
        assert self.decode(version, "AN", t710="q", t724="0", t263="1").wrong == "SubscriptionRequestType(263) 1 is not offered: 0"

    @pytest.mark.parametrize(("msg_type", "instead"), [("x", "SecurityDefinitionRequest"), ("AN", "FIX 4.4")])
    def test_what_42_has_not(self, msg_type: str, instead: str) -> None:
        """Refused by name, with what to use instead."""
        with pytest.raises(Refused, match=instead):
            self.decode("4.2", msg_type, t320="q", t559="4", t710="p", t724="0")

    @pytest.mark.parametrize(
        ("msg_type", "fields", "tag"),
        [
            ("x", {"t559": "4"}, 320), ("x", {"t320": "q"}, 559), ("x", {"t320": "q", "t559": "0"}, 55),
            ("c", {"t321": "0"}, 320), ("c", {"t320": "q"}, 321), ("c", {"t320": "q", "t321": "0"}, 55),
            ("g", {"t263": "0"}, 335), ("g", {"t335": "q"}, 263),
            ("AN", {"t724": "0"}, 710), ("AN", {"t710": "q"}, 724),
        ],
    )  # fmt: skip
    def test_a_tag_is_missing(self, msg_type: str, fields: dict[str, str], tag: int) -> None:
        """It is named."""
        with pytest.raises(MissingField) as missing:
            self.decode("4.4", msg_type, **fields)
        assert missing.value.tag == tag

    def test_another_subscription(self) -> None:
        """There is none."""
        with pytest.raises(Refused, match="263"):
            self.decode("4.4", "g", t335="q", t263="7")


# --- out ----------------------------------------------------------------------------------------------------------------

TRADABLES = (Tradable("BINANCE", BTC), Tradable("MOONBASE", BARE), Tradable("PRIMEBIT", INVERSE))
LIST = SecurityList(session="s", request_id="q", response_id="L1", result=Result.YES, total=3, last=True, tradables=TRADABLES)
NO_LIST = msgspec.structs.replace(LIST, result=Result.NOTHING, total=0, tradables=())
DEFINITION = SecurityDefinition(
    session="s", request_id="q", response_id="S1", result=Result.YES, listing=False, total=1, tradable=TRADABLES[0], text="1 of 1"
)
NO_DEFINITION = msgspec.structs.replace(DEFINITION, result=Result.NOTHING, tradable=None, total=0)
STATUS = TradingStatusReport(session="s", request_id="q", destination="GBBO", status=TradingStatus.OPEN)
POSITION = PositionReport(
    session="s", report_id="P1", request_id="q", result=Result.YES, total=1, time=1_800_000_000_000_000_000, account="x",
    destination="GBBO", symbol="BTC/USDT", currency="USDT", bought=D(3), sold=D("1.5"), avg_px=D("100.5"),
)  # fmt: skip
ANSWERS: dict[str, Answer] = {
    "list": LIST, "inverse": msgspec.structs.replace(LIST, total=1, tradables=TRADABLES[2:]), "no list": NO_LIST,
    "definition": DEFINITION, "of many": msgspec.structs.replace(DEFINITION, listing=True), "no definition": NO_DEFINITION,
    "status": STATUS, "update": msgspec.structs.replace(STATUS, unsolicited=True, status=TradingStatus.HALTED, text="halted"),
    "no status": msgspec.structs.replace(STATUS, status=TradingStatus.UNKNOWN, text="there is none"),
    "position": POSITION, "no position": PositionReport(
        session="s", report_id="P1", request_id="q", result=Result.NOTHING, total=0, time=1_800_000_000_000_000_000, text="none"
    ),
    "held": msgspec.structs.replace(POSITION, held=True, bought=D(0), sold=D(2), text="told 20270115-08:00:00 UTC"),
    "balance": msgspec.structs.replace(POSITION, held=True, symbol="", sold=D(0), avg_px=D(0), text="available 1"),
}  # fmt: skip
NOT_42 = ("list", "inverse", "no list", "position", "no position", "held", "balance")
NOT_44 = ("of many",)
SAID = [(version, name) for version in BEGIN for name in ANSWERS if name not in {"4.2": NOT_42, "4.4": NOT_44}.get(version, ())]


def dictionaries(version: str, folder: Path) -> list[quickfix.DataDictionary]:
    return [quickfix.DataDictionary(str(folder / f"{name}.xml")) for name in FILES[version]]


def stock(version: str, folder: Path) -> Path:
    """QuickFIX's own files as far as this matters: without the tags that are ours."""
    for name in FILES[version]:
        text = (ROOT / "config" / "dictionaries" / f"{name}.xml").read_text()
        ours = dict(re.findall(r"<field number='(556[12]|59[67]\d|614\d)' name='(\w+)'", text)).values()
        kept = [line for line in text.split("\n") if not re.search(rf"<field .*name='({'|'.join(ours) or '-'})'", line)]
        (folder / f"{name}.xml").write_text("\n".join(kept))
    return folder


def read(version: str, text: str, folder: Path) -> quickfix.Message:
    """What a QuickFIX client with these dictionaries makes of a message; raises where it would reject it."""
    known = dictionaries(version, folder)
    for each in known:
        each.checkUserDefinedFields(True)
        each.checkFieldsOutOfOrder(True)
    frame = {"34": "1", "49": "ROUTER", "52": "20261121-09:00:00.000", "56": "OMS"}
    head = "".join(f"{tag}={value}{SOH}" for tag, value in frame.items())
    begin, _, rest = text.partition(f"{SOH}9=0{SOH}")
    msg_type, _, tail = rest.partition(SOH)
    made = quickfix.Message(f"{begin}{SOH}9=0{SOH}{msg_type}{SOH}{head}{tail}", *known, False)
    parsed = quickfix.Message(made.toString(), *known, True)
    if len(known) == 2:
        quickfix.DataDictionary.validate(parsed, *known)
    else:
        known[0].validate(parsed)
    return parsed


@pytest.mark.parametrize(("version", "name"), SAID)
@pytest.mark.parametrize("own_tags", [True, False], ids=["ours", "stock"])
def test_a_quickfix_client_takes_it(version: str, name: str, own_tags: bool, tmp_path: Path) -> None:
    """With the shipped dictionary, and a client with a stock one without our tags, validation at its strictest; groups stay whole."""
    text = dialect(version, own_tags).encode(ANSWERS[name])
    folder = ROOT / "config" / "dictionaries" if own_tags else stock(version, tmp_path)
    message = read(version, text, folder)
    said = sorted(pairs(text)[2:-1])
    came = sorted(each for each in pairs(message.toString()) if each[0] not in ("8", "9", "10", "34", "49", "52", "56"))
    assert came == [each for each in said if each[0] != "9"]


@pytest.mark.parametrize("version", LATER)
def test_an_entry_of_a_list(version: str) -> None:
    """Each begins with its Symbol; what is not known is left out."""
    fields = pairs(dialect(version).encode(LIST))
    group = fields[fields.index(("146", "3")) + 1 : -1]
    starts = [at for at, (tag, _) in enumerate(group) if tag == "55"]
    assert starts[0] == 0
    first, second, third = (dict(group[at:end]) for at, end in zip(starts, [*starts[1:], len(group)], strict=True))
    tick, largest, standing = ("969", "1140", "965") if version == "5.0SP2" else ("5969", "6140", "5965")
    assert {tag: first[tag] for tag in ("55", "207", "15", "231", tick, "561", "562", largest, standing, "5970", "5971")} == {
        "55": "BTC/USDT", "207": "BINANCE", "15": "USDT", "231": "1", tick: "0.01", "561": "0.001", "562": "0.001", largest: "100",
        standing: "1", "5970": "10", "5971": "1000000",
    }  # fmt: skip
    assert (second[standing], second[tick]) == ("2", "0.00001")
    assert not {"562", largest, "5970", "58"} & second.keys()
    assert (third["231"], third["58"]) == ("100", "a unit of quantity is 100 USD")


@pytest.mark.parametrize(("result", "code"), [(Result.YES, "0"), (Result.UNSUPPORTED, "1"), (Result.NOTHING, "2")])
def test_results_of_a_list(result: Result, code: str) -> None:
    """SecurityRequestResult(560), and pages."""
    said = body(dialect("4.4").encode(msgspec.structs.replace(LIST, result=result, last=False, total=70)))
    assert (said["560"], said["893"], said["393"], said["320"], said["322"]) == (code, "N", "70", "q", "L1")


@pytest.mark.parametrize("version", BEGIN)
def test_a_definition(version: str) -> None:
    """The same words on every version, where it has them."""
    said = body(dialect(version).encode(DEFINITION))
    lot, least, most, tick = {
        "4.2": ("5561", "5562", "6140", "5969"), "4.4": ("561", "562", "6140", "5969"), "5.0SP2": ("561", "562", "1140", "969"),
    }[version]  # fmt: skip
    assert [said[tag] for tag in ("323", "55", "207", "15", lot, least, most, tick, "5970", "58")] == [
        "1", "BTC/USDT", "BINANCE", "USDT", "0.001", "0.001", "100", "0.01", "10", "1 of 1",
    ]  # fmt: skip
    assert said.get("393") == ("1" if version == "4.2" else None)
    assert said.get("1301") == ("BINANCE" if version == "5.0SP2" else None)


def test_responses_of_a_definition() -> None:
    """SecurityResponseType(323)."""
    for result, listing, code in (
        (Result.YES, False, "1"), (Result.YES, True, "4"), (Result.UNSUPPORTED, True, "5"), (Result.NOTHING, False, "6"),
    ):  # fmt: skip
        assert body(dialect("4.2").encode(msgspec.structs.replace(DEFINITION, result=result, listing=listing)))["323"] == code


def test_a_stock_client_reads_it_in_text() -> None:
    """What has no tag in its dictionary."""
    said = body(dialect("4.4", own_tags=False).encode(DEFINITION))
    assert said["58"] == (
        "1 of 1; MinPriceIncrement 0.01; MaxTradeVol 100; SecurityStatus 1; LowLimitPrice 1; HighLimitPrice 1000000; MinNotional 10; "
        "MaxNotional 1000000"
    )
    assert not {tag for tag in said if int(tag) >= 5000}


@pytest.mark.parametrize("version", BEGIN)
@pytest.mark.parametrize(
    ("word", "code"),
    [(TradingStatus.HALTED, "1"), (TradingStatus.OPEN, "2"), (TradingStatus.CLOSED, "3"), (TradingStatus.RECONCILING, "4")],
)
def test_a_status(version: str, word: TradingStatus, code: str) -> None:
    """TradSesStatus(340), and whether it is an update."""
    said = body(dialect(version).encode(msgspec.structs.replace(STATUS, status=word, unsolicited=True, text="why")))
    assert {tag: said[tag] for tag in ("35", "335", "336", "340", "325", "58")} == {
        "35": "h", "335": "q", "336": "GBBO", "340": code, "325": "Y", "58": "why",
    }  # fmt: skip
    assert "325" not in body(dialect(version).encode(STATUS))


def test_a_status_that_is_none() -> None:
    """340=6 from 4.4 on; 4.2 has no such code, so it is a BusinessMessageReject that names the request."""
    said = body(dialect("4.4").encode(ANSWERS["no status"]))
    assert [said[tag] for tag in ("35", "340", "567", "58")] == ["h", "6", "99", "there is none"]
    said = body(dialect("4.2").encode(ANSWERS["no status"]))
    assert [said[tag] for tag in ("35", "372", "379", "380", "58")] == ["j", "g", "q", "0", "there is none"]


@pytest.mark.parametrize("version", LATER)
def test_a_position(version: str) -> None:
    """What was bought is long, what was sold is short."""
    said = body(dialect(version).encode(POSITION))
    assert {tag: said[tag] for tag in ("721", "710", "724", "727", "728", "715", "1", "581", "55", "207", "15", "730", "731")} == {
        "721": "P1", "710": "q", "724": "0", "727": "1", "728": "0", "715": "20270115", "1": "x", "581": "1", "55": "BTC/USDT",
        "207": "GBBO", "15": "USDT", "730": "100.5", "731": "2",
    }  # fmt: skip
    assert (said["702"], said["703"], said["704"], said["705"]) == ("1", "TQ", "3", "1.5")
    assert body(dialect(version).encode(msgspec.structs.replace(POSITION, account="")))["1"] == "NONE"


@pytest.mark.parametrize(("result", "code"), [(Result.YES, "0"), (Result.NOTHING, "2"), (Result.FORBIDDEN, "3"), (Result.UNSUPPORTED, "4")])
def test_results_of_positions(result: Result, code: str) -> None:
    """PosReqResult(728)."""
    assert body(dialect("4.4").encode(msgspec.structs.replace(POSITION, result=result)))["728"] == code


@pytest.mark.parametrize("name", ANSWERS)
def test_groups_are_known_by_the_type(name: str) -> None:
    """Only these need a dictionary to be sent."""
    message = ANSWERS[name]
    for version in LATER:
        counters = {"146", "702", "1310"} & body(dialect(version).encode(message)).keys()
        assert grouped(dialect(version).encode(message)) == bool(counters)
    assert not grouped(dialect("4.2").encode(DEFINITION))


def test_no_value_becomes_a_field() -> None:
    """An id that would, or none at all, is not sent."""
    for wrong in ("a\x0135=8", ""):
        with pytest.raises(ValueError, match="another field"):
            dialect("4.4").encode(msgspec.structs.replace(STATUS, request_id=wrong))


@pytest.mark.parametrize("message", ANSWERS.values(), ids=ANSWERS.keys())
def test_answers_are_not_copied(message: Report) -> None:
    """Nothing happened."""
    assert DropCopy("FIX.4.4:ROUTER->DROP", dialect("4.4")).text(message, False) is None


@pytest.mark.parametrize("again", [False, True])
def test_an_answer_is_not_sent_again(again: bool) -> None:
    """After a crash it may not be true any more; without one it is tried, and a session that cannot be is noted with the request's id."""
    session, notes = "FIX.4.4:ROUTER->NOBODY", []

    def note(event: str, level: str = "info", **fields: Any) -> None:
        notes.append((event, fields["cl_ord_id"]))

    rim = Acceptor({session: ClientSession(dialect("4.4"))}, [], {}, lambda: 0, note, Presence(lambda: 0))
    rim.report(msgspec.structs.replace(LIST, session=session), possibly_resent=again)
    assert notes == ([] if again else [("report not sent", "q")])


# --- over sockets -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The demo, for all of these tests."""
    made = System(tmp_path_factory.mktemp("reference") / "s")
    try:
        yield made.start()
    finally:
        made.close()


@pytest.fixture(scope="module")
def clients(running: System) -> dict[str, Client]:
    """One of each version, logged on."""
    return {version: running.client(begin, OMS[version]).connect() for version, begin in BEGIN.items()}


_POSITIONS = {"581": "1", "715": "20261121", "60": stamp()}


def asked(client: Client, msg_type: str, **fields: str) -> Message:
    """The first answer."""
    client.send(msg_type, [(tag[1:], value) for tag, value in fields.items()])
    return client.wait(lambda message: message["35"] in ("3", "j", "y", "d", "h", "AP"))


@pytest.mark.parametrize("version", LATER)
def test_the_demos_instruments(clients: dict[str, Client], version: str) -> None:
    """All of them, in one page, and a QuickFIX client reads each."""
    answer = asked(clients[version], "x", t320="l", t559="4")
    read_back = quickfix.Message(answer.raw.replace("|", SOH), *dictionaries(version, ROOT / "config" / "dictionaries"), True)
    entries = [pairs(entry) for entry in answer.raw.replace("|", SOH).split(f"{SOH}55=")[1:]]
    assert (answer["35"], answer["560"], answer["893"], int(answer["393"])) == ("y", "0", "Y", len(entries))
    assert read_back.groupCount(146) == len(entries)


@pytest.mark.parametrize("version", BEGIN)
def test_the_definition_of_one(clients: dict[str, Client], version: str) -> None:
    """With the destination's own tick."""
    answer = asked(clients[version], "c", t320="d", t321="0", t55="ETC/BTC", t207="MOONBASE")
    assert (answer["35"], answer["323"], answer["969"] or answer["5969"]) == ("d", "1", "0.00001")


@pytest.mark.parametrize(("msg_type", "fields"), [("x", {"t320": "l", "t559": "4"}), ("AN", {"t710": "p", "t724": "0", "t1": "*"})])
def test_42_is_told_what_to_use(clients: dict[str, Client], msg_type: str, fields: dict[str, str]) -> None:
    """A BusinessMessageReject, not a Reject."""
    answer = asked(clients["4.2"], msg_type, **fields)
    assert (answer["35"], answer["372"], answer["58"].startswith("FIX 4.2 has no ")) == ("j", msg_type, True)


@pytest.mark.parametrize("version", LATER)
def test_positions_of_what_was_executed(clients: dict[str, Client], version: str) -> None:
    """Before and after an order."""
    client = clients[version]
    before = asked(client, "AN", t710="p1", t724="0", t1=NONE, t207="MOONBASE", **{f"t{tag}": each for tag, each in _POSITIONS.items()})
    assert (before["35"], before["728"], before["727"]) == ("AP", "2", "0")
    client.order(f"r-{version}", t55="ETC/BTC", t100="MOONBASE", t38="1.5", t44="0.00501")
    client.report(f"r-{version}", t39="2")
    after = asked(client, "AN", t710="p2", t724="0", t1=NONE, t207="MOONBASE", **{f"t{tag}": each for tag, each in _POSITIONS.items()})
    assert [after[tag] for tag in ("35", "728", "727", "55", "704", "705", "730")] == ["AP", "0", "1", "ETC/BTC", "1.5", "0", "0.00501"]


def test_what_a_venues_account_holds(clients: dict[str, Client]) -> None:
    """Told by the venue itself, as trading moves it; who may not ask is told of an account that nothing was executed for; and an order
    that it cannot pay for is refused by name."""
    request = {"t724": "0", "t1": "apifiny", "t207": "BINANCE", **{f"t{tag}": each for tag, each in _POSITIONS.items()}}
    client, funds = clients["4.4"], {"t1": "FUNDED", "t55": "BTC/USDT", "t100": "BINANCE", "t44": "60000"}

    def of_usdt(number: int) -> Message:
        client.send("AN", [("710", f"h{number}"), *((tag[1:], value) for tag, value in request.items())])
        said = client.wait(lambda message: message["35"] == "AP" and message["710"] == f"h{number}")
        for _ in range(int(said["727"] or 1) - 1):
            other = client.wait(lambda message: message["35"] == "AP" and message["710"] == f"h{number}")
            said = other if other["15"] == "USDT" else said
        return said

    numbers = iter(range(10_000))
    before = next(said for number in numbers if (said := of_usdt(number))["15"] == "USDT")
    assert (before["703"], before["705"], "55" in before) == ("TOT", "0", False)
    client.order("rich", t38="100", **funds)
    client.report("rich", t39="0")
    left = f"available {int(before['704']) - 6_000_000}"
    after = next(said for number in numbers if (said := of_usdt(number))["58"].startswith(left))
    assert after["704"] == before["704"]
    for number in range(int(before["704"]) // 9_600_000):
        client.order(f"rich-{number}", t38="160", **funds)
    refused = client.wait(lambda message: message["35"] == "8" and message["39"] == "8" and message["11"].startswith("rich-"))
    assert (refused["103"], refused["58"].startswith("limit funds: the available balance is ")) == ("3", True)
    assert asked(clients["5.0SP2"], "AN", t710="no", **request)["728"] == "2"


def test_who_subscribed_hears_of_a_lost_venue(running: System, clients: dict[str, Client]) -> None:
    """On each version, once down and once up; who asked once hears nothing."""
    for version, client in clients.items():
        assert asked(client, "g", t335=version, t336="PRIMEBIT", t263="1")["340"] == "2"
    assert asked(clients["4.4"], "g", t335="once", t336="PRIMEBIT", t263="0")["335"] == "once"
    running.post("/_sim/fault", "primebit", kind="disconnect", count=1, match="any")
    for version, client in clients.items():
        for state in ("3", "2"):
            update = client.wait(lambda message: message["35"] == "h")
            assert (update["335"], update["336"], update["340"], update["325"]) == (version, "PRIMEBIT", state, "Y")
            assert bool(update["58"]) == (state == "3")


def test_every_request_is_tried_here() -> None:
    """None is left out."""
    assert {"x", "c", "g", "AN"} == REQUESTS


@pytest.mark.parametrize("version", LATER)
def test_what_a_venue_says_is_told_apart_from_what_we_executed(version: str) -> None:
    """PosType(703): TOT, whoever traded, and TQ, through the router; a balance is of a currency and has no symbol."""
    traded, held, balance = (body(dialect(version).encode(ANSWERS[name])) for name in ("position", "held", "balance"))
    assert [each["703"] for each in (traded, held, balance)] == ["TQ", "TOT", "TOT"]
    assert (held["55"], held["704"], held["705"], held["730"]) == ("BTC/USDT", "0", "2", "100.5")
    assert "55" not in balance
    assert (balance["15"], balance["704"], balance["58"]) == ("USDT", "3", "available 1")
