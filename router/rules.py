"""The configuration that decisions depend on: what is agreed with clients, what destinations can do, where orders go. Pure data.

It is an input like any other (`Configured`), so it is journaled: an order is judged by the rules that stood when it came, also when it is
replayed years later under others. Quantities and prices are exact `Decimal`s; times are integer nanoseconds.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from router.words import EXACT, ExecType, OrdType, TimeInForce

__all__ = [
    "Account",
    "Capabilities",
    "Client",
    "Configured",
    "Destination",
    "Instrument",
    "Limit",
    "Route",
]


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One tradable pair at one destination. Prices in `quote`, quantities in `base` units; None: no such limit."""

    symbol: str
    """Ours, one per pair: "BTC/USDT"."""
    venue_symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    min_px: Decimal | None = None
    max_px: Decimal | None = None
    min_notional: Decimal | None = None
    max_notional: Decimal | None = None
    enabled: bool = True
    """False while the venue says that it cannot be traded."""
    contract_size: Decimal = Decimal(1)
    """What one unit of quantity is: so many base units; where `inverse`, so many units of the quote currency."""
    inverse: bool = False

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """What a quantity is worth at a price, in the quote currency, exact."""
        sized = EXACT.multiply(quantity, self.contract_size)
        return sized if self.inverse else EXACT.multiply(sized, price)


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination can do; everything else is refused by name before anything is sent."""

    ord_types: tuple[OrdType, ...]
    times_in_force: tuple[TimeInForce, ...]
    post_only: bool
    market_buy_by_cash: bool
    """A market buy states CashOrderQty(152), not OrderQty(38)."""
    reduce_only: bool = False
    client_id: bool = True
    """The venue keeps our id with the order. Where not, an unanswered order is looked for by what it looks like."""
    native_replace: bool = False
    margin: bool = False
    """Orders are backed by margin: the account need not have the whole of what they pay or deliver."""


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """A place that an order can be sent to: a venue, reached with one account over one link."""

    name: str
    account: str
    link: str
    venue: str
    """The venue's code on the link, where several venues are behind one."""
    capabilities: Capabilities
    instruments: tuple[Instrument, ...]
    witness: str = ""
    """The link of a second witness of what happens there: asked first, since it knows more; "" where there is none."""
    closed: str = ""
    """Why its account takes no new orders and no replaces, by configuration; "" where it does. Cancels pass."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A client's Account(1) on a session; `destinations` empty: all of them."""

    name: str
    destinations: tuple[str, ...] = ()


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What we have agreed with the owner of one client session."""

    session: str
    accounts: tuple[Account, ...] = ()
    """Account(1) values allowed; empty: any, and none."""
    default_time_in_force: TimeInForce = TimeInForce.DAY
    """For an order without TimeInForce(59); FIX 4.2 volume 6: absence means Day."""
    max_age: int = 30_000_000_000
    """Nanoseconds: an order that says it is a repetition and is older than this is refused."""
    report_pending: tuple[ExecType, ...] = (ExecType.PENDING_CANCEL, ExecType.PENDING_REPLACE)
    wait_when_pending: bool = False
    """A cancel or replace of an order whose last one is still to be answered waits for that; False: it is refused (102=3)."""
    day_ends: int = 0
    """When a day order expires: nanoseconds after midnight UTC."""
    cancel_on_disconnect: int | None = None
    """Nanoseconds after the client is gone when its open orders are canceled; None: they stay."""
    venue_accounts: tuple[str, ...] = ()
    """Accounts at venues whose holdings this session may ask about."""


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule of the route table (`routing.py`). An empty list, and None, ask nothing."""

    destination: str = ""
    """"" where `refuse` says why not."""
    name: str = ""
    fallbacks: tuple[str, ...] = ()
    refuse: str = ""
    sessions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    """As the client writes them; "*" stands for anything: "BTC/*"."""
    security_types: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    ord_types: tuple[str, ...] = ()
    times_in_force: tuple[str, ...] = ()
    requested: tuple[str, ...] = ()
    """Destinations that the client names; empty: the rule is for orders that name none."""
    min_qty: Decimal | None = None
    max_qty: Decimal | None = None
    min_notional: Decimal | None = None
    """Of Price(44) times OrderQty(38), or CashOrderQty(152); an order without either is not within."""
    max_notional: Decimal | None = None
    from_time: int = 0
    """Nanoseconds after midnight UTC; equal to `to_time`: at any time."""
    to_time: int = 0
    tags: dict[str, tuple[str, ...]] = {}
    """Of the client's own tags, 5000-9999: the values that fit."""


class Limit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One `[[limits]]`: which orders it is for, by which its figures are kept apart, and what must hold (`risk.py`). An empty list, None,
    0 and False ask nothing. Values in the quote currency, quantities as `figures.py` says, times in ns."""

    name: str
    sessions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    """Ours; "*" stands for anything: "BTC/*"."""
    destinations: tuple[str, ...] = ()
    per: tuple[str, ...] = ()
    """Of "session", "account", "symbol", "destination"; empty: one figure for all that it selects."""
    max_order_qty: Decimal | None = None
    max_order_notional: Decimal | None = None
    price_band: Decimal | None = None
    """Percent of the reference."""
    both_sides: bool = False
    reference: str = "mid"
    """"mid", "last" or "configured"."""
    reference_price: Decimal | None = None
    without_reference: str = "refuse"
    """Or "pass": what becomes of an order that can be judged only by a reference that is not known."""
    max_open_orders: int | None = None
    max_open_notional: Decimal | None = None
    max_net_notional: Decimal | None = None
    max_position: Decimal | None = None
    max_daily_notional: Decimal | None = None
    max_daily_loss: Decimal | None = None
    day_begins: int = 0
    """After midnight UTC."""
    max_orders: int | None = None
    """Orders and replaces within `window`."""
    window: int = 1_000_000_000
    max_cancel_ratio: Decimal | None = None
    cancel_ratio_over: int = 100
    """Orders that the ratio is of, the last ones."""
    cancel_ratio_after: int = 20
    """Orders before which it is not judged."""
    duplicate_within: int = 0
    self_trade: str = ""
    """"refuse" or "cancel-resting"."""
    only_sides: tuple[str, ...] = ()
    only_ord_types: tuple[str, ...] = ()
    only_symbols: tuple[str, ...] = ()
    from_time: int = 0
    """After midnight UTC; equal to `to_time`: at any time."""
    to_time: int = 0
    reducing_only: bool = False
    check_balance: bool = False
    """What the order would use must be there, by the venue's last word; asks nothing of destinations on margin."""


class Configured(msgspec.Struct, frozen=True, kw_only=True, tag="configured"):
    """A configuration was taken into use."""

    destinations: tuple[Destination, ...] = ()
    clients: tuple[Client, ...] = ()
    routes: tuple[Route, ...] = ()
    answer_timeout: int = 5_000_000_000
    """Nanoseconds that a venue may be silent before it is asked about an order; "not found" counts only after as long again."""
    hold_when_down: int = 0
    """Nanoseconds that a new order waits for a link that is down; 0: it is refused at once."""
    hold_while_reconciling: int = 5_000_000_000
    """Nanoseconds that a new order waits while its destination's open orders are being asked about; 0: it is refused at once."""
    reconcile_within: int = 30_000_000_000
    """Nanoseconds after which a destination takes orders again although it has not answered about all that was open."""
    sweep_every: int = 60_000_000_000
    """Nanoseconds without word of an open order after which it is asked about; 0: never."""
    limits: tuple[Limit, ...] = ()
    reference_stale: int = 60_000_000_000
    """Nanoseconds after which a reference price that was not told again does not count."""
