"""The session level of FIX 4.2 and 4.4, as QuickFIX's published acceptance definitions demand it, played over a socket against the real
acceptor. The cases are data: `session_cases/`, whose README.md has their format and says where a case is not the definition's, and why."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import files
from pathlib import Path

import pytest
import quickfix

from tests.fix.play import Line, Script, parse
from tests.system import System
from tests.wire import SOH, stamp

FOLDER = Path(__file__).parent / "session_cases"
ROUTER = "ROUTER"
PATIENCE_S = 15
_BEAT_S = 0.4
_HEADER = ("8", "9", "35", "34", "49", "52", "56")
_FRAME = frozenset({"8", "9", "49", "52", "56", "10"})
_ANEW = frozenset({"9", "10", "52", "43", "122"})
"""What differs when a message comes again."""
_ORDER = {"11": "", "21": "1", "55": "BTC/USDT", "54": "1", "60": "", "40": "2", "38": "0.5", "44": "65000", "59": "1", "100": "BINANCE"}
_FIELD = re.compile(r" +(?=-?\d+\w*=)")
_OFFSET = re.compile(r"([+-]\d+)s")
_SESSION = """
[SESSION]
BeginString=FIX.{version}
TargetCompID={name}
DataDictionary=../dictionaries/STOCK{version}.xml
ResetOnLogon=Y
ValidateFieldsOutOfOrder=Y
ValidateUserDefinedFields=Y
LogoutTimeout=1
"""
_CLIENT = """
[[clients]]
session = "FIX.{version}:ROUTER->{name}"
default_time_in_force = "good-till-cancel"
report_destination = false
"""
PUBLISHED = frozenset(
    """
    1a_ValidLogonMsgSeqNumTooHigh 1a_ValidLogonWithCorrectMsgSeqNum 1b_DuplicateIdentity 1c_InvalidSenderCompID 1c_InvalidTargetCompID
    1d_InvalidLogonBadSendingTime 1d_InvalidLogonLengthInvalid 1d_InvalidLogonWrongBeginString 1e_NotLogonMessage 2a_MsgSeqNumCorrect
    2b_MsgSeqNumTooHigh 2c_MsgSeqNumTooLow 2d_GarbledMessage 2e_PossDupAlreadyReceived 2e_PossDupNotReceived
    2f_PossDupOrigSendingTimeTooHigh 2g_PossDupNoOrigSendingTime 2i_BeginStringValueUnexpected 2k_CompIDDoesNotMatchProfile
    2m_BodyLengthValueNotCorrect 2o_SendingTimeValueOutOfRange 2q_MsgTypeNotValid 2r_UnregisteredMsgType 2t_FirstThreeFieldsOutOfOrder
    3b_InvalidChecksum 3c_GarbledMessage 4a_NoDataSentDuringHeartBtInt 4b_ReceivedTestRequest 6_SendTestRequest 7_ReceiveRejectMessage
    8_AdminAndApplicationMessages 8_OnlyAdminMessages 8_OnlyApplicationMessages 10_MsgSeqNumEqual 10_MsgSeqNumGreater 10_MsgSeqNumLess
    11a_NewSeqNoGreater 11b_NewSeqNoEqual 11c_NewSeqNoLess 13b_UnsolicitedLogoutMessage 14a_BadField 14b_RequiredFieldMissing
    14c_TagNotDefinedForMsgType 14d_TagSpecifiedWithoutValue 14e_IncorrectEnumValue 14f_IncorrectDataFormat
    14g_HeaderBodyTrailerFieldsOutOfOrder 14h_RepeatedTag 14i_RepeatingGroupCountNotEqual 15_HeaderAndBodyFieldsOrderedDifferently
    19a_PossResendMessageThatHAsAlreadyBeenSent 19b_PossResendMessageThatHasNotBeenSent 20_SimultaneousResendRequest
    21_RepeatingGroupSpecifierWithValueOfZero AlreadyLoggedOn RejectResentMessage ReverseRoute ReverseRouteWithEmptyRoutingTags
    SessionReset
    """.split()  # noqa: SIM905 - a name a line would be a page
)
"""The definitions of fix42 and fix44."""


def _cases() -> Iterator[Script]:
    for path in sorted(FOLDER.glob("*.fix")):
        for text in path.read_text(encoding="utf-8").split("\n== ")[1:]:
            name, _, rest = text.partition("\n")
            yield parse(name.strip(), rest)


CASES = {case.name: case for case in _cases()}
AT_THE_DOOR = {name for name in CASES if name[:2] in ("1a", "1b", "1c", "1d", "1e")} | {"AlreadyLoggedOn"}
"""Those about who may log on."""


class Hangup(Exception):
    """The router closed the connection."""


class Wire:
    """One connection, and the messages that come on it, raw."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._buffer = b""

    def say(self, text: str) -> None:
        self._socket.sendall(text.encode("latin-1"))

    def hear(self, within_s: float) -> str:
        """The next message. Raises `TimeoutError`, `Hangup`."""
        until = time.monotonic() + within_s
        while (end := self._buffer.find(b"\x0110=")) < 0 or len(self._buffer) < end + 8:
            self._socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                data = self._socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                assert not self._buffer, f"half a message: {self._buffer!r}"
                raise Hangup
            self._buffer += data
        raw, self._buffer = self._buffer[: end + 8], self._buffer[end + 8 :]
        return raw.decode("latin-1")

    def close(self) -> None:
        self._socket.close()


