"""What the commands share: options, times as people read them, and ways out of the process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NoReturn

import click

__all__ = ["DEMO", "DEMO_ROUTER", "amount", "at_exit", "clock", "config_option", "leave", "run_exits"]

DEMO: Final = Path(__file__).resolve().parent.parent / "config" / "demo"
DEMO_ROUTER: Final = DEMO / "router.toml"
config_option: Final = click.option(
    "--config", "path", type=click.Path(path_type=Path), default=DEMO_ROUTER, show_default="the demo's", help="The router's TOML file."
)
_exits: list[Callable[[], None]] = []


def at_exit(do: Callable[[], None]) -> None:
    """Have something done before the process ends by `os._exit`, which runs no handlers of Python's."""
    _exits.append(do)


def run_exits() -> None:
    """Do it."""
    while _exits:
        _exits.pop()()


def leave(code: int, *lines: str) -> NoReturn:
    """End the process with some lines on standard error."""
    for line in lines:
        click.echo(line, err=True)
    run_exits()
    sys.stdout.flush()
    os._exit(code)


def amount(name: str, value: str) -> Decimal:
    """A number of the command line, exact; leaves with 2 where it is none."""
    try:
        exact = Decimal(value)
    except InvalidOperation:
        exact = Decimal("NaN")
    if not exact.is_finite():
        leave(2, f"{name}: {value} is not a number")
    return exact


def clock(time_ns: int) -> str:
    """ns UTC as people read it."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) + f".{rest // 1_000_000:03}"
