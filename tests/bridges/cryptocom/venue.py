"""What the Crypto.com simulator's tests share: settings, signing done anew, a desk without sockets, and samples."""

import gzip
import hashlib
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from bridges.cryptocom.sim_auth import FORM
from bridges.cryptocom.sim_exchange import Exchange
from bridges.cryptocom.sim_gateway import Answer, Call, Gateway
from bridges.cryptocom.sim_settings import CryptocomSettings, Instrument, Seed, User
from bridges.cryptocom.sim_stream import Stream
from bridges.cryptocom.sim_tally import Tally
from bridges.faults import Fault, Faults
from bridges.matching import Side

D = Decimal
NOW = 1_700_000_000_500
KEY, OTHER_KEY = "key-one", "key-two"
SECRET = "a-secret-of-this-test-alone-0123456789"
SAMPLES = Path(__file__).parent / "samples"


def settings(**changes: Any) -> CryptocomSettings:
    """btcusdt at 64990 / 65010 with two levels of 1, ethusdt with an empty book; no fee; two users."""
    btc = Instrument(
        symbol="btcusdt",
        base="btc",
        quote="usdt",
        price_precision=2,
        amount_precision=5,
        min_volume=D("0.0001"),
        min_total=D(1),
        seed=Seed(bid=D(64990), ask=D(65010), step=D(10), levels=2, qty=D(1)),
    )
    eth = btc.model_copy(update={"symbol": "ethusdt", "base": "eth", "seed": None})
    balances = {"usdt": D(1_000_000), "btc": D(10)}
    whole = {
        "port": 0,
        "fee_rate": D(0),
        "users": (
            User(user_id=10106, api_key=KEY, secret=SecretStr(SECRET), balances=balances),
            User(user_id=10107, api_key=OTHER_KEY, secret=SecretStr(SECRET + "2"), balances=balances),
        ),
        "instruments": (btc, eth),
    }
    return CryptocomSettings(**(whole | changes))


def signed(params: dict[str, str] | None = None, now_ms: int = NOW, key: str = KEY, secret: str | None = None) -> dict[str, str]:
    """The document's algorithm, written once more: sorted names, name and value without separators, the secret."""
    whole = dict(params or {}) | {"api_key": key, "time": str(now_ms)}
    buffer = ""
    for name in sorted(whole):
        if whole[name]:
            buffer += name + whole[name]
    if secret is None:
        secret = SECRET if key == KEY else SECRET + "2"
    return whole | {"sign": hashlib.sha256((buffer + secret).encode()).hexdigest()}


def limit(side: str = "BUY", price: str = "65000", volume: str = "0.5", **changes: str) -> dict[str, str]:
    return {"symbol": "btcusdt", "side": side, "type": "1", "volume": volume, "price": price} | changes


def market(side: str, volume: str, **changes: str) -> dict[str, str]:
    return {"symbol": "btcusdt", "side": side, "type": "2", "volume": volume} | changes


class Desk:
    """The venue without sockets, its clock, and streams."""

    def __init__(self, **changes: Any) -> None:
        self.now_ms = NOW
        self.settings = settings(**changes)
        self.exchange = Exchange(self.settings, NOW)
        self.faults, self.tally = Faults(), Tally()
        self.gateway = Gateway(self.exchange, self.settings, self.faults, self.tally)

    def raw(self, method: str, path: str, params: dict[str, str] | None = None, key: str = KEY, **call: Any) -> Answer:
        """Signed where it is not a GET."""
        if method == "GET":
            return self.gateway.handle(Call("GET", path, urlencode(params or {}), **call), self.now_ms)
        body = urlencode(signed(params, self.now_ms, key)).encode()
        whole = {"content_type": FORM, "body": body, "address": "10.0.0.1"} | call
        return self.gateway.handle(Call(method, path, **whole), self.now_ms)

    def ask(self, method: str, path: str, params: dict[str, str] | None = None, key: str = KEY, **call: Any) -> Any:
        """The `data` of a success; a second passes first, so that no limit is met."""
        self.now_ms += 1000
        status, answer = read(self.raw(method, path, params, key, **call))
        assert (status, answer["code"], answer["msg"]) == (200, "0", "suc"), answer
        return answer["data"]

    def refused(self, method: str, path: str, params: dict[str, str] | None = None, key: str = KEY, **call: Any) -> Any:
        """HTTP status and code of a failure."""
        self.now_ms += 1000
        status, answer = read(self.raw(method, path, params, key, **call))
        assert answer["code"] != "0" and answer["data"] is None and answer["msg"] != "suc", answer
        return status, answer["code"]

    def create(self, params: dict[str, str], key: str = KEY) -> str:
        return str(self.ask("POST", "/v1/order", params, key)["order_id"])

    def show(self, order_id: str, key: str = KEY) -> Any:
        return self.ask("POST", "/v1/showOrder", {"order_id": order_id, "symbol": "btcusdt"}, key)

    def cancel(self, order_id: str, key: str = KEY) -> Any:
        return self.ask("DELETE", "/v1/order", {"order_id": order_id, "symbol": "btcusdt"}, key)

    def listed(self, path: str, key: str = KEY, **params: str) -> Any:
        return self.ask("POST", path, {"symbol": "btcusdt"} | params, key)

    def trade(self, side: Side, qty: str, price: str, symbol: str = "btcusdt") -> None:
        self.exchange.trade(symbol, side, D(qty), D(price), self.now_ms)

    def fault(self, kind: str, **more: Any) -> None:
        self.faults.post(Fault(kind, **more))

    def stream(self) -> "Viewer":
        return Viewer(self)


class Viewer:
    """A client on the WebSocket."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.stream = Stream(desk.exchange, desk.settings, desk.faults, desk.tally, desk.now_ms)

    def say(self, event: str, channel: str, **params: Any) -> list[Any]:
        text = json.dumps({"event": event, "params": {"channel": channel} | params})
        self.stream.receive(text, self._desk.now_ms)
        return self.read()

    def publish(self) -> list[Any]:
        touched, self._desk.exchange.touched = self._desk.exchange.touched, set()
        self.stream.publish(touched, self._desk.now_ms)
        return self.read()

    def tick(self, ms: int = 0) -> list[Any]:
        self._desk.now_ms += ms
        self.stream.tick(self._desk.now_ms)
        return self.read()

    def read(self) -> list[Any]:
        return [parse(gzip.decompress(frame)) for frame in self.stream.take_output()]


def parse(text: str | bytes) -> Any:
    """JSON whose numbers are Decimal, from their text."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def read(answer: Answer) -> tuple[int, Any]:
    assert answer.body is not None
    return answer.status, parse(answer.body)


def sample(name: str) -> Any:
    """One of the document's samples, which are JSON but for comments, spare commas and slips of the pen."""
    text = (SAMPLES / f"{name}.txt").read_text()
    text = re.sub(r"\s//[^\n]*|,//[^\n]*", lambda found: "," if found[0][0] == "," else "", text)
    text = re.sub(r"\"\s+status\"", '"status"', text).replace("'", '"')
    return parse(re.sub(r",(\s*[\]}])", r"\1", text))


def shape(value: Any) -> Any:
    """Keys and types: what a message and its sample must have in common. Of a list, its first element."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return {str: "text", Decimal: "number", bool: "bool", type(None): "null"}[type(value)]