@dataclass
class Play:
    """One run of a case on its session."""

    case: Script
    version: str
    port: int
    stock: quickfix.DataDictionary
    wires: dict[str, Wire] = field(default_factory=dict)
    """The connections: "" and "second"."""
    said: list[str] = field(default_factory=list)
    next_out: int = 1
    next_in: int = 1
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    """What the router said, by number."""
    orders: int = 0
    """How many were taken, as the router said."""
    ahead: dict[str, str] | None = None
    """Heard, but not yet looked at."""
    beating: bool = False

    def __post_init__(self) -> None:
        self.name = session_name(self.case.name)

    def run(self) -> None:
        """Play it. Raises AssertionError with what differs."""
        line = None
        lines = [each for each in self.case.lines if each.holds(self.version, "")]
        try:
            for at, line in enumerate(lines):
                self._step(line, lines[at + 1] if at + 1 < len(lines) else None)
        except (AssertionError, Hangup, OSError) as wrong:
            where = f"line {line.number} of the case: {line.kind} {line.text}" if line else "at the start"
            before = "".join(f"\n    {each}" for each in self.said[-10:])
            raise AssertionError(f"{self.case.name} [{self.version}], {where}\n  {wrong!r}\n  before{before}") from None
        finally:
            for wire in self.wires.values():
                wire.close()

    def _step(self, line: Line, after: Line | None) -> None:
        second = "second" if line.words[0] == "second" else ""
        words = line.text.removeprefix("second ")
        if line.kind == ">":
            self._send(words, second)
        elif line.kind == "@":
            self._do(words, second)
        elif line.kind == "<":
            self._expect(words, self._hear())
        else:
            assert after is not None and after.kind == "<", "a < line must follow"
            self._while(words, after.text)

    def _do(self, text: str, which: str) -> None:
        what, _, more = text.partition(" ")
        if what in ("connect", "logon"):
            self.wires[which] = Wire(self.port)
        if what == "logon":
            heartbeat = more or "108=30"
            self._send(f"A 34=1 98=0 {heartbeat}", which)
            self._expect(f"A 34=1 98=0 {heartbeat}", self._hear())
        elif what == "logout":
            self._send(f"5 {more}".strip(), which)
            self._expect("5", self._hear())
        elif what == "beating":
            self.beating = True
        if what in ("closed", "logout"):
            self._closed(which)
        assert what in ("connect", "logon", "logout", "closed", "beating"), f"unreadable: {text}"

    def _closed(self, which: str) -> None:
        try:
            more = self.wires[which].hear(PATIENCE_S)
        except Hangup:
            self.wires.pop(which).close()
            return
        raise AssertionError(f"expected nothing more, came {_shown(more)}")

    # --- out ------------------------------------------------------------------------------------------------------------

    def _send(self, text: str, which: str = "") -> None:
        msg_type, stated = self._fields(text)
        if msg_type != "raw":
            given = dict(stated)
            usual = _ORDER if msg_type == "D" else {}
            head = [(tag, given.get(tag, msg_type if tag == "35" else "~")) for tag in _HEADER]
            rest = [(tag, "~") for tag in usual if tag not in given]
            stated = [*head, *((tag, value) for tag, value in stated if tag not in _HEADER), *rest]
        sent = [(tag, self._wire(tag, value)) for tag, value in stated if value != "-"]
        number = dict(sent).get("34", "")
        self.next_out = int(number) + 1 if number.isdigit() else self.next_out
        self.said.append(f"> {text}")
        self.wires[which].say(_framed(sent))

    def _wire(self, tag: str, value: str) -> str:
        """A value as it is sent, but for length and checksum."""
        if offset := _OFFSET.fullmatch(value):
            return stamp(-int(offset[1]))
        if tag == "11":
            return f"{value}.{self.name}.{self.version}"
        if value != "~" or tag in ("9", "10"):
            return value
        usual = {"8": f"FIX.{self.version}", "34": str(self.next_out), "49": self.name, "56": ROUTER} | _ORDER
        return stamp() if tag in ("52", "60", "122") else usual[tag]

    def _fields(self, text: str) -> tuple[str, list[tuple[str, str]]]:
        msg_type, *words = _FIELD.split(text)
        pairs = [word.partition("=") for word in words]
        return msg_type, [(tag, self._choose(value)) for tag, _, value in pairs]

    def _choose(self, value: str) -> str:
        usual, *variants = value.split("|")
        return next((text for each in variants for key, _, text in [each.partition(":")] if key == self.version), usual)

    # --- in -------------------------------------------------------------------------------------------------------------

    def _hear(self) -> dict[str, str]:
        """The next message, once its frame is checked."""
        if self.ahead is not None:
            came, self.ahead = self.ahead, None
            return came
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                raw = self.wires[""].hear(_BEAT_S if self.beating else PATIENCE_S)
            except TimeoutError:
                assert time.monotonic() < until, f"nothing came in {PATIENCE_S} s"
                self._send("0")
            else:
                self.beating = False
                self.said.append(f"< {_shown(raw)}")
                return self._sound(raw)

    def _sound(self, raw: str) -> dict[str, str]:
        """A message's tags; frame, names and time are right, and the stock dictionary knows all of it."""
        pairs = [(tag, value) for tag, _, value in (each.partition("=") for each in raw.split(SOH)[:-1])]
        came = dict(pairs)
        assert len(came) == len(pairs), "a tag twice"
        assert [tag for tag, _ in pairs[:3]] == ["8", "9", "35"], "not begun by 8, 9, 35"
        assert raw == _framed([(tag, "~" if tag in ("9", "10") else value) for tag, value in pairs]), "length or checksum is wrong"
        assert (came["8"], came["49"], came["56"]) == (f"FIX.{self.version}", ROUTER, self.name), "8, 49, 56"
        sent = datetime.strptime(came["52"], "%Y%m%d-%H:%M:%S.%f").replace(tzinfo=UTC)
        assert abs((datetime.now(UTC) - sent).total_seconds()) < 2 * PATIENCE_S, "52"
        try:
            self.stock.validate(quickfix.Message(raw, self.stock, True))
        except quickfix.FIXException as wrong:
            raise AssertionError(f"the stock dictionary refuses it: {wrong}") from None
        return came

    def _expect(self, text: str, came: dict[str, str]) -> None:
        wrong = self._differs(text, came)
        assert not wrong, f"expected {text}: " + ", ".join(wrong)
        self._booked(came)

    def _while(self, text: str, after: str) -> None:
        """Take what the line says as long as it comes; what comes then must be as the line after it says, and is left for it."""
        while not self._differs(text, came := self._hear()):
            self._booked(came)
        wrong = self._differs(after, came)
        assert not wrong, f"expected {text} or {after}: " + ", ".join(wrong)
        self.ahead = came

    def _differs(self, text: str, came: dict[str, str]) -> list[str]:
        msg_type, stated = self._fields(text)
        expected = {"34": str(self.next_in), "35": msg_type} | dict(stated)
        if "11" in expected:
            expected["11"] = self._wire("11", expected["11"])
        every = came.keys() if msg_type != "8" else expected.keys()
        tags = sorted((expected.keys() | every) - _FRAME, key=int)
        return [
            f"{tag} is {came.get(tag, 'missing')}, not {expected.get(tag, 'expected')}"
            for tag in tags
            if (tag not in came or tag not in expected or expected[tag] not in ("~", came[tag]))
        ]

    def _booked(self, came: dict[str, str]) -> None:
        """Remember it; of one that comes again, check that it says the same."""
        if came["35"] == "A":
            self.told.clear()
        if came.get("43") != "Y":
            self.next_in = int(came["34"]) + 1
            self.told[came["34"]] = came
            self.orders += came["35"] == "8" and came["150"] == "0" and came["17"] != "0"
        elif came["35"] != "4":
            first = self.told[came["34"]]
            assert _lasting(first) == _lasting(came), f"it says another thing than at first: {first}"
            assert came["122"] == first["52"], "122 is not when it was first sent"


