"""Tables that fit the terminal, whatever its width. Pure.

An amount is never cut: where the width does not do, ids are shortened in their middle, texts folded, then the least important columns
go, and a line says which. Everything from outside is cleaned (`texts.clean`) and never read as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Group, JustifyMethod, OverflowMethod, RenderableType
from rich.table import Table
from rich.text import Text

from router.admin.texts import brief, clean

__all__ = ["Cell", "Column", "Kind", "Listing", "fitted"]


class Kind(Enum):
    """What a column holds, which says how it may give way."""

    WORD = "word"
    """As it is."""
    MONEY = "money"
    """Exact and to the right."""
    ID = "id"
    """Shortened in the middle, to no less than `ID_LEAST`."""
    TEXT = "text"
    """Folded into lines of no less than `TEXT_LEAST`: a reason is read to its end."""


ID_LEAST: Final = 14
TEXT_LEAST: Final = 24
_GAP: Final = 2
"""Between columns: one is the padding, one is where the box has its lines."""


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    kind: Kind = Kind.WORD
    rank: int = 0
    """The highest goes first where the width does not do; 0 always stays."""


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows under columns, before anybody knows how wide the terminal is."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell | str]]
    none: str
    """What to say where there are no rows."""
    title: str = ""
    foot: list[str] = field(default_factory=list)
    aside: tuple[int, int] | None = None
    """A row's name and its note, by their places: where the note has no room in the row, it is told below the table."""


def fitted(listing: Listing, width: int) -> RenderableType:
    """The table in so many columns of a terminal."""
    if not listing.rows:
        return Text("\n".join(clean(each) for each in [listing.none, *listing.foot] if each), style="dim")
    rows = [[_clean(each) for each in row] for row in listing.rows]
    widths, hidden = _widths(listing.columns, rows, width)
    table = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, _GAP - 1, 0, 0), show_edge=False, title_justify="left", title_style="bold"
    )
    table.title = Text(listing.title, "bold") if listing.title else None
    for at, wide in widths.items():
        column = listing.columns[at]
        justify: JustifyMethod = "right" if column.kind is Kind.MONEY else "left"
        overflow: OverflowMethod = "fold" if column.kind is Kind.TEXT else "crop"
        title = Text(clean(column.title), "bold")
        table.add_column(title, justify=justify, no_wrap=column.kind is not Kind.TEXT, overflow=overflow, width=wide)
    for row in rows:
        table.add_row(*(Text(_cut(row[at].text, listing.columns[at].kind, wide), row[at].style) for at, wide in widths.items()))
    below = _asides(listing, rows) if listing.aside is not None and listing.aside[1] not in widths else []
    hidden = [each for each in hidden if not below or each != listing.columns[(listing.aside or (0, 0))[1]].title]
    foot = [*listing.foot, *([f"not shown at this width: {', '.join(hidden)}"] if hidden else [])]
    return Group(table, *below, *(Text(clean(each), "dim") for each in foot))


def _asides(listing: Listing, rows: Sequence[Sequence[Cell]]) -> list[Text]:
    assert listing.aside is not None
    name, note = listing.aside
    return [Text(f"{row[name].text}: {row[note].text}", row[note].style) for row in rows if row[note].text]


def _clean(cell: Cell | str) -> Cell:
    return Cell(clean(cell)) if isinstance(cell, str) else Cell(clean(cell.text), cell.style)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int) -> tuple[dict[int, int], list[str]]:
    """How wide each column that is shown is, by its place; and the titles of those that are not."""
    natural = {at: max(cell_len(column.title), *(cell_len(row[at].text) for row in rows)) for at, column in enumerate(columns)}
    # A column with nothing in it tells nothing, unless it always stays.
    kept = {at: wide for at, wide in natural.items() if columns[at].rank == 0 or any(row[at].text for row in rows)}
    hidden: list[str] = []
    while _total(least := {at: _least(columns[at], wide) for at, wide in kept.items()}) > width:
        going = max(kept, key=lambda at: (columns[at].rank, at))
        if columns[going].rank == 0:
            break
        hidden.insert(0, columns[going].title)
        del kept[going]
    return _shared(columns, kept, least, width), hidden


def _shared(columns: Sequence[Column], wanted: dict[int, int], least: dict[int, int], width: int) -> dict[int, int]:
    """What is left over, given to those who want more: texts before ids, and to the one that lacks least."""
    given, left = dict(least), width - _total(least)
    while left > 0:
        needy = [at for at in given if given[at] < wanted[at]]
        if not needy:
            break
        given[min(needy, key=lambda at: (columns[at].kind is Kind.ID, wanted[at] - given[at]))] += 1
        left -= 1
    return given


def _least(column: Column, wide: int) -> int:
    floor = {Kind.ID: ID_LEAST, Kind.TEXT: TEXT_LEAST}.get(column.kind, wide)
    return min(wide, max(floor, cell_len(column.title)))


def _total(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * max(0, len(widths))


def _cut(text: str, kind: Kind, wide: int) -> str:
    if cell_len(text) <= wide or kind is Kind.TEXT:
        return text
    if kind is Kind.ID and text.isascii():
        return brief(text, wide)
    return set_cell_size(text, wide - 1).rstrip() + "…"
