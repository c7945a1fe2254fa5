"""What limits and long route tables cost the core: `python -m tests.bench.limits`. One process, one core, no sockets, no journal.

Each order is taken, acknowledged by its venue and filled: three inputs. With and without are measured in turns, many times, and their
medians compared, since the machine drifts.
"""

from __future__ import annotations

import gc
import os
import re
import time
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from statistics import median
from typing import Final

from router.engine import Engine
from router.model import Accepted, Balance, Filled, Held, Input, LinkUp, NewOrder, Price, Priced, Started
from router.rules import Configured, Limit, Route
from router.settings import load
from router.terminal import DEMO_ROUTER
from router.words import OrdType, Side
from tests.router.desk import LINK, SECOND, SESSION, configured

_ORDERS: Final = 2000
_ROUNDS: Final = 15
_START: Final = 1_800_000_000 * SECOND
_RESULTS: Final = Path(__file__).with_name("results.txt")

EVERY: Final = (
    Limit(
        name="order", max_order_qty=D(10**9), max_order_notional=D(10**12), price_band=D(50), both_sides=True, only_sides=("buy", "sell"),
        only_ord_types=("limit", "market"), only_symbols=("BTC/*",), from_time=0, to_time=24 * 3600 * SECOND - 1,
    ),
    Limit(
        name="session", per=("session",), max_open_orders=10**6, max_open_notional=D(10**12), max_net_notional=D(10**12),
        max_daily_notional=D(10**12), max_daily_loss=D(10**12), max_orders=10**6, max_cancel_ratio=D(1), duplicate_within=1,
        self_trade="refuse",
    ),
    Limit(name="position", per=("symbol", "destination"), max_position=D(10**9), check_balance=True),
)  # fmt: skip
"""Every limit there is but `reducing_only`, which would let nothing through, on three groups of figures."""


def inputs(orders: int) -> list[Input]:
    """Buys and sells in turn that never meet, each taken, acknowledged and filled."""
    made: list[Input] = []
    for number in range(orders):
        buy, name = number % 2 == 0, f"v{number}"
        order = NewOrder(
            session=SESSION, cl_ord_id=f"c{number}", symbol="BTC/USDT", side=Side.BUY if buy else Side.SELL, ord_type=OrdType.LIMIT,
            order_qty=D("0.125"), price=D("99.50") if buy else D("100.50"), venue_cl_ord_id=name,
        )  # fmt: skip
        price = order.price
        assert price is not None
        venue = {"account": "acc", "venue_cl_ord_id": name, "venue_order_id": f"o{number}"}
        made += [
            order,
            Accepted(exec_id=f"n{number}", **venue),
            Filled(exec_id=f"x{number}", last_qty=D("0.125"), last_px=price, complete=True, **venue),
        ]
    return made


def run(config: Configured, events: list[Input]) -> float:
    """Microseconds an order, all its inputs."""
    engine, now = Engine(), _START
    prices = (Price(symbol="BTCUSDT", bid=D(99), ask=D(101), last=D(100)),)
    held = Held(LINK, (Balance("USDT", D(10**12), D(10**12)), Balance("BTC", D(10**9), D(10**9))))
    for event in (config, Started("bench"), LinkUp(LINK), Priced(LINK, prices), held):
        engine.apply(event, now)
    gc.collect()
    apply, start = engine.apply, time.perf_counter_ns()
    for event in events:
        now += 1000
        apply(event, now)
    took = time.perf_counter_ns() - start
    done = sum(order.done and order.cum_qty > 0 for order in engine.state.blotter.orders.values())
    assert done == _ORDERS, "the configuration refuses what is to be measured"
    return took / 1000 / _ORDERS


def demo() -> tuple[Limit, ...]:
    """Those of the demo."""
    return tuple(each.frozen() for each in load(DEMO_ROUTER).limits)


def routes(count: int) -> tuple[Route, ...]:
    """The last one fits, and no other."""
    others = (Route(destination="GBBO", symbols=(f"X{number}/*",), min_qty=D(1)) for number in range(count - 1))
    return (*others, Route(destination="BINANCE"))


def route_us() -> float:
    """What an order takes of the whole route, by the throughput of the last full benchmark."""
    found = re.search(r"THIS ROUTER, default settings.*?(\S+)(?: \[\S+\])? +\d+(?: \[\S+\])?$", _RESULTS.read_text(), re.MULTILINE)
    assert found is not None, f"{_RESULTS} has no throughput"
    return 1_000_000 / float(found[1].replace(",", ""))


def measured() -> list[str]:
    """The lines of the report."""
    events = inputs(_ORDERS)
    kinds: dict[str, Callable[[], Configured]] = {
        "no limits": configured,
        "every limit": lambda: configured(limits=EVERY),
        "the demo's limits": lambda: configured(limits=demo()),
        "1,000 routes": lambda: configured(routes=routes(1000)),
        "100 limits that are for others": lambda: configured(
            limits=tuple(Limit(name=f"{number}", accounts=(f"A{number}",), max_order_qty=D(1)) for number in range(100))
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(_ROUNDS):
        for name, make in kinds.items():
            times[name].append(run(make(), events))
    plain, route = times["no limits"], route_us()
    lines = [f"{'':32}{'us an order':>22}{'more, us':>22}{'ratio':>20}{f'of a route of {route:.0f} us':>24}"]
    for name, took in times.items():
        more = [each - other for each, other in zip(took, plain, strict=True)]
        ratios = [each / other for each, other in zip(took, plain, strict=True)]
        share = median(more) / route
        lines.append(f"{name:32}{_spread(took, '.1f'):>22}{_spread(more, '.1f'):>22}{_spread(ratios, '.2f'):>20}{share:>23.1%}")
    return lines


def _spread(values: list[float], form: str) -> str:
    return f"{median(values):{form}} [{min(values):{form}}-{max(values):{form}}]"


def main() -> None:
    """Measure, print, and write `results_limits.txt`."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    text = "\n".join(
        [
            "fixrouter benchmark: limits and routes in the core",
            f"date      {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}",
            f"runs      {_ROUNDS} rounds of {_ORDERS} orders, each taken, acknowledged and filled (three inputs); medians [least-most]",
            "",
            *measured(),
            "",
        ]
    )
    print(text)
    (Path(__file__).parent / "results_limits.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
