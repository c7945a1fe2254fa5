"""What the admin API says, and what it takes: the one place that names it. The API answers with these, its clients read them, and the
published OpenAPI document is made from them.

All amounts are exact decimals as text, never numbers. Times are ISO 8601 in UTC with microseconds ("2026-11-21T08:00:00.000000Z").
`""` stands for what there is not. Roles, each with all of the one before: `view` sees, `trade` acts on orders, `admin` on the router.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ACTS", "ActDone", "ActSpec", "AlertRow", "Argument", "BookRow", "Budget", "ConfigRow", "Destination", "Event", "FillRow", "HaltRow",
    "HoldingRow", "Latency", "LimitRow", "Me", "Moment", "OrderLife", "OrderRow", "Page", "Problem", "RejectRow", "Role", "RouteRow",
    "RouteTest", "SessionRow", "Status",
]  # fmt: skip


class Role(StrEnum):
    """What a token may do; each role includes those before it."""

    VIEW = "view"
    TRADE = "trade"
    ADMIN = "admin"


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- seen ---------------------------------------------------------------------------------------------------------------


class HaltRow(_Told):
    """Something that operators stopped."""

    scope: str
    """all, session, account, destination; link and session-login for what is switched off."""
    name: str
    by: str
    why: str
    since: str


class Counts(_Told):
    """How many there are, and how many of them are well."""

    up: int
    total: int


class Status(_Told):
    """GET /v1/status: everything at a glance."""

    version: str
    now: str
    started: str
    uptime_s: int
    stopping: bool
    halted: list[HaltRow]
    sessions: Counts
    destinations: Counts
    open_orders: int
    unknown_orders: int
    """Orders whose state at the venue is not known."""
    pending_orders: int
    """Orders or requests that wait for a venue's answer."""
    oldest_pending_s: float
    orders_total: int
    fills_total: int
    rejects_total: int
    journal_sequence: int
    journal_bytes: int
    journal_failing: str
    """Why nothing can be written; "" when all is well."""
    durability: str
    alerts: int
    """How many alerts are active now."""


class SessionRow(_Told):
    """A client session, or one with a FIX venue. GET /v1/sessions, /v1/sessions/{name}."""

    name: str
    kind: Literal["client", "drop-copy", "venue"]
    logged_on: bool
    enabled: bool
    """False: switched off by an operator."""
    halted: str
    """Why its new orders are refused; ""."""
    since: str
    """When it last logged on or out."""
    next_in: int
    """MsgSeqNum(34) expected next."""
    next_out: int
    open_orders: int
    orders: int
    """Of this process's life, as are the next two."""
    reports: int
    rejects: int
    last_heard: str
    address: str


class Budget(_Told):
    """A venue's request budget. GET /v1/budgets."""

    link: str
    group: str
    requests: int
    """The venue's limit in `seconds`."""
    seconds: float
    used: int
    reserve: int
    """Kept for cancels and queries."""
    closed_for_s: float
    """A venue that asked us to wait (429): so long still."""


class Destination(_Told):
    """Where orders go. GET /v1/venues."""

    name: str
    venue: str
    account: str
    link: str
    up: bool
    state: Literal["open", "reconciling", "down", "halted", "off"]
    why: str
    """Of a state other than open."""
    since: str
    witness: str
    witness_up: bool
    open_orders: int
    unknown_orders: int
    reconciling: int
    """Orders still to be answered for."""
    symbols: list[str]
    topics: dict[str, str]
    """What can be asked of it (GET /v1/venues/{name}/{topic}), with what it is."""


class OrderRow(_Told):
    """An order as it stands. GET /v1/orders."""

    order_id: str
    cl_ord_id: str
    session: str
    account: str
    destination: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str
    order_qty: str
    price: str
    stop_px: str
    status: str
    cum_qty: str
    leaves_qty: str
    avg_px: str
    created: str
    updated: str
    venue_order_id: str
    venue_cl_ord_id: str
    pending: str
    """pending-cancel or pending-replace, with the request's ClOrdID; ""."""
    unknown: str
    """Why its state at the venue is not known; "" when it is."""
    candidates: list[str]
    """Orders at the venue that it may be (`resolve`)."""
    text: str
    done: bool
    cash_order_qty: str = ""
    """An amount of quote currency, where the order has that in place of OrderQty."""


class Moment(_Told):
    """One input of an order's life, and what followed from it."""

    sequence: int
    time: str
    kind: str
    """The input's name: NewOrder, Accepted, Filled, …"""
    who: Literal["client", "venue", "router", "operator"]
    summary: str
    """In a line, for people."""
    effects: list[str]
    """What followed, in words: "place to PHEMEX", "report new", "alert …"."""


class OrderLife(_Told):
    """GET /v1/orders/{id}: any of its ids will do. 404 for none, 409 with `candidates` for several."""

    order: OrderRow
    life: list[Moment]
    fills: list[FillRow]


