"""`fixrouter report`: the page and the files of a day, from the journal: read only, in a process of its own, also while the router runs.

Every order of the journal is in memory meanwhile, as in the router itself, and every execution of the day."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from router.journal import JournalCorrupt, Record, read
from router.report import files
from router.report.day import DAY, SECOND, Day
from router.settings import Fault, Settings, load
from router.terminal import clock, config_option, leave

__all__ = ["report"]

_STEP: Final = 2000
"""Records between two movements of the bar."""


@click.command()
@click.argument("day", metavar="DAY")
@config_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=".", show_default=True, help="The folder for the files.")
@click.option("--to-stdout", is_flag=True, help="The page on standard output, and no files.")
def report(day: str, path: Path, out: Path, to_stdout: bool) -> None:
    """The report of a DAY (YYYY-MM-DD, today or yesterday, UTC): a page to read, and its orders and fills as CSV."""
    now = time.time_ns()
    begins = _begins(day, now)
    settings = _settings(path)
    if not to_stdout:
        _check_writable(out)
    told = _replayed(settings.router.state / "journal", Day(begins, min(begins + DAY, now)))
    name = f"{datetime.fromtimestamp(begins // SECOND, UTC):%Y-%m-%d}"
    page = _page(told, name, now)
    if to_stdout:
        sys.stdout.buffer.write(page.encode())
    else:
        _written(out, name, page, told)
    _summary(told, name, Console(stderr=to_stdout))


def _begins(day: str, now: int) -> int:
    """The first nanosecond of a day; leaves with 2 where it is none, or has not begun."""
    today = datetime.fromtimestamp(now // SECOND, UTC).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        found = named.get(day) or date.fromisoformat(day if len(day) == 10 else "")
    except ValueError:
        leave(2, f"DAY: {day} is not a day: write YYYY-MM-DD, today or yesterday")
    if found > today:
        leave(2, f"DAY: {found} has not begun (UTC)")
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp()) * SECOND


def _settings(path: Path) -> Settings:
    try:
        return load(path)
    except Fault as fault:
        leave(2, *fault.lines)


def _check_writable(folder: Path) -> None:
    """Before a long replay, not after it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as wrong:
        leave(2, f"--out: {folder}: {wrong.strerror}")


def _journal(folder: Path) -> tuple[Iterator[Record], int]:
    """The records of the journal, and how many there are about (lines, heads included)."""
    lines = 0
    for path in folder.glob("journal-*.log"):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                lines += block.count(b"\n")
    return read(folder), lines


def _replayed(folder: Path, day: Day) -> Day:
    """The day, counted; leaves with 2 where the journal has nothing of it."""
    if not folder.is_dir():
        leave(2, f"there is no journal in {folder}")
    try:
        records, count = _journal(folder)
        _follow(records, count, day)
    except (JournalCorrupt, OSError) as wrong:
        leave(2, str(wrong))
    if not day.first:
        leave(2, f"the journal in {folder} is empty")
    if day.first >= day.begins + DAY or (day.first >= day.ends):
        leave(2, f"the journal in {folder} has nothing of that day: it begins at {clock(day.first)} UTC")
    return day


def _follow(records: Iterator[Record], count: int, day: Day) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading the journal", total=count)
        for number, record in enumerate(records, start=1):
            if number == 1 and record.sequence != 1 and not day.first:
                leave(2, "the beginning of the journal is gone, and with it orders that may have been executed on that day")
            if not day.take(record):
                break
            if number % _STEP == 0:
                progress.update(task, completed=number, description=f"reading {clock(record.time)[:16]}")
        else:
            day.close()
        progress.update(task, completed=count)


def _page(day: Day, name: str, now: int) -> str:
    from router.report.page import render  # draws: half a second to load, which no other command should pay

    until = (
        "the whole day, 00:00 to 24:00 UTC" if day.ends - day.begins == DAY else f"the day so far, 00:00 to {clock(day.ends)[11:19]} UTC"
    )
    made = f"{until}; {day.inputs:,} records of the journal, which begins at {clock(day.first)}; made at {clock(now)} UTC"
    return render(day, f"Report of {name}", made)


def _written(out: Path, name: str, page: str, day: Day) -> None:
    """All three files, each whole or not there. Prints their paths."""
    parts: dict[str, Callable[[Path], object]] = {
        f"report-{name}.html": lambda path: path.write_text(page, encoding="utf-8"),
        f"orders-{name}.csv": lambda path: files.write(path, files.ORDERS, files.order_rows(day)),
        f"fills-{name}.csv": lambda path: files.write(path, files.FILLS, files.fill_rows(day)),
    }
    for file, put in parts.items():
        unfinished = out / f".{file}.{os.getpid()}"
        try:
            put(unfinished)
            unfinished.replace(out / file)
        except OSError as wrong:
            unfinished.unlink(missing_ok=True)
            leave(2, f"{out / file}: {wrong.strerror}")
        click.echo(out / file)


def _summary(day: Day, name: str, console: Console) -> None:
    from router.report.page import ENDS, amount, counted, notionals

    table = Table("", title=f"Orders of {name} (UTC)")
    table.add_column("of the day", justify="right")
    table.add_column("from before", justify="right")
    now, before = counted(day, came=True), counted(day, came=False)
    for word in ("orders", *ENDS, "unknown"):
        table.add_row(word, f"{now[word]:,}", f"{before[word]:,}")
    table.add_section()
    table.add_row("executions", f"{sum(1 for _ in day.trades.standing()):,}", "")
    for currency, (value, whole) in notionals(day).items():
        table.add_row(f"traded in {currency}", amount(value), "" if whole else "not all is known")
    console.print(table)
