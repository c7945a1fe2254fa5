"""The player of `scripts/*.fix`: what a FIX client sends, and every message that must come back, over a socket from the real acceptor.

The format: `scripts/README.md`. Besides the lines of the script, each run checks what holds for every order of FIX:
1. CumQty(14) of each report is the sum of LastQty(32) told so far, and AvgPx(6) their average (FIX 4.2 volume 6, CumQty, AvgPx);
2. LeavesQty(151) is 0 once the order is done, and OrderQty(38) - CumQty(14) before (volume 6, LeavesQty);
3. each ExecID(17) comes once; in answers to status requests it is 0; ExecTransType(20) is 0 or 3 on 4.2 and absent later;
4. OrderID(37) is one for the whole chain of ClOrdIDs;
5. nothing else about the script's orders comes before the next expected line, nor before the end;
6. what rests at the venue at the end is what the client was told: nothing more can be executed than it asked for.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from tests.system import System
from tests.wire import Client, Message, stamp

VERSIONS = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0": "FIXT.1.1"}
DONE = frozenset({"2", "4", "8", "C"})
_OVER = frozenset({"Filled", "Canceled", "Rejected"})
"""What simulators say of an order that is over."""
_NAMED = frozenset({"11", "41", "584", "790"})
"""Tags whose value in a script is a name, X or Y, that the player makes unique."""
_HEADER = frozenset({"43", "97", "122"})
_SHOWN = ("11", "41", "37", "17", "20", "150", "39", "38", "32", "31", "14", "151", "6", "102", "103", "434", "584", "531", "58")
_KEY = re.compile(r"^[A-Z]\w*$")
_LINE = re.compile(r"^(?:\[(?P<only>[^\]]+)\] *)?(?P<kind>>|@|<[?~]?) +(?P<rest>.+)$")
_WINDOW_S = 0.5
"""How long a `delay` holds a request back where the script does not say: what happens meanwhile takes a few milliseconds."""
_numbers = count(1)


@dataclass(frozen=True)
class Venue:
    """Where a script is played."""

    destination: str
    simulator: str
    symbol: str
    venue_symbol: str


@dataclass(frozen=True)
class Line:
    """One line of a script. `kind`: > send, < expect, <? may come, <~ in any order with its neighbours, @ tell the venue."""

    number: int
    kind: str
    text: str
    only: frozenset[str]

    def holds(self, version: str, venue: str) -> bool:
        """Whether it is for this version at this venue."""
        versions = self.only & VERSIONS.keys()
        venues = self.only - versions
        return (not versions or version in versions) and (not venues or venue in venues)

    @property
    def words(self) -> list[str]:
        return self.text.split()


@dataclass(frozen=True)
class Script:
    """A scenario as data."""

    name: str
    title: str
    """The first comment: the clauses, and what it is about."""
    versions: tuple[str, ...]
    venues: tuple[str, ...] = ()
    """The only venues where it can be played; empty: all."""
    session: str = ""
    """`wait`: a session whose requests wait while another is pending."""
    lines: tuple[Line, ...] = ()


class Unreadable(Exception):
    """A script that does not keep to the format."""


def parse(name: str, text: str) -> Script:
    """A script from its text. Raises `Unreadable` with the line."""
    title, heads, lines = "", {}, []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("#") or not line:
            title = title or line.lstrip("# ")
        elif line.split()[0] in ("versions", "venues", "session"):
            heads[line.split()[0]] = tuple(line.split()[1:])
        elif found := _LINE.match(line):
            lines.append(Line(number, found["kind"], found["rest"], frozenset((found["only"] or "").split())))
        else:
            raise Unreadable(f"{name}, line {number}: {line}")
    versions = heads.get("versions", ())
    if not versions or not set(versions) <= VERSIONS.keys() or not title or not lines:
        raise Unreadable(f"{name}: a title, a line `versions` with some of {' '.join(VERSIONS)}, and lines are required")
    return Script(name, title, versions, heads.get("venues", ()), "".join(heads.get("session", ())), tuple(lines))


def scripts(folder: Path) -> list[Script]:
    """All scripts of a folder, by name."""
    return [parse(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.fix"))]


@dataclass
class Told:
    """What was told of one order so far."""

    order_id: str = ""
    status: str = ""
    cum_qty: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    leaves_qty: Decimal = Decimal(0)
    at_venue: str = ""


@dataclass
class Play:
    """One run of a script on one session at one venue."""

    script: Script
    version: str
    venue: Venue
    system: System
    client: Client
    said: list[str] = field(default_factory=list)
    """What went to and fro, in the script's names."""
    roots: dict[str, str] = field(default_factory=dict)
    """Each ClOrdID of a chain to its first."""
    told: dict[str, Told] = field(default_factory=dict)
    exec_ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mark = f"{self.script.name}.{self.venue.destination}.{next(_numbers)}"

    def run(self) -> None:
        """Play it, then see that nothing more is said, and leave the venue's book as it was. Raises AssertionError with what differs."""
        at = 0
        lines = [line for line in self.script.lines if line.holds(self.version, self.venue.destination)]
        try:
            while at < len(lines):
                at += self._step(lines, at)
            self._nothing_more()
            self._as_at_the_venue()
            self._clean()
        except BaseException:
            self._abandon()
            raise

    def _step(self, lines: list[Line], at: int) -> int:
        """Perform the line, or the block of `<~` lines; returns how many."""
        line = lines[at]
        if line.kind == "@":
            self._venue_side(line)
        elif line.kind == ">":
            self._send(line)
        elif line.kind == "<~":
            block = [line]
            while at + len(block) < len(lines) and lines[at + len(block)].kind == "<~":
                block.append(lines[at + len(block)])
            self._any_order(block)
            return len(block)
        elif line.kind == "<?":
            return self._optional(lines, at)
        else:
            self._expect(line, self._next(line))
        return 1

    # --- out ------------------------------------------------------------------------------------------------------------

    def _send(self, line: Line) -> None:
        msg_type, *rest = line.words
        stated = dict(self._field(line, word) for word in rest)
        if "41" in stated and "11" in stated:
            self.roots[stated["11"]] = self.roots.get(stated["41"], stated["41"])
        fields = self._usual(msg_type) | {tag: self._wire(tag, value) for tag, value in stated.items()}
        header = [(tag, fields.pop(tag)) for tag in sorted(_HEADER & fields.keys())]
        if "43" in stated or "97" in stated:
            header += [("122", stamp())] if "43" in stated else []
        self.said.append(f"> {line.text}")
        self.client.send(msg_type, [(tag, value) for tag, value in fields.items() if value], header=header)

    def _usual(self, msg_type: str) -> dict[str, str]:
        """The tags that a script leaves out: a limit order to buy inside the spread, good till canceled."""
        instrument = {"55": self.venue.symbol, "54": "1"}
        if msg_type in "DG":
            whole = {"40": "2", "44": "65000", "59": "1", "100": self.venue.destination}
            return {"21": "1"} | instrument | {"60": stamp()} | whole
        if msg_type in ("q", "AF"):
            return {"60": stamp()} if msg_type == "q" else {}
        return instrument | ({"60": stamp()} if msg_type == "F" else {})

    def _wire(self, tag: str, value: str) -> str:
        """A value as it is sent: `-` none, +2s a time so far ahead, X a name made unique."""
        if value == "-":
            return ""
        if ahead := re.fullmatch(r"\+(\d+)s", value):
            return (datetime.now(UTC) + timedelta(seconds=int(ahead[1]))).strftime("%Y%m%d-%H:%M:%S")
        return f"{value}.{self.mark}" if tag in _NAMED and _KEY.match(value) and value != "NONE" else value

    # --- the venue ------------------------------------------------------------------------------------------------------

    def _venue_side(self, line: Line) -> None:
        """Something happens at the venue: `trade QTY [PRICE [SIDE]]`, `cancel X`, `fault KIND key=value…`."""
        what, *words = [self._choose(word) for word in line.words]
        self.said.append(f"@ {' '.join([what, *words])}")
        if what == "trade":
            qty, price, side = (*words, *("65000", "sell")[len(words) - 1 :])
            self._post("/_sim/trade", symbol=self.venue.venue_symbol, side=side, qty=qty, price=price)
        elif what == "cancel":
            self._post("/_sim/cancel", id=self.told[self.roots.get(words[0], words[0])].at_venue)
        elif what == "fault":
            fault: dict[str, Any] = {"kind": words[0], "count": 1, "match": "any"} | dict(word.split("=", 1) for word in words[1:])
            fault |= {"delay_s": fault.get("delay_s", _WINDOW_S)} if words[0] == "delay" else {}
            self._post("/_sim/fault", **fault)
        else:
            raise Unreadable(f"{self.script.name}, line {line.number}: {line.text}")

    def _post(self, path: str, **body: Any) -> Any:
        return self.system.post(path, self.venue.simulator, **body)

    # --- in -------------------------------------------------------------------------------------------------------------

    def _next(self, line: Line | None, timeout: float = 10) -> Message:
        """The next message about this script's orders, whatever it says."""
        try:
            return self.client.wait(self._about, timeout)
        except TimeoutError:
            expected = f"line {line.number}\n  expected  {line.kind} {line.text}\n" if line else "at the end\n"
            raise AssertionError(self._say(f"{expected}  nothing came in {timeout:.0f} s")) from None

    def _about(self, message: Message) -> bool:
        refused = message["35"] in ("3", "j")
        return refused or any(message[tag].endswith(f".{self.mark}") for tag in _NAMED)

    def _expect(self, line: Line, came: Message) -> None:
        differs = self._differs(line, came)
        if differs:
            expected = f"  expected  {line.kind} {line.text}\n  came      < {self._shown(came)}\n"
            raise AssertionError(self._say(f"line {line.number}\n{expected}" + "\n".join(f"  differs   {each}" for each in differs)))
        self._booked(line, came)

    def _optional(self, lines: list[Line], at: int) -> int:
        """Take the line if it came; else the line after it must fit. Returns how many lines are done."""
        came = self._next(lines[at])
        if not self._differs(lines[at], came):
            self._booked(lines[at], came)
            return 1
        assert at + 1 < len(lines) and lines[at + 1].kind == "<", f"{self.script.name}: a < line must follow line {lines[at].number}"
        self._expect(lines[at + 1], came)
        return 2

    def _any_order(self, block: list[Line]) -> None:
        left = list(block)
        while left:
            came = self._next(left[0])
            fits = [line for line in left if not self._differs(line, came)]
            if not fits:
                self._expect(left[0], came)
            self._booked(fits[0], came)
            left.remove(fits[0])

    def _differs(self, line: Line, came: Message) -> list[str]:
        """Each field that is not as the line says."""
        msg_type, *rest = line.words
        wrong = [] if came["35"] == msg_type else [f"35: expected {msg_type}, came {came['35']}"]
        for tag, value in (self._field(line, word) for word in rest):
            found = self._name(came[tag])
            if not _same(value, found):
                wrong.append(f"{tag}: expected {value}, came {found or 'nothing'}")
        return wrong

    def _field(self, line: Line, word: str) -> tuple[str, str]:
        """tag=value, or tag=value|4.2:other|PHEMEX:another."""
        tag, is_field, value = word.partition("=")
        if not is_field or not tag.isdigit():
            raise Unreadable(f"{self.script.name}, line {line.number}: {word}")
        return tag, self._choose(value)

    def _choose(self, text: str) -> str:
        usual, *variants = text.split("|")
        for variant in variants:
            key, _, value = variant.partition(":")
            if key in (self.version, self.venue.destination):
                return value
        return usual

    # --- what holds for every order ---------------------------------------------------------------------------------------

    def _booked(self, line: Line | None, came: Message) -> None:
        """Remember what was told, and check what always holds."""
        self.said.append(f"< {self._shown(came)}")
        if came["35"] == "9" and self._root(came) in self.told:
            self.told[self._root(came)].status = came["39"]
            self.told[self._root(came)].leaves_qty *= came["39"] not in DONE
        if came["35"] == "8":
            try:
                self._check(came)
            except AssertionError as wrong:
                where = f"line {line.number}" if line else "at the end"
                raise AssertionError(self._say(f"{where}\n  came      < {self._shown(came)}\n  {wrong}")) from None

    def _check(self, came: Message) -> None:
        is_status = came["17"] == "0"
        assert came["20"] == (("3" if is_status else "0") if self.version == "4.2" else ""), f"ExecTransType(20) is {came['20']!r}"
        assert is_status or came["17"] not in self.exec_ids, f"ExecID(17) {came['17']} was told before"
        self.exec_ids.add(came["17"])
        if came["37"] == "NONE":
            return
        told = self.told.setdefault(self._root(came), Told())
        assert told.order_id in ("", came["37"]), f"OrderID(37) was {told.order_id}"
        told.order_id = came["37"]
        told.status, told.at_venue = came["39"], came["198"] or told.at_venue
        if not is_status and came["32"]:
            told.cum_qty += Decimal(came["32"])
            told.value += Decimal(came["32"]) * Decimal(came["31"] or "0")
        cum_qty = Decimal(came["14"])
        assert cum_qty == told.cum_qty, f"CumQty(14) is not the sum of LastQty(32): {told.cum_qty}"
        leaves = Decimal(0) if came["39"] in DONE else Decimal(came["38"]) - cum_qty
        assert Decimal(came["151"]) == leaves, f"LeavesQty(151) should be {leaves}"
        told.leaves_qty = leaves
        average = told.value / told.cum_qty if told.cum_qty else Decimal(0)
        assert abs(Decimal(came["6"]) - average) < Decimal("1e-9"), f"AvgPx(6) should be {average}"

    def _root(self, came: Message) -> str:
        name = self._name(came["11"])
        return self.roots.get(name) or self.roots.get(self._name(came["41"])) or name

    # --- the end ----------------------------------------------------------------------------------------------------------

    def _nothing_more(self) -> None:
        """The acceptor answers in order: what was to be said came before the answer to this."""
        fence = f"END.{self.mark}"
        self.client.status(fence, t55=self.venue.symbol)
        came = self._next(None)
        if came["11"] != fence:
            raise AssertionError(self._say(f"at the end\n  expected  nothing more\n  came      < {self._shown(came)}"))

    def _as_at_the_venue(self) -> None:
        """The simulator's own word. Scripts leave nothing behind, so whatever rests there is this one's."""
        orders = self.system.venue_orders(self.venue.simulator)
        resting = sum(Decimal(each["qty"]) - Decimal(each["filled"]) for each in orders if each["status"] not in _OVER)
        told = sum(each.leaves_qty for each in self.told.values())
        assert resting == told, self._say(f"at the end\n  expected  {told} resting at the venue (LeavesQty)\n  found     {resting}")

    def _clean(self) -> None:
        """The venue cancels what still rests, and each such order ends with that and nothing else."""
        for root, told in self.told.items():
            if told.status not in DONE:
                self._post("/_sim/cancel", id=told.at_venue)
                came = self._next(None)
                self._booked(None, came)
                ends = came["35"] == "8" and came["150"] == came["39"] == "4" and self._root(came) == root
                assert ends, self._say(f"at the end\n  expected  < 8 150=4 39=4 for {root}\n  came      < {self._shown(came)}")

    def _abandon(self) -> None:
        """After a failure, the venue cancels what is known to rest. It and the router may still be busy with something else."""
        for told in self.told.values():
            if told.status not in DONE and told.at_venue:
                with suppress(OSError):  # it is not open any more
                    self._post("/_sim/cancel", id=told.at_venue)

    # --- telling ------------------------------------------------------------------------------------------------------------

    def _name(self, value: str) -> str:
        return value.removesuffix(f".{self.mark}")

    def _shown(self, message: Message) -> str:
        told = [f"{tag}={self._name(message[tag])}" for tag in _SHOWN if tag in message]
        return " ".join([message["35"], *told])

    def _say(self, text: str) -> str:
        before = "".join(f"\n    {each}" for each in self.said[-12:])
        return f"{self.script.name} [{VERSIONS[self.version]}-{self.venue.destination}], {text}\n  before{before}\n  ({self.script.title})"


def _same(expected: str, found: str) -> bool:
    """Alike as text, or as numbers; `*` is any value, `-` none."""
    if expected in ("*", "-"):
        return bool(found) == (expected == "*")
    if expected == found:
        return True
    try:
        return Decimal(expected) == Decimal(found)
    except ArithmeticError:
        return False
