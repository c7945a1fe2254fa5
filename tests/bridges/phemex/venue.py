"""What the Phemex simulator's tests share: settings, orders, signed requests, the venue in one piece, and its invariants."""

import hashlib
import hmac
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bridges.faults import Faults
from bridges.matching import Side
from bridges.phemex.sim_auth import Keys
from bridges.phemex.sim_exchange import Exchange
from bridges.phemex.sim_feed import Feed
from bridges.phemex.sim_orders import OPEN, RESTING, NewOrder, Status
from bridges.phemex.sim_rest import Answer, HangUp, Later, Request, RestApi
from bridges.phemex.sim_settings import Account, ContractSettings, PhemexSettings, Seed
from bridges.phemex.sim_stream import Session
from bridges.phemex.sim_tally import Tally

D = Decimal
S = 1_000_000_000
NOW = 1_700_000_000 * S
USER, OTHER = 60463, 65922
TOKEN, OTHER_TOKEN = "806066b0-f02b-4d3e-b444-76ec718e1023", "the-other-token"
SECRET = "a-secret-of-this-test-alone-0123456789"
SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def settings(**changes: Any) -> PhemexSettings:
    """BTCUSD at 64990 / 65010, two levels of 1000; ETHUSD at 3499 / 3501, two levels of 100; two users."""
    whole = {
        "port": 0,
        "accounts": (
            Account(user_id=USER, token=TOKEN, secret=SecretStr(SECRET), balances={"BTC": D(1), "USD": D(100_000)}),
            Account(user_id=OTHER, token=OTHER_TOKEN, secret=SecretStr(SECRET + "2"), balances={"BTC": D(1)}),
        ),
        "contracts": (
            ContractSettings(
                symbol="BTCUSD",
                settle="BTC",
                inverse=True,
                contract_size=D(1),
                tick_size=D("0.5"),
                max_price=D(1_000_000),
                max_order_qty=1_000_000,
                init_margin_er=1_000_000,
                maint_margin_er=500_000,
                risk_limit_ev=10_000_000_000,
                seed=Seed(bid=D(64990), ask=D(65010), step=D(10), levels=2, qty=1000),
            ),
            ContractSettings(
                symbol="ETHUSD",
                settle="USD",
                inverse=False,
                contract_size=D("0.005"),
                tick_size=D("0.05"),
                max_price=D(20_000),
                max_order_qty=500_000,
                init_margin_er=5_000_000,
                maint_margin_er=1_000_000,
                risk_limit_ev=5_000_000_000,
                seed=Seed(bid=D(3499), ask=D(3501), step=D(1), levels=2, qty=100),
            ),
        ),
    }
    return PhemexSettings(**(whole | changes))


def asked(n: int | str, side: Side, price: int | None, qty: int, **changes: Any) -> NewOrder:
    """A limit order for BTCUSD at a whole price, or a market order where it is None."""
    fields = {"symbol": "BTCUSD", "cl_ord_id": f"c{n}", "side": side, "qty": qty}
    fields |= {"ord_type": "Market"} if price is None else {"price_ep": price * 10_000}
    return NewOrder(**(fields | changes))