class FillRow(_Told):
    """GET /v1/fills, the newest first."""

    time: str
    exec_id: str
    exec_type: str
    """trade, trade-correct, trade-cancel."""
    exec_ref_id: str
    order_id: str
    cl_ord_id: str
    session: str
    account: str
    destination: str
    symbol: str
    side: str
    last_qty: str
    last_px: str
    cum_qty: str
    leaves_qty: str
    fee: str
    fee_currency: str
    text: str


class RejectRow(_Told):
    """GET /v1/rejects: orders, cancels and replaces that were refused, by whom and why; the newest first."""

    time: str
    kind: Literal["order", "cancel", "replace", "message"]
    session: str
    order_id: str
    cl_ord_id: str
    destination: str
    reason: str
    text: str


class AlertRow(_Told):
    """GET /v1/alerts: those that are active, then those of before; the newest first."""

    alert_id: int
    time: str
    rule: str
    """The rule's name; "core" for what the core says by itself."""
    level: Literal["info", "warning", "critical"]
    text: str
    order_id: str
    active: bool
    cleared: str


class RouteRow(_Told):
    """GET /v1/routes, in the order they are tried."""

    number: int
    destination: str
    sessions: list[str]
    symbols: list[str]
    asks: str = ""
    """What else it asks of an order: "accounts a, b; min_qty 5"."""


class RouteTest(_Told):
    """GET /v1/route-test: where an order would go now, and why. Nothing is sent."""

    destination: str
    """"" where it would be refused."""
    account: str
    symbol: str
    venue_symbol: str
    refused: str
    steps: list[str]


class LimitRow(_Told):
    """GET /v1/limits: what orders for a symbol at a destination must keep to."""

    destination: str
    symbol: str
    name: str
    value: str
    source: Literal["configuration", "venue"]
    scope: str = ""
    """Whose orders a pre-trade limit is about, or whose figure it is."""
    used: str = ""
    """How much of it is used now; "" where it has no figure."""


class Latency(_Told):
    """GET /v1/latency: of the last minutes, in microseconds."""

    stage: str
    """decode, journal, apply, send, venue answer, report."""
    count: int
    p50: float
    p90: float
    p99: float
    worst: float


class BookRow(_Told):
    """A balance, a position, or another row that a venue told: GET /v1/balances, /v1/positions, /v1/venues/{name}/{topic}."""

    destination: str
    fields: dict[str, str]
    error: str
    """Why the venue did not tell; ""."""


class HoldingRow(_Told):
    """GET /v1/holdings: a balance or a position of an account, by the venue's last word."""

    account: str
    destinations: str
    """Those that trade with it."""
    what: Literal["balance", "position"]
    name: str
    """A currency, or a symbol: ours, or the venue's where we have none."""
    total: str
    """Of a position: below 0, short."""
    available: str
    """Of a balance: what new orders can use; of a position ""."""
    ours: str
    """By how much our own orders have changed what is available since; "" where they have not, or no limit asks for balances."""
    avg_px: str
    told: str


class ConfigRow(_Told):
    """GET /v1/config: the settings in use, a row each."""

    key: str
    """Dotted, as in the file: "router.durability"."""
    value: str
    """"(secret)" for what is one."""


class Me(_Told):
    """GET /v1/me: whose token this is."""

    name: str
    role: Role
    expires: str


class Page(_Told):
    """Of listings that can be long: rows, and whether there are more (`?limit=`, `?after=`)."""

    rows: list[OrderRow]
    more: bool
    after: str


class Event(_Told):
    """One message of the stream, GET /v1/events (WebSocket): what changed, to be shown at once. A client that falls behind is told `lagged`
    and should ask anew."""

    kind: Literal["status", "order", "fill", "reject", "alert", "session", "venue", "act", "lagged"]
    order: OrderRow | None = None
    fill: FillRow | None = None
    reject: RejectRow | None = None
    alert: AlertRow | None = None
    session: SessionRow | None = None
    venue: Destination | None = None
    status: Status | None = None
    act: ActDone | None = None


class Problem(_Told):
    """Any answer that is not 2xx."""

    error: str
    """What is wrong, in a sentence: the field and the reason."""
    needed: str = ""
    """The role that is needed (403)."""
    candidates: list[str] = []
    """What was perhaps meant (404), or what fits (409)."""


# --- done ---------------------------------------------------------------------------------------------------------------


class Argument(_Told):
    """One field of an act's body."""

    name: str
    what: str
    needed: bool = False
    choices: list[str] = []
    kind: Literal["text", "number", "flag", "order", "session", "destination", "account", "symbol", "link"] = "text"
    """What the console completes it with."""


class ActSpec(_Told):
    """An act: POST /v1/acts/{name} with its arguments and `why` as JSON. With `?preview=true` nothing is done, and the answer says what
    would be. GET /v1/acts lists them."""

    name: str
    what: str
    role: Role
    destroys: bool
    """It is confirmed first, and needs a `why`."""
    arguments: list[Argument] = []


