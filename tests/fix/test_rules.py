"""Message rules: what they make of a message, what they may never touch, and what is said of a faulty one."""

from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
import quickfix
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fix.client import ClientDialect
from fix.rules import MESSAGES, Rules, compiled, explain, faults, read_message, show
from fix.text import fields
from router.message_rules import Direction, MessageRule
from router.model import CancelReject, ExecutionReport, NewOrder
from router.words import CxlRejReason, ExecType, OrdStatus, Side
from tests.system import ROOT

SESSION = "FIX.4.2:ROUTER->OMS"
V42 = ClientDialect("FIX.4.2", SESSION)
NEVER = [8, 9, 10, 34, 35, 43, 49, 52, 56, 95, 96, 97, 122, 553, 554]
ORDER = "35=D|11=a|1=ACC1|55=XBTUSD|54=1|40=2|38=0.50|44=65000.0|60=20260101-00:00:00|21=1"


def read(toml: str) -> list[MessageRule]:
    """Rules as a file has them."""
    return [MessageRule.model_validate(each) for each in tomllib.loads(toml)["rules"]]


def rule(direction: Direction = "in", **keys: Any) -> MessageRule:
    return MessageRule.model_validate({"direction": direction, **keys})


def taken(message: str, *rules: MessageRule) -> str:
    """What the rules for what comes in make of a message."""
    found, ready = read_message(message), compiled(rules, "in")
    assert ready is not None
    ready.apply(found)
    return show(found)


def report(**more: Any) -> ExecutionReport:
    standard: dict[str, Any] = {
        "session": SESSION, "order_id": "1", "exec_id": "2", "exec_type": ExecType.NEW, "ord_status": OrdStatus.NEW, "cl_ord_id": "a",
        "side": Side.BUY, "symbol": "BTC/USD", "time": 0, "account": "ACC1",
    }  # fmt: skip
    return ExecutionReport(**standard | more)


def sent(message: ExecutionReport | CancelReject, *rules: MessageRule, again: bool = False) -> dict[str, str]:
    """The fields of a report after the rules."""
    return fields(ready(*rules, direction="out").rewrite(V42.encode(message, again)))


def ready(*rules: MessageRule, direction: Direction) -> Rules:
    found = compiled(rules, direction)
    assert found is not None
    return found


def line(message: MessageRule) -> str:
    (only,) = faults([message], "clients[0].rules")
    return only


