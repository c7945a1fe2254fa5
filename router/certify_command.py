"""`fixrouter certify`: walks a client's team through the cases of certification, reading its session's raw log as it grows.

The cases and the judging are the FIX rim's and are handed in by `__main__`. Read only, but for the simulators' control, where it is named.
Exit codes: 0 every case passed, 1 one failed or was skipped, 2 wrong use, 3 no such session or log, or the router is not there.

Assumptions: 1. certified is who passed every case that was asked for: a skipped one is not passed. 2. The router is there while its
journal's lock is held. This is asked once, by a shared lock that is let go at once; only a router that starts in those
microseconds would be refused.
"""

from __future__ import annotations

import fcntl
import json
import select
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import click
from rich.console import Console
from rich.table import Table

from router.settings import Fault, Settings, load
from router.terminal import clock, config_option, leave

__all__ = ["Tail", "certifying", "markdown"]

_POLL_S: Final = 0.2
_STYLES: Final = {"PASS": "green", "FAIL": "red", "SKIP": "yellow"}


class Notice(Protocol):
    """Something to show, or to tell a simulator: path and body."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def act(self) -> tuple[str, dict[str, object]] | None: ...


class Verdict(Protocol):
    """How a case ended: PASS, FAIL or SKIP."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def faults(self) -> tuple[str, ...]: ...


class Course(Protocol):
    """One session's way through the cases."""

    @property
    def over(self) -> bool: ...
    @property
    def passed(self) -> bool: ...
    @property
    def verdicts(self) -> Sequence[Verdict]: ...
    def remember(self, line: str) -> None: ...
    def begin(self, now: int) -> Sequence[Notice]: ...
    def hear(self, line: str) -> Sequence[Notice]: ...
    def tick(self, now: int) -> Sequence[Notice]: ...
    def skip(self, now: int, why: str = ...) -> Sequence[Notice]: ...


class Listed(Protocol):
    """A case, for the list."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def versions(self) -> tuple[str, ...]: ...


def certifying(
    course: Callable[[str, Sequence[str], int, int], Course], cases: Iterable[Listed], stem: Callable[[str], str]
) -> click.Command:
    """The command. `course`: session, names of cases, HeartBtInt and patience in seconds, raises `ValueError`; `stem`: of its log files."""

    @click.command("certify")
    @click.option("--session", help="The session, as the router names it, e.g. FIX.4.4:ROUTER->OMS44.")
    @click.option("--case", "names", multiple=True, metavar="NAME", help="This case only; may be given several times.")
    @click.option("--list", "only_list", is_flag=True, help="The cases, and nothing else.")
    @click.option("--simulator", metavar="URL", help="The venue's simulator, e.g. http://127.0.0.1:9102; without it, you are told.")
    @click.option("--heartbeat", default=30, show_default=True, type=click.IntRange(1, 3600), help="HeartBtInt(108) as agreed, seconds.")
    @click.option("--wait", default=300, show_default=True, type=click.IntRange(1), help="How long your side is waited for, seconds.")
    @click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the verdicts there, as Markdown.")
    @config_option
    def certify(
        session: str | None, names: tuple[str, ...], only_list: bool, simulator: str | None, heartbeat: int, wait: int, report: Path | None,
        path: Path,
    ) -> None:  # fmt: skip
        """Test cases for a client's team: run them with your own OMS against the demo, and hear what your side did wrong."""
        if only_list:
            _list(cases)
            return
        if session is None:
            raise click.UsageError("--session is needed, or --list")
        if simulator is not None and not simulator.startswith(("http://", "https://")):
            raise click.UsageError(f"--simulator: {simulator} is not an http address")
        state = _state(path, session)
        try:
            way = course(session, names, heartbeat, wait)
        except ValueError as unknown:
            leave(2, str(unknown))
        if not _held(state / "journal" / "lock"):
            leave(3, f"no router runs on {state}: start it first (make run)")
        folder = state / "fix" / "log"
        logs = [Tail(folder / f"{stem(session)}.{kind}.log") for kind in ("messages", "event")]
        if not logs[0].path.is_file():
            leave(3, f"there is no log of {session} yet: {logs[0].path}. Has the router been started?")
        walk(way, logs, simulator)
        _tell(way, session, report)
        raise SystemExit(0 if way.passed else 1)

    return certify


class Tail:
    """The lines of a growing file, whole ones only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0

    def lines(self) -> list[str]:
        """What has come since the last call."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole.decode(errors="replace").split("\n")[:-1]


def fresh(logs: Sequence[Tail]) -> list[str]:
    """New lines of all logs, by their time, with which each begins."""
    return sorted((line for log in logs for line in log.lines()), key=lambda line: line[:24])


