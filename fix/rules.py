"""Message rules of a client session: set, copy, drop or default a tag, map its values, on conditions. Pure.

A rule is for OMS quirks: a symbol spelled otherwise, an account in another tag, a tag the OMS cannot read. It never makes a number:
amounts come from the client's own text, what was executed from ours.

Order: rules apply as the file has them, each seeing what the last one left. Inside a rule: map, copy, default, set, drop. So `map` and
`copy` move a translated value, `copy` and `default` make "this one, else that", and `copy` with `drop` of the source moves a tag. All
copies of one rule read before any of them writes: two tags can be swapped.

No document of a venue or of FIX speaks of such rules. Assumptions, each the cautious reading:
 1. QuickFIX judges what comes in by its dictionary before rules see it: a rule cannot repair what the dictionary refuses.
 2. An empty value is an absent tag, as the dialects read it.
 3. Session tags, passwords, lengths and raw data are never written and, where it could leak or mislead, never read.
 4. Amounts (38 44 99 152) and ClOrdID(11) may be copied from another tag, amounts also dropped; a constant there would be an order that
    nobody asked for. (`set` in one rule and `copy` in the next still bring one there: that is no slip any more.) Side(54) may be mapped or
    copied. TransactTime(60) of an order stays: it tells how old a repetition is.
 5. What was executed (6 12 14 17 31 32 151) may be left out of a report and copied elsewhere, never changed. Statuses (39 150) may be
    mapped or copied, not set.
 6. Rules know no repeating groups: their counters are never written; a report with a tag that stands twice goes out as it is; of what comes
    in, the first of a repeated tag counts.
 7. Only messages that the router takes and sends (`MESSAGES`) have rules. Rejects that QuickFIX writes by itself (3, and j for a
    message type it does not know) never pass here.
 8. Values are printable ASCII: what every OMS and every log can show. Other alphabets have their own, encoded tags, which are raw data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fix import tags as t
from fix.text import fields
from router.message_rules import Direction, MessageRule

__all__ = ["MESSAGES", "Rules", "Step", "compiled", "explain", "faults", "read_message", "show"]

MESSAGES: Final[dict[Direction, frozenset[str]]] = {
    "in": frozenset(
        {
            t.NEW_ORDER_SINGLE,
            t.ORDER_CANCEL_REQUEST,
            t.ORDER_CANCEL_REPLACE_REQUEST,
            t.ORDER_STATUS_REQUEST,
            t.ORDER_MASS_CANCEL_REQUEST,
            t.ORDER_MASS_STATUS_REQUEST,
        }
    ),
    "out": frozenset({t.EXECUTION_REPORT, t.ORDER_CANCEL_REJECT, "j", "r"}),
}
"""Message types that rules work on: those without repeating groups that we read or write. Case tells types apart."""

ANY: Final = "*"
_CHECKSUM: Final = "10"
_AMOUNTS: Final = (t.ORDER_QTY, t.PRICE, t.STOP_PX, t.CASH_ORDER_QTY)
_SESSION: Final = frozenset(map(str, (8, 9, 10, 34, 35, 43, 49, 52, 56, 97, 122, 553, 554, 925, 1128, 1129, 1156)))
_UNREAD: Final = frozenset(map(str, (8, 9, 10, 553, 554, 925)))
"""Not even read: passwords, and what says nothing about an order."""
_RAW: Final = frozenset(map(str, (
    89, 90, 91, 93, 95, 96, 212, 213, 348, 349, 350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 360, 361, 362, 363, 364, 365,
    445, 446, 618, 619, 621, 622, 1184, 1185, 1401, 1402, 1403, 1404,
)))  # fmt: skip
"""Raw data and its lengths, of which one is useless or harmful without the other (FIX 4.2, 4.4, FIXT.1.1 dictionaries)."""
_COUNTERS: Final = frozenset(map(str, (
    33, 73, 78, 85, 124, 136, 146, 199, 215, 232, 267, 268, 295, 296, 382, 384, 386, 398, 420, 428, 453, 454, 457, 473, 510,
    518, 534, 539, 552, 555, 558, 576, 580, 604, 627, 670, 683, 702, 711, 735, 753, 756, 768, 778, 781, 801, 802, 804, 806, 816,
    862, 864, 870, 887, 897, 936, 938, 948, 952,
)))  # fmt: skip
"""Fields that open a repeating group (FIX 4.4 dictionary; 4.2 has no others)."""

_May = Mapping[str, frozenset[str]]
_BOTH: Final[_May] = {
    t.CL_ORD_ID: frozenset({"copy"}),
    t.SIDE: frozenset({"map", "copy"}),
    **dict.fromkeys(_AMOUNTS, frozenset({"copy", "drop"})),
}
_MAY: Final[dict[Direction, _May]] = {
    "in": {**_BOTH, t.TRANSACT_TIME: frozenset()},
    "out": {
        **_BOTH,
        **dict.fromkeys((t.AVG_PX, t.COMMISSION, t.CUM_QTY, t.EXEC_ID, t.LAST_PX, t.LAST_SHARES, t.LEAVES_QTY), frozenset({"drop"})),
        **dict.fromkeys((t.ORD_STATUS, t.EXEC_TYPE), frozenset({"map", "copy"})),
    },
}
"""Tags that money hangs on, and all that a rule may do to them; every other tag is the configuration's to change."""