class TestActions:
    @pytest.mark.parametrize(
        ("keys", "message", "after"),
        [
            ({"set": {"100": "PHEMEX"}}, "35=D|11=a", "35=D|11=a|100=PHEMEX"),
            ({"set": {"100": "PHEMEX"}}, "35=D|100=GBBO|11=a", "35=D|100=PHEMEX|11=a"),
            ({"default": {"59": "1"}}, "35=D", "35=D|59=1"),
            ({"default": {"59": "1"}}, "35=D|59=3", "35=D|59=3"),
            ({"default": {"59": "1"}}, "35=D|59=", "35=D|59=1"),
            ({"copy": {"9001": "1"}}, "35=D|1=ACC1", "35=D|1=ACC1|9001=ACC1"),
            ({"copy": {"9001": "1"}}, "35=D|9001=x", "35=D|9001=x"),
            ({"copy": {"9001": "1"}}, "35=D|9001=x|1=", "35=D|9001=x|1="),
            ({"copy": {"1": "9001", "9001": "1"}}, "35=D|1=a|9001=b", "35=D|1=b|9001=a"),
            ({"map": {"55": {"XBTUSD": "BTC/USD"}}}, "35=D|55=XBTUSD", "35=D|55=BTC/USD"),
            ({"map": {"55": {"XBTUSD": "BTC/USD"}}}, "35=D|55=ETHUSD", "35=D|55=ETHUSD"),
            ({"map": {"55": {"XBTUSD": "BTC/USD"}}}, "35=D", "35=D"),
            ({"map": {"59": {"0": "1", "1": "0"}}}, "35=D|59=0", "35=D|59=1"),
            ({"drop": ["21", "18"]}, "35=D|21=1|11=a", "35=D|11=a"),
        ],
    )
    def test_one_action(self, keys: dict[str, Any], message: str, after: str) -> None:
        """Each alone; what it does not name stays, in its place."""
        assert taken(message, rule(**keys)) == after

    @pytest.mark.parametrize(
        ("keys", "message", "after"),
        [
            ({"map": {"1": {"x": "y"}}, "copy": {"9001": "1"}}, "35=D|1=x", "35=D|1=y|9001=y"),
            ({"copy": {"59": "9001"}, "default": {"59": "1"}}, "35=D|9001=3", "35=D|9001=3|59=3"),
            ({"copy": {"59": "9001"}, "default": {"59": "1"}}, "35=D", "35=D|59=1"),
            ({"copy": {"9001": "1"}, "set": {"1": "z"}}, "35=D|1=x", "35=D|1=z|9001=x"),
            ({"copy": {"9001": "1"}, "drop": ["1"]}, "35=D|1=x", "35=D|9001=x"),
        ],
    )
    def test_the_order_inside_a_rule(self, keys: dict[str, Any], message: str, after: str) -> None:
        """map, copy, default, set, drop, however the file has them; so a copy and a drop move a tag."""
        assert taken(message, rule(**keys)) == after
        assert taken(message, rule(**dict(reversed(keys.items())))) == after

    def test_each_rule_sees_what_the_last_one_left(self) -> None:
        """In the order of the file."""
        first, second = rule(map={"55": {"A": "B"}}), rule(when={"55": "B"}, map={"55": {"B": "C"}})
        assert taken("35=D|55=A", first, second) == "35=D|55=C"
        assert taken("35=D|55=A", second, first) == "35=D|55=B"

    def test_a_rule_stays_with_its_direction_and_its_messages(self) -> None:
        """No messages named means all; a direction without rules costs nothing."""
        rules = [rule(set={"9001": "all"}), rule(messages=["G", "F"], set={"9002": "some"})]
        assert taken("35=D", *rules) == "35=D|9001=all"
        assert taken("35=F", *rules) == "35=F|9001=all|9002=some"
        assert compiled(rules, "out") is None
        assert compiled([], "in") is None

    def test_a_message_that_rules_do_not_know_is_left_alone(self) -> None:
        """A rule for all messages does not reach those with repeating groups."""
        assert taken("35=V|262=x", rule(set={"9001": "all"})) == "35=V|262=x"
        assert not ready(rule(set={"9001": "all"}), direction="in").apply({})


class TestConditions:
    @pytest.mark.parametrize(
        ("when", "message", "applies"),
        [
            ({"1": "ACC1"}, "35=D|1=ACC1", True),
            ({"1": "ACC1"}, "35=D|1=ACC2", False),
            ({"1": "ACC1"}, "35=D", False),
            ({"40": ["1", "2"]}, "35=D|40=2", True),
            ({"40": ["1", "2"]}, "35=D|40=3", False),
            ({"9000": "*"}, "35=D|9000=anything", True),
            ({"9000": "*"}, "35=D", False),
            ({"9000": "*"}, "35=D|9000=", False),
            ({"!18": "*"}, "35=D", True),
            ({"!18": "*"}, "35=D|18=6", False),
            ({"!40": ["1", "2"]}, "35=D|40=3", True),
            ({"!40": ["1", "2"]}, "35=D", True),
            ({"!40": ["1", "2"]}, "35=D|40=1", False),
            ({"1": "ACC1", "40": "2", "!18": "*"}, "35=D|1=ACC1|40=2", True),
            ({"1": "ACC1", "40": "2", "!18": "*"}, "35=D|1=ACC1|40=2|18=6", False),
            ({"43": "Y", "57": "DESK"}, "35=D|43=Y|57=DESK", True),
        ],
    )
    def test_all_must_hold(self, when: dict[str, Any], message: str, applies: bool) -> None:
        """A value, one of several, present, and each of them turned around."""
        assert (taken(message, rule(when=when, set={"9999": "!"})) == f"{message}|9999=!") is applies

    def test_values_are_text(self) -> None:
        """2 and 2.0 are other texts: no number is made of either."""
        assert taken("35=D|38=2.0", rule(when={"38": "2"}, set={"100": "X"})) == "35=D|38=2.0"


