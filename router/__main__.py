"""The command line and the wiring: the only file that may import everything.

Exit codes: 0 done, 1 the router said no, 2 wrong use or configuration, 3 the router cannot be reached.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NoReturn

import click
from rich.console import Console
from rich.table import Table

from bridges import simulators, venues
from bridges.shell import Shell
from fix import check as fix_check
from fix.certify import CASES, Course, log_stem
from fix.order_command import order
from fix.passwords import hashed
from fix.rim import FixRim
from fix.rim import capabilities as fix_capabilities
from fix.rules import compiled, explain, read_message, show
from fix.sessions import SessionFileError
from router.certify_command import certifying
from router.demo import SimulatedVenues
from router.engine import Engine
from router.journal import JournalCorrupt, JournalLocked, JournalWriter
from router.journal_commands import journal
from router.logs import Narrator
from router.model import Input
from router.policy import Policy
from router.ports import Venue
from router.report_command import report
from router.rules import Capabilities
from router.runtime import Runtime, recover
from router.settings import Fault, Settings, load
from router.terminal import DEMO, DEMO_ROUTER, config_option, leave, run_exits

DEMO_SIMULATORS = DEMO / "simulators.toml"
RESTART_AFTER_S = 60.0
"""A router that dies sooner after its start would only die again."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("fixrouter"), prog_name="fixrouter")
def main() -> None:
    """A FIX order router: your OMS speaks FIX to it, each venue is spoken to in its own language."""


main.add_command(journal)
main.add_command(report)
main.add_command(order)
main.add_command(certifying(Course, CASES, log_stem))


# --- running ------------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The router's TOML file.")
@click.option("--no-console", is_flag=True, help="Log lines only, also on a terminal.")
def run(path: Path, no_console: bool) -> None:  # noqa: ARG001 - the console comes with the admin API; the flag is its switch
    """The router alone, against whatever its file names."""
    settings = _settings(path)
    _Router(settings, path).run_until_stopped(may_restart=True)


@main.command()
@click.option("--no-console", is_flag=True, help="Log lines only, also on a terminal.")
def demo(no_console: bool) -> None:  # noqa: ARG001 - see run
    """The demo: the simulated venues as a process of their own, and the router."""
    settings = _settings(DEMO_ROUTER)
    router = _Router(settings, DEMO_ROUTER)
    with SimulatedVenues(settings.router.state, router.narrator.note):
        click.echo("fixrouter demo: FIX on port 9876 (README: how to connect an OMS), simulated venues on 9101-9501. Ctrl-C stops it.")
        router.run_until_stopped()


@main.command()
@click.argument("names", nargs=-1, required=True, metavar="all | VENUE...")
@click.option("--config", "path", type=click.Path(path_type=Path), default=DEMO_SIMULATORS, show_default="the demo's")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="A folder for what they know, to carry on after a stop.")
def simulate(names: tuple[str, ...], path: Path, state: Path | None) -> None:
    """The simulated venues alone, in one process; they keep their orders while the router comes and goes."""
    try:
        settings = simulators.load(path)
        simulators.chosen(names)
    except (OSError, ValueError) as wrong:
        leave(2, f"{path}: {wrong}")

    async def serve() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with await simulators.serve(names, settings, state, partial(click.echo, err=True)):
            click.echo(f"simulating {', '.join(simulators.chosen(names))}")
            await stopped.wait()

    try:
        asyncio.run(serve())
    except OSError as wrong:
        leave(2, f"cannot start: {wrong}")