_TAG = re.compile(r"[1-9][0-9]{0,4}")
_VALUE = re.compile(r"[ -~]+")

_Action = Callable[[dict[str, str]], None]


class Step(NamedTuple):
    """What one rule did to a message; `rule` counts from 0 in the file's list, as the keys of faults do."""

    rule: int
    did: str


@dataclass(frozen=True, slots=True)
class _Condition:
    tag: str
    values: frozenset[str] | None
    """None: any."""
    wanted: bool

    def holds(self, found: Mapping[str, str]) -> bool:
        value = found.get(self.tag)
        return (bool(value) if self.values is None else value in self.values) is self.wanted

    def __str__(self) -> str:
        return f'"{"" if self.wanted else "!"}{self.tag}" = {ANY if self.values is None else " or ".join(sorted(self.values))}'


@dataclass(frozen=True, slots=True)
class _Rule:
    number: int
    messages: frozenset[str]
    when: tuple[_Condition, ...]
    actions: tuple[tuple[str, _Action], ...]

    def fits(self, found: Mapping[str, str]) -> bool:
        return found.get(t.MSG_TYPE) in self.messages and all(each.holds(found) for each in self.when)

    def why_not(self, found: Mapping[str, str]) -> str:
        """Why it does not apply, "" where it does."""
        if found.get(t.MSG_TYPE) not in self.messages:
            return f"not for 35={found.get(t.MSG_TYPE, '')}"
        return next((f"does not apply: when {each}" for each in self.when if not each.holds(found)), "")


class Rules:
    """The rules of one session in one direction, ready to use. Holds no state; made by `compiled`."""

    __slots__ = ("_marks", "rules")

    def __init__(self, rules: tuple[_Rule, ...]) -> None:
        self.rules = rules
        # Values hold no SOH, so this finds the message type and nothing else.
        self._marks = tuple(f"{t.SOH}{t.MSG_TYPE}={each}{t.SOH}" for each in sorted(frozenset[str]().union(*(r.messages for r in rules))))

    def apply(self, found: dict[str, str]) -> bool:
        """Change a message's fields in place; True where a rule applied. For what `fix.text.fields` gives of a client's message."""
        touched = False
        for rule in self.rules:
            if rule.fits(found):
                touched = True
                for _, act in rule.actions:
                    act(found)
        return touched

    def rewrite(self, text: str) -> str:
        """A report's text, changed; the same text where nothing applies. New tags stand last; QuickFIX puts header tags into the header."""
        if not any(mark in text for mark in self._marks):
            return text
        found = fields(text)
        if len(found) != text.count(t.SOH) + 1:
            return text  # assumption 6
        found.pop("", None)
        checksum = found.pop(_CHECKSUM, "000")
        if not self.apply(found):
            return text
        found[_CHECKSUM] = checksum
        return "".join([f"{tag}={value}{t.SOH}" for tag, value in found.items()])


