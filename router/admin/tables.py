"""What the router told, as listings for people: which columns, in which words and colours. Pure.

A state is always a word as well as a colour. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from router.admin.contract import (
    AlertRow,
    BookRow,
    Budget,
    ConfigRow,
    Destination,
    FillRow,
    HoldingRow,
    Latency,
    LimitRow,
    OrderRow,
    RejectRow,
    RouteRow,
    SessionRow,
)
from router.admin.fitting import Cell, Column, Kind, Listing
from router.admin.texts import lasting, moment

__all__ = ["BAD", "GOOD", "WARN", "books", "listing", "order_state", "session_state", "venue_state"]

GOOD, WARN, BAD, FAINT = "green", "yellow", "bold red", "dim"
_STATUS: Final = {
    "new": GOOD, "partially-filled": GOOD, "filled": "bold green", "pending-new": WARN, "pending-cancel": WARN, "pending-replace": WARN,
    "rejected": "red", "canceled": FAINT, "expired": FAINT, "done-for-day": FAINT,
}  # fmt: skip
_VENUE: Final = {"open": GOOD, "reconciling": WARN, "halted": WARN, "down": BAD, "off": BAD}
_LEVEL: Final = {"info": "", "warning": WARN, "critical": BAD}
_SIDE: Final = {"buy": "cyan", "sell": "magenta"}
MONEY, ID, TEXT = Kind.MONEY, Kind.ID, Kind.TEXT


def listing(rows: Sequence[Any], kind: type, today: str) -> Listing:
    """Rows of one of the contract's models, `kind`, but `BookRow`; `today` is YYYY-MM-DD in UTC."""
    columns, cells, none = _TABLES[kind]
    titles = [column.title for column in columns]
    note = next((at for at, title in enumerate(titles) if title in ("note", "halted", "why")), None)
    aside = None if note is None else (titles.index("order") if "order" in titles else 0, note)
    return Listing(columns, [cells(row, today) for row in rows], none, aside=aside)


def order_state(row: OrderRow) -> Cell:
    """An order's state in a word: unknown before all else."""
    return Cell("UNKNOWN", BAD) if row.unknown else Cell(row.status, _STATUS.get(row.status, ""))


def session_state(row: SessionRow) -> Cell:
    """Whether a session is up, and if not, whether somebody wants it so."""
    if not row.enabled:
        return Cell("switched off", BAD)
    if not row.logged_on:
        return Cell("logged out", WARN)
    return Cell("up, halted", WARN) if row.halted else Cell("up", GOOD)


def venue_state(row: Destination) -> Cell:
    """Whether a destination takes orders."""
    return Cell(row.state, _VENUE.get(row.state, ""))


def _side(side: str) -> Cell:
    return Cell(side, _SIDE.get(side, ""))


def _count(number: int, style: str = BAD) -> Cell:
    """A count that is bad when it is not 0."""
    return Cell(str(number), style if number else "")


def _price(row: OrderRow) -> str:
    return " ".join(
        filter(None, [row.price or ("market" if row.ord_type == "market" else ""), f"stop {row.stop_px}" if row.stop_px else ""])
    )


def _quantity(row: OrderRow) -> str:
    return row.order_qty or (f"{row.cash_order_qty} cash" if row.cash_order_qty else "")


def _order(row: OrderRow, today: str) -> list[Cell | str]:
    perhaps = f"at the venue it may be {' or '.join(row.candidates)}" if row.candidates else ""
    note = "; ".join(filter(None, [row.unknown, perhaps, row.pending, row.text]))
    return [
        moment(row.created, today), row.order_id, order_state(row), _side(row.side), _quantity(row), row.symbol, _price(row), row.cum_qty,
        row.leaves_qty, row.avg_px if row.cum_qty not in ("", "0") else "", row.destination, row.session, row.cl_ord_id, row.account,
        row.time_in_force, row.venue_order_id, Cell(note, BAD if row.unknown else ""),
    ]  # fmt: skip


_ORDERS: Final = (
    Column("created", rank=9), Column("order"), Column("state"), Column("side"), Column("qty", MONEY), Column("symbol"),
    Column("price", MONEY), Column("filled", MONEY, 1), Column("leaves", MONEY, 10), Column("avg px", MONEY, 6), Column("to", rank=2),
    Column("session", ID, 7), Column("ClOrdID", ID, 4), Column("account", ID, 11), Column("time in force", rank=12),
    Column("venue's id", ID, 13), Column("note", TEXT, 3),
)  # fmt: skip


def _fill(row: FillRow, today: str) -> list[Cell | str]:
    odd = {"trade": "", "trade-correct": "corrected", "trade-cancel": "TAKEN BACK"}.get(row.exec_type, row.exec_type)
    fee = f"{row.fee} {row.fee_currency}".strip()
    return [
        moment(row.time, today), row.order_id, _side(row.side), row.last_qty, row.symbol, row.last_px, row.cum_qty, row.leaves_qty, fee,
        row.destination, row.session, row.cl_ord_id, row.account, row.exec_id, Cell(odd, WARN), row.exec_ref_id, row.text,
    ]  # fmt: skip


