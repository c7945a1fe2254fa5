"""`fixrouter journal`: the journal for people and scripts, read only, also while the router runs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from router.history import History, rendered
from router.journal import JournalCorrupt, Record, read
from router.settings import Fault, Settings, load
from router.terminal import clock, config_option, leave

__all__ = ["journal"]


@click.group()
def journal() -> None:
    """The journal, read only, also while the router runs."""


@journal.command()
@click.argument("name", metavar="ID")
@config_option
def find(name: str, path: Path) -> None:
    """The whole life of an order, by any of its ids: OrderID, ClOrdID, a cancel's ClOrdID, the venue's."""
    settings = _settings(path)
    state = settings.router.state
    history = History(state / "history.sqlite")
    try:
        history.fill(read(_journal_folder(state)))
    except JournalCorrupt as wrong:
        leave(2, str(wrong))
    found = history.find(name)
    if not found:
        leave(1, f"no order has the id {name}")
    for order_id in found:
        for key, value in history.summary(order_id).items():
            click.echo(f"{key:12} {value if key not in ('created', 'updated') else clock(value)}")
        for moment in history.life(order_id):
            click.echo(f"{clock(moment.time)}  #{moment.sequence} {moment.kind} {moment.body}")
            for kind, body in moment.effects:
                click.echo(f"{'':24}  -> {kind} {body}")


@journal.command()
@config_option
def dump(path: Path) -> None:
    """Every record as a line of JSON."""
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
        records = list(read(folder))
        for record in records if last is None else records[-last:]:
            _print_record(record)
        seen = records[-1].sequence if records else 0
        while follow:
            time.sleep(0.5)
            for record in read(folder):
                if record.sequence > seen:
                    _print_record(record)
                    seen = record.sequence
    except JournalCorrupt as wrong:
        leave(2, str(wrong))
    except (KeyboardInterrupt, BrokenPipeError):
        return


def _print_record(record: Record) -> None:
    kind, body = rendered(record.event)
    line = {"sequence": record.sequence, "time": clock(record.time), "kind": kind, "input": json.loads(body)}
    click.echo(json.dumps(line))


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
