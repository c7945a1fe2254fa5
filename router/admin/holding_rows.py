"""What accounts at venues hold, as the router keeps it, for operators. Pure: whoever calls holds the lock (`Runtime.reading`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from router.admin.contract import HoldingRow
from router.admin.views import number, stamp
from router.state import State

__all__ = ["holding_rows"]


def holding_rows(state: State, destinations: Collection[str]) -> Iterator[HoldingRow]:
    """A row for each balance and each position that a venue told of; of the accounts of some destinations."""
    places = [each for each in state.policy.configured.destinations if each.name in destinations]
    for link in dict.fromkeys(link for each in places for link in (each.witness, each.link) if link in state.held):
        told = state.held[link]
        here = [each for each in state.policy.configured.destinations if link in (each.witness, each.link)]
        account, names = here[0].account, ", ".join(each.name for each in here)
        for currency, fund in told.balances.items():
            yield HoldingRow(
                account=account, destinations=names, what="balance", name=currency, total=number(fund.total),
                available=number(fund.available), ours=number(fund.since) if fund.since else "", avg_px="", told=stamp(fund.at),
            )  # fmt: skip
        for symbol, stood in told.positions.items():
            found = next(filter(None, (state.policy.find(each.name, symbol) for each in here)), None)
            yield HoldingRow(
                account=account, destinations=names, what="position", name=symbol if found is None else found[1].symbol,
                total=number(stood.qty), available="", ours="", avg_px=number(stood.avg_px),
                told=stamp(stood.at),
            )  # fmt: skip