class TestWithTheDialects:
    def test_an_order_is_read_as_the_rules_left_it(self) -> None:
        """Symbol mapped, destination set, and the digits of the amounts as the client wrote them."""
        found = read_message(ORDER)
        assert ready(rule(map={"55": {"XBTUSD": "BTC/USD"}}, set={"100": "PHEMEX"}), direction="in").apply(found)
        order = V42.decode(found)
        assert isinstance(order, NewOrder)
        assert (order.symbol, order.destination, str(order.order_qty), str(order.price)) == ("BTC/USD", "PHEMEX", "0.50", "65000.0")

    def test_a_report_goes_out_as_the_rules_left_it(self) -> None:
        """And is framed as before: first 8, 9, 35, last the checksum."""
        plain = V42.encode(report())
        text = ready(rule("out", map={"55": {"BTC/USD": "XBTUSD"}}, copy={"9001": "1"}, drop=["1", "20"]), direction="out").rewrite(plain)
        found = fields(text)
        assert (found["55"], found["9001"]) == ("XBTUSD", "ACC1")
        assert not {"1", "20"} & found.keys()
        assert text.startswith("8=FIX.4.2\x019=0\x0135=8\x01")
        assert text.endswith("\x019001=ACC1\x0110=000\x01")

    def test_a_report_that_no_rule_fits_is_the_same_text(self) -> None:
        """Neither another type of message nor another value is touched."""
        rules = ready(rule("out", messages=["9"], set={"9001": "x"}), rule("out", when={"1": "ACC2"}, drop=["1"]), direction="out")
        plain = V42.encode(report())
        assert rules.rewrite(plain) is plain

    def test_a_cancel_reject_and_a_refusal_have_rules_too(self) -> None:
        """Messages 9 and j."""
        reject = CancelReject(
            session=SESSION, order_id="1", cl_ord_id="b", orig_cl_ord_id="a", ord_status=OrdStatus.NEW, reason=CxlRejReason.TOO_LATE,
            text="too late", time=0,
        )  # fmt: skip
        assert sent(reject, rule("out", messages=["9"], drop=["58"])).keys() == fields(V42.encode(reject)).keys() - {"58"}
        refusal = V42.refuse({"34": "7", "35": "q"}, "no")
        assert fields(ready(rule("out", messages=["j"], drop=["58"]), direction="out").rewrite(refusal)).get("58") is None

    def test_a_report_sent_again_still_says_so(self) -> None:
        """PossResend(97) survives, and can be asked for."""
        found = sent(report(), rule("out", when={"97": "Y"}, set={"9001": "again"}), again=True)
        assert (found["97"], found["9001"]) == ("Y", "again")
        assert "9001" not in sent(report(), rule("out", when={"97": "Y"}, set={"9001": "again"}))

    def test_a_report_with_a_repeated_tag_goes_out_as_it_is(self) -> None:
        """A repeating group must not lose its members."""
        text = "8=FIX.4.4\x019=0\x0135=8\x0137=1\x01453=2\x01448=a\x01448=b\x0110=000\x01"
        assert ready(rule("out", set={"9001": "x"}), direction="out").rewrite(text) is text


