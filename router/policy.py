"""Where an order goes: the named destination, else the first route that fits. Pure; compiled once from the configuration.

Rules: a destination that the client names is used or refused, never replaced; a route fits only where its destination trades the
symbol; ours and the venue's own spelling of a symbol are both accepted.
"""

from __future__ import annotations

import msgspec

from router.model import Listed, Listing, NewOrder, Refusal
from router.rules import Client, Configured, Destination, Instrument, Route
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

    def find(self, destination: str, symbol: str) -> tuple[Destination, Instrument] | None:
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

    def route(self, order: NewOrder) -> tuple[Destination, Instrument] | Refusal:
        """The place for an order and the instrument there, or why there is none."""
        refusal = self._account(order)
        if refusal is not None:
            return refusal
        if order.destination is not None:
            return self._named(order, order.destination)
        for rule in self.configured.routes:
            destination = self.destinations[rule.destination.upper()]
            instrument = self._instruments.get((destination.name, order.symbol))
            if instrument is not None and _fits(rule, order, instrument) and self._allowed(order, destination):
                return destination, instrument
        return Refusal(
            OrdRejReason.UNKNOWN_SYMBOL,
            f"no route takes Symbol(55) {order.symbol}: name a destination in ExDestination(100)",
        )

    def _named(self, order: NewOrder, name: str) -> tuple[Destination, Instrument] | Refusal:
        destination = self.destinations.get(name.upper())
        if destination is None:
            return Refusal(OrdRejReason.BROKER_OPTION, f"unknown destination {name} in ExDestination(100)/SecurityExchange(207)")
        instrument = self._instruments.get((destination.name, order.symbol))
        if instrument is None:
            return Refusal(OrdRejReason.UNKNOWN_SYMBOL, f"Symbol(55) {order.symbol} is not traded at {destination.name}")
        if not self._allowed(order, destination):
            return Refusal(OrdRejReason.UNKNOWN_ACCOUNT, f"Account(1) {order.account} may not trade at {destination.name}")
        return destination, instrument

    def _account(self, order: NewOrder) -> Refusal | None:
        accounts = self.client(order.session).accounts
        if accounts and order.account not in {each.name for each in accounts}:
            named = "no Account(1)" if order.account is None else f"Account(1) {order.account}"
            return Refusal(OrdRejReason.UNKNOWN_ACCOUNT, f"{named}: this session trades for {', '.join(a.name for a in accounts)}")
        return None

    def _allowed(self, order: NewOrder, destination: Destination) -> bool:
        accounts = self.client(order.session).accounts
        return all(not each.destinations or destination.name in each.destinations for each in accounts if each.name == order.account)


def _fits(rule: Route, order: NewOrder, instrument: Instrument) -> bool:
    return (not rule.sessions or order.session in rule.sessions) and (not rule.symbols or instrument.symbol in rule.symbols)


def _as_listed(instrument: Instrument, listing: Listing) -> Instrument:
    told = {name: value for name in _LISTED if (value := getattr(listing, name)) is not None}
    return msgspec.structs.replace(instrument, enabled=listing.enabled, **told)