class ActDone(_Told):
    """The answer to an act: also of one that was refused (409) or only looked at (`preview`)."""

    act: str
    ok: bool
    text: str
    by: str
    why: str
    time: str
    preview: bool = False
    details: list[str] = []
    """What it did or would do, a line each."""


def _order(what: str = "the order, by any of its ids") -> Argument:
    return Argument(name="order", what=what, needed=True, kind="order")


_SCOPE: Final = Argument(name="scope", what="what it is about", needed=True, choices=["all", "session", "account", "destination"])
_NAME: Final = Argument(name="name", what="which session, account or destination; nothing for all")
_FILTERS: Final = [
    Argument(name="destination", what="only there", kind="destination"),
    Argument(name="account", what="only of this Account(1)", kind="account"),
    Argument(name="session", what="only of this client session", kind="session"),
    Argument(name="symbol", what="only of this symbol", kind="symbol"),
]
_EXEC: Final = Argument(name="exec_id", what="ExecID(17) of the fill, as the client had it", needed=True)

ACTS: Final[tuple[ActSpec, ...]] = (
    ActSpec(name="halt", what="refuse new orders and replaces; cancels pass; survives a restart", role=Role.TRADE, destroys=True,
            arguments=[_SCOPE, _NAME]),
    ActSpec(name="resume", what="take orders again", role=Role.TRADE, destroys=True, arguments=[_SCOPE, _NAME]),
    ActSpec(name="cancel", what="cancel one order", role=Role.TRADE, destroys=True, arguments=[_order()]),
    ActSpec(name="cancel-all", what="cancel every open order that fits", role=Role.TRADE, destroys=True, arguments=_FILTERS),
    ActSpec(name="reconcile", what="ask a destination about every open order", role=Role.TRADE, destroys=False,
            arguments=[Argument(name="destination", what="which", needed=True, kind="destination")]),
    ActSpec(name="resolve", what="decide what an unknown order is: one at the venue, or never placed", role=Role.TRADE, destroys=True,
            arguments=[_order(), Argument(name="venue_order_id", what="the venue's id of it"),
                       Argument(name="not_placed", what="it was never placed", kind="flag")]),
    ActSpec(name="mark-done", what="end an order in our book; the venue is told nothing", role=Role.ADMIN, destroys=True,
            arguments=[_order(), Argument(name="how", what="as what", choices=["canceled", "expired", "done-for-day"])]),
    ActSpec(name="fill-correct", what="correct an execution that was told (150=G)", role=Role.ADMIN, destroys=True,
            arguments=[_order(), _EXEC, Argument(name="last_qty", what="the right quantity", needed=True, kind="number"),
                       Argument(name="last_px", what="the right price", needed=True, kind="number")]),
    ActSpec(name="fill-bust", what="take an execution back (150=H)", role=Role.ADMIN, destroys=True, arguments=[_order(), _EXEC]),
    ActSpec(name="venue", what="switch a destination's link off or on, or reconnect it", role=Role.ADMIN, destroys=True,
            arguments=[Argument(name="destination", what="which", needed=True, kind="destination"),
                       Argument(name="do", what="what", needed=True, choices=["enable", "disable", "reconnect"])]),
    ActSpec(name="session", what="log a client session out, switch it off or on, reset it, or set its sequence numbers", role=Role.ADMIN,
            destroys=True,
            arguments=[Argument(name="session", what="which", needed=True, kind="session"),
                       Argument(name="do", what="what", needed=True, choices=["logout", "enable", "disable", "reset", "seqnum"]),
                       Argument(name="next_in", what="seqnum: MsgSeqNum(34) to be expected next", kind="number"),
                       Argument(name="next_out", what="seqnum: MsgSeqNum(34) to be sent next", kind="number")]),
    ActSpec(name="resend", what="send stored messages of a session again, as possible resends (97=Y)", role=Role.ADMIN, destroys=True,
            arguments=[Argument(name="session", what="which", needed=True, kind="session"),
                       Argument(name="begin", what="from this MsgSeqNum", needed=True, kind="number"),
                       Argument(name="end", what="to this one; 0: to the last", needed=True, kind="number")]),
    ActSpec(name="assign-margin", what="assign margin to a position, where the venue has it so", role=Role.ADMIN, destroys=True,
            arguments=[Argument(name="destination", what="which", needed=True, kind="destination"),
                       Argument(name="symbol", what="of which position", needed=True, kind="symbol"),
                       Argument(name="margin", what="the whole margin that it is to have", needed=True, kind="number")]),
    ActSpec(name="reload", what="take the configuration file into use again; all of it or nothing", role=Role.ADMIN, destroys=True),
    ActSpec(name="stop", what="stop the router in order", role=Role.ADMIN, destroys=True,
            arguments=[Argument(name="cancel_all", what="cancel every open order first", kind="flag")]),
)  # fmt: skip

Limit = Annotated[int, Field(ge=1, le=1000)]
"""How many rows of a listing; 200 where nothing is said."""

OrderLife.model_rebuild()
Event.model_rebuild()
