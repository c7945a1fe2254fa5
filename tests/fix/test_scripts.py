"""The order state matrices of FIX 4.2 and 4.4 (volume 4, Appendix D), played against the real acceptor on every version, at a venue that
replaces orders by itself and at one where the router does it by cancel and new order. The scenarios are data: `scripts/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.fix.play import VERSIONS, Play, Script, Unreadable, Venue, parse, scripts
from tests.system import System
from tests.wire import Client

FOLDER = Path(__file__).parent / "scripts"
SCRIPTS = {script.name: script for script in scripts(FOLDER)}
VENUES = {
    "PHEMEX": Venue("PHEMEX", "phemex", "BTC/USD", "BTCUSD"),
    "PRIMEBIT": Venue("PRIMEBIT", "primebit", "BTC/USD", "BTCUSD"),
}
SESSIONS = {("4.2", ""): "OMS42", ("4.4", ""): "OMS44", ("5.0", ""): "OMS50", ("4.2", "wait"): "OMS42B", ("4.4", "wait"): "OMS44B"}
EDITS = (
    ("router.toml", r'(default_time_in_force = ".*")', r'\1\nreport_pending = ["pending-cancel", "pending-replace"]'),
    ("router.toml", r'(session = "FIX\.4\.\d:ROUTER->OMS4\dB")', r'\1\nwhen_pending = "wait"'),
    # the router keeps the venues' limits; the simulators need not count, too, and with another clock
    ("simulators.toml", r"(?m)^requests_per_minute = 200", "requests_per_minute = 0"),
    ("simulators.toml", r"(?m)^requests_per_second = 5", "requests_per_second = 0"),
)
MATRICES = {f"D{number}" for number in range(1, 38)} | {
    f"{group}.{letter}"
    for group, letters in {
        "A.1": "ab", "B.1": "abcdef", "C.1": "abc", "C.2": "a", "C.3": "abc", "D.1": "abc", "D.2": "abc", "E.1": "abcdef", "F.1": "abc",
        "G.1": "abc", "H.1": "abcd", "I.1": "ab", "J.1": "abc", "K.1": "ab", "L.1": "ab",
    }.items()
    for letter in letters
}  # fmt: skip
_REFERENCE = re.compile(r"\b(D\d+|[A-L]\.\d\.[a-z])\b")
CASES = [
    pytest.param(version, venue, name, id=f"{name}[{VERSIONS[version]}-{venue}]")
    for version in VERSIONS
    for name, script in SCRIPTS.items()
    for venue in VENUES
    if version in script.versions and venue in (script.venues or VENUES)
]


class Desk:
    """One system, with each session logged on when it is first wanted."""

    def __init__(self, system: System) -> None:
        self.system = system
        self._clients: dict[str, Client] = {}

    def play(self, script: Script, version: str, venue: str) -> None:
        """Play one script; raises AssertionError with what differs."""
        sender = SESSIONS[version, script.session]
        if sender not in self._clients:
            self._clients[sender] = self.system.client(VERSIONS[version], sender).connect()
        Play(script, version, VENUES[venue], self.system, self._clients[sender]).run()


class Desks:
    """One desk a version, one at a time: the router's own request budget at a venue is enough for one version's scripts in a minute."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._version = ""
        self._desk: Desk | None = None

    def of(self, version: str) -> Desk:
        if self._desk is None or version != self._version:
            self.close()
            self._desk = Desk(System(Path(mkdtemp(dir=self._folder)) / "s", *EDITS))
            self._desk.system.start()
            self._version = version
        return self._desk

    def close(self) -> None:
        if self._desk is not None:
            self._desk.system.close()
            self._desk = None


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    """Systems for this file's scripts."""
    made = Desks(tmp_path_factory.mktemp("scripts"))
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize(("version", "venue", "name"), CASES)
def test_scenario(desks: Desks, version: str, venue: str, name: str) -> None:
    """What comes back is what the matrix says, message by message, and nothing else."""
    try:
        desks.of(version).play(SCRIPTS[name], version, venue)
    except BaseException:
        desks.close()  # the next begins with a clean book
        raise


_START = "# a\nversions 5.0\n> D 11=X 38=10000\n< 8 11=X 150=0 39=0 38=10000\n"
WRONG = {
    "another value": ("> H 11=X\n< 8 14=1", r"line 6\n +expected  < 8 14=1\n +came +< 8 11=X .*\n +differs +14: expected 1, came 0"),
    "another message": ("> H 11=X\n< 9 11=X", r"differs +35: expected 9, came 8"),
    "one that was not expected": ("> H 11=X", r"expected +nothing more\n +came +< 8 11=X .*150=I"),
    "one left out": ("> H 11=X\n> F 11=Y 41=X\n< 8 11=Y 150=6", r"line 7\n.*\n.*\n +differs +11: expected Y, came X"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_difference_is_told(desks: Desks, wrong: str) -> None:
    """A script that expects what does not happen fails, with the line, what was expected and what came."""
    lines, told = WRONG[wrong]
    with pytest.raises(AssertionError, match=told):
        desks.of("5.0").play(parse("wrong", _START + lines), "5.0", "PHEMEX")


def test_every_matrix_is_accounted_for() -> None:
    """Each scenario of both appendices has a script, or a line in the README with the reason why not."""
    played = {reference for script in SCRIPTS.values() for reference in _REFERENCE.findall(script.title)}
    left_out = set()
    for line in (FOLDER / "README.md").read_text().split("## Left out")[1].splitlines():
        if line.startswith("|"):
            left_out |= set(_REFERENCE.findall(line.split("|")[1]))
    assert played | left_out == MATRICES
    assert not played & left_out - {"D2", "A.1.b"}


@pytest.mark.parametrize("text", ["", "# no versions\n> D 11=X", "# a\nversions 4.3\n> D 11=X", "# a\nversions 4.2\nD 11=X"])
def test_a_script_that_is_none(text: str) -> None:
    """Refused where it is read, not in the middle of a run."""
    with pytest.raises(Unreadable):
        parse("none", text)