def body(**changes: Any) -> bytes:
    """A limit buy of 7 BTCUSD at 65000, as the document places it; a change to None leaves a field out."""
    fields = sample("place_order") | {"side": "Buy", "priceEp": 650_000_000, "clOrdID": "c1"} | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def hmac_hex(text: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def signed(method: str, path: str, query: str = "", content: bytes = b"", now_ns: int = NOW, **changes: Any) -> Request:
    """A request signed by the document's formula, to expire in a minute."""
    expiry = str(now_ns // S + 60)
    signature = hmac_hex(path + query + expiry + content.decode())
    fields = {"token": TOKEN, "expiry": expiry, "signature": signature, "remote": "127.0.0.1"}
    return Request(method, path, query, content, **(fields | changes))


class Recorded:
    """A connection that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.over = False

    def send(self, text: str) -> None:
        self.sent.append(text)

    def hang_up(self) -> None:
        self.over = True

    def take(self) -> list[Any]:
        sent, self.sent = self.sent, []
        return [json.loads(text) for text in sent]


class Venue:
    """Everything but the sockets; `now` is the clock."""

    def __init__(self, **changes: Any) -> None:
        told = settings(**changes)
        self.now = NOW
        self.exchange = Exchange(told, NOW)
        self.faults, self.tally, self.keys = Faults(), Tally(), Keys(told.accounts)
        self.sessions: dict[Session, None] = {}
        self.feed = Feed(self.exchange, self.faults, self.sessions)
        self.rest = RestApi(self.exchange, self.feed, self.faults, self.tally, self.keys, told)

    def connect(self) -> tuple[Session, Recorded]:
        line = Recorded()
        symbols = frozenset(self.exchange.markets)
        session = Session(line, self.keys, self.feed, symbols, self.tally, self.now)
        self.sessions[session] = None
        return session, line

    def ask(self, session: Session, method: str, *params: Any) -> None:
        session.receive(json.dumps({"id": 7, "method": method, "params": list(params)}), self.now)

    def subscribed(self, *requests: tuple[str, ...]) -> Recorded:
        """A connection that is authorised and has asked for AOP, or for these; its answers are taken already."""
        session, line = self.connect()
        expiry = self.now // S + 60
        self.ask(session, "user.auth", "API", TOKEN, hmac_hex(f"{TOKEN}{expiry}"), expiry)
        for method, *params in requests or (("aop.subscribe",),):
            self.ask(session, method, *params)
        line.take()
        return line

    def handle(self, request: Request) -> Answer | HangUp | Later:
        return self.rest.handle(request, self.now)

    def call(self, method: str, path: str, query: str = "", content: bytes = b"") -> tuple[int, Any]:
        """Status and body of a signed request."""
        answer = self.handle(signed(method, path, query, content, self.now))
        assert isinstance(answer, Answer)
        return answer.status, json.loads(answer.text)

    def place(self, **changes: Any) -> Any:
        return self.call("POST", "/orders", "", body(**changes))[1]

    def counterparty(self, side: Side, qty: int, price: int) -> None:
        self.exchange.trade("BTCUSD", side, qty, price * 10_000, self.now)
        self.feed.publish(self.now)


def check(exchange: Exchange) -> None:
    """Asserts what must always hold: sound books, positions that are their orders' sum, and money that adds up."""
    orders = list(exchange.orders())
    for market in exchange.markets.values():
        market.book.check()
        waiting = {each.order_id for each in orders if each.status is Status.UNTRIGGERED and each.asked.symbol == market.contract.symbol}
        assert set(market.stops) == waiting
        assert not any(market.triggers(each.asked) for each in market.stops.values())
    sizes: dict[tuple[int, str], int] = {}
    leaves: dict[tuple[int, str, Side], int] = {}
    for order in orders:
        new, book = order.asked, exchange.markets[order.asked.symbol].book
        resting = book.get(order.order_id)
        assert (resting is not None) == (order.status in RESTING)
        if resting is not None:
            assert resting.qty == new.qty - order.cum_qty
            side = (order.user_id, new.symbol, new.side)
            leaves[side] = leaves.get(side, 0) + order.leaves_qty
        assert order.status in OPEN or not order.leaves_qty
        signed_qty = order.cum_qty if new.side is Side.BUY else -order.cum_qty
        sizes[order.user_id, new.symbol] = sizes.get((order.user_id, new.symbol), 0) + signed_qty
        assert order.row["cumQty"] == order.cum_qty <= new.qty
        assert order.row["ordStatus"] == order.status.value
    for user in exchange._settings.accounts:
        for currency, account in exchange.accounts[user.user_id].items():
            money = int(user.balances.get(currency, D(0)) * (10**8 if currency == "BTC" else 10**4))
            for symbol, each in account.positions.items():
                assert each.size == sizes.get((user.user_id, symbol), 0)
                assert (each.value_ev > 0) == (each.size != 0)
                assert each.buy_leaves_qty == leaves.get((user.user_id, symbol, Side.BUY), 0)
                assert each.sell_leaves_qty == leaves.get((user.user_id, symbol, Side.SELL), 0)
                assert (each.buy_leaves_ev > 0) == (each.buy_leaves_qty > 0)
                assert (each.sell_leaves_ev > 0) == (each.sell_leaves_qty > 0)
                money += each.closed_pnl_ev - each.fees_ev
                reducing = [
                    o for o in orders if o.status in RESTING and o.asked.reduces and o.user_id == user.user_id and o.asked.symbol == symbol
                ]
                assert sum(o.leaves_qty for o in reducing) <= abs(each.size)
            assert account.balance_ev == money