def walk(way: Course, logs: Sequence[Tail], simulator: str | None) -> None:
    """Until every case has its verdict, or Ctrl-C."""
    for line in fresh(logs):
        way.remember(line)
    try:
        _show(way, way.begin(time.time_ns()), simulator)
        while not way.over:
            for line in fresh(logs):
                _show(way, way.hear(line), simulator)
            _show(way, way.tick(time.time_ns()), simulator)
            if _asked_to_skip():
                _show(way, way.skip(time.time_ns()), simulator)
    except KeyboardInterrupt:
        while not way.over:
            way.skip(time.time_ns(), "ended by Ctrl-C")


def _asked_to_skip() -> bool:
    """Whether somebody at the terminal wants the next case; waits a moment for that."""
    if not _terminal():
        time.sleep(_POLL_S)
        return False
    ready, _, _ = select.select([sys.stdin], [], [], _POLL_S)
    return bool(ready) and sys.stdin.readline().strip().lower() in ("s", "skip")


def _terminal() -> bool:
    """Whether somebody can type."""
    return sys.stdin is not None and sys.stdin.isatty()


def _show(way: Course, notices: Sequence[Notice], simulator: str | None) -> None:
    """Print what there is to say, and have simulators do what the case needs."""
    marks = {"case": "\n== ", "ask": "-> ", "wait": "   ", "act": "   ", "verdict": ""}
    for notice in notices:
        click.echo(f"{marks.get(notice.kind, '')}{notice.text}")
        if notice.kind == "case" and _terminal():
            click.echo("   (s and Enter: skip it)")
        if notice.act is None:
            continue
        why = _act(simulator, *notice.act)
        if why:
            _show(way, way.skip(time.time_ns(), why), simulator)
            return


def _act(simulator: str | None, path: str, body: Mapping[str, object]) -> str:
    """Tell a simulator, or the reader how to; returns why it could not be done."""
    text = json.dumps(body)
    if simulator is None:
        click.echo(f"   Do it now: curl -d '{text}' http://127.0.0.1:9102{path}   (or give --simulator)")
        return ""
    request = urllib.request.Request(simulator.rstrip("/") + path, text.encode(), {"Content-Type": "application/json"})  # noqa: S310 - see certify
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return ""
    except (OSError, ValueError) as wrong:  # HTTPError and URLError are OSErrors
        return f"the simulator at {simulator} did not do it: {wrong}"


# --- what is needed, and what came of it ---


def _state(path: Path, session: str) -> Path:
    """The router's state folder; leaves where there is no such session."""
    settings = _settings(path)
    known = [each.session for each in settings.clients]
    if session not in known:
        leave(3, f"there is no session {session} in {path}: {', '.join(known)}")
    return settings.router.state


def _settings(path: Path) -> Settings:
    try:
        return load(path)
    except Fault as fault:
        leave(2, *fault.lines)


def _held(lock: Path) -> bool:
    """Whether a router holds its journal's lock: then a second lock, shared and let go at once, cannot be had."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _list(cases: Iterable[Listed]) -> None:
    table = Table("case", "what", "FIX")
    for case in cases:
        table.add_row(case.name, case.title, ", ".join(case.versions))
    Console().print(table)


def _tell(way: Course, session: str, report: Path | None) -> None:
    """The table at the end, and the file."""
    table = Table("case", "verdict", "what was wrong", title=f"Certification of {session}")
    for verdict in way.verdicts:
        style = _STYLES.get(verdict.outcome, "")
        table.add_row(verdict.name, f"[{style}]{verdict.outcome}[/]", "\n".join(fault.replace("[", r"\[") for fault in verdict.faults))
    Console().print(table)
    if report is None:
        return
    try:
        report.write_text(markdown(session, way.verdicts, way.passed, time.time_ns()))
    except OSError as wrong:
        leave(2, f"cannot write the report: {wrong}")


def markdown(session: str, verdicts: Iterable[Verdict], passed: bool, now: int) -> str:
    """The verdicts for the onboarding file. `now`: ns UTC."""
    lines = [
        f"# Certification of `{session}`", "", f"{clock(now)} UTC: {'every case passed' if passed else 'not certified'}.", "",
        "| case | what | verdict | what was wrong |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for verdict in verdicts:
        faults = "<br>".join(_cell(fault) for fault in verdict.faults)
        lines.append(f"| {verdict.name} | {_cell(verdict.title)} | {verdict.outcome} | {faults} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """A text of the wire's, harmless in a table."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", r"\|").replace("\n", " ")
