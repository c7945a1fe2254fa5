"""Where an order goes: the named destination, else the first route that fits. Pure; compiled once from the configuration.

Rules: a destination that the client names is used or refused, and only a route that asks for it by name replaces it; ours and the venue's
own spelling of a symbol are both accepted.
"""

from __future__ import annotations

import msgspec

from router.model import Listed, Listing, NewOrder, Refusal
from router.routing import Open, Place, Routes
from router.rules import Client, Configured, Destination, Instrument
from router.words import OrdRejReason

__all__ = ["Policy"]

_LISTED = ("tick", "lot", "min_qty", "max_qty", "min_px", "max_px", "min_notional", "max_notional")
_ANYONE = Client(session="")


class Policy:
    """The configuration in force, arranged for questions."""

    def __init__(self, configured: Configured) -> None:
        self.configured = configured
        self.destinations = {each.name.upper(): each for each in configured.destinations}
        self._instruments = {
            (each.name, symbol): instrument
            for each in configured.destinations
            for instrument in each.instruments
            for symbol in (instrument.symbol, instrument.venue_symbol)
        }
        self._clients = {each.session: each for each in configured.clients}
        ours = {symbol: instrument.symbol for (_, symbol), instrument in self._instruments.items()}
        self.routes = Routes(configured.routes, self.find, ours)

    def find(self, destination: str, symbol: str) -> Place | None:
        """A destination and what it trades under a symbol of ours or of its own; None where that is not configured."""
        instrument = self._instruments.get((destination, symbol))
        return None if instrument is None else (self.destinations[destination.upper()], instrument)

    def learn(self, listed: Listed) -> None:
        """From now on what the venue itself says of its instruments holds; ours and its names for them stay as configured."""
        listings = {each.venue_symbol: each for each in listed.listings}
        for destination in self.configured.destinations:
            if listed.link in (destination.link, destination.witness):
                for instrument in destination.instruments:
                    listing = listings.get(instrument.venue_symbol)
                    if listing is not None:
                        self._instruments[destination.name, instrument.symbol] = _as_listed(instrument, listing)
                        self._instruments[destination.name, instrument.venue_symbol] = _as_listed(instrument, listing)

    def client(self, session: str) -> Client:
        """What is agreed with a session; FIX's own defaults where nothing is."""
        return self._clients.get(session, _ANYONE)

    def route(self, order: NewOrder, now: int, takes: Open) -> Place | Refusal:
        """The place for an order and the instrument there, or why there is none. `takes`: whether a destination takes orders now, for the
        choice between a route's destination and its fallbacks."""
        refusal = self._account(order)
        if refusal is not None:
            return refusal
        found = self.routes.choose(order, now, lambda place: self.allowed(order, place), takes)
        if found is None and order.destination is not None:
            found = self._named(order, order.destination)
        if found is None:
            text = f"no route takes Symbol(55) {order.symbol}: name a destination in ExDestination(100)"
            return Refusal(OrdRejReason.UNKNOWN_SYMBOL, text)
        if isinstance(found, Refusal) or self.allowed(order, found[0]):
            return found
        return Refusal(OrdRejReason.UNKNOWN_ACCOUNT, f"Account(1) {order.account} may not trade at {found[0].name}")

    def _named(self, order: NewOrder, name: str) -> Place | Refusal:
        destination = self.destinations.get(name.upper())
        if destination is None:
            return Refusal(OrdRejReason.BROKER_OPTION, f"unknown destination {name} in ExDestination(100)/SecurityExchange(207)")
        instrument = self._instruments.get((destination.name, order.symbol))
        if instrument is None:
            return Refusal(OrdRejReason.UNKNOWN_SYMBOL, f"Symbol(55) {order.symbol} is not traded at {destination.name}")
        return destination, instrument

    def _account(self, order: NewOrder) -> Refusal | None:
        accounts = self.client(order.session).accounts
        if accounts and order.account not in {each.name for each in accounts}:
            named = "no Account(1)" if order.account is None else f"Account(1) {order.account}"
            return Refusal(OrdRejReason.UNKNOWN_ACCOUNT, f"{named}: this session trades for {', '.join(a.name for a in accounts)}")
        return None

    def allowed(self, order: NewOrder, destination: Destination) -> bool:
        """Whether the order's account may trade there."""
        accounts = self.client(order.session).accounts
        return all(not each.destinations or destination.name in each.destinations for each in accounts if each.name == order.account)


def _as_listed(instrument: Instrument, listing: Listing) -> Instrument:
    told = {name: value for name in _LISTED if (value := getattr(listing, name)) is not None}
    return msgspec.structs.replace(instrument, enabled=listing.enabled, **told)
