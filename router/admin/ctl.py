"""`fixrouter ctl` and `fixrouter console`: the operators' commands on the command line.

Exit codes: 0 done, 1 the router said no, 2 wrong use, 3 the router cannot be reached.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from router.admin import desk, sheets
from router.admin.client import Client, NoToken, Refused, Unreachable, token_from
from router.admin.contract import ActDone, Problem
from router.admin.helping import helped
from router.admin.tables import BAD, WARN
from router.admin.texts import as_json, clean
from router.admin.words import Request, WrongUse, read

__all__ = ["console", "ctl"]

WHERE: Final = "http://127.0.0.1:8080"
DONE, NO, WRONG, AWAY = 0, 1, 2, 3


def _reaching(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both."""
    options = [
        click.option("--url", default=WHERE, show_default=True, envvar="FIXROUTER_URL", help="The admin API, or unix:PATH for its socket."),
        click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), default=Path("var/admin.token"), show_default=True,
                     help="Where the token is; FIXROUTER_TOKEN goes before it."),
        click.option("--no-color", is_flag=True, help="No colours; NO_COLOR does the same."),
    ]  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class _Terminal:
    """The person, where there is one: questions go to standard error, so that standard output is the answer alone."""

    out: Console

    async def ask(self, question: str) -> str:
        try:
            return str(await asyncio.to_thread(click.prompt, question.rstrip(": "), default="", show_default=False, err=True))
        except click.Abort:
            return ""


@click.command()
@click.argument("words", nargs=-1, metavar="COMMAND...")
@click.option("--json", "as_document", is_flag=True, help="The answer as one JSON document.")
@click.option("--yes", is_flag=True, help="Do not ask, also where something is destroyed.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the journal.")
@_reaching
def ctl(words: tuple[str, ...], as_document: bool, yes: bool, why: str, url: str, token_file: Path, no_color: bool) -> None:
    """One operator's command: see or act. `fixrouter ctl help` lists them.

    Exit codes: 0 done, 1 the router said no, 2 wrong use, 3 the router cannot be reached.
    """
    out, err = _consoles(no_color)
    if not words or words[0] in ("help", "?"):
        _help(words[1:2], out, err)
    try:
        request = _agreed(read(list(words)), yes, why, as_document)
        code = asyncio.run(_once(request, url, token_from(token_file), yes, as_document, out, err))
    except WrongUse as wrong:
        code = _say(Problem(error=str(wrong)), WRONG, as_document, err)
    except NoToken as none:
        code = _say(Problem(error=str(none)), WRONG, as_document, err)
    except Unreachable as away:
        code = _say(Problem(error=str(away)), AWAY, as_document, err)
    except Refused as no:
        code = _say(no.problem, NO, as_document, err)
    except KeyboardInterrupt:
        code = DONE
    sys.exit(code)


@click.command()
@_reaching
def console(url: str, token_file: Path, no_color: bool) -> None:
    """The operators' console on the running router: see, act, watch. `help` in it lists what there is."""
    from router.admin.console import serve_console  # prompt_toolkit takes 0.2 s to import: `ctl` in a loop should not wait for it

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo("the console needs a terminal; for scripts there is fixrouter ctl", err=True)
        sys.exit(WRONG)
    token = token_from(token_file)
    try:
        token()
    except NoToken as none:
        click.echo(str(none), err=True)
        sys.exit(WRONG)
    serve_console(url, token, history=token_file.parent / "console.history", no_color=no_color or None)


def _consoles(no_color: bool) -> tuple[Console, Console]:
    colour = no_color or None
    # Not on a terminal nothing is shortened: a pipe has no width.
    wide, wide_err = (None if each.isatty() or "COLUMNS" in os.environ else 400 for each in (sys.stdout, sys.stderr))
    out = Console(no_color=colour, highlight=False, width=wide)
    return out, Console(stderr=True, no_color=colour, highlight=False, width=wide_err)


def _help(words: tuple[str, ...], out: Console, err: Console) -> None:
    try:
        out.print(helped(words[0].lower() if words else ""))
    except WrongUse as wrong:
        err.print(Text(clean(str(wrong)), WARN))
        sys.exit(WRONG)
    sys.exit(DONE)


def _agreed(request: Request, yes: bool, why: str, as_document: bool) -> Request:
    """The request with its reason, where it may be put at all. Raises `WrongUse`."""
    spec, why = request.command.act, why or request.why
    if request.every_s and as_document:
        raise WrongUse("watch is for people: a script asks again by itself")
    if spec is not None and spec.destroys:
        if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise WrongUse(f"{spec.name} asks before it acts, and there is no terminal to ask on: add --yes and --why TEXT")
        if yes and not why:
            raise WrongUse(f"{spec.name} needs a reason: add --why TEXT")
    return Request(request.command, request.given, why, request.every_s)


async def _once(request: Request, url: str, token: Callable[[], str], yes: bool, as_document: bool, out: Console, err: Console) -> int:
    async with Client(url, token) as client:
        if request.command.act is not None:
            outcome = await desk.act(client, request, _Terminal(err), sure=yes)
            return _acted(outcome, as_document, out, err)
        if request.every_s:
            await desk.watch(client, request, out)
        told = await desk.patiently(err, desk.look(client, request))
    if as_document:
        click.echo(as_json(told))
    else:
        out.print(desk.shown(request, told, out.width, desk.today()))
    return DONE


def _acted(outcome: ActDone | None, as_document: bool, out: Console, err: Console) -> int:
    if outcome is None:
        return NO
    if as_document:
        click.echo(as_json(outcome))
    elif not outcome.preview:
        (out if outcome.ok else err).print(sheets.done(outcome))
    return DONE if outcome.ok else NO


def _say(problem: Problem, code: int, as_document: bool, err: Console) -> int:
    """What is wrong, and the exit code."""
    if as_document:
        click.echo(as_json(problem))
    elif code == NO:
        err.print(desk.refusal(problem))
    else:
        err.print(Text(clean(problem.error), BAD))
    return code
