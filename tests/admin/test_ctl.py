"""`fixrouter ctl`: one command, for scripts and in a hurry."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port
from click.testing import CliRunner, Result

from router.admin import contract as c
from router.admin.ctl import console, ctl
from tests.admin import fake_api as fake
from tests.admin.fake_api import SESSION, TOKEN, FakeApi

CTL, CONSOLE = (f"from router.admin.ctl import {name}; {name}()" for name in ("ctl", "console"))
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """An API on a thread: `ctl` has a loop of its own."""
    loop, made = asyncio.new_event_loop(), FakeApi()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(made.start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(made.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def run(api: FakeApi, *words: str, token: str = TOKEN, columns: str = "80") -> Result:
    return CliRunner().invoke(ctl, [*words, "--url", api.where], env={"FIXROUTER_TOKEN": token, "COLUMNS": columns})


def test_a_table(api: FakeApi) -> None:
    """What is seen goes to standard output, 0."""
    result = run(api, "orders", "unknown")
    assert result.exit_code == 0
    assert "64990.5" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("line", ["status", "orders", "order 261121080000-42", "balances", "session OMS42", "venue PHEMEX"])
def test_json_is_one_document_of_the_contract(api: FakeApi, line: str) -> None:
    """Whole: nothing shortened, nothing cleaned."""
    result = run(api, *line.split(), "--json")
    assert result.exit_code == 0
    json.loads(result.stdout)
    if line == "orders":
        assert c.Page.model_validate_json(result.stdout) == api.says["/v1/orders"]


def test_nothing_is_destroyed_without_yes_and_a_reason(api: FakeApi) -> None:
    """No terminal to ask on: 2, with what is missing; nothing is asked of the router."""
    for words, told in ((["halt", "all"], "add --yes and --why TEXT"), (["halt", "all", "--yes"], "add --why TEXT")):
        result = run(api, *words)
        assert (result.exit_code, api.asked) == (2, [])
        assert told in result.stderr.replace("\n", "")


@pytest.mark.parametrize("why", [["--why", "smoke in the room"], ["why=smoke in the room"]])
def test_an_act_with_yes(api: FakeApi, why: list[str]) -> None:
    """Done at once, with its reason; a short name is told in full."""
    result = run(api, "halt", "session", "OMS42", "--yes", *why)
    assert (result.exit_code, result.stdout) == (0, "halt is done\n")
    assert api.acts == [("halt", {"scope": "session", "name": SESSION, "why": "smoke in the room"})]


def test_an_act_that_destroys_nothing_needs_neither(api: FakeApi) -> None:
    """`reconcile` is done at once."""
    assert run(api, "reconcile", "PHEMEX").exit_code == 0


def test_the_routers_no_is_1(api: FakeApi) -> None:
    """Of an act, and of a question; in JSON the answer is on standard output all the same."""
    api.outcomes["halt"] = c.ActDone(act="halt", ok=False, text="no such session", by="a", why="x", time=fake.NIGHT)
    api.refuses["/v1/orders/7"] = 409, c.Problem(error="2 orders have the id 7", candidates=["261121080000-7", "261121080000-9"])
    plain = run(api, "order", "7")
    assert (plain.exit_code, plain.stdout) == (1, "")
    assert "perhaps: 261121080000-9" in plain.stderr
    told = run(api, "order", "7", "--json")
    assert (told.exit_code, json.loads(told.stdout)["candidates"]) == (1, ["261121080000-7", "261121080000-9"])
    done = run(api, "halt", "all", "--yes", "--why", "x", "--json")
    assert (done.exit_code, json.loads(done.stdout)["ok"]) == (1, False)


def test_a_wrong_token_is_1_and_is_not_repeated(api: FakeApi) -> None:
    """The token stands in no message."""
    result = run(api, "status", token="s3cret")
    assert result.exit_code == 1
    assert "the token is not known" in result.stderr
    assert "s3cret" not in result.output


@pytest.mark.parametrize("words", [["ordrs"], ["cancel"], ["watch", "orders", "--json"], ["--nonsense"], ["help", "nonsense"]])
def test_wrong_use_is_2(api: FakeApi, words: list[str]) -> None:
    """Nothing is asked of the router."""
    assert (run(api, *words).exit_code, api.asked) == (2, [])


def test_no_token_is_2(api: FakeApi, tmp_path: Path) -> None:
    """And it is said where one is made."""
    result = CliRunner().invoke(ctl, ["status", "--url", api.where, "--token-file", str(tmp_path / "none")], env={"FIXROUTER_TOKEN": ""})
    assert result.exit_code == 2
    assert "fixrouter token" in result.stderr.replace("\n", " ")


def test_no_router_is_3() -> None:
    """Nobody there, with or without JSON."""
    for more in ([], ["--json"]):
        result = CliRunner().invoke(ctl, ["status", "--url", f"http://127.0.0.1:{unused_port()}", *more], env={"FIXROUTER_TOKEN": "x"})
        assert result.exit_code == 3
        assert "cannot reach the router" in result.output


def test_without_a_word_it_helps(api: FakeApi) -> None:
    """All commands, and one with its examples."""
    assert "cancel-all" in run(api).stdout
    assert "cancel-all destination=PHEMEX" in run(api, "help", "cancel-all").stdout


def test_the_console_wants_a_terminal() -> None:
    """A script is told what is for scripts."""
    result = CliRunner().invoke(console, [], env={"FIXROUTER_TOKEN": "x"})
    assert (result.exit_code, "fixrouter ctl" in result.output) == (2, True)


class TestTerminal:
    """With a person there: a pseudo-terminal."""

    @staticmethod
    def dialogue(program: str, api: FakeApi, says: list[tuple[str, str]], *words: str) -> tuple[int, str]:
        """Run a command on a terminal of its own, answering each text that comes with another; its exit code and all that was seen."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            os.environ |= {"FIXROUTER_TOKEN": TOKEN, "TERM": "xterm", "COLUMNS": "100"}
            os.execv(sys.executable, [sys.executable, "-c", program, *words, "--url", api.where])
        seen, at = "", 0
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            seen += part.decode(errors="replace")
            if b"\x1b[6n" in part:  # where is the cursor?
                os.write(terminal, b"\x1b[1;1R")
            while says and says[0][0] in seen[at:]:
                at = seen.index(says[0][0], at) + len(says[0][0])
                os.write(terminal, says.pop(0)[1].encode())
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen

    def test_ctl_asks(self, api: FakeApi) -> None:
        """It shows what it would do, asks for yes and for the reason, and does it."""
        code, seen = self.dialogue(CTL, api, [("do it", "yes\r"), ("for the journal", "fire\r")], "cancel", "42")
        assert code == 0
        assert seen.index("would cancel") < seen.index("do it") < seen.index("cancel is done")
        assert api.acts == [("cancel", {"order": "42", "why": "fire"})]

    def test_ctl_takes_no_for_an_answer(self, api: FakeApi) -> None:
        """Nothing is done, 1."""
        code, seen = self.dialogue(CTL, api, [("do it", "no\r")], "cancel", "42")
        assert (code, api.acts) == (1, [])
        assert "nothing was done" in seen

    def test_the_console_of_the_routers_own_process(self, api: FakeApi) -> None:
        """On a thread that is not the first: Ctrl-C ends what is watched, then, on an empty line, the console; the thread goes on."""
        program = (
            "import sys, threading; from router.admin.console import serve_console as serve; stop = threading.Event();"
            "own = threading.Thread(target=serve, args=(sys.argv[-1], lambda: 'let-me-in'), kwargs={'stop': stop});"
            "own.start(); own.join(); print('the router stops now')"
        )
        says = [("unknown 0", "watch status 0.2\r"), ("Ctrl-C ends it", "\x03"), ("fixrouter>", "\x03")]
        code, seen = self.dialogue(program, api, says)
        assert (code, "the router stops now" in seen) == (0, True)

    def test_the_console_on_a_terminal(self, api: FakeApi, tmp_path: Path) -> None:
        """Prompt, answer, end; the history lies beside the token."""
        code, seen = self.dialogue(
            CONSOLE, api, [("unknown 0", "status\r"), ("durability", "quit\r")], "--token-file", str(tmp_path / "token"), "--no-color"
        )
        assert (code, "open orders" in seen) == (0, True)
        assert "status" in (tmp_path / "console.history").read_text()