class TestFaults:
    @pytest.mark.parametrize("direction", ["in", "out"])
    @pytest.mark.parametrize("tag", NEVER)
    def test_session_tags_are_never_touched(self, direction: Direction, tag: int) -> None:
        """By no action; the fault names the tag and its key."""
        for keys, where in [
            ({"set": {str(tag): "x"}}, f"set.{tag}"),
            ({"default": {str(tag): "x"}}, f"default.{tag}"),
            ({"copy": {str(tag): "1"}}, f"copy.{tag}"),
            ({"map": {str(tag): {"a": "b"}}}, f"map.{tag}"),
            ({"drop": [str(tag)]}, "drop[0]"),
        ]:
            assert line(rule(direction, **keys)).startswith(f"clients[0].rules[0].{where}: tag {tag} belongs to the session")

    @pytest.mark.parametrize("tag", [553, 554, 925, 96, 1402])
    def test_secrets_are_not_even_read(self, tag: int) -> None:
        """A rule cannot copy a password into a tag that is echoed."""
        assert f"tag {tag} belongs to the session or is raw data: no rule reads it" in line(rule(copy={"9001": str(tag)}))
        assert "no rule reads it" in line(rule(when={f"!{tag}": "*"}, drop=["21"]))

    @pytest.mark.parametrize("tag", ["11", "38", "44", "99", "152", "54"])
    @pytest.mark.parametrize("direction", ["in", "out"])
    def test_what_is_ordered_is_never_a_constant(self, direction: Direction, tag: str) -> None:
        """A rule that sets a price, a size or a side makes an order that nobody asked for."""
        for action in ("set", "default"):
            assert f"tag {tag} is no tag to {action}" in line(rule(direction, **{action: {tag: "1"}}))
        assert faults([rule(direction, copy={tag: "9001"})], "") == []

    @pytest.mark.parametrize("tag", ["6", "12", "14", "17", "31", "32", "151"])
    def test_what_was_executed_is_never_changed(self, tag: str) -> None:
        """It can be left out and copied elsewhere."""
        for keys in ({"set": {tag: "1"}}, {"default": {tag: "1"}}, {"copy": {tag: "44"}}, {"map": {tag: {"0": "1"}}}):
            assert f"tag {tag} is no tag to" in line(rule("out", **keys))
        assert faults([rule("out", drop=[tag]), rule("out", copy={"9001": tag})], "") == []

    @pytest.mark.parametrize(
        ("keys", "said"),
        [
            ({}, ": it does nothing: it has none of map, copy, default, set, drop"),
            ({"messages": ["D", "d"], "drop": ["21"]}, ".messages[1]: d is no message for rules that go in: AF, D, F, G, H, q"),
            ({"messages": ["8"], "drop": ["21"]}, ".messages[0]: 8 is no message"),
            ({"direction": "out", "messages": ["3"], "drop": ["21"]}, ".messages[0]: 3 is no message for rules that go out: 8, 9, j, r"),
            ({"set": {"x": "1"}}, ".set.x: 'x' is not a tag"),
            ({"set": {"0": "1"}}, ".set.0: '0' is not a tag"),
            ({"set": {"059": "1"}}, ".set.059: '059' is not a tag"),
            ({"set": {"\u0665\u0669": "1"}}, "is not a tag"),
            ({"set": {"100000": "1"}}, ".set.100000: '100000' is not a tag"),
            ({"set": {"100": ""}}, ".set.100: a value cannot be empty"),
            ({"set": {"100": "a\x0139=2"}}, ".set.100: 'a\\x0139=2' cannot be a value: printable ASCII only"),
            ({"default": {"100": "a\n"}}, ".default.100: 'a\\n' cannot be a value"),
            ({"map": {"55": {"A": "a\x01"}}}, ".map.55.A: 'a\\x01' cannot be a value"),
            ({"map": {"55": {"": "a"}}}, ".map.55.: a value cannot be empty"),
            ({"map": {"55": {}}}, ".map.55: it maps nothing"),
            ({"copy": {"1": "1"}}, ".copy.1: it copies the tag onto itself"),
            ({"copy": {"1": "a"}}, ".copy.1: 'a' is not a tag"),
            ({"when": {"!": "1"}, "drop": ["21"]}, ".when.!: '' is not a tag"),
            ({"when": {"35": "D"}, "drop": ["21"]}, ".when.35: tag 35 has its own key: messages"),
            ({"when": {"1": []}, "drop": ["21"]}, ".when.1: it names no value"),
            ({"when": {"1": ["*", "a"]}, "drop": ["21"]}, '.when.1: "*" means any value and stands alone'),
            ({"when": {"1": ""}, "drop": ["21"]}, '.when.1: a value cannot be empty; an absent tag is "!tag" = "*"'),
            ({"direction": "out", "when": {"34": "1"}, "drop": ["58"]}, ".when.34: tag 34 is not there yet"),
            ({"direction": "out", "set": {"453": "1"}}, ".set.453: tag 453 opens a repeating group"),
            ({"set": {"59": "1"}, "default": {"59": "3"}}, ".set.59: the same rule writes this tag"),
            ({"set": {"1": "a"}, "copy": {"1": "9001"}}, ".set.1: the same rule writes this tag"),
            ({"set": {"21": "1"}, "drop": ["21"]}, ".drop[0]: the same rule writes tag 21"),
            ({"drop": ["60"]}, ".drop[0]: tag 60 is no tag to drop: it says what is ordered or executed; rules may not touch it"),
            ({"direction": "out", "set": {"39": "2"}}, ".set.39: tag 39 is no tag to set"),
        ],
    )
    def test_each_fault_has_its_key(self, keys: dict[str, Any], said: str) -> None:
        """Within the rule; the numbers count from 0."""
        found = line(MessageRule.model_validate({"direction": "in", **keys}))
        assert found.startswith("clients[0].rules[0]")
        assert said in found

    def test_all_faults_are_told(self) -> None:
        """Each with the number of its rule; and such rules cannot be used."""
        rules = [rule(drop=["21"]), rule(set={"8": "x", "11": ""}, drop=["y"])]
        found = faults(rules, "r")
        assert [each.split(":")[0] for each in found] == ["r[1].set.8", "r[1].set.11", "r[1].set.11", "r[1].drop[0]"]
        with pytest.raises(ValueError, match=r"rules\[1\]\.set\.8"):
            compiled(rules, "in")

    @pytest.mark.parametrize(
        ("keys", "where"),
        [
            ({"set": {"59": 1}}, ("set", "59")),
            ({"map": {"40": {"1": 2}}}, ("map", "40", "1")),
            ({"when": {"1": 2}}, ("when", "1")),
            ({"when": {"1": ["a", 2]}}, ("when", "1", 1)),
            ({"drop": "21"}, ("drop",)),
            ({"messages": [8]}, ("messages", 0)),
            ({"sets": {"1": "a"}}, ("sets",)),
            ({"always": {"1": "a"}}, ("always",)),
            ({"direction": "both"}, ("direction",)),
        ],
    )
    def test_the_shape_is_strict(self, keys: dict[str, Any], where: tuple[str | int, ...]) -> None:
        """Numbers are not taken for text, unknown keys not overlooked."""
        with pytest.raises(ValidationError) as raised:
            MessageRule.model_validate({"direction": "in", **keys})
        assert [each["loc"] for each in raised.value.errors()] == [where]

    def test_the_dictionaries_have_no_raw_data_nor_group_that_rules_could_write(self) -> None:
        """Every such field of FIX 4.2, 4.4 and FIXT.1.1 is refused."""
        for name in ("FIX42", "FIX44", "FIXT11"):
            fields_of = ElementTree.parse(ROOT / f"config/dictionaries/{name}.xml").getroot().iterfind("fields/field")
            tags = [each.get("number", "") for each in fields_of if each.get("type") in ("DATA", "XMLDATA", "NUMINGROUP")]
            assert tags
            assert [tag for tag in tags if not faults([rule("out", set={tag: "1"})], "")] == []


