"""Single things for people: the status, a session, a destination, an order's life, what an act did. Pure; words and colours of `tables`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from router.admin.contract import ActDone, Destination, FillRow, Me, OrderLife, RouteTest, SessionRow, Status
from router.admin.fitting import Cell, fitted
from router.admin.tables import BAD, GOOD, WARN, listing, order_state, session_state, venue_state
from router.admin.texts import clean, lasting, moment, size

__all__ = ["destination", "done", "life", "me", "route_test", "session", "status"]

DETAILS: Final = 12
"""As many lines of what an act is about fit a terminal together with the question; its text has the count."""
_WHO: Final = {"client": "cyan", "venue": "magenta", "router": "", "operator": "bold yellow"}


def _sheet(lines: Sequence[tuple[str, Cell | str]]) -> RenderableType:
    """Names and values, a line each; lines with nothing to tell are left out."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in lines:
        cell = Cell(value) if isinstance(value, str) else value
        if cell.text:
            table.add_row(Text(clean(name)), Text(clean(cell.text), cell.style))
    return table


def _if_any(number: int, style: str = BAD) -> Cell:
    return Cell(f"{number:,}", style if number else GOOD)


def status(told: Status, today: str) -> RenderableType:
    """Everything at a glance: what is wrong stands first."""
    oldest = f", the oldest for {lasting(told.oldest_pending_s)}" if told.pending_orders else ""
    wrong = [*(("journal", Cell(f"FAILING: {told.journal_failing}", BAD)) for _ in [0] if told.journal_failing)]
    wrong += [("router", Cell("STOPPING", BAD)) for _ in [0] if told.stopping]
    for each in told.halted:
        what = f"{each.scope} {each.name}".strip()
        wrong.append(("HALTED", Cell(f"{what}: by {each.by} at {moment(each.since, today)}: {each.why}", BAD)))
    return _sheet([
        *wrong,
        ("open orders", f"{told.open_orders:,}"),
        ("unknown", Cell(f"{told.unknown_orders:,}: see orders unknown", BAD) if told.unknown_orders else Cell("0", GOOD)),
        ("waiting for a venue", Cell(f"{told.pending_orders:,}{oldest}", WARN if told.oldest_pending_s >= 5 else "")),
        ("sessions up", _share(told.sessions.up, told.sessions.total, WARN)),
        ("destinations up", _share(told.destinations.up, told.destinations.total, BAD)),
        ("alerts", _if_any(told.alerts)),
        ("orders, fills, rejects", f"{told.orders_total:,} / {told.fills_total:,} / {told.rejects_total:,}"),
        ("journal", f"record {told.journal_sequence:,}, {size(told.journal_bytes)}, durability {told.durability}"),
        ("router", f"{told.version}, up {lasting(told.uptime_s)} since {moment(told.started, today)}"),
        ("now", f"{moment(told.now, today)} UTC"),
    ])  # fmt: skip


def _share(up: int, total: int, style: str) -> Cell:
    return Cell(f"{up} of {total}", GOOD if up == total else style)


def session(told: SessionRow, today: str) -> RenderableType:
    """One session."""
    return _sheet([
        ("session", Cell(told.name, "bold")), ("kind", told.kind), ("state", session_state(told)), ("why", Cell(told.halted, WARN)),
        ("since", moment(told.since, today)), ("address", told.address), ("last heard", moment(told.last_heard, today)),
        ("MsgSeqNum expected next", str(told.next_in)), ("MsgSeqNum sent next", str(told.next_out)),
        ("open orders", f"{told.open_orders:,}"), ("orders", f"{told.orders:,}"), ("reports", f"{told.reports:,}"),
        ("rejects", Cell(f"{told.rejects:,}", WARN if told.rejects else "")),
    ])  # fmt: skip


def _witness(told: Destination) -> Cell:
    if not told.witness:
        return Cell("")
    return Cell(f"{told.witness} is up") if told.witness_up else Cell(f"{told.witness} is DOWN", WARN)


def me(told: Me, today: str) -> RenderableType:
    """Whose token it is."""
    return _sheet([("name", Cell(told.name, "bold")), ("role", told.role), ("until", moment(told.expires, today))])