def _lasting(message: dict[str, str]) -> dict[str, str]:
    return {tag: value for tag, value in message.items() if tag not in _ANEW}


def _framed(pairs: list[tuple[str, str]]) -> str:
    """A message's text, with 9 as long as what follows it (and +3 more), and 10 at the end."""
    shift = {tag: value for tag, value in pairs if tag in ("9", "10")}
    body = [(tag, value) for tag, value in pairs if tag != "10"]
    at = [tag for tag, _ in body].index("9")
    tail = "".join(f"{tag}={value}{SOH}" for tag, value in body[at + 1 :])
    length = len(tail) + (int(shift["9"]) if shift["9"] != "~" else 0)
    text = "".join(f"{tag}={value}{SOH}" for tag, value in body[:at]) + f"9={length}{SOH}{tail}"
    return f"{text}10={(sum(text.encode('latin-1')) + (shift.get('10') == 'bad')) % 256:03}{SOH}"


def _shown(raw: str) -> str:
    return raw.replace(SOH, " ")


def session_name(case: str) -> str:
    """The CompID of a case's client."""
    return case.replace("_", "-")


def stock_dictionary(version: str) -> Path:
    """QuickFIX's own data dictionary, as its package brings it."""
    name = f"FIX{version.replace('.', '')}.xml"
    return next(Path(str(each.locate())) for each in files("quickfix") or () if each.name == name)