_FILLS: Final = (
    Column("time"), Column("order"), Column("side"), Column("qty", MONEY), Column("symbol"), Column("price", MONEY),
    Column("cum", MONEY, 5), Column("leaves", MONEY, 6), Column("fee", MONEY, 4), Column("at", rank=1), Column("session", ID, 7),
    Column("ClOrdID", ID, 3), Column("account", ID, 9), Column("ExecID", ID, 8), Column("kind", rank=2), Column("of", ID, 10),
    Column("note", TEXT, 11),
)  # fmt: skip


def _reject(row: RejectRow, today: str) -> list[Cell | str]:
    return [moment(row.time, today), row.kind, row.session, row.cl_ord_id, row.order_id, row.destination, Cell(row.reason, WARN), row.text]


_REJECTS: Final = (
    Column("time"), Column("what"), Column("session", ID, 3), Column("ClOrdID", ID, 2), Column("order", ID, 5), Column("to", rank=4),
    Column("reason", TEXT), Column("text", TEXT, 1),
)  # fmt: skip


def _session(row: SessionRow, today: str) -> list[Cell | str]:
    return [
        row.name, row.kind, session_state(row), moment(row.since, today),
        str(row.open_orders), str(row.orders), str(row.reports), Cell(str(row.rejects), WARN if row.rejects else ""),
        str(row.next_in), str(row.next_out), moment(row.last_heard, today), row.address,
        Cell(row.halted, WARN),
    ]  # fmt: skip


_SESSIONS: Final = (
    Column("session"), Column("kind", rank=2), Column("state"), Column("since", rank=3), Column("open", MONEY),
    Column("orders", MONEY, 4), Column("reports", MONEY, 5), Column("rejects", MONEY, 1), Column("next in", MONEY, 6),
    Column("next out", MONEY, 7), Column("last heard", rank=8), Column("address", rank=9), Column("halted", TEXT, 1),
)  # fmt: skip


def _venue(row: Destination, today: str) -> list[Cell | str]:
    witness = (row.witness + (" up" if row.witness_up else " DOWN")) if row.witness else ""
    return [
        row.name, row.venue, venue_state(row), moment(row.since, today), str(row.open_orders), _count(row.unknown_orders),
        Cell(str(row.reconciling) if row.reconciling else "", WARN), row.account, row.link,
        Cell(witness, "" if row.witness_up else WARN), Cell(row.why, BAD if row.state in ("down", "off") else WARN),
    ]  # fmt: skip


_VENUES: Final = (
    Column("destination"), Column("venue", rank=4), Column("state"), Column("since", rank=3), Column("open", MONEY),
    Column("unknown", MONEY), Column("to answer for", MONEY, 2), Column("account", ID, 6), Column("link", ID, 7), Column("witness", ID, 5),
    Column("why", TEXT, 1),
)  # fmt: skip


def _budget(row: Budget, today: str) -> list[Cell | str]:  # noqa: ARG001 - a table's row
    share = row.used / row.requests if row.requests else 0.0
    gauge = "█" * round(share * 10) + "·" * (10 - min(10, round(share * 10)))
    style = BAD if row.used >= row.requests else WARN if row.used >= row.requests - row.reserve else GOOD
    closed = Cell(f"closed for {lasting(row.closed_for_s)}", BAD) if row.closed_for_s > 0 else Cell("open", GOOD)
    return [row.link, row.group, str(row.used), str(row.requests), lasting(row.seconds), Cell(gauge[:10], style), str(row.reserve), closed]


_BUDGETS: Final = (
    Column("link", ID), Column("group"), Column("used", MONEY), Column("of", MONEY), Column("in"), Column("", rank=1),
    Column("kept for cancels", MONEY, 2), Column("state"),
)  # fmt: skip


def _alert(row: AlertRow, today: str) -> list[Cell | str]:
    state = Cell("ACTIVE", _LEVEL[row.level]) if row.active else Cell(f"over {moment(row.cleared, today)}".strip(), FAINT)
    return [moment(row.time, today), Cell(row.level, _LEVEL[row.level] if row.active else FAINT), row.rule, row.text, row.order_id, state]


_ALERTS: Final = (
    Column("time"), Column("level"), Column("rule", rank=2), Column("what", TEXT), Column("order", ID, 1), Column("state"),
)  # fmt: skip


def _micros(value: float) -> Cell:
    text = f"{value:.1f} µs" if value < 100 else f"{value:,.0f} µs" if value < 10_000 else f"{value / 1000:,.1f} ms"
    return Cell(text, WARN if value >= 1_000_000 else "")