def destination(told: Destination, today: str) -> RenderableType:
    """One destination, with what it can be asked."""
    facts = _sheet([
        ("destination", Cell(told.name, "bold")), ("venue", told.venue), ("state", venue_state(told)), ("why", Cell(told.why, WARN)),
        ("since", moment(told.since, today)), ("account", told.account), ("link", told.link),
        ("witness", _witness(told)),
        ("open orders", f"{told.open_orders:,}"), ("unknown orders", _if_any(told.unknown_orders)),
        ("still to answer for", str(told.reconciling) if told.reconciling else ""), ("symbols", ", ".join(told.symbols)),
    ])  # fmt: skip
    if not told.topics:
        return facts
    asks = [(f"ask {told.name} {topic}", what) for topic, what in told.topics.items()]
    return Group(facts, Text("\nIt can be asked:", "bold"), _sheet(asks))


def life(told: OrderLife, today: str, width: int) -> RenderableType:
    """An order from its first message to now: who said what, and what followed."""
    row = told.order
    price = " ".join(filter(None, [row.price and f"at {row.price}", row.stop_px and f"stop {row.stop_px}"])) or row.ord_type
    terms = ", ".join(filter(None, [price, row.ord_type, row.time_in_force]))  # of an order of long ago the history has less
    facts = _sheet([
        ("order", Cell(row.order_id, "bold")),
        ("is", order_state(row)),
        ("why", Cell(row.unknown, BAD)),
        ("it may be, at the venue", Cell(", ".join(row.candidates), WARN)),
        ("waiting", Cell(row.pending, WARN)),
        ("what", f"{row.side} {row.order_qty or row.cash_order_qty + ' cash'} {row.symbol} {terms}"),
        ("done of it", f"{row.cum_qty} at {row.avg_px}, {row.leaves_qty} left" if row.cum_qty not in ("", "0") else "nothing"),
        ("client", f"{row.session}  ClOrdID {row.cl_ord_id}" + (f"  account {row.account}" if row.account else "")),
        ("venue", " ".join(filter(None, [row.destination, row.venue_cl_ord_id and f" our id {row.venue_cl_ord_id}",
                                         row.venue_order_id and f" its id {row.venue_order_id}"]))),
        ("created, last changed", f"{moment(row.created, today)}, {moment(row.updated, today)}"),
        ("text", row.text),
    ])  # fmt: skip
    parts: list[RenderableType] = [facts, Text(""), _moments(told, today)]
    if told.fills:
        parts += [Text(""), fitted(listing(told.fills, FillRow, today), width)]
    return Group(*parts)


def _moments(told: OrderLife, today: str) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for title in ("time", "who"):
        table.add_column(title, no_wrap=True)
    table.add_column("what", overflow="fold")
    for each in told.life:
        what = Text(clean(each.summary or each.kind))
        for effect in each.effects:
            what.append(f"\n→ {clean(effect)}", "dim")
        table.add_row(moment(each.time, today), Text(each.who, _WHO.get(each.who, "")), what)
    return table


def route_test(told: RouteTest) -> RenderableType:
    """Where it would go, step by step."""
    where = Cell(f"refused: {told.refused}", BAD) if told.refused or not told.destination else Cell(told.destination, GOOD)
    spelt = told.symbol + (f", there {told.venue_symbol}" if told.venue_symbol and told.venue_symbol != told.symbol else "")
    facts = _sheet([("it would go to", where), ("account", told.account), ("symbol", spelt)])
    return Group(facts, *(Text(f"  {number}. {clean(step)}") for number, step in enumerate(told.steps, 1)))


def done(told: ActDone, details: bool = True) -> RenderableType:
    """What an act did, or why not; of a preview, what it would do. `details`: line by line, the first of them where there are many."""
    style = "bold" if told.preview and told.ok else GOOD if told.ok else BAD
    lines = told.details if details else []
    shown = [Text(clean(each)) for each in lines[:DETAILS]]
    if len(lines) > DETAILS:
        shown.append(Text(f"… and {len(lines) - DETAILS} more like these", WARN))
    said = "" if told.ok else "no: "
    return Group(Text(said + clean(told.text), style), *(Padding(each, (0, 0, 0, 2), expand=False) for each in shown))
