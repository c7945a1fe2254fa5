"""The command line and the wiring: the only file that may import everything.

Exit codes: 0 done, 1 the router said no, 2 wrong use or configuration, 3 the router cannot be reached.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Literal, NoReturn

import click
from rich.console import Console
from rich.table import Table

from bridges import venues
from bridges.shell import Shell
from bridges.simulate_command import simulate
from fix import check as fix_check
from fix.certify import CASES, Course, log_stem
from fix.order_command import order
from fix.passwords import hashed
from fix.rim import FixRim
from fix.rim import capabilities as fix_capabilities
from fix.rules import compiled, explain, read_message, show
from fix.sessions import SessionFileError
from router.acts import Stopping, Switch
from router.admin.console import serve_console
from router.admin.ctl import console, ctl
from router.admin.links import EveryLink
from router.admin.needs import JournalState
from router.admin.stages import timed
from router.admin.token_command import token
from router.admin.wiring import Admin, watching
from router.certify_command import certifying
from router.demo import SimulatedVenues
from router.journal import JournalCorrupt, JournalLocked, JournalWriter
from router.journal_commands import journal
from router.logs import Narrator
from router.model import Alert, Effect, Input, Tick
from router.policy import Policy
from router.ports import Venue
from router.recovery import begin, compaction_command
from router.reload import differences
from router.report_command import report
from router.rules import Capabilities
from router.runtime import Runtime
from router.settings import Fault, Settings, load
from router.state import unsettled
from router.terminal import DEMO_ROUTER, config_option, leave, run_exits

VERSION = version("fixrouter")
RESTART_AFTER_S = 60.0
"""A router that dies sooner after its start would only die again."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="fixrouter")
def main() -> None:
    """A FIX order router: your OMS speaks FIX to it, each venue is spoken to in its own language."""


main.add_command(journal)
main.add_command(report)
main.add_command(simulate)
main.add_command(token)
main.add_command(console)
main.add_command(ctl)
main.add_command(order)
main.add_command(certifying(Course, CASES, log_stem))


# --- running ------------------------------------------------------------------------------------------------------------


@main.command()
@click.option("--config", "path", type=click.Path(path_type=Path), required=True, help="The router's TOML file.")
@click.option("--no-console", is_flag=True, help="Log lines only, also on a terminal.")
def run(path: Path, no_console: bool) -> None:
    """The router alone, against whatever its file names."""
    _Router(_settings(path), path, _is_terminal(no_console)).run_until_stopped(may_restart=True)


@main.command()
@click.option("--no-console", is_flag=True, help="Log lines only, also on a terminal.")
def demo(no_console: bool) -> None:
    """The demo: the simulated venues as a process of their own, and the router."""
    settings = _settings(DEMO_ROUTER)
    router = _Router(settings, DEMO_ROUTER, _is_terminal(no_console))
    with SimulatedVenues(settings.router.state, router.narrator.note):
        click.echo("fixrouter demo: FIX on port 9876 (README: how to connect an OMS), simulated venues on 9101-9501, operators on")
        click.echo("http://127.0.0.1:8080 with the token in var/admin.token. Ctrl-C stops it.")
        router.run_until_stopped(leave_token=True)