def _latency(row: Latency, today: str) -> list[Cell | str]:  # noqa: ARG001 - a table's row
    return [row.stage, f"{row.count:,}", _micros(row.p50), _micros(row.p90), _micros(row.p99), _micros(row.worst)]


def _route(row: RouteRow, today: str) -> list[Cell | str]:  # noqa: ARG001 - a table's row
    return [str(row.number), ", ".join(row.symbols) or "any", ", ".join(row.sessions) or "any", row.destination]


def _limit(row: LimitRow, today: str) -> list[Cell | str]:  # noqa: ARG001 - a table's row
    return [row.destination, row.symbol, row.name, row.value, row.used, row.scope, row.source]


def _holding(row: HoldingRow, today: str) -> list[Cell | str]:
    return [row.account, row.what, row.name, row.total, row.available, row.ours, row.avg_px, moment(row.told, today), row.destinations]


def _config(row: ConfigRow, today: str) -> list[Cell | str]:  # noqa: ARG001 - a table's row
    return [row.key, row.value]


def books(rows: Sequence[BookRow]) -> list[Listing]:
    """Balances and the like, a listing for each set of things that a venue tells; who did not tell is named under the last."""
    kinds: dict[tuple[str, ...], list[BookRow]] = {}
    for row in rows:
        if not row.error:
            kinds.setdefault(tuple(row.fields), []).append(row)
    tables = [_book(names, alike) for names, alike in kinds.items()]
    silent = [f"{row.destination} did not tell: {row.error}" for row in rows if row.error]
    return [*tables, Listing((), (), "" if tables else "nothing", foot=silent)] if silent or not tables else tables


_NAMES: Final = ("asset", "currency", "coin", "symbol", "orderid", "ourorder", "side")
"""What names a row's thing, whatever the venue's spelling: order_id, orderId; without its side an order or a position is not known."""
_NO_AMOUNTS: Final = ("_id", "Id", "ID", "_at", "time", "Time", "Ns", "Seq")
"""How the names of numbers end that count nothing: "bid" is none of them."""


def _book(names: Sequence[str], rows: Sequence[BookRow]) -> Listing:
    """What names the thing comes first and always stays; then amounts; then the rest."""
    columns = [Column("destination")]
    money = {name for name in names if _counts(name) and all(_amount(row.fields[name]) for row in rows)}
    arranged = sorted(names, key=lambda name: (_naming(name), name not in money))
    for at, name in enumerate(arranged, start=1):
        told = [row.fields[name] for row in rows]
        # Where there is no room for all, amounts of nothing go first, then what stands last.
        nothing = not any(each.strip("-+.0") for each in told)
        rank = 0 if _naming(name) < len(_NAMES) else at + len(names) * nothing
        columns.append(Column(name, MONEY if rank and name in money else ID, rank))
    return Listing(columns, [[row.destination, *(row.fields[name] for name in arranged)] for row in rows], "nothing")


def _naming(name: str) -> int:
    """Its place among the names; after them what is none."""
    plain = name.replace("_", "").lower()
    return _NAMES.index(plain) if plain in _NAMES else len(_NAMES)


def _counts(name: str) -> bool:
    """Whether a number of this name may be an amount."""
    return name != "id" and not name.endswith(_NO_AMOUNTS)


def _amount(text: str) -> bool:
    return not text.strip("-+.0123456789eE")


_TABLES: Final[dict[type, tuple[Sequence[Column], Callable[[Any, str], list[Cell | str]], str]]] = {
    OrderRow: (_ORDERS, _order, "no orders"),
    FillRow: (_FILLS, _fill, "no fills"),
    RejectRow: (_REJECTS, _reject, "nothing was refused"),
    SessionRow: (_SESSIONS, _session, "no sessions"),
    Destination: (_VENUES, _venue, "no destinations"),
    Budget: (_BUDGETS, _budget, "no budgets"),
    AlertRow: (_ALERTS, _alert, "no alerts: all is well"),
    Latency: (
        (Column("stage"), *(Column(each, MONEY) for each in ("count", "p50", "p90", "p99", "worst"))),
        _latency,
        "nothing measured yet",
    ),
    RouteRow: ((Column("#", MONEY), Column("symbols", TEXT), Column("sessions", TEXT), Column("to")), _route, "no routes"),
    LimitRow: (
        (
            Column("destination"),
            Column("symbol"),
            Column("limit"),
            Column("value", MONEY),
            Column("used", MONEY),
            Column("whose"),
            Column("from", rank=1),
        ),
        _limit,
        "no limits",
    ),
    HoldingRow: (
        (
            Column("account"),
            Column("what"),
            Column("of"),
            Column("total", MONEY),
            Column("available", MONEY),
            Column("ours since", MONEY, 1),
            Column("average", MONEY, 2),
            Column("told"),
            Column("destinations", rank=3),
        ),
        _holding,
        "no venue has told anything",
    ),
    ConfigRow: ((Column("key"), Column("value", TEXT)), _config, "nothing"),
}