@pytest.fixture(scope="module")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A router with a session for each case and version."""
    named = [{"version": version, "name": session_name(case.name)} for case in CASES.values() for version in case.versions]
    system = System(
        tmp_path_factory.mktemp("conformance") / "s",
        ("clients.cfg", r"\Z", "".join(_SESSION.format(**each) for each in named)),
        ("router.toml", r"\Z", "".join(_CLIENT.format(**each) for each in named)),
    )
    for version in ("4.2", "4.4"):
        (system.demo.parent / "dictionaries" / f"STOCK{version}.xml").write_bytes(stock_dictionary(version).read_bytes())
    try:
        system.start_simulator()
        system.start_router("accepting clients", *(f"link={link}" for link in system.links[:2]))
        yield system
        assert system.router is not None
        assert system.router.end() == 0, "the router did not stop in order"
        assert not [line for line in system.router.lines if "error in a FIX callback" in line]
    finally:
        system.close()


@pytest.fixture(scope="module")
def stock() -> dict[str, quickfix.DataDictionary]:
    """The stock dictionaries, by version."""
    return {version: quickfix.DataDictionary(str(stock_dictionary(version))) for version in ("4.2", "4.4")}


EVERY = [(name, version) for name, case in CASES.items() for version in case.versions]


@pytest.mark.parametrize(("name", "version"), EVERY)
def test_the_session_level_is_as_published(conformance: System, stock: dict[str, quickfix.DataDictionary], name: str, version: str) -> None:
    """What the definition says, message by message, to a client at the front door; the venue has each order taken, and no other."""
    before = len(conformance.venue_orders())
    play = Play(CASES[name], version, conformance.fix_port, stock[version])
    play.run()
    assert len(conformance.venue_orders()) == before + play.orders, "an order rejected came to the venue, or one came twice"


@pytest.mark.parametrize(("name", "version"), [(name, version) for name, version in EVERY if name in AT_THE_DOOR])
def test_without_the_front_door_it_is_the_same(
    conformance: System, stock: dict[str, quickfix.DataDictionary], name: str, version: str
) -> None:
    """What the front door answers by itself, QuickFIX behind it would answer so, too."""
    Play(CASES[name], version, conformance.quickfix_port, stock[version]).run()


def test_every_published_definition_is_played() -> None:
    """None is left out, and none is of our own making; both versions, but for SessionReset."""
    assert CASES.keys() == PUBLISHED
    assert [name for name, case in CASES.items() if case.versions != ("4.2", "4.4")] == ["SessionReset"]
