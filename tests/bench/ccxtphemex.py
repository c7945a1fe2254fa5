"""ccxt's phemex class, brought to the simulated Phemex: for the benchmark, and for the test with a client that is not ours. Needs ccxt.

Everything that it does is its own, signing included, but for what the venue's document of 2019 has not: markets are given by hand, since
`/public/products` is not in it, and `posSide`, which the class puts into every order, is taken out before the request is signed (the
simulator refuses fields that it does not know)."""

from __future__ import annotations

from typing import Any, Final

from ccxt.async_support import phemex

__all__ = ["Phemex"]

_PRICE_SCALE: Final = 4
_RATIO_SCALE: Final = 8


class Phemex(phemex):
    """The class, at an address of ours."""

    def __init__(self, url: str, token: str, secret: str) -> None:
        """`url`: without a path. The class' own throttle is off."""
        super().__init__({"apiKey": token, "secret": secret, "enableRateLimit": False})
        self.urls["api"] = dict.fromkeys(self.urls["api"], url)
        scales = {each["settleCurrency"]: each["valueScale"] for each in _PRODUCTS}
        currencies = {code: {"id": code, "code": code, "valueScale": scale} for code, scale in scales.items()}
        self.set_markets([self.parse_swap_market(each) for each in _PRODUCTS], currencies)

    def sign(self, path: str, api: Any = "public", method: str = "GET", params: Any = None) -> Any:
        """As the class does it, without `posSide`."""
        return super().sign(path, api, method, self.omit(params or {}, "posSide"))


def _product(symbol: str, base: str, settle: str, size: str, value_scale: int, tick: str, most_ep: int, most_qty: int) -> dict[str, Any]:
    """A contract as `/public/products` would tell it."""
    return {
        "symbol": symbol, "type": "Perpetual", "status": "Listed", "contractUnderlyingAssets": base, "baseCurrency": base,
        "quoteCurrency": "USD", "settleCurrency": settle, "contractSize": size, "lotSize": 1, "tickSize": tick, "priceScale": _PRICE_SCALE,
        "ratioScale": _RATIO_SCALE, "valueScale": value_scale, "minPriceEp": 1, "maxPriceEp": most_ep, "maxOrderQty": most_qty,
        "makerFeeRateEr": -25_000, "takerFeeRateEr": 75_000,
    }  # fmt: skip


_PRODUCTS: Final = (
    _product("BTCUSD", "BTC", "BTC", "1 USD", 8, "0.5", 10_000_000_000, 1_000_000),
    _product("ETHUSD", "ETH", "USD", "0.005 ETH", 4, "0.05", 200_000_000, 500_000),
)