def compiled(rules: Sequence[MessageRule], direction: Direction) -> Rules | None:
    """The rules of a session in one direction; None where it has none, so that it pays nothing. Raises `ValueError` for rules with
    `faults`."""
    wrong = faults(rules, "rules")
    if wrong:
        raise ValueError("; ".join(wrong))
    mine = tuple(_rule(number, rule) for number, rule in enumerate(rules) if rule.direction == direction)
    return Rules(mine) if mine else None


def explain(rules: Rules | None, found: Mapping[str, str]) -> tuple[list[Step], dict[str, str]]:
    """What each rule would do to a message, in order, also that and why it would not; and the message that comes of it. `found` stays."""
    steps: list[Step] = []
    now = dict(found)
    for rule in rules.rules if rules is not None else ():
        why_not = rule.why_not(now)
        did = [] if why_not else list(_watched(rule, now))
        steps += [Step(rule.number, each) for each in did] or [Step(rule.number, why_not or "applies, and changes nothing")]
    return steps, now


def read_message(text: str) -> dict[str, str]:
    """A message as people write or paste it, with `|` or SOH between fields; of a repeated tag, the first. Raises `ValueError`."""
    for number, field in enumerate(parts := text.strip().replace("|", t.SOH).strip(t.SOH).split(t.SOH)):
        tag, equals, _ = field.partition("=")
        if not equals or not _TAG.fullmatch(tag):
            raise ValueError(f"field {number + 1} is {field!r:.60}, not tag=value")
    found = fields(t.SOH.join(parts))
    if not found.get(t.MSG_TYPE):
        raise ValueError(f"it has no MsgType({t.MSG_TYPE})")
    return found


def show(found: Mapping[str, str]) -> str:
    """A message's fields with `|` between them, without length and checksum, which QuickFIX makes anew."""
    return "|".join(f"{tag}={value}" for tag, value in found.items() if tag not in ("", "9", _CHECKSUM))


# --- compiling ----------------------------------------------------------------------------------------------------------


def _rule(number: int, rule: MessageRule) -> _Rule:
    when = tuple(
        _Condition(tag.removeprefix("!"), None if values == (ANY,) else frozenset(values), not tag.startswith("!"))
        for tag, values in rule.when.items()
    )
    actions: list[tuple[str, _Action]] = []
    if rule.mapped:
        actions.append(("map", _mapping(rule.mapped)))
    if rule.copied:
        actions.append(("copy", _copying(rule.copied)))
    if rule.default:
        actions.append(("default", _defaulting(rule.default)))
    if rule.always:
        actions.append(("set", _setting(rule.always)))
    if rule.drop:
        actions.append(("drop", _dropping(rule.drop)))
    return _Rule(number, frozenset(rule.messages) or MESSAGES[rule.direction], when, tuple(actions))


def _mapping(table: dict[str, dict[str, str]]) -> _Action:
    def act(found: dict[str, str]) -> None:
        for tag, values in table.items():
            value = found.get(tag)
            if value in values:
                found[tag] = values[value]

    return act


def _copying(table: dict[str, str]) -> _Action:
    def act(found: dict[str, str]) -> None:
        found.update([(to, value) for to, source in table.items() if (value := found.get(source))])

    return act


def _defaulting(table: dict[str, str]) -> _Action:
    def act(found: dict[str, str]) -> None:
        for tag, value in table.items():
            if not found.get(tag):
                found[tag] = value

    return act


def _setting(table: dict[str, str]) -> _Action:
    def act(found: dict[str, str]) -> None:
        found.update(table)

    return act


def _dropping(drop: tuple[str, ...]) -> _Action:
    def act(found: dict[str, str]) -> None:
        for tag in drop:
            found.pop(tag, None)

    return act


def _watched(rule: _Rule, now: dict[str, str]) -> Iterator[str]:
    """Apply a rule to `now`, telling every difference that it makes."""
    for name, act in rule.actions:
        before = dict(now)
        act(now)
        for tag in before | now:
            old, new = before.get(tag), now.get(tag)
            if old is None:
                yield f"{name}: {tag}={new} added"
            elif new is None:
                yield f"{name}: {tag}={old} taken out"
            elif old != new:
                yield f"{name}: {tag}={old} becomes {tag}={new}"


# --- faults -------------------------------------------------------------------------------------------------------------


