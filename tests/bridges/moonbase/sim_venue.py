"""What the Moonbase simulator's tests share: settings, a connection that records, the venue in one piece."""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from bridges.faults import Fault, Faults
from bridges.matching import Side
from bridges.moonbase.sim_channels import Channels
from bridges.moonbase.sim_exchange import Exchange
from bridges.moonbase.sim_feed import Feed
from bridges.moonbase.sim_frames import OBJECTS
from bridges.moonbase.sim_later import Later
from bridges.moonbase.sim_limits import Limits
from bridges.moonbase.sim_session import Session, Venue
from bridges.moonbase.sim_settings import Instrument, MoonbaseSettings, Seed, User
from bridges.moonbase.sim_tally import Tally

D = Decimal
S = 1_000_000_000
NOW = 1_550_435_861_686_411_000
KEY, SECRET = "a-key", "a-secret-of-this-test-alone"
SYMBOL, ORDERS, TRADES = "ETC:BTC", "/orders/ETC:BTC", "/trades/ETC:BTC"


def settings(**changes: Any) -> MoonbaseSettings:
    """ETC:BTC at 0.00499 / 0.00501, two levels of 10; two users."""
    owned = {"ETC": D(1000), "BTC": D(10)}
    whole = {
        "port": 0,
        "users": (
            User(user_id=5, key=KEY, secret=SecretStr(SECRET), balances=owned),
            User(user_id=6, key="other", secret=SecretStr(SECRET + "2"), balances=owned),
        ),
        "instruments": (
            Instrument(
                symbol=SYMBOL,
                price_step=D("0.00001"),
                amount_step=D("0.01"),
                seed=Seed(bid=D("0.00499"), ask=D("0.00501"), step=D("0.00001"), levels=2, qty=D(10)),
            ),
            Instrument(symbol="ICO:BTC", price_step=D("0.00001"), amount_step=D(1)),
        ),
    }
    return MoonbaseSettings(**(whole | changes))


def query(now_ns: int = NOW, key: str = KEY, secret: str = SECRET) -> dict[str, str]:
    """The parameters of a connection, signed by the document's formula."""
    timestamp = str(now_ns // S)
    text = f"GET\n/users/verify\nkey={key}&timestamp={timestamp}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {"key": key, "timestamp": timestamp, "signature": signature}


def parsed(text: str) -> Any:
    """JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal, parse_int=int)


class Client:
    """A connection that keeps what it is sent; refs count up by themselves."""

    def __init__(self, rig: "Rig", user: User, vsn: str) -> None:
        self.sent: list[str] = []
        self.over = False
        self.closed = 0
        self._rig, self._ref = rig, 0
        self.joins: dict[str, str] = {}
        self.session = Session(self, user, rig.venue, vsn, rig.now)
        rig.sessions[self.session] = None

    def send(self, text: str) -> None:
        self.sent.append(text)

    def hang_up(self) -> None:
        self.over = True

    def close(self, code: int) -> None:
        self.closed = code

    def take(self) -> list[Any]:
        sent, self.sent = self.sent, []
        return [parsed(text) for text in sent]

    def ask(self, topic: str, event: str, payload: Any = None, join_ref: Any = ...) -> list[Any]:
        """Sends a request; every frame that came at once, the reply first."""
        self._ref += 1
        ref = str(self._ref)
        if event == "phx_join" and join_ref is ...:
            self.joins[topic] = ref
        join_ref = self.joins.get(topic) if join_ref is ... else join_ref
        frame = {"ref": ref, "join_ref": join_ref, "topic": topic, "event": event, "payload": payload or {}}
        self.session.receive(json.dumps(frame, default=lambda d: float(d)), self._rig.now)
        return self.take()

    def join(self, topic: str, **params: Any) -> Any:
        """The reply's response; asserts that it is ok."""
        (reply,) = self.ask(topic, "phx_join", params)
        assert reply["payload"]["status"] == "ok", reply
        return reply["payload"]["response"]

    def place(self, amount: Any, price: Any = None, **more: Any) -> list[Any]:
        params = {"requested_amount": amount} | ({} if price is None else {"limit_price": price})
        return self.ask(ORDERS, "place", params | more)

    def placed(self, amount: Any, price: Any = None, **more: Any) -> int:
        """The id of an order that was accepted."""
        reply, *_ = self.place(amount, price, **more)
        return int(reply["payload"]["response"]["id"])

    def cancel(self, order_id: Any) -> list[Any]:
        return self.ask(ORDERS, "cancel", {"id": order_id})


class Rig:
    """Everything but the sockets; `now` is the clock."""

    def __init__(self, **changes: Any) -> None:
        self.settings = settings(**changes)
        self.now = NOW
        self.exchange = Exchange(self.settings, NOW)
        self.sessions: dict[Session, None] = {}
        self.faults, self.later, self.tally = Faults(), Later(), Tally()
        self.channels = Channels(self.exchange, self.settings, NOW)
        self.feed = Feed(self.exchange, self.channels, self.faults, self.later, self.sessions)
        self.limits = Limits(self.settings.joins_per_hour, self.settings.requests_per_minute)
        self.venue = Venue(self.channels, self.feed, self.faults, self.later, self.limits, self.tally, self.settings.silence_s)

    def connect(self, user: int = 0, vsn: str = OBJECTS) -> Client:
        return Client(self, self.settings.users[user], vsn)

    def trader(self, *topics: str, user: int = 0) -> Client:
        """Joined to the orders, and to these."""
        client = self.connect(user)
        for topic in (ORDERS, *topics):
            client.join(topic)
        return client

    def counterparty(self, side: Side, amount: str, price: str) -> None:
        self.exchange.trade(SYMBOL, side, D(amount), D(price), self.now)
        self.feed.publish(self.now)

    def fault(self, kind: str, match: str = "any", count: int = 1, delay_s: float = 0) -> None:
        self.faults.post(Fault(kind, count, delay_s, match))


def rows(frames: list[Any], event: str = "upsert", topic: str = ORDERS) -> list[Any]:
    """The data rows of these pushes, all in one list."""
    return [row for each in frames if (each["event"], each["topic"]) == (event, topic) for row in each["payload"]["data"]]
