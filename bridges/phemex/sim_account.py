"""Balances and positions of one user's trading account in one currency, in scaled integers. Pure.

Kept simply: cross margin at each contract's initial margin; no funding, no liquidation, no bonus. The used balance is
the sample's sum: orderCostEv + posCostEv + the unrealised loss (204199840 + 8565966 + 165129 = usedBalanceEv).
"""

from dataclasses import dataclass, fields

from bridges.matching import Side
from bridges.phemex.sim_contract import Contract, up
from bridges.phemex.sim_settings import RATIO_SCALE


@dataclass(slots=True)
class Position:
    """`size` is signed, buys positive; `value_ev` is what it was entered at, never negative."""

    contract: Contract
    size: int = 0
    value_ev: int = 0
    closed_pnl_ev: int = 0
    fees_ev: int = 0
    term: int = 1
    version: int = 0
    exec_seq: int = 0
    transact_ns: int = 0
    # What the user's resting orders would buy and sell: contracts and value.
    buy_leaves_qty: int = 0
    buy_leaves_ev: int = 0
    sell_leaves_qty: int = 0
    sell_leaves_ev: int = 0

    @property
    def side(self) -> str:
        return "Buy" if self.size > 0 else "Sell" if self.size < 0 else "None"

    def fill(self, side: Side, qty: int, value_ev: int) -> tuple[int, int]:
        """Takes a trade in; gives how many contracts it closed, and their profit."""
        signed = qty if side is Side.BUY else -qty
        if self.size * signed >= 0:
            self.size += signed
            self.value_ev += value_ev
            return 0, 0
        closed = min(qty, abs(self.size))
        entry = self.value_ev * closed // abs(self.size)
        leaving = value_ev * closed // qty
        gain = self.contract.gain_ev(self.size > 0, entry, leaving)
        self.size += signed
        self.value_ev = self.value_ev - entry if closed == qty else value_ev - leaving
        if not self.size or closed < qty:
            self.term += 1
        self.closed_pnl_ev += gain
        return closed, gain

    def unrealised_ev(self, mark_ep: int) -> int:
        if not self.size:
            return 0
        return self.contract.gain_ev(self.size > 0, self.value_ev, self.contract.value_ev(abs(self.size), mark_ep))

    @property
    def cost_ev(self) -> int:
        return self.contract.position_cost_ev(self.size > 0, self.value_ev)

    @property
    def order_cost_ev(self) -> int:
        return self.order_cost_with(Side.BUY, 0)

    def order_cost_with(self, side: Side, value_ev: int) -> int:
        """What resting orders tie up, with one more of this value: the dearer side; closing the position ties up nothing."""
        buys = self.buy_leaves_ev + (value_ev if side is Side.BUY else 0)
        sells = self.sell_leaves_ev + (value_ev if side is Side.SELL else 0)
        buys = max(0, buys - (self.value_ev if self.size < 0 else 0))
        sells = max(0, sells - (self.value_ev if self.size > 0 else 0))
        return max(
            up(buys * self.contract.order_cost_er(Side.BUY), RATIO_SCALE),
            up(sells * self.contract.order_cost_er(Side.SELL), RATIO_SCALE),
        )

    def used_ev(self, mark_ep: int) -> int:
        return self.order_cost_ev + self.cost_ev + max(0, -self.unrealised_ev(mark_ep))


@dataclass(slots=True)
class TradingAccount:
    """ "Every AOP message will only send AOP message for one trading account": one a currency.

    The samples number them: user 60463's BTC account is 604630001, user 65922's USD account 659220002.
    """

    user_id: int
    account_id: int
    currency: str
    balance_ev: int
    positions: dict[str, Position]
    requests: int = 0


# What outlives the venue's process; the rest is its configuration.
KEPT_OF_POSITION = tuple(each.name for each in fields(Position) if each.name != "contract")
KEPT_OF_ACCOUNT = ("balance_ev", "requests")
