"""`fixrouter journal`: the journal for people and scripts, read only, also while the router runs; and what keeps its folder in order."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from router.engine import Engine
from router.history import History, rendered
from router.journal import JournalCorrupt, Record, read
from router.model import Alert, Effect
from router.recovery import Busy, compact, newest, oldest, without_collections
from router.segments import Position, last_file, last_sequence, numbered, walk
from router.settings import Fault, Settings, load
from router.snapshot import SnapshotUnfit
from router.terminal import clock, config_option, leave

__all__ = ["journal"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NS: Final = 1_000_000_000
json_option: Final = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
since_option: Final = click.option(
    "--since", default="24h", show_default=True, help="So long ago (90m, 24h, 7d), or a day or time UTC (2026-11-21T10:30)."
)


@click.group()
def journal() -> None:
    """The journal: read only, also while the router runs. Only compact and rebuild write, and neither touches what is not written yet."""


# --- looking ------------------------------------------------------------------------------------------------------------


@journal.command()
@click.argument("name", metavar="ID")
@json_option
@config_option
def find(name: str, as_json: bool, path: Path) -> None:
    """The whole life of an order, by any of its ids: OrderID, ClOrdID, a cancel's ClOrdID, the venue's."""
    history = _history(_settings(path))
    found = history.find(name)
    if as_json:
        click.echo(json.dumps([_life(history, order_id) for order_id in found]))
    if not found:
        leave(1, f"no order has the id {name}")
    if as_json:
        return
    for order_id in found:
        for key, value in history.summary(order_id).items():
            click.echo(f"{key:12} {value if key not in ('created', 'updated') else clock(value)}")
        for moment in history.life(order_id):
            click.echo(f"{clock(moment.time)}  #{moment.sequence} {moment.kind} {moment.body}")
            for kind, body in moment.effects:
                click.echo(f"{'':24}  -> {kind} {body}")


def _life(history: History, order_id: str) -> dict[str, Any]:
    moments = [
        {
            "sequence": moment.sequence, "time": moment.time, "kind": moment.kind, "input": json.loads(moment.body),
            "effects": [{"kind": kind, "effect": json.loads(body)} for kind, body in moment.effects],
        }
        for moment in history.life(order_id)
    ]  # fmt: skip
    return {"order": history.summary(order_id), "life": moments}


@journal.command()
@since_option
@json_option
@config_option
def fills(since: str, as_json: bool, path: Path) -> None:
    """Executions, corrections and busts as clients were told them."""
    _tell(_history(_settings(path)).fills(_since(since)), as_json, _fill)


@journal.command()
@since_option
@json_option
@config_option
def rejects(since: str, as_json: bool, path: Path) -> None:
    """Orders, cancels and replaces that were refused, with the reason."""
    _tell(_history(_settings(path)).rejects(_since(since)), as_json, _reject)


def _tell(rows: Iterable[dict[str, Any]], as_json: bool, line: Callable[[dict[str, Any]], str]) -> None:
    with suppress(BrokenPipeError):
        for row in rows:
            click.echo(json.dumps(row) if as_json else line(row))


def _fill(row: dict[str, Any]) -> str:
    what = "" if row["exec_type"] == "trade" else f"  {row['exec_type']} of {row['exec_ref_id']}"
    qty, px, cum = (f"{Decimal(row[name]):f}" for name in ("last_qty", "last_px", "cum_qty"))
    done = f"{row['side']} {qty} {row['symbol']} @ {px}"
    return f"{clock(row['time'])}  {done}  cum {cum}  {row['destination']}  order {row['order_id']}  {row['cl_ord_id']}{what}"


def _reject(row: dict[str, Any]) -> str:
    what = "order" if "exec_type" in row else row["response_to"]
    return f"{clock(row['time'])}  {what} {row['cl_ord_id']}  {row.get('ord_rej_reason') or row.get('reason')}: {row['text']}"


@journal.command()
@config_option
def dump(path: Path) -> None:
    """Every record that is still there as a line of JSON."""
    _print_records(_settings(path), last=None, follow=False)


@journal.command()
@click.option("-n", "count", default=10, show_default=True, help="How many records to begin with.")
@click.option("-f", "--follow", is_flag=True, help="Go on as they come, until Ctrl-C.")
@config_option
def tail(count: int, follow: bool, path: Path) -> None:
    """The last records."""
    _print_records(_settings(path), last=count, follow=follow)


def _print_records(settings: Settings, last: int | None, follow: bool) -> None:
    folder = _journal_folder(settings.router.state)
    seen = 0
    try:
        if last is None:
            for record in read(folder):
                _print_record(record)
            return
        records = list(read(folder))
        for record in records[-last:] if last else []:
            _print_record(record)
        seen = records[-1].sequence if records else 0
        begins = last_file(folder)
        while follow:
            time.sleep(0.5)
            following = last_file(folder)
            for record in read(folder, begins):
                if record.sequence > seen:
                    _print_record(record)
                    seen = record.sequence
            begins = following
    except JournalCorrupt as wrong:
        leave(2, str(wrong))
    except (KeyboardInterrupt, BrokenPipeError):
        return


def _print_record(record: Record) -> None:
    kind, body = rendered(record.event)
    line = {"sequence": record.sequence, "time": clock(record.time), "kind": kind, "input": json.loads(body)}
    click.echo(json.dumps(line))


# --- keeping in order ---------------------------------------------------------------------------------------------------


@journal.command()
@config_option
def verify(path: Path) -> None:
    """Check every checksum, replay every input, and check the book that comes of it and the newest snapshot. Exit 0 when all is well, 1
    when something is odd that does no harm, 2 when the journal cannot be used."""
    folder = _journal_folder(_settings(path).router.state)
    engine, position = Engine(), Position()
    said: list[str] = []
    try:
        if min(numbered(folder), default=1) > 1:
            base = oldest(folder, said.append)
            if base is not None:
                engine.state, position = base.state, Position(base.mark)
        with _bar("checking", last_sequence(folder)) as progress, without_collections():
            for record in walk(folder, position):
                effects = engine.apply(record.event, record.time)
                said += [f"input {record.sequence}: {text}" for text in _faults(effects)]
                if record.sequence % 1000 == 0:
                    progress(record.sequence)
        engine.state.blotter.check()
        newest(folder, said.append)
    except (JournalCorrupt, AssertionError) as wrong:
        leave(2, *said, str(wrong) or "the book does not check")
    if position.torn_bytes:
        click.echo(f"an unfinished last line of {position.torn_bytes} bytes: a router is writing it, or died while it did", err=True)
    orders = engine.state.blotter.orders
    click.echo(
        f"{len(numbered(folder))} files, inputs up to {position.sequence}, {len(orders)} orders: every checksum fits, the book checks"
    )
    if said:
        leave(1, *said)


def _faults(effects: list[Effect]) -> list[str]:
    return [each.text for each in effects if isinstance(each, Alert) and each.text.startswith("internal error")]


@journal.command(name="compact")
@config_option
def compact_command(path: Path) -> None:
    """Make the snapshot that the next start goes on from, and drop files that need not be kept. The router starts this by itself."""
    settings = _settings(path)
    _stand_back()
    try:
        done = compact(_journal_folder(settings.router.state), _note, settings.journal.keep_days)
    except Busy as busy:
        leave(1, str(busy))
    except (JournalCorrupt, SnapshotUnfit, AssertionError, OSError) as wrong:
        leave(2, f"no snapshot was made: {wrong}")
    made = f"{done.snapshot.name} with {done.orders} orders" if done.snapshot is not None else "nothing new to keep"
    removed = f"; {len(done.removed)} old files removed: the history can be rebuilt from what is left only" if done.removed else ""
    click.echo(f"{made}{removed}")


def _stand_back() -> None:
    """Leave the router's processor, and the others to whoever has something better to do."""
    with suppress(OSError):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    os.nice(10)