class _Router:
    """One router process: recovery, rims, threads, operators, and an orderly end."""

    def __init__(self, settings: Settings, path: Path, console: bool) -> None:
        """Everything up to the first connection; leaves the process with 2 where that is not possible."""
        sys.setswitchinterval(0.0005)  # QuickFIX's binding retakes the GIL at every call; 5 ms of waiting each would be 10 ms stalls
        self._settings, self._path, self._console = settings, path, console
        self._stop = threading.Event()
        self._cancel_all = False
        self._since = time.monotonic()
        self._died = ""
        self._compacting: subprocess.Popen[bytes] | None = None
        try:
            settings.router.state.mkdir(parents=True, exist_ok=True)
            log = (settings.router.state / "router.log").open("a") if console else sys.stdout
            self.narrator = Narrator(log, settings.log.level, settings.log.format)
            self._build()
        except (JournalCorrupt, JournalLocked, OSError, RuntimeError, ValueError, Fault, SessionFileError) as wrong:
            leave(2, str(wrong))

    def _build(self) -> None:
        settings, folder, note = self._settings, self._path.parent, self.narrator.note
        started = time.monotonic()
        self._journal = JournalWriter(
            settings.router.state / "journal", durability=settings.journal.durability, segment_bytes=settings.journal.segment_mib << 20,
            reserve_bytes=settings.journal.reserve_mib << 20, closed=self._compact,
        )  # fmt: skip
        engine, unsure = begin(self._journal, lambda text: note(text, level="warning"))
        self._rim = FixRim(settings, folder, time.time_ns, note, self._on_death)
        self._bridges = venues.bridges(settings, folder, self._hear, time.time_ns, note)
        if self._journal.torn_bytes:
            note("journal tail cut", level="warning", bytes=self._journal.torn_bytes, why="the router died while it wrote it")
        book = engine.state.blotter
        note("recovered", orders=len(book.orders), live=len(book.live), seconds=f"{time.monotonic() - started:.2f}")
        self._watch, stages = watching(settings)
        self._watch.seed(engine)
        links: dict[str, Venue] = {**self._rim.links, **self._bridges}
        self._runtime = Runtime(
            timed(engine, "apply", "apply", stages), timed(self._journal, "append", "journal", stages),
            timed(self._rim.clients, "report", "report", stages),
            {name: timed(link, "submit", "send", stages) for name, link in links.items()},
            time.time_ns, self._observe, self._journal.time,
        )  # fmt: skip
        self._shell = Shell(list(self._bridges.values()), self._on_death)
        self._links = EveryLink(self._rim.operations, list(self._rim.links), self._bridges)
        self._admin = self._operators()
        self._rim.clients.complain = lambda text: self._observe(Tick(), [Alert(text)])
        self._rim.attach(self._runtime, lambda client: timed(client, "decode", "decode", stages))
        for told in unsure:
            self._rim.clients.report(told, possibly_resent=True)
        for name, bridge in self._bridges.items():
            bridge.recall(engine.state.remembered.get(name, {}))
        for what, name in engine.state.off:
            self._switch_off(what, name)
        self._runtime.keep_orders = settings.router.keep_orders
        self._runtime.start(settings.frozen(_capabilities(settings)), VERSION)

    def _operators(self) -> Admin | None:
        if self._settings.admin is None:
            return None
        return Admin(
            self._settings, self._path.parent, self._runtime, self._watch, self._rim.operations, self._links, self._journal_state,
            self._shell.post, lambda: {name: bridge.skew_s for name, bridge in self._bridges.items()}, lambda: self._settings,
            self._reload, self._ask_to_stop, self.narrator.note, VERSION,
        )  # fmt: skip

    def _switch_off(self, what: Switch, name: str) -> None:
        try:
            if what is Switch.LINK:
                self._links.enable(name, False)
            else:
                self._rim.operations.enable(name, False)
        except KeyError:
            self.narrator.note("what an operator switched off is not configured any more", level="warning", what=str(what), name=name)

    # --- its life ---------------------------------------------------------------------------------------------------------

    def run_until_stopped(self, may_restart: bool = False, leave_token: bool = False) -> NoReturn:
        """Serve until SIGINT or SIGTERM, or until a FIX thread dies; then, where it may, start anew, unless it has only just started."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop.set())
        if self._settings.router.one_core:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        # What was recovered stays; collections over it would be pauses for nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 1000)
        threading.Thread(target=self._runtime.run, name="tick", daemon=True).start()
        self._shell.start()
        self._rim.start()
        self._serve_operators(leave_token)
        self._stop.wait()
        self.narrator.note("stopping", why=self._died or "asked to")
        self._drain()
        self._rim.stop()
        self._shell.stop(within_s=1)
        if self._admin is not None:
            self._admin.server.stop(within_s=1)
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

    def _serve_operators(self, leave_token: bool) -> None:
        if self._admin is None:
            return
        try:
            self._admin.start()
            self.narrator.note("operators are served", at=self._admin.where)
            if leave_token:
                self.narrator.note("token for operators", file=str(self._admin.leave_token()))
        except (OSError, ValueError) as wrong:
            # Trading goes on without operators sooner than not at all; what is wrong stands in the log and in nobody's way.
            self.narrator.note("operators cannot be served", level="error", why=str(wrong))
            return
        if self._console:
            where, token = self._admin.where, self._admin.token("console")
            serve_console(where, lambda: token, history=self._settings.router.state / "console.history", stop=self._stop)
            self._stop.set()

    def _drain(self) -> None:
        """Take no more orders, cancel those that are not to be left behind, and give answers that are on their way some time."""
        if self._admin is not None:
            self._admin.server.stopping()
        cancel = tuple(each.session for each in self._settings.clients if each.cancel_on_stop or self._cancel_all)
        with suppress(OSError):
            self._runtime.step(Stopping(why=self._died or "the router stops", cancel=cancel))
        until = time.monotonic() + float(self._settings.router.stop_within_s)
        while time.monotonic() < until:
            with self._runtime.reading() as state:
                if not unsettled(state):
                    return
            time.sleep(0.02)

    # --- what others ask of it --------------------------------------------------------------------------------------------

    def _observe(self, event: Input, effects: list[Effect]) -> None:
        self.narrator.observe(event, effects)
        self._watch.observe(event, effects)
        if self._admin is not None:
            self._admin.observe(event, effects)

    def _hear(self, event: Input) -> None:
        self._runtime.hear(event)

    def _on_death(self, why: str) -> None:
        self.narrator.note("a thread ended", level="error", why=why)
        self._died = why
        self._stop.set()

    def _ask_to_stop(self, cancel_all: bool) -> None:
        self._cancel_all = cancel_all
        self._stop.set()

    def _journal_state(self) -> JournalState:
        return JournalState(self._journal.sequence, self._journal.size_bytes, self._runtime.failing, self._settings.journal.durability)

    def _compact(self) -> None:
        """A file of the journal was closed: a snapshot is made of it, in a process of its own."""
        if self._compacting is None or self._compacting.poll() is not None:
            command = compaction_command(self._path)
            self._compacting = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - our own words

    def _reload(self, preview: bool) -> tuple[bool, str, list[str]]:
        """Take the file into use again, all of it or nothing."""
        try:
            new = _checked(self._path)
        except Fault as fault:
            return False, "the file cannot be used: nothing was changed", fault.lines
        changes = differences(self._settings, new)
        lines = [str(each) for each in changes]
        fixed = sum(1 for each in changes if not each.live)
        if fixed:
            return False, f"{fixed} of {len(changes)} changes need a restart: nothing was changed", lines
        if not preview and changes:
            for link, instruments in venues.traded(new).items():
                if link in self._bridges:
                    self._bridges[link].learn(instruments)
            self._runtime.step(new.frozen(_capabilities(new)))
            self._runtime.keep_orders = new.router.keep_orders
            self._settings = new
        return True, f"{len(changes)} change{'s' * (len(changes) != 1)}" + (" would be" if preview else "") + " taken into use", lines


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
    routes = Policy(settings.frozen(_capabilities(settings))).routes
    for number, why in routes.never():
        click.echo(f"{path}: routes[{number}] can never decide: {why}", err=True)
    symbols = dict.fromkeys(instrument.symbol for each in settings.destinations for instrument in each.instruments)
    for symbol in routes.unreached(list(symbols)):
        click.echo(f"{path}: no route takes {symbol}: its orders must name a destination")
    click.echo(f"{path}: {len(settings.clients)} client sessions, {len(settings.destinations)} destinations: nothing wrong")
    table = Table("destination", "order types", "time in force", "also", "symbols", title="What each can do")
    for name, can in _capabilities(settings).items():
        also = {
            "post-only": can.post_only,
            "reduce-only": can.reduce_only,
            "on margin": can.margin,
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
        return _checked(path)
    except Fault as fault:
        leave(2, *fault.lines)


def _checked(path: Path) -> Settings:
    """The configuration. Raises `Fault`."""
    settings = load(path)
    faults = fix_check.faults(settings, path, venues.VENUES) + venues.faults(settings, path)
    if faults:
        raise Fault(faults)
    return settings


def _is_terminal(no_console: bool) -> bool:
    """Whether the console is to be on this terminal; the log goes to a file then."""
    return not no_console and sys.stdin.isatty() and sys.stdout.isatty()


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
