"""The README says what there is: commands, acts, alerts, settings, and the tests that hold each promise."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from router.__main__ import main
from router.admin import alert_rules, alerts
from router.admin.contract import ACTS, ActSpec
from router.admin.words import COMMANDS, WrongUse, read, split
from router.settings import Settings
from tests.chaos.child import POINTS
from tests.system import ROOT

README = (ROOT / "README.md").read_text()
JOURNAL_TOOLS = "journal"


def section(heading: str) -> str:
    """What stands under a heading, with the headings below it."""
    _, found, rest = README.partition(f"\n{heading}\n")
    assert found, f"there is no heading {heading}"
    level = heading.split()[0]
    return re.split(rf"\n#{{1,{len(level)}}} ", rest)[0]


def cells(text: str) -> Iterator[list[str]]:
    """The cells of every line of the tables there, heads included."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def first_words(text: str) -> Iterator[str]:
    """What is set as code in the first cells of the tables there."""
    for first, *_ in cells(text):
        yield from re.findall(r"`([^`]+)`", first)


def documented_commands() -> set[str]:
    """Those of the command table: "run", "journal find"."""
    found = set()
    for shown in first_words(section("## Commands")):
        program, *words = shown.split()
        assert program == "fixrouter", shown
        found.add(" ".join(words[: 1 + (words[0] == JOURNAL_TOOLS)]))
    return found


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    """Every command of the command line, those of groups by both words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_the_command_table_is_the_command_line() -> None:
    """No more and no less."""
    assert documented_commands() == set(commands(main))


@pytest.mark.parametrize("shown", [shown for shown in first_words(section("## Commands")) if "--" in shown])
def test_options_of_the_command_table_are_options(shown: str) -> None:
    """Each that is named."""
    words = shown.split()[1:]
    command = main.commands[words[0]]
    if isinstance(command, click.Group):
        command = command.commands[words[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", shown)) <= known


def test_every_table_of_the_configuration_is_told() -> None:
    """By its name in the file."""
    told = {name.strip("[]") for name in first_words(section("## Configuration"))}
    assert told == set(Settings.model_fields)


def test_the_messages_are_those_of_the_rules_of_engagement() -> None:
    """Which are held to the code themselves; Reject(3) is the session's, and told here too."""
    messages = re.split(r"\n## ", (ROOT / "fix" / "README.md").read_text())[1]
    known = {(way, kind) for kind, way in re.findall(r"^\| `(\w+)` \|.*\| (in|out) \|", messages, re.MULTILINE)}
    taken, sent = re.findall(r"In: (.*?)\. Out: (.*?)\. ", section("## Connect your OMS"))[0]
    told = {(way, kind) for way, text in (("in", taken), ("out", sent)) for kind in re.findall(r"`(\w+)`", text)}
    assert told == known | {("out", "3")}


# --- operators ------------------------------------------------------------------------------------------------------------


def typed() -> list[str]:
    """Every line that is typed at the console's prompt in the sessions."""
    return re.findall(r"^fixrouter> (.+)$", section("## Operators"), re.MULTILINE)


def meant(line: str) -> ActSpec | None:
    """The act that a line asks for; None for one that only looks, or means nothing."""
    try:
        return read(split(line)).command.act
    except WrongUse:
        return None


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_every_act_is_told_and_shown(act: ActSpec) -> None:
    """In the table with its role, and in a session."""
    roles = {each[0].strip("`"): each[1] for each in cells(section("## Operators")) if len(each) == 3}
    assert roles[act.name] == act.role
    assert [line for line in typed() if meant(line) == act]


@pytest.mark.parametrize("line", typed())
def test_what_is_typed_means_something(line: str) -> None:
    """The console understands each line that is shown."""
    try:
        read(split(line))
    except WrongUse as wrong:
        pytest.fail(str(wrong))


def sessions() -> list[tuple[str, str]]:
    """What is typed, and what is answered up to the next line or the end of the example."""
    return re.findall(r"^fixrouter> (.+)\n((?:(?!fixrouter> |```).*\n)*)", section("## Operators"), re.MULTILINE)


@pytest.mark.parametrize(("line", "answer"), sessions())
def test_what_destroys_asks_and_nothing_else_does(line: str, answer: str) -> None:
    """For yes, and for the reason; what is refused is refused before."""
    act = meant(line)
    asked = "type yes to do it: yes\nwhy, for the journal: " in answer
    assert asked == (act is not None and act.destroys and not answer.startswith("no: "))


def test_every_command_that_sees_is_told() -> None:
    """In the table of what can be seen."""
    seen = {each.name for each in COMMANDS if each.act is None}
    assert seen <= {shown.split()[0] for shown in first_words(section("## Operators"))}


def test_every_alert_is_told_with_what_to_do() -> None:
    """Each rule that the code can raise, once, and none that it cannot."""
    sources = "".join(Path(module.__file__).read_text() for module in (alert_rules, alerts))
    raised = set(re.findall(r'Finding\("([a-z-]+)"', sources)) | set(
        re.findall(r'rule = "([a-z-]+)" if said.overfill else "([a-z-]+)"', sources)[0]
    )
    told = [each[0].strip("`") for each in cells(section("### Alerts, and what to do about each")) if each[0].startswith("`")]
    assert sorted(told) == sorted(raised)


# --- promises -------------------------------------------------------------------------------------------------------------


@cache
def found_in(path: str) -> set[str]:
    """The tests of a file, and its classes of tests."""
    tree = ast.parse((ROOT / path).read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {each.name for each in ast.walk(tree) if isinstance(each, kinds) and each.name.lower().startswith("test")}


def promises() -> list[list[str]]:
    """The table, without its head."""
    return [each for each in cells(section("## What is promised, and how it is tested")) if each[0] != "promise"]


@pytest.mark.parametrize("promise", promises(), ids=lambda promise: promise[0][:40])
def test_every_promise_names_tests_that_there_are(promise: list[str]) -> None:
    """A file, then tests or classes of it; files by themselves are there."""
    path, named = "", 0
    for word in re.findall(r"`([^`]+)`", promise[2]):
        if word.endswith(".py"):
            path = word
            assert (ROOT / path).is_file()
        elif word.lower().startswith("test"):
            assert word in found_in(path), f"{path} has no {word}"
        named += word.startswith("tests/")
    assert named


def test_the_number_of_points_is_right() -> None:
    """At which the router is killed."""
    assert len(POINTS) == 13
    assert "thirteen named points" in README
