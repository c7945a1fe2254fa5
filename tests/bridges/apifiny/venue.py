"""What the Apifiny simulator's tests share: settings, ids that follow the rule, tokens, and FIX text with | for SOH."""

import hashlib
import json
from decimal import Decimal

import jwt
from pydantic import SecretStr

from bridges.apifiny.sim_auth import Keys
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_feed import Feed
from bridges.apifiny.sim_fixapi import FixApi
from bridges.apifiny.sim_fixwire import Message, Parser, utc_timestamp
from bridges.apifiny.sim_market import Market
from bridges.apifiny.sim_orders import NewOrder, OrderType
from bridges.apifiny.sim_rest import Answer, Request, RestApi
from bridges.apifiny.sim_settings import Account, ApifinySettings, Balance, Endpoint, Instrument, Seed
from bridges.apifiny.sim_tally import Tally
from bridges.faults import Faults
from bridges.matching import Side

D = Decimal
NOW = 1_700_000_000_000
ACCOUNT, OTHER = "STA-00000001", "STA-00000002"
SECRET = "a-secret-of-this-test-alone-0123456789"
BINANCE = frozenset({"BINANCE", "GBBO"})


def settings(**changes) -> ApifinySettings:
    """Two venues behind one endpoint, a third behind another; BTCUSDT at 64990 / 65010, two levels of 1."""
    seed = Seed(bid=D(64990), ask=D(65010), step=D(10), levels=2, qty=D(1))
    btc = Instrument(
        venues=("BINANCE", "GBBO", "OKEX"),
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        tick_size=D("0.01"),
        step_size=D("0.00001"),
        min_price=D("0.01"),
        max_price=D(1_000_000),
        min_quantity=D("0.00001"),
        max_quantity=D(9000),
        min_notional=D(10),
        max_notional=D(10_000_000),
        seed=seed,
    )
    eth = btc.model_copy(update={"venues": ("BINANCE",), "symbol": "ETHUSDT", "base": "ETH", "status": "disabled"})
    whole = {
        "control_port": 0,
        "endpoints": (Endpoint(port=0, venues=("BINANCE", "GBBO")), Endpoint(port=0, venues=("OKEX",))),
        "accounts": (
            Account(account_id=ACCOUNT, key_id="key", secret=SecretStr(SECRET)),
            Account(account_id=OTHER, key_id="key2", secret=SecretStr(SECRET + "2")),
        ),
        "instruments": (btc, eth),
        "balances": tuple(
            Balance(
                account_id=account,
                venues=("BINANCE", "GBBO", "OKEX"),
                amounts={"USDT": D(1_000_000), "BTC": D(10)},
            )
            for account in (ACCOUNT, OTHER)
        ),
    }
    return ApifinySettings(**(whole | changes))


def order_id(n: int, at_ms: int = NOW, account: str = ACCOUNT) -> str:
    """An id by the document's rule: account number, random number, 13-digit timestamp, three digits."""
    return f"{account.removeprefix('STA-')}{n:05d}{at_ms:013d}{n % 1000:03d}"


def limit(n: int, side: Side, price: str | Decimal | None, qty: str | Decimal | None, **changes) -> NewOrder:
    """A GTC limit order at BINANCE."""
    fields = {
        "account_id": ACCOUNT,
        "venue": "BINANCE",
        "order_id": order_id(n),
        "symbol": "BTCUSDT",
        "side": side,
        "order_type": OrderType.LIMIT,
        "tif": 1,
        "price": None if price is None else D(price),
        "qty": None if qty is None else D(qty),
    }
    return NewOrder(**(fields | changes))


def token(now_ms: int = NOW, secret: str = SECRET, algorithm: str = "HS256", **claims) -> str:
    """The document's `get_signature`; a claim of None is left out."""
    account = claims.get("accountId", ACCOUNT)
    payload = {
        "accountId": account,
        "secretKeyId": "key",
        "digest": hashlib.sha256(str(account).encode()).hexdigest(),
        "method": "Fix",
        "exp": now_ms // 1000 + 30,
    } | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(payload, secret if algorithm != "none" else None, algorithm=algorithm)


def fix(text: str) -> bytes:
    """A message from everything between 9 and 10, written with | for SOH and a | at the end."""
    body = text.replace("|", "\x01")
    head = f"8=FIX.4.2\x019={len(body)}\x01{body}".encode("latin-1")
    return head + f"10={sum(head) % 256:03d}\x01".encode()


def message(msg_type: str, seq: int, body: str, now_ms: int = NOW, sender: str = ACCOUNT) -> bytes:
    """A message of the client's, header and all."""
    return fix(f"35={msg_type}|34={seq}|49={sender}|56=APIFINY|52={utc_timestamp(now_ms)}|{body}")


def logon(now_ms: int = NOW, raw: str | None = None, sender: str = ACCOUNT, body: str = "98=0|108=30|141=Y|") -> bytes:
    raw = token(now_ms) if raw is None else raw
    return message("A", 1, f"{body}95={len(raw)}|96={raw}|", now_ms, sender)


def new(n: int, now_ms: int = NOW, **changes: str | None) -> str:
    """The tags of a NewOrderSingle, a buy of 0.1 at 65000 at BINANCE unless changed (t44="1"; None leaves out)."""
    tags: dict[str, str | None] = {
        "t11": order_id(n, now_ms),
        "t55": "BTCUSDT",
        "t21": "1",
        "t40": "2",
        "t59": "1",
        "t60": utc_timestamp(now_ms),
        "t54": "1",
        "t44": "65000",
        "t1": ACCOUNT,
        "t38": "0.1",
        "t207": "BINANCE",
        "t58": "new Order",
    }
    return "".join(f"{name[1:]}={value}|" for name, value in (tags | changes).items() if value is not None)