def faults(rules: Sequence[MessageRule], key: str) -> list[str]:
    """What is wrong with the rules, a line each. `key`: that of the list, "clients[0].rules"; each line begins with the faulty key's."""
    return [f"{key}[{number}]{part}: {said}" for number, rule in enumerate(rules) for part, said in _wrong(rule)]


def _wrong(rule: MessageRule) -> Iterator[tuple[str, str]]:
    """Key within the rule, and what is wrong there."""
    if not (rule.mapped or rule.copied or rule.default or rule.always or rule.drop):
        yield "", "it does nothing: it has none of map, copy, default, set, drop"
    known = MESSAGES[rule.direction]
    for number, message in enumerate(rule.messages):
        if message not in known:
            yield f".messages[{number}]", f"{message} is no message for rules that go {rule.direction}: {', '.join(sorted(known))}"
    for key, values in rule.when.items():
        yield from _under(f".when.{key}", _unreadable(rule.direction, key.removeprefix("!")), *map(_unusable, values), _odd(values))
    for key, table in rule.mapped.items():
        empty = "" if table else "it maps nothing"
        yield from _under(f".map.{key}", _unwritable(rule.direction, "map", key), empty)
        for old, new in table.items():
            yield from _under(f".map.{key}.{old}", _unusable(old), _unusable(new))
    for key, source in rule.copied.items():
        itself = "it copies the tag onto itself" if key == source else ""
        yield from _under(f".copy.{key}", _unwritable(rule.direction, "copy", key), _unreadable(rule.direction, source), itself)
    for name, constants in (("default", rule.default), ("set", rule.always)):
        for key, value in constants.items():
            yield from _under(f".{name}.{key}", _unwritable(rule.direction, name, key), _unusable(value))
    for number, tag in enumerate(rule.drop):
        yield from _under(f".drop[{number}]", _unwritable(rule.direction, "drop", tag))
    yield from _contradictions(rule)


def _contradictions(rule: MessageRule) -> Iterator[tuple[str, str]]:
    """Two actions of which the later undoes the earlier: one of them is a mistake."""
    for tag in rule.always:
        if tag in rule.default or tag in rule.copied:
            yield f".set.{tag}", "the same rule writes this tag by default or copy, which set overwrites"
    for number, tag in enumerate(rule.drop):
        if tag in rule.always or tag in rule.default or tag in rule.copied:
            yield f".drop[{number}]", f"the same rule writes tag {tag} by default, copy or set; what is dropped last is lost"


def _under(key: str, *said: str) -> Iterator[tuple[str, str]]:
    return ((key, each) for each in said if each)


def _unwritable(direction: Direction, action: str, tag: str) -> str:
    if said := _no_tag(tag):
        return said
    if tag in _SESSION or tag in _RAW:
        return f"tag {tag} belongs to the session or is raw data: no rule touches it"
    if tag in _COUNTERS:
        return f"tag {tag} opens a repeating group: rules know none"
    may = _MAY[direction].get(tag)
    if may is None or action in may:
        return ""
    return f"tag {tag} is no tag to {action}: it says what is ordered or executed; rules may {' or '.join(sorted(may)) or 'not touch it'}"


def _unreadable(direction: Direction, tag: str) -> str:
    if said := _no_tag(tag):
        return said
    if tag == t.MSG_TYPE:
        return f"tag {tag} has its own key: messages"
    if tag in _UNREAD or tag in _RAW:
        return f"tag {tag} belongs to the session or is raw data: no rule reads it"
    if direction == "out" and tag in _SESSION - {t.POSS_RESEND}:
        return f"tag {tag} is not there yet when a rule sees what goes out"
    return ""


def _no_tag(tag: str) -> str:
    return "" if _TAG.fullmatch(tag) else f"{tag!r:.20} is not a tag: a number from 1 to 99999"


def _unusable(value: str) -> str:
    if not value:
        return 'a value cannot be empty; an absent tag is "!tag" = "*"'
    return "" if _VALUE.fullmatch(value) else f"{value!r:.40} cannot be a value: printable ASCII only"


def _odd(values: Sequence[str]) -> str:
    if not values:
        return "it names no value"
    return f'"{ANY}" means any value and stands alone' if ANY in values and len(values) > 1 else ""