class _Router:
    """One router process: recovery, rims, threads, and an orderly end."""

    def __init__(self, settings: Settings, path: Path) -> None:
        """Everything up to the first connection; leaves the process with 2 where that is not possible."""
        sys.setswitchinterval(0.0005)  # QuickFIX's binding retakes the GIL at every call; 5 ms of waiting each would be 10 ms stalls
        self.narrator = Narrator(sys.stdout, settings.log.level, settings.log.format)
        self._stop = threading.Event()
        self._since = time.monotonic()
        self._died = ""
        self._one_core = settings.router.one_core
        engine = Engine()
        started = time.monotonic()
        try:
            journal = JournalWriter(settings.router.state / "journal")
            unsure = recover(engine, journal.replay())
            note = self.narrator.note
            self._rim = FixRim(settings, path.parent, time.time_ns, note, self._on_death)
            bridges = venues.bridges(settings, path.parent, self._hear, time.time_ns, note)
        except (JournalCorrupt, JournalLocked, OSError, RuntimeError, Fault, SessionFileError) as wrong:
            leave(2, str(wrong))
        if journal.torn_bytes:
            note("journal tail cut", level="warning", bytes=journal.torn_bytes, why="the router died while it wrote it")
        note("recovered", orders=len(engine.state.blotter.orders), live=len(engine.state.blotter.live),
             seconds=f"{time.monotonic() - started:.2f}")  # fmt: skip
        links: dict[str, Venue] = {**self._rim.links, **bridges}
        self._runtime = Runtime(engine, journal, self._rim.clients, links, time.time_ns, self.narrator.observe, journal.time)
        self._shell = Shell(list(bridges.values()), self._on_death)
        self._rim.attach(self._runtime)
        for report in unsure:
            self._rim.clients.report(report, possibly_resent=True)
        for name, bridge in bridges.items():
            bridge.recall(engine.state.remembered.get(name, {}))
        self._runtime.start(settings.frozen(_capabilities(settings)), version("fixrouter"))

    def run_until_stopped(self, may_restart: bool = False) -> NoReturn:
        """Serve until SIGINT or SIGTERM, or until a FIX thread dies; then, where it may, start anew, unless it has only just started."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        if self._one_core:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        # What was recovered stays; collections over it would be pauses for nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 1000)
        ticking = threading.Thread(target=self._runtime.run, name="tick", daemon=True)
        ticking.start()
        self._shell.start()
        self._rim.start()
        self._stop.wait()
        self.narrator.note("stopping", why=self._died or "asked to")
        self._rim.stop()
        self._shell.stop(within_s=1)
        self._runtime.stop()
        self.narrator.close()
        sys.stdout.flush()
        run_exits()
        if self._died and may_restart and time.monotonic() - self._since > RESTART_AFTER_S:
            # A new life in the same process: recovery is what every start does. QuickFIX's sockets would stay open otherwise.
            os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 65536 else 65536)
            os.execv(sys.executable, [sys.executable, "-m", "router", *sys.argv[1:]])  # noqa: S606 - ourselves, as we were started
        # QuickFIX's own stop crashes, and so can its destructors: nothing of it is taken down.
        os._exit(1 if self._died else 0)

    def _hear(self, event: Input) -> None:
        self._runtime.hear(event)

    def _on_death(self, why: str) -> None:
        self.narrator.note("a thread ended", level="error", why=why)
        self._died = why
        self._stop.set()


# --- asking -------------------------------------------------------------------------------------------------------------


@main.command()
def password() -> None:
    """Ask for a client's password and print what stands for it in the configuration (clients.password_hash)."""
    click.echo(hashed(click.prompt("Password(554)", hide_input=True, confirmation_prompt=True)))


@main.command()
@click.option("--message", help='A message, "35=D|11=a|..." ("|" for SOH): show what the session\'s rules make of it.')
@click.option("--session", help="The client session whose rules are meant.")
@click.option("--direction", type=click.Choice(["in", "out"]), default="in", show_default=True)
@config_option
def check(path: Path, message: str | None, session: str | None, direction: Literal["in", "out"]) -> None:
    """Read everything, connect to nothing, and say what is wrong: one line a fault."""
    settings = _settings(path)
    if message is not None:
        _explain(settings, message, session, direction)
        return
    for number, why in Policy(settings.frozen(_capabilities(settings))).routes.never():
        click.echo(f"{path}: routes[{number}] can never decide: {why}", err=True)
    click.echo(f"{path}: {len(settings.clients)} client sessions, {len(settings.destinations)} destinations: nothing wrong")
    table = Table("destination", "order types", "time in force", "also", "symbols", title="What each can do")
    for name, can in _capabilities(settings).items():
        also = {
            "post-only": can.post_only,
            "reduce-only": can.reduce_only,
            "replace": can.native_replace,
            "market buy by cash": can.market_buy_by_cash,
            "no id of ours": not can.client_id,
        }
        instruments = next(each.instruments for each in settings.destinations if each.name == name)
        table.add_row(
            name,
            "\n".join(can.ord_types),
            "\n".join(each.name for each in can.times_in_force),
            "\n".join(word for word, true in also.items() if true),
            "\n".join(each.symbol for each in instruments),
        )
        table.add_section()
    Console().print(table)


# --- small things -------------------------------------------------------------------------------------------------------


def _settings(path: Path) -> Settings:
    """The configuration, or the end of the process with a line for each fault."""
    try:
        settings = load(path)
    except Fault as fault:
        leave(2, *fault.lines)
    faults = fix_check.faults(settings, path, venues.VENUES) + venues.faults(settings, path)
    if faults:
        leave(2, *faults)
    return settings


def _explain(settings: Settings, message: str, session: str | None, direction: Literal["in", "out"]) -> None:
    """What the rules of a session make of a message, rule by rule."""
    agreed = next((each for each in settings.clients if each.session == session), None)
    if agreed is None:
        leave(2, f"--session: name one of {', '.join(each.session for each in settings.clients)}")
    try:
        found = read_message(message)
    except ValueError as wrong:
        leave(2, f"--message: {wrong}")
    rules = compiled(agreed.rules, direction)
    if rules is None:
        click.echo(f"{session} has no rules for messages that go {direction}: it stays as it is")
        return
    steps, after = explain(rules, found)
    for step in steps:
        click.echo(f"rules[{step.rule}]: {step.did}")
    click.echo(show(after))


def _capabilities(settings: Settings) -> dict[str, Capabilities]:
    """What each destination can do, however it is reached."""
    return {**fix_capabilities(settings), **venues.capabilities(settings)}


if __name__ == "__main__":
    main()