def enquiry(n: int, **changes: str | None) -> str:
    """The tags of an OrderCancelRequest or OrderStatusRequest."""
    tags: dict[str, str | None] = {"t11": order_id(n), "t1": ACCOUNT, "t207": "BINANCE"}
    return "".join(f"{name[1:]}={value}|" for name, value in (tags | changes).items() if value is not None)


def parse(data: bytes) -> list[Message]:
    return Parser().feed(data)


def body_of(text: str) -> dict[int, str]:
    """The fields of a report's body."""
    return {int(tag): value for tag, _, value in (part.partition("=") for part in text.split("\x01") if part)}


# REST and WebSockets


def signature(signed: str | bytes | None, now_ms: int = NOW, secret: str = SECRET, **claims) -> str:
    """The document's JWT for a request (`signed`: its body or query) or a stream (None); a claim of None is left out."""
    digest = None if signed is None else hashlib.sha256(signed.encode() if isinstance(signed, str) else signed).hexdigest()
    payload = {"accountId": ACCOUNT, "secretKeyId": "key", "digest": digest, "exp": now_ms // 1000 + 30} | claims
    return jwt.encode({name: value for name, value in payload.items() if value is not None}, secret, algorithm="HS256")


def new_body(n: int | None, now_ms: int = NOW, **changes) -> dict:
    """A newOrder, a buy of 0.1 at 65000 at BINANCE unless changed; None leaves out, `n` None the order id."""
    info = {
        "symbol": "BTCUSDT",
        "orderType": "LIMIT",
        "timeInForce": 1,
        "orderSide": "BUY",
        "limitPrice": "65000",
        "quantity": "0.1",
    } | changes
    whole = {"accountId": ACCOUNT, "venue": "BINANCE", "orderId": None if n is None else order_id(n, now_ms)}
    whole["orderInfo"] = {name: value for name, value in info.items() if value is not None}
    return {name: value for name, value in whole.items() if value is not None}


class Ears:
    """An outlet that keeps what it is sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.hung_up = False

    def send(self, text: str) -> None:
        self.texts.append(text)

    def hang_up(self) -> None:
        self.hung_up = True

    def take(self) -> list:
        texts, self.texts = self.texts, []
        return [json.loads(text, parse_float=Decimal) for text in texts]


class RestVenue:
    """A venue without sockets: REST, streams and a FIX side that records, with the clock in the test's hand."""

    def __init__(self, **changes) -> None:
        self.settings = settings(**changes)
        self.now = NOW
        self.exchange = Exchange(self.settings, NOW)
        self.faults, self.tally = Faults(), Tally()
        self.fix: list = []
        self.market = Market(self.exchange)
        self.feed = Feed(self.exchange, self.market, self.faults)
        self.fixapi = FixApi(self.exchange, self.faults, self.tally, lambda account, venue: self)
        keys = Keys(self.settings.accounts)
        self.rest = RestApi(self.exchange, self.feed, self.fixapi, self.faults, self.tally, keys, self.settings, NOW)

    # A FIX session

    account_id, venues = ACCOUNT, BINANCE

    def send(self, msg_type: str, body: str) -> None:
        self.fix.append((msg_type, body_of(body)))

    def send_raw(self, data: bytes) -> None:
        self.fix.append(data)

    def reject(self, refused: Message, reason: int, tag: int, text: str) -> None:
        self.fix.append(("3", text))

    def by_fix(self, msg_type: str, body: str) -> list:
        self.fixapi.handle(self, parse(message(msg_type, 2, body, self.now))[0], self.now)
        self.feed.publish(self.now)
        return self.take_fix()

    def take_fix(self) -> list:
        fix, self.fix = self.fix, []
        return fix

    # REST

    def ask(self, request: Request) -> list:
        """The outcome goes into the list that this gives, now or later."""
        outcomes: list = []
        self.rest.handle(request, self.now, outcomes.append)
        return outcomes

    def call(self, method: str, path: str, given: dict | str = "", **claims):
        """A signed request to BINANCE: the outcome's JSON with exact numbers, or the outcome itself where it is none."""
        (outcome,) = self.ask(self.signed(method, path, given, **claims))
        if not isinstance(outcome, Answer) or outcome.status != 200:
            return outcome
        return json.loads(outcome.text, parse_float=Decimal)

    def signed(self, method: str, path: str, given: dict | str = "", **claims) -> Request:
        text = json.dumps(given) if isinstance(given, dict) else given
        sign = signature(text, self.now, **claims)
        if method == "POST":
            return Request(method, f"/ac/v2/BINANCE/{path}", "", text.encode(), sign)
        return Request(method, f"/ac/v2/BINANCE/{path}", text, b"", sign)

    def new(self, n: int | None, **changes):
        return self.call("POST", "order/newOrder", new_body(n, self.now, **changes))

    def cancel(self, n: int, **changes):
        return self.call("POST", "order/cancelOrder", {"accountId": ACCOUNT, "venue": "BINANCE", "orderId": order_id(n)} | changes)

    def query(self, n: int):
        return self.call("GET", "order/queryOrderInfo", f"accountId={ACCOUNT}&venue=BINANCE&orderId={order_id(n)}")

    def listed(self, what: str, more: str = "") -> list:
        return self.call("GET", f"order/{what}", f"accountId={ACCOUNT}&venue=BINANCE{more}")["result"]

    def trade(self, side: Side, qty: str, price: str) -> None:
        """A counterparty's."""
        _, executions = self.exchange.trade("BINANCE", "BTCUSDT", side, D(qty), D(price), self.now)
        self.fixapi.report(executions)
        self.feed.publish(self.now)