class TestExplain:
    RULES = """
        [[rules]]
        direction = "in"
        messages = ["D", "G"]
        when = { "1" = "ACC1", "40" = ["1", "2"], "9000" = "*", "!18" = "*" }
        set = { "100" = "PHEMEX" }
        default = { "59" = "1" }
        copy = { "9001" = "1" }
        map = { "55" = { "XBTUSD" = "BTC/USD" } }
        drop = ["21"]

        [[rules]]
        direction = "out"
        drop = ["58"]

        [[rules]]
        direction = "in"
        when = { "100" = "GBBO" }
        drop = ["1"]

        [[rules]]
        direction = "in"
        messages = ["F"]
        drop = ["1"]

        [[rules]]
        direction = "in"
        default = { "59" = "3" }
    """

    def test_it_says_what_each_rule_did_and_why_another_did_not(self) -> None:
        """By the rule's number in the file, whichever way it goes."""
        before = read_message(ORDER + "|9000=x")
        steps, after = explain(compiled(read(self.RULES), "in"), before)
        assert [f"{step.rule} {step.did}" for step in steps] == [
            "0 map: 55=XBTUSD becomes 55=BTC/USD",
            "0 copy: 9001=ACC1 added",
            "0 default: 59=1 added",
            "0 set: 100=PHEMEX added",
            "0 drop: 21=1 taken out",
            '2 does not apply: when "100" = GBBO',
            "3 not for 35=D",
            "4 applies, and changes nothing",
        ]
        assert show(after) == (
            "35=D|11=a|1=ACC1|55=BTC/USD|54=1|40=2|38=0.50|44=65000.0|60=20260101-00:00:00|9000=x|9001=ACC1|59=1|100=PHEMEX"
        )
        assert before == read_message(ORDER + "|9000=x")

    def test_no_rules_change_nothing(self) -> None:
        """A session without rules."""
        assert explain(None, {"35": "D"}) == ([], {"35": "D"})

    def test_a_pasted_log_line_is_read(self) -> None:
        """With SOH or | between the fields; length and checksum would be wrong afterwards and are left out."""
        pasted = "8=FIX.4.2\x019=12\x0135=D\x0158=a=b\x0110=123\x01"
        assert read_message(pasted) == read_message(pasted.replace("\x01", "|") + "\n")
        assert show(read_message(pasted)) == "8=FIX.4.2|35=D|58=a=b"

    @pytest.mark.parametrize("text", ["", "|", "D", "35=D|x=1", "35=D||11=a", "35=D|11", "11=a", "35=|11=a"])
    def test_what_is_no_message_is_said_so(self, text: str) -> None:
        """A `ValueError`, for the command line to print."""
        with pytest.raises(ValueError, match=r"field|MsgType"):
            read_message(text)


