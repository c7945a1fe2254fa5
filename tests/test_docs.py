"""The documents say what the code does, where that is data."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from bridges import venues
from fix import tags as t
from fix.certify_cases import CASES
from fix.client import ClientDialect, MissingField, Refused
from fix.reference import REQUESTS
from fix.rules import MESSAGES, compiled, read_message, show
from fix.text import fields
from router.__main__ import _capabilities
from router.client_settings import ClientSettings
from router.inquiries import PositionReport, Result, SecurityDefinition, SecurityList, Tradable, TradingStatus, TradingStatusReport
from router.limits import EMULATED
from router.message_rules import MessageRule
from router.model import CancelReject, ExecutionReport, MassCancelReport, NewOrder, Report
from router.rules import Instrument
from router.settings import load
from router.terminal import DEMO_ROUTER
from router.words import CxlRejReason, ExecType, OrdRejReason, OrdStatus, OrdType, Side, TimeInForce
from tests.system import ROOT

BEGIN = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}
RULES_OF_ENGAGEMENT = (ROOT / "fix" / "README.md").read_text()
FRAME = {"8", "9", "10", "34", "35", "49", "52", "56"}
HEADINGS = {
    "D": "NewOrderSingle (D)", "F": "OrderCancelRequest (F)", "G": "OrderCancelReplaceRequest (G)", "H": "OrderStatusRequest (H)",
    "q": "OrderMassCancelRequest (q)", "AF": "OrderMassStatusRequest (AF)", "8": "ExecutionReport (8)", "9": "OrderCancelReject (9)",
    "r": "OrderMassCancelReport (r)", "x": "SecurityListRequest (x)", "c": "SecurityDefinitionRequest (c)",
    "g": "TradingSessionStatusRequest (g)", "AN": "RequestForPositions (AN)", "y": "SecurityList (y)", "d": "SecurityDefinition (d)",
    "h": "TradingSessionStatus (h)", "AP": "PositionReport (AP)",
}  # fmt: skip
REQUEST = {
    "11": "a", "41": "b", "37": "1", "55": "BTC/USDT", "54": "1", "60": "20261121-05:22:06.494", "40": "2", "38": "1", "44": "2",
    "530": "7", "584": "s", "585": "7", "320": "r", "559": "4", "321": "3", "335": "t", "263": "0", "710": "p", "724": "0",
}  # fmt: skip
"""Enough of each request for a dialect to take it."""
TAKEN = MESSAGES["in"] | REQUESTS
SENT = (MESSAGES["out"] | {"y", "d", "h", "AP"}) - {"j"}


def section(heading: str) -> str:
    """What stands under a heading of the rules of engagement."""
    _, found, rest = RULES_OF_ENGAGEMENT.partition(f"# {heading}\n")
    assert found, f"there is no heading {heading}"
    return re.split(r"\n##+ ", rest)[0]


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of every line of the tables there, but for the heads."""
    for line in section(heading).splitlines():
        if line.startswith("| ") and not line.startswith(("| ---", "| tag")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def versions(cell: str) -> set[str]:
    """Those that a cell names."""
    return set(BEGIN) if cell == "all" else {each for each in cell.split(", ") if each}


def documented(msg_type: str) -> dict[str, tuple[str, set[str]]]:
    """The tags of a message's table: name, and the versions of the second column."""
    return {
        tag: (name, versions(where))
        for cell, where, *_ in rows(HEADINGS[msg_type])
        for tag, name in re.findall(r"\b(\d+) ([A-Z]\w+)", cell)
    }


def dictionary(version: str) -> ElementTree.Element:
    """A data dictionary as it is shipped."""
    return ElementTree.parse(ROOT / "config" / "dictionaries" / f"FIX{version.replace('.', '')}.xml").getroot()


def numbers(root: ElementTree.Element) -> dict[str, str]:
    """Its fields, name to tag."""
    return {each.attrib["name"]: each.attrib["number"] for each in root.iterfind("fields/field")}


def members(root: ElementTree.Element, of: ElementTree.Element, within: bool = True) -> Iterator[tuple[str, bool]]:
    """Names of a message's fields, components and groups resolved, and whether each is required of every such message."""
    for each in of:
        needed = within and each.attrib.get("required") == "Y"
        if each.tag in ("field", "group"):
            yield each.attrib["name"], needed
        if each.tag == "group":
            yield from members(root, each, within=False)
        if each.tag == "component":
            inner = root.find(f"components/component[@name='{each.attrib['name']}']")
            assert inner is not None
            yield from members(root, inner, needed)


def message(version: str, msg_type: str) -> dict[str, bool]:
    """A message of a shipped dictionary: tag to whether it is required."""
    root = dictionary(version)
    found = root.find(f"messages/message[@msgtype='{msg_type}']")
    assert found is not None
    names = numbers(root)
    return {names[name]: needed for name, needed in members(root, found)}


def reports(version: str) -> Iterator[Report]:
    """Each kind of report with everything that it can hold on a version: FIX 4.2 has no mass requests."""
    mass: dict[str, Any] = {} if version == "4.2" else {"mass_status_req_id": "m", "tot_num_reports": 1, "last_rpt_requested": True}
    for exec_type in ExecType:
        yield ExecutionReport(
            session="s", order_id="1", exec_id="1-1", exec_type=exec_type, ord_status=OrdStatus.NEW, cl_ord_id="b", orig_cl_ord_id="a",
            side=Side.BUY, symbol="BTC/USDT", time=0, fee=Decimal(1), fee_currency="BTC", exec_ref_id="1-0", venue_order_id="v",
            account="x", destination="BINANCE", ord_type=OrdType.STOP_LIMIT, time_in_force=TimeInForce.GTD, post_only=True,
            reduce_only=True, order_qty=Decimal(1), cash_order_qty=Decimal(1), price=Decimal(1), stop_px=Decimal(1),
            ord_rej_reason=OrdRejReason.OTHER, ord_status_req_id="q", expire_time=0, expire_date="20261121", text="why", replaced=True,
            **mass,
        )  # fmt: skip
    yield CancelReject(
        session="s", order_id="1", cl_ord_id="b", orig_cl_ord_id="a", ord_status=OrdStatus.NEW, reason=CxlRejReason.OTHER, text="why",
        time=0, account="x",
    )  # fmt: skip
    if mass:
        yield MassCancelReport(
            session="s", report_id="M1", cl_ord_id="a", asked="1", accepted=False, affected=0, text="why", time=0, symbol="BTC/USDT",
            side=Side.BUY,
        )  # fmt: skip


def answers(version: str) -> Iterator[Report]:
    """Each kind of answer about instruments, destinations and positions, likewise: FIX 4.2 has neither lists nor positions."""
    one, id_ = Decimal(1), dict[str, Any](session="s", request_id="q")
    instrument = Instrument(
        symbol="BTC/USD", venue_symbol="BTCUSD", base="BTC", quote="USD", tick=one, lot=one, min_qty=one, max_qty=one, min_px=one,
        max_px=one, min_notional=one, max_notional=one, inverse=True,
    )  # fmt: skip
    tradable = Tradable("PHEMEX", instrument)
    yield SecurityDefinition(**id_, response_id="S1", result=Result.YES, listing=False, total=1, tradable=tradable, text="1 of 1")
    for status in TradingStatus:
        yield TradingStatusReport(**id_, destination="PHEMEX", status=status, text="why", unsolicited=True)
    if version != "4.2":
        yield SecurityList(**id_, response_id="L1", result=Result.YES, total=1, last=True, tradables=(tradable,))
        yield PositionReport(
            **id_, report_id="P1", result=Result.YES, total=1, time=0, account="x", destination="PHEMEX", symbol="BTC/USD", currency="USD",
            text="why",
        )  # fmt: skip


def written(version: str) -> dict[str, set[str]]:
    """By message type, the tags that the router can write on a version; what is the session's is left out."""
    found: dict[str, set[str]] = {}
    for each in (*reports(version), *answers(version)):
        of = fields(ClientDialect(BEGIN[version], "s").encode(each).rstrip(t.SOH))
        found.setdefault(of[t.MSG_TYPE], set()).update(of.keys() - FRAME)
    return found


def taken(version: str, msg_type: str) -> bool:
    """Whether a version's dialect takes a type of message."""
    try:
        ClientDialect(BEGIN[version], "s").decode({"35": msg_type, **REQUEST})
    except Refused:
        return False
    return True


def needed(version: str, msg_type: str) -> set[str]:
    """The tags without which a message is not taken: the dictionary's, Reject(3), and the dialect's own, BusinessMessageReject(j)."""
    found = {tag for tag, required in message(version, msg_type).items() if required}
    for tag in REQUEST:
        try:
            ClientDialect(BEGIN[version], "s").decode({"35": msg_type, **{k: v for k, v in REQUEST.items() if k != tag}})
        except MissingField as missing:
            found.add(str(missing.tag))
    return found


def row(name: str) -> str:
    """A destination's line of the capability table, from the code."""
    can = _capabilities(load(DEMO_ROUTER))[name]
    also = {
        "post-only": can.post_only,
        "reduce-only": can.reduce_only,
        "on margin": can.margin,
        "replace": can.native_replace,
        "market buy by cash": can.market_buy_by_cash,
        "no id of ours": not can.client_id,
    }
    words = (
        ", ".join(can.ord_types),
        ", ".join(each.name for each in can.times_in_force),
        ", ".join(w for w, true in also.items() if true),
    )
    return f"| `{name}` | {' | '.join(words)} |"


@pytest.mark.parametrize("name", [each.name for each in load(DEMO_ROUTER).destinations])
def test_the_capability_table_is_the_codes(name: str) -> None:
    """bridges/README.md, and every destination is in the README."""
    assert row(name) in (ROOT / "bridges" / "README.md").read_text()
    assert f"| `{name}` |" in (ROOT / "README.md").read_text()


def topics() -> dict[str, str]:
    """By destination, its line of the table of topics, from the code."""
    settings = load(DEMO_ROUTER)
    made = venues.bridges(settings, DEMO_ROUTER.parent, lambda _event: None, lambda: 0, lambda *_args, **_fields: None)
    return {
        each.name: f"| `{each.name}` | {', '.join(f'`{topic}`' for topic in made[each.beside or each.account].topics)} |"
        for each in settings.destinations
    }  # fmt: skip


@pytest.mark.parametrize("name", [each.name for each in load(DEMO_ROUTER).destinations])
def test_the_table_of_topics_is_the_codes(name: str) -> None:
    """bridges/README.md, every topic and no other."""
    assert topics()[name] in (ROOT / "bridges" / "README.md").read_text()


def test_every_key_of_the_demo_is_explained_and_every_file_it_names_is_there() -> None:
    """A stranger starts from the demo's configuration."""
    text = DEMO_ROUTER.read_text()
    for key in (
        "state",
        "answer_timeout_s",
        "hold_when_down_s",
        "one_core",
        "default_time_in_force",
        "max_age_s",
        "report_pending",
        "report_destination",
    ):
        assert key in text


# --- the rules of engagement ----------------------------------------------------------------------------------------------


def test_the_messages_are_those_that_the_router_takes_and_sends() -> None:
    """The first table, per version; `j` is written on all of them by `refuse`."""
    said = {(way, kind.strip("`")): versions(where) for kind, _, way, where in rows("Messages") if kind != "type"}
    known = {("in", kind): {version for version in BEGIN if taken(version, kind)} for kind in TAKEN}
    sent = {("out", kind): {version for version in BEGIN if kind in written(version)} for kind in SENT}
    assert said == {**known, **sent, ("out", "j"): set(BEGIN)}


@pytest.mark.parametrize("version", BEGIN)
@pytest.mark.parametrize("msg_type", sorted(SENT))
def test_the_tags_of_a_report_are_those_that_the_code_writes(msg_type: str, version: str) -> None:
    """No more and no less, and the shipped dictionary lists each in that message."""
    tags = written(version).get(msg_type, set())
    assert {tag for tag, (_, where) in documented(msg_type).items() if version in where} == tags
    assert not tags or tags <= message(version, msg_type).keys()


@pytest.mark.parametrize("version", BEGIN)
@pytest.mark.parametrize("msg_type", sorted(TAKEN))
def test_the_required_tags_of_a_request_are_those_that_it_is_not_taken_without(msg_type: str, version: str) -> None:
    """By the dictionary or by the dialect."""
    required = {tag for tag, (_, where) in documented(msg_type).items() if version in where}
    assert required == (needed(version, msg_type) if taken(version, msg_type) else set())


@pytest.mark.parametrize("msg_type", HEADINGS)
def test_tags_have_their_names(msg_type: str) -> None:
    """FIX's own, of some version."""
    named = {(tag, name) for version in BEGIN for name, tag in numbers(dictionary(version)).items()}
    for tag, (name, _) in documented(msg_type).items():
        assert (tag, name) in named


def test_the_reject_codes_are_the_codes() -> None:
    """103 and 102, per version, every reason there is."""
    said = [tuple(each) for each in rows("Codes") if "(10" not in each[0]]
    ord_rej = [(str(each), t.ORD_REJ_REASONS_42[each], t.ORD_REJ_REASONS_44[each]) for each in OrdRejReason]
    cxl_rej = [(str(each), t.CXL_REJ_REASONS_42[each], t.CXL_REJ_REASONS_44[each]) for each in CxlRejReason]
    assert said == ord_rej + cxl_rej


def test_the_status_and_type_codes_are_told() -> None:
    """Every code that 150 can have, and 20 on 4.2; every code of 59 that an order can be taken with."""
    told = {tag: what for cell, _, what in rows(HEADINGS["8"]) for tag in re.findall(r"\b\d+\b", cell)}
    for code in t.EXEC_TYPES.values():
        assert re.search(rf"\b{code}\b", told["150"])
    assert set(re.findall(r"\b\d\b", told["20"])) == {"0", *t.EXEC_TRANS_TYPES.values()}
    asked = next(what for cell, _, what in rows(HEADINGS["D"]) if cell == "59 TimeInForce")
    taken_by_some = {tif for name in _capabilities(load(DEMO_ROUTER)).values() for tif in name.times_in_force} | {*EMULATED}
    assert set(re.findall(r"\b(\d) ", asked)) == {t.TIMES_IN_FORCE[each] for each in taken_by_some} | {t.POST_ONLY_TIME_IN_FORCE}


def test_what_is_refused_is_refused() -> None:
    """Tags that would make it another order."""
    line = next(line for line in section(HEADINGS["D"]).splitlines() if line.startswith("Refused with 8"))
    tags = re.findall(r"\((\d+)\)", line)
    assert len(tags) == 4
    for tag in tags:
        order = ClientDialect("FIX.4.4", "s").decode({"35": "D", **REQUEST, tag: "1"})
        assert isinstance(order, NewOrder)
        assert order.refusal is not None


def test_every_key_of_a_session_is_explained() -> None:
    """The table of what is agreed has each once, and the default of those that have a plain one."""
    said: dict[str, str] = {}
    for keys, default, *_ in rows("What is agreed"):
        said |= dict.fromkeys(re.findall(r"`(\w+)`", keys), default.strip("`"))
    assert said.keys() == ClientSettings.model_fields.keys()
    for key in ("default_time_in_force", "max_age_s", "when_pending", "day_ends_utc"):
        assert said[key] == str(ClientSettings.model_fields[key].default)


def test_the_rules_example_does_what_is_said() -> None:
    """The TOML is taken as it stands, and makes of the two messages what is printed under them."""
    text = section("Message rules")
    toml = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert toml is not None
    rules = [MessageRule.model_validate(each) for each in tomllib.loads(toml[1].replace("clients.rules", "rules"))["rules"]]
    for way, before, after in re.findall(r"    (in|out) +(\S+)\n    is +(\S+)", text):
        found = read_message(before)
        made = compiled(rules, way)
        assert made is not None
        assert made.apply(found)
        assert show(found) == after


def examples() -> list[Mapping[str, str]]:
    """Messages that are shown."""
    return [read_message(line[6:]) for line in re.findall(r"^    [<>] 35=.*$", RULES_OF_ENGAGEMENT, re.MULTILINE)]


@pytest.mark.parametrize("shown", examples(), ids=lambda shown: f"{shown['35']}-{shown.get('17', shown.get('11', ''))}")
def test_an_example_has_only_tags_that_are_explained(shown: Mapping[str, str]) -> None:
    """Besides those of the header, and the client's own."""
    if shown["35"] not in HEADINGS:
        return
    explained = set(re.findall(r"\b\d+\b", section(HEADINGS[shown["35"]]))) | {"35", "115", "797"}
    assert {tag for tag in shown if not 5000 <= int(tag) <= 9999} <= explained


def test_every_case_of_certification_is_named() -> None:
    """In the order in which they are walked."""
    assert ", ".join(f"`{case.name}`" for case in CASES) in section("Certification")


def test_the_number_of_session_definitions_is_right() -> None:
    """As many as the cases have names."""
    played = {
        name for path in (ROOT / "tests/fix/session_cases").glob("*.fix") for name in re.findall(r"^== (\S+)", path.read_text(), re.M)
    }
    assert f"{len(played)} definitions" in section("Conformance")


@pytest.mark.parametrize("document", ["README.md", "fix/README.md", "bridges/README.md"])
def test_links_lead_somewhere(document: str) -> None:
    """To a file that is there, and where they name a heading, to one that is there."""
    here = ROOT / document
    for target in re.findall(r"\]\(([^)\s]+)\)", here.read_text()):
        path, _, heading = target.partition("#")
        there = (here.parent / path).resolve() if path else here
        assert there.exists(), target
        if heading:
            slugs = {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)$", there.read_text(), re.M)}
            assert heading in slugs, target
