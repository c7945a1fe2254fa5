"""What the PrimeBit simulator's tests share: settings, orders, signed requests, the venue in one piece, and its invariants."""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from bridges.faults import Faults
from bridges.matching import Side
from bridges.primebit.sim_auth import Keys
from bridges.primebit.sim_exchange import Exchange
from bridges.primebit.sim_feed import Feed
from bridges.primebit.sim_orders import OPEN, RESTING, Status
from bridges.primebit.sim_rest import Answer, HangUp, Later, Request, RestApi
from bridges.primebit.sim_settings import Account, ContractSettings, PrimebitSettings, Seed
from bridges.primebit.sim_stream import Session
from bridges.primebit.sim_tally import Tally

D = Decimal
S = 1_000_000_000
NOW = 1_700_000_000 * S
ACCOUNT = "19e8c410-d446-4147-9002-ff7235b5a89f"
OTHER = "902a74d0-127c-40ef-af6b-7eff9f8ef742"
KEY, OTHER_KEY = "dc93094f-393c-441a-8837-eccb7795b618", "the-other-key"
SECRET = "a-secret-of-this-test-alone-0123456789"
ORDERS = f"/api/v1/trading/account/{ACCOUNT}/order"
ORDER_CHANNEL = f"order_{ACCOUNT}"


def settings(**changes: Any) -> PrimebitSettings:
    """BTCUSD at 64990 / 65010, two levels of 1000; ETHUSD at 3499 / 3501, two levels of 10.5; two accounts; no rate limit."""
    whole = {
        "port": 0,
        "requests_per_second": 0,
        "accounts": (
            Account(account_id=ACCOUNT, login="3034201", api_key=KEY, secret=SecretStr(SECRET), balance=D(10_000_000)),
            Account(account_id=OTHER, login="3034202", api_key=OTHER_KEY, secret=SecretStr(SECRET + "2"), balance=D(10_000_000)),
        ),
        "contracts": (
            ContractSettings(
                symbol="BTCUSD",
                contract_size=D(1),
                tick_size=D("0.5"),
                volume_step=D(1),
                max_price=D(1_000_000),
                max_volume=D(1_000_000),
                seed=Seed(bid=D(64990), ask=D(65010), step=D(10), levels=2, qty=D(1000)),
            ),
            ContractSettings(
                symbol="ETHUSD",
                contract_size=D("0.001"),
                tick_size=D("0.05"),
                volume_step=D("0.1"),
                max_price=D(20_000),
                max_volume=D(500_000),
                seed=Seed(bid=D(3499), ask=D(3501), step=D(1), levels=2, qty=D("10.5")),
            ),
        ),
    }
    return PrimebitSettings(**(whole | changes))


def body(**changes: Any) -> bytes:
    """A limit buy of 7 BTCUSD at 65000, inside the spread; a change to None leaves a field out."""
    fields = {
        "symbol": "BTCUSD",
        "side": "buy",
        "volume": "7.0",
        "limit_price": "65000.0",
        "stop_price": "0.0",
        "fill_type": "normal",
        "expiration_time": 0,
        "comment": "c1",
    } | changes
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def change(volume: str, limit_price: str = "65000.0", stop_price: str = "0.0") -> bytes:
    return json.dumps({"volume": volume, "limit_price": limit_price, "stop_price": stop_price}).encode()


def hmac_hex(text: str | bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text.encode() if isinstance(text, str) else text, hashlib.sha256).hexdigest()