some_tag = st.sampled_from([*map(str, NEVER), "1", "11", "38", "54", "55", "58", "59", "100", "9001", "9002"])
some_value = st.text("AB=|*12 ", min_size=1, max_size=3)
some_rule = st.builds(
    lambda direction, **keys: MessageRule.model_validate({"direction": direction, **keys}),
    st.sampled_from(["in", "out"]),
    when=st.dictionaries(some_tag, some_value, max_size=1),
    set=st.dictionaries(some_tag, some_value, max_size=2),
    default=st.dictionaries(some_tag, some_value, max_size=2),
    copy=st.dictionaries(some_tag, some_tag, max_size=2),
    map=st.dictionaries(some_tag, st.dictionaries(some_value, some_value, min_size=1, max_size=2), max_size=2),
    drop=st.lists(some_tag, max_size=2),
)


@given(st.lists(some_rule, max_size=5), st.dictionaries(some_tag, some_value), st.sampled_from(["D", "F", "8", "9", "V"]))
def test_whatever_the_rules_the_session_and_the_amounts_are_safe(rules: list[MessageRule], found: dict[str, str], kind: str) -> None:
    """Session tags stay, no amount is made up, no field is split; and what is explained is what happens."""
    usable = [each for each in rules if not faults([each], "")]
    found["35"] = kind
    for direction in ("in", "out"):
        ready = compiled(usable, direction)
        steps, after = explain(ready, found)
        if ready is not None:
            now = dict(found)
            ready.apply(now)
            assert now == after
            assert {step.rule for step in steps} == {number for number, each in enumerate(usable) if each.direction == direction}
        assert {str(tag): after.get(str(tag)) for tag in NEVER} == {str(tag): found.get(str(tag)) for tag in NEVER}
        assert after.get("38") in (None, *found.values(), *_constants(usable))
        assert all(value and "\x01" not in value for value in after.values())


@given(st.lists(some_rule, max_size=4), st.booleans())
def test_a_rewritten_report_is_still_a_report(rules: list[MessageRule], again: bool) -> None:
    """Framing, type, order, execution and figures as encoded, whatever the rules."""
    ready = compiled([each for each in rules if not faults([each], "")], "out")
    plain = V42.encode(report(), again)
    text = plain if ready is None else ready.rewrite(plain)
    before, after = fields(plain), fields(text)
    assert (text[:20], text[-7:], text.count("\x01")) == (plain[:20], plain[-7:], len(after) - 1)
    kept = {"8", "9", "10", "35", "97", "17", "37", "14", "151", "6", "31", "32"}
    assert {tag: after.get(tag) for tag in kept} == {tag: before.get(tag) for tag in kept}


def _constants(rules: list[MessageRule]) -> list[str]:
    """Values that a copy may have brought from another tag, which a rule may write."""
    written = [*(v for each in rules for v in each.always.values()), *(v for each in rules for v in each.default.values())]
    return written + [v for each in rules for table in each.mapped.values() for v in table.values()]


@pytest.mark.parametrize("message", sorted(MESSAGES["in"]))
def test_rules_for_what_comes_in_are_for_messages_that_are_taken(message: str) -> None:
    """Nothing that the dialect would call unsupported."""
    found = {"35": message, "11": "b", "41": "a", "55": "BTC/USD", "54": "1", "40": "2", "530": "7", "584": "m", "585": "7"}
    assert ClientDialect("FIX.4.4", SESSION).decode(found)


def test_quickfix_puts_header_tags_where_they_belong() -> None:
    """A rule may address a desk: TargetSubID(57) is added last and leaves in the header."""
    text = ready(rule("out", set={"57": "DESK"}), direction="out").rewrite(V42.encode(report()))
    message = quickfix.Message(text, False)
    assert message.getHeader().getField(57) == "DESK"
    assert "\x0157=DESK\x01" in message.toString().partition("\x0111=")[0]
