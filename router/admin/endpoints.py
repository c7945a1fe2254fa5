"""Every path of the admin API: one table, from which the server's routes and the OpenAPI document are both made. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from router.admin.contract import (
    ActDone,
    ActSpec,
    AlertRow,
    BookRow,
    Budget,
    ConfigRow,
    Destination,
    Event,
    FillRow,
    HoldingRow,
    Latency,
    LimitRow,
    Me,
    OrderLife,
    Page,
    RejectRow,
    Role,
    RouteRow,
    RouteTest,
    SessionRow,
    Status,
)  # fmt: skip
from router.words import Side, TimeInForce

__all__ = ["ENDPOINTS", "Endpoint", "Query"]


@dataclass(frozen=True, slots=True)
class Query:
    """A parameter in the query."""

    name: str
    what: str
    choices: tuple[str, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path and method. `name` is the handler's, too."""

    path: str
    name: str
    what: str
    answer: type[BaseModel] | type[list[Any]] | None = None
    """A contract model, a list of one, or None: a text."""
    query: tuple[Query, ...] = ()
    method: str = "GET"
    role: Role | None = Role.VIEW
    """The least that is needed (acts say more); None: no token."""
    any_query: bool = False
    """Takes others than `query` too: arguments of a venue's topic."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names in the path."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


_LIMIT: Final = Query("limit", "how many rows, 1 to 1000; 200 where nothing is said")
_SESSION: Final = Query("session", "only of this session")
_DESTINATION: Final = Query("destination", "only of this destination")
_ACCOUNT: Final = Query("account", "only of this Account(1)")
_SYMBOL: Final = Query("symbol", "only of this symbol")
_SIDE: Final = Query("side", "only of this side", choices=tuple(each.value for each in Side))
_FILTERS: Final = (_SESSION, _DESTINATION, _ACCOUNT, _SYMBOL, _SIDE)
_TEST: Final = (
    Query("side", "Side(54)", choices=("buy", "sell"), needed=True), Query("symbol", "ours or the venue's", needed=True),
    Query("qty", "OrderQty(38)"), Query("cash", "CashOrderQty(152)"), Query("price", "Price(44); none: a market order"),
    Query("stop_px", "StopPx(99)"), Query("session", "the client session it would come from"), Query("account", "Account(1)"),
    Query("destination", "ExDestination(100); none: the routes decide"),
    Query("tif", "TimeInForce(59)", choices=tuple(each.value for each in TimeInForce)), Query("post_only", "", choices=("true", "false")),
)  # fmt: skip

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint("/v1/me", "me", "Whose token this is.", Me),
    Endpoint("/v1/status", "status", "Everything at a glance.", Status),
    Endpoint("/v1/sessions", "sessions", "FIX sessions with clients and venues.", list[SessionRow]),
    Endpoint("/v1/sessions/{name}", "session", "One session.", SessionRow),
    Endpoint("/v1/venues", "venues", "Destinations, with the state of their links.", list[Destination]),
    Endpoint("/v1/venues/{name}", "venue", "One destination.", Destination),
    Endpoint("/v1/venues/{name}/{topic}", "inquiry", "Ask a venue; the topic's arguments are the query. Waits up to 5 s.", list[BookRow],
             any_query=True),
    Endpoint("/v1/balances", "balances", "Balances at every venue that tells them; who does not answer within 5 s is a row with an error.",
             list[BookRow], (_DESTINATION,)),
    Endpoint("/v1/positions", "positions", "Positions at every venue that tells them, likewise.", list[BookRow], (_DESTINATION,)),
    Endpoint("/v1/holdings", "holdings", "Balances and positions as venues told them last, and when; nobody is asked.", list[HoldingRow],
             (_DESTINATION,)),
    Endpoint("/v1/orders", "orders", "Orders, the newest first.", Page, (
        Query("state", "open where nothing is said, all with an id", choices=("open", "done", "unknown", "all")), *_FILTERS,
        Query("id", "any id of it: ours, the client's, the venue's"), _LIMIT,
        Query("after", "the page after this OrderID, as the last page's `after` says"),
    )),
    Endpoint("/v1/orders/{id}", "order", "An order's whole life, by any of its ids.", OrderLife),
    Endpoint("/v1/fills", "fills", "Executions, the newest first.", list[FillRow],
             (*_FILTERS, Query("order", "only of this OrderID or ClOrdID"), _LIMIT)),
    Endpoint("/v1/rejects", "rejects", "Refusals, the newest first.", list[RejectRow],
             (_SESSION, _DESTINATION, Query("order", "only of this OrderID or ClOrdID"), _LIMIT)),
    Endpoint("/v1/alerts", "alerts", "Alerts: active ones, then those of before.", list[AlertRow], (_LIMIT,)),
    Endpoint("/v1/routes", "routes", "Routes, in the order they are tried.", list[RouteRow]),
    Endpoint("/v1/route-test", "route_test", "Where an order would go now, and why. Nothing is sent.", RouteTest, _TEST),
    Endpoint("/v1/limits", "limits", "What orders must keep to.", list[LimitRow], (_DESTINATION, _SYMBOL)),
    Endpoint("/v1/budgets", "budgets", "Request budgets of the venues.", list[Budget]),
    Endpoint("/v1/latency", "latency", "Latency by stage, of the last minutes.", list[Latency]),
    Endpoint("/v1/config", "config", "The settings in use.", list[ConfigRow]),
    Endpoint("/v1/acts", "acts", "What can be done, with which arguments and role.", list[ActSpec]),
    Endpoint("/v1/acts/{name}", "act", "Do it, or with preview say what would be done. An act that is refused answers 409 with ActDone.",
             ActDone, (Query("preview", "true: only say what would be done", choices=("true", "false")),), method="POST"),
    Endpoint("/v1/events", "events", "WebSocket, subprotocol fixrouter.v1: each message an Event. A browser, which cannot send the header,"
             " offers its token as the subprotocol bearer.TOKEN beside it.", Event),
    Endpoint("/metrics", "metrics", "For Prometheus.", role=None),
    Endpoint("/healthz", "healthz", "200 while the process is alive; 503 with what is not.", role=None),
    Endpoint("/readyz", "readyz", "200 when orders can be taken; 503 with what is missing.", role=None),
    Endpoint("/openapi.json", "openapi", "This document.", role=None),
)  # fmt: skip