def signed(
    method: str, path: str, query: str = "", content: bytes = b"", now_ns: int = NOW, secret: str = SECRET, **changes: Any
) -> Request:
    """A request signed by the document's formula."""
    timestamp = str(changes.get("timestamp", now_ns // S))
    signature = hmac_hex(method.encode() + content + f"{path}{query}{timestamp}".encode(), secret)
    fields = {"api_key": KEY, "timestamp": timestamp, "authorization": signature, "remote": "127.0.0.1"}
    return Request(method, path, query, content, **(fields | changes))


class Recorded:
    """A connection that keeps what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)

    def take(self) -> list[Any]:
        sent, self.sent = self.sent, []
        return [json.loads(text) for text in sent]

    def events(self) -> list[tuple[Any, ...]]:
        """What the order and positions channels told, shortened: (event_type, comment or side, volume)."""
        found: list[tuple[Any, ...]] = []
        for message in self.take():
            data = message["data"]
            if "order" in data:
                found.append((data["event_type"], data["order"]["comment"], data["order"]["volume"]))
            elif "position" in data:
                found.append((data["event_type"], data["position"].get("side"), data["position"].get("volume")))
        return found


class Venue:
    """Everything but the sockets; `now` is the clock."""

    def __init__(self, **changes: Any) -> None:
        told = settings(**changes)
        self.now = NOW
        self.exchange = Exchange(told, NOW)
        self.faults, self.tally, self.keys = Faults(), Tally(), Keys(told.accounts)
        self.sessions: dict[Session, None] = {}
        self.feed = Feed(self.exchange, told.environment, self.faults, self.sessions)
        self.rest = RestApi(self.exchange, self.feed, self.faults, self.tally, self.keys, told)

    def connect(self) -> tuple[Session, Recorded]:
        line = Recorded()
        session = Session(line, self.keys, self.feed, self.tally)
        self.sessions[session] = None
        return session, line

    def ask(self, session: Session, method: str, channel: str, **changes: Any) -> None:
        """A request with everything that authorises it, needed or not."""
        timestamp = str(self.now // S)
        fields = {"method": method, "params": [channel], "api-key": KEY, "timestamp": timestamp, "signature": hmac_hex(timestamp)}
        session.receive(json.dumps(fields | changes), self.now)

    def subscribed(self, *channels: str) -> Recorded:
        """A connection that is subscribed to these, the order channel unless said; its answers are taken already."""
        session, line = self.connect()
        for channel in channels or (ORDER_CHANNEL,):
            self.ask(session, "subscribe", channel)
        assert all(each["response"]["success"] for each in line.take())
        return line

    def handle(self, request: Request) -> Answer | HangUp | Later:
        outcome = self.rest.handle(request, self.now)
        check(self.exchange)
        return outcome

    def call(self, method: str, path: str = ORDERS, content: bytes = b"", query: str = "") -> tuple[int, Any]:
        """Status and body of a signed request."""
        answer = self.handle(signed(method, path, query, content, self.now))
        assert isinstance(answer, Answer)
        return answer.status, json.loads(answer.text)

    def place(self, **changes: Any) -> Any:
        """The answer's body."""
        return self.call("POST", content=body(**changes))[1]

    def placed(self, **changes: Any) -> str:
        """The path of an order that was taken."""
        return f"{ORDERS}/{self.place(**changes)['order_id']}"

    def place_other(self, **changes: Any) -> Any:
        """As the other account."""
        path, content = ORDERS.replace(ACCOUNT, OTHER), body(**changes)
        answer = self.handle(signed("POST", path, "", content, self.now, SECRET + "2", api_key=OTHER_KEY))
        assert isinstance(answer, Answer)
        assert answer.status == 200, answer.text
        return json.loads(answer.text)

    def counterparty(self, side: Side, volume: int, price: int | str) -> None:
        self.exchange.trade("BTCUSD", side, D(volume), D(price), self.now)
        self.feed.publish(self.now)
        check(self.exchange)

    def truth(self) -> list[tuple[str, str, str]]:
        """(comment, status, executed) of every order accepted."""
        return [(each.asked.comment, each.status.value, f"{each.filled.normalize():f}") for each in self.exchange.orders()]


def check(exchange: Exchange) -> None:
    """Asserts what must always hold: sound books, positions that are their orders' sum, and money that adds up."""
    orders = list(exchange.orders())
    for symbol, market in exchange.markets.items():
        market.book.check()
        assert set(market.stops) == {each.key for each in orders if each.status is Status.UNTRIGGERED and each.asked.symbol == symbol}
        assert not any(market.triggers(each.asked) for each in market.stops.values())
    sizes: dict[tuple[str, str], Decimal] = {}
    for order in orders:
        new = order.asked
        resting = exchange.markets[new.symbol].book.get(order.key)
        assert (resting is not None) == (order.status in RESTING)
        if resting is not None:
            assert resting.qty == order.left
        assert (order.key in exchange._open) == (order.status in OPEN)
        assert (order.left == 0) == (order.status is Status.FILLED)
        assert order.left >= 0
        place = (order.account_id, new.symbol)
        sizes[place] = sizes.get(place, D(0)) + (order.filled if new.side is Side.BUY else -order.filled)
    for account_id, account in exchange.accounts.items():
        for symbol in exchange.markets:
            position = account.positions.get(symbol)
            assert (position.size if position else 0) == sizes.get((account_id, symbol), 0)
            assert position is None or (position.size and position.cost > 0)
        for symbol in exchange.markets:
            for side in Side:
                resting = [o for o in orders if (o.account_id, o.asked.symbol, o.asked.side) == (account_id, symbol, side)]
                resting = [o for o in resting if o.status in RESTING]
                sums = account.sides.get((symbol, side))
                assert (sums.volume if sums else 0) == sum(o.left for o in resting)
                assert (sums.cost if sums else 0) == sum(o.left * o.asked.limit_price for o in resting)
        # Every account's profit at the last prices is what its orders took in and paid out.
        start = next(each.balance for each in exchange._settings.accounts if each.account_id == account_id)
        gained = D(0)
        for order in orders:
            if order.account_id == account_id:
                now = order.filled * exchange.markets[order.asked.symbol].last
                gain = now - order.value if order.asked.side is Side.BUY else order.value - now
                gained += gain * exchange.contracts[order.asked.symbol].contract_size
        equity = account.balance + account.profit(exchange.contracts, exchange._last_prices())
        assert abs(equity - start - gained) < D("0.000001")
