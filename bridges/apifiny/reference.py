"""What Apifiny says that it trades, and in which state an account is. Pure.

Source: "Query List Symbols", "Query List Venues", "Query Account Info". Readings:

- 0, or nothing, for a limit is no limit. A symbol that the list leaves out, or whose venue is disabled, cannot be traded now; a list with
  no symbol at all is not believed, nor is a list of venues that leaves ours out.
- The state of an account is the worse of its own and that of its sub-account at our venue; one that the document does not know is not
  OPENED.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridges.apifiny.reading import Malformed, name, positive, printable, rows
from router.model import Listing

__all__ = ["OPENED", "RESTRICTED", "account_status", "listings", "venue_enabled"]

OPENED: Final = "OPENED"
RESTRICTED: Final = "RESTRICTED"
"""Document, "Account Status": "Cannot submit order or cancel order, but can query order"."""


def listings(result: Any, symbols: Sequence[str], venue_open: bool) -> tuple[Listing, ...]:
    """The venue's word on these symbols. Raises `Malformed`."""
    listed = {str(row.get("symbol")): row for row in rows(result)}
    if not listed:
        raise Malformed("the list of symbols is empty")
    return tuple(_listing(symbol, listed.get(symbol), venue_open) for symbol in symbols)


def _listing(symbol: str, row: Mapping[str, Any] | None, venue_open: bool) -> Listing:
    if row is None:
        return Listing(venue_symbol=symbol, enabled=False)
    return Listing(
        venue_symbol=symbol, tick=positive(row, "tickSize"), lot=positive(row, "stepSize"), min_qty=positive(row, "minQuantity"),
        max_qty=positive(row, "maxQuantity"), min_px=positive(row, "minPrice"), max_px=positive(row, "maxPrice"),
        min_notional=positive(row, "minNotional"), max_notional=positive(row, "maxNotional"),
        enabled=venue_open and row.get("status") == "enabled",
    )  # fmt: skip


def venue_enabled(result: Any, venue: str) -> bool:
    """Whether a venue is enabled; True where the list does not name it. Raises `Malformed`."""
    states = {str(row.get("exchange")).upper(): row.get("status") for row in rows(result)}
    return states.get(venue.upper(), "enabled") == "enabled"


def account_status(result: Any, venue: str) -> str:
    """The state of an account: OPENED, RESTRICTED, SUSPENDED, or a word that the document does not know. Raises `Malformed`."""
    found = rows(result)
    if not found:
        raise Malformed("it names no account")
    states = [name(found[0], "accountStatus")]
    subs = found[0].get("subAccountInfo")
    if isinstance(subs, list):
        states += [name(each, "accountStatus") for each in rows(subs) if str(each.get("venue")).upper() == venue.upper()]
    return printable(max(states, key=lambda state: (state != OPENED, state != RESTRICTED)))
