"""An order's whole life, from the journal: looked up by a process of its own, since that is long work.

`python -m router.admin.lives STATE_FOLDER ID` prints `Found` as JSON. The router starts it and reads what it prints.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from pathlib import Path

from pydantic import BaseModel

from router.admin.contract import FillRow, Moment, OrderRow
from router.admin.problems import Refusal
from router.admin.story import fills_of, moment, row_of_summary
from router.history import History
from router.segments import JournalCorrupt

__all__ = ["Found", "find", "look_up"]

WITHIN_S = 60.0
_OUTPUT_AT_MOST = 16 * 1024 * 1024
_NICE = 10


class Found(BaseModel):
    """What the history has under an id."""

    order_ids: list[str]
    """Of all orders that have it; the rest is there only where it is one."""
    order: OrderRow | None = None
    life: list[Moment] = []
    fills: list[FillRow] = []
    error: str = ""


def look_up(state: Path, name: str) -> Found:
    """Bring the history up to the journal, and look there."""
    history = History(state / "history.sqlite")
    try:
        history.catch_up(state / "journal", lambda _: None)
        ids = history.find(name)
        if len(ids) != 1:
            return Found(order_ids=ids)
        moments = list(history.life(ids[0]))
        order = row_of_summary(history.summary(ids[0]))
        return Found(order_ids=ids, order=order, life=[moment(each) for each in moments], fills=fills_of(moments, ids[0]))
    finally:
        history.close()


class Lives:
    """Looks lives up, one at a time: two would only wait for each other."""

    def __init__(self, state: Path, within_s: float = WITHIN_S) -> None:
        self._state = state
        self._within_s = within_s
        self._turn = asyncio.Lock()

    async def find(self, name: str) -> Found:
        """What the history has under an id. Raises `Refusal` where it cannot be asked."""
        async with self._turn:
            return await find(self._state, name, self._within_s)


async def find(state: Path, name: str, within_s: float) -> Found:
    """Run the process and read what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "router.admin.lives", str(state.resolve()), name,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=_OUTPUT_AT_MOST,
    )  # fmt: skip
    try:
        async with asyncio.timeout(within_s):
            output, _ = await process.communicate()
    except TimeoutError:
        raise Refusal(504, f"the history did not answer within {within_s:g} s: fill it once with fixrouter journal rebuild") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Refusal(500, f"the history cannot be read (exit code {process.returncode})")
    found = Found.model_validate_json(output)
    if found.error:
        raise Refusal(500, f"the history cannot be read: {found.error}")
    return found


def _step_aside() -> None:
    """Away from the processor that the router's threads are kept on, and behind it in every queue."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    os.nice(_NICE)


def main() -> None:
    """The process."""
    _step_aside()
    try:
        found = look_up(Path(sys.argv[1]), sys.argv[2])
    except (OSError, sqlite3.Error, JournalCorrupt) as wrong:
        found = Found(order_ids=[], error=str(wrong))
    sys.stdout.write(found.model_dump_json())


if __name__ == "__main__":
    main()
