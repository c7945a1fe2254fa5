"""The arithmetic of a contract, in the venue's scaled integers alone: contracts, "Ep", "Ev" and "Er". Pure and exact.

Roundings, read off the document's AOP sample and nowhere else in words:
- a value is cut down (297 contracts of 0.005 ETH at 186.75 are 277.32375 USD: leavesValueEv 2773237);
- an average price is cut down;
- fees and costs are rounded up, in the house's favour (orderCostEv 204199840 of 204199839.75).
"""

from dataclasses import dataclass
from decimal import Decimal

from bridges.matching import Side
from bridges.phemex.sim_settings import PRICE_SCALE, RATIO_SCALE, VALUE_SCALES, ContractSettings, Currency


@dataclass(frozen=True, slots=True)
class Contract:
    """`size_num / size_den` is the contract's size; `tick_ep` and `max_price_ep` are scaled prices."""

    symbol: str
    settle: Currency
    inverse: bool
    size_num: int
    size_den: int
    tick_ep: int
    max_price_ep: int
    value_scale: int
    settings: ContractSettings

    @classmethod
    def of(cls, settings: ContractSettings) -> "Contract":
        num, den = settings.contract_size.as_integer_ratio()
        return cls(
            settings.symbol,
            settings.settle,
            settings.inverse,
            num,
            den,
            int(settings.tick_size * PRICE_SCALE),
            int(settings.max_price * PRICE_SCALE),
            VALUE_SCALES[settings.settle],
            settings,
        )

    def value_ev(self, qty: int, price_ep: int) -> int:
        """What `qty` contracts are worth at a price, in the settlement currency."""
        if not qty or not price_ep:
            return 0
        if self.inverse:
            return qty * self.size_num * self.value_scale * PRICE_SCALE // (price_ep * self.size_den)
        return qty * self.size_num * price_ep * self.value_scale // (self.size_den * PRICE_SCALE)

    def avg_price_ep(self, qty: int, value_ev: int) -> int:
        """The price at which `qty` contracts are worth that much; 0 for none."""
        if not qty or not value_ev:
            return 0
        if self.inverse:
            return qty * self.size_num * self.value_scale * PRICE_SCALE // (value_ev * self.size_den)
        return value_ev * self.size_den * PRICE_SCALE // (qty * self.size_num * self.value_scale)

    def gain_ev(self, long: bool, entry_ev: int, exit_ev: int) -> int:
        """Profit of a position entered and left at these values; an inverse contract's value falls as its price rises."""
        rise = entry_ev - exit_ev if self.inverse else exit_ev - entry_ev
        return rise if long else -rise

    def fee_ev(self, value_ev: int, maker: bool) -> int:
        """A maker's is negative: a rebate."""
        return up(value_ev * self.fee_er(maker), RATIO_SCALE)

    def fee_er(self, maker: bool) -> int:
        return self.settings.maker_fee_er if maker else self.settings.taker_fee_er

    def order_cost_er(self, side: Side) -> int:
        """ "buyValueToCostEr", "sellValueToCostEr": margin, two taker fees, and the fee's difference at bankruptcy.

        The sample's 5146250 and 5153750 are 5 % and 2 x 0.075 %, less or plus 5 % of 0.075 %.
        """
        margin, fee = self.settings.init_margin_er, self.settings.taker_fee_er
        difference = margin * fee // RATIO_SCALE
        return margin + 2 * fee + (difference if (side is Side.BUY) == self.inverse else -difference)

    def position_cost_ev(self, long: bool, value_ev: int) -> int:
        """As an order's, with the first fee already paid."""
        ratio = self.order_cost_er(Side.BUY if long else Side.SELL) - self.settings.taker_fee_er
        return up(value_ev * ratio, RATIO_SCALE)

    def price_ep(self, price: Decimal) -> int:
        """A real price, scaled; ValueError where it is off the tick."""
        scaled = price * PRICE_SCALE
        if scaled % self.tick_ep:
            raise ValueError(f"not a multiple of {self.settings.tick_size.normalize():f}")
        return int(scaled)


def up(number: int, divisor: int) -> int:
    """Divided and rounded up."""
    return -(-number // divisor)


def unscaled(number: int, scale: int) -> str:
    """Plain digits without zeros at the end: 649955000 of 10^4 is 64995.5."""
    sign, (whole, rest) = "-" if number < 0 else "", divmod(abs(number), scale)
    fraction = f"{rest:0{len(str(scale)) - 1}d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
