"""`fixrouter simulate`: the simulated venues as a process of their own."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from pathlib import Path
from typing import Final

import click

from bridges import simulators
from router.terminal import DEMO, leave

__all__ = ["simulate"]

DEMO_SIMULATORS: Final = DEMO / "simulators.toml"


@click.command()
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