@journal.command()
@config_option
def rebuild(path: Path) -> None:
    """Make the history anew from the journal, say how it differs from the old one, and put it in its place."""
    state = _settings(path).router.state
    folder = _journal_folder(state)
    old, new = state / "history.sqlite", state / "history.new.sqlite"
    new.unlink(missing_ok=True)
    history = History(new)
    try:
        with _bar("rebuilding", last_sequence(folder)) as progress:
            count = history.catch_up(folder, _note, progress)
    except JournalCorrupt as wrong:
        leave(2, str(wrong))
    for line in _differences(history, old):
        click.echo(line)
    history.close()
    new.replace(old)
    click.echo(f"{old}: {count} inputs")


def _differences(history: History, old: Path) -> list[str]:
    if not old.exists():
        return ["there was no history before"]
    try:
        return history.differences(old) or ["it is the same as the old one"]
    except sqlite3.Error as wrong:
        return [f"the old one cannot be read: {wrong}"]


# --- small things -------------------------------------------------------------------------------------------------------


@contextmanager
def _bar(what: str, last: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=last if last > 0 else None)
        yield lambda sequence: progress.update(task, completed=sequence)


def _history(settings: Settings) -> History:
    """The history, caught up with the journal."""
    folder = _journal_folder(settings.router.state)
    history = History(settings.router.state / "history.sqlite")
    try:
        with _bar("reading the journal", last_sequence(folder)) as progress:
            history.catch_up(folder, _note, progress)
    except JournalCorrupt as wrong:
        leave(2, str(wrong))
    return history


def _since(text: str) -> int:
    """A time, ns UTC."""
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago is not None:
        return time.time_ns() - int(ago[1]) * _UNITS[ago[2]] * _NS
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        leave(2, f"--since {text}: say 90m, 24h or 7d, or a day or time such as 2026-11-21T10:30")
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) * _NS


def _note(text: str) -> None:
    click.echo(text, err=True)


def _settings(path: Path) -> Settings:
    try:
        return load(path)
    except Fault as fault:
        leave(2, *fault.lines)


def _journal_folder(state: Path) -> Path:
    folder = state / "journal"
    if not folder.is_dir():
        leave(2, f"there is no journal in {folder}")
    return folder
