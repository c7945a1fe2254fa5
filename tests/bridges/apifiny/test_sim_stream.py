"""The streams without sockets: order and account updates, market data, the heartbeat, and faults on the way."""

import pytest

from bridges.apifiny.sim_feed import GARBAGE
from bridges.apifiny.sim_rate import PerSecond
from bridges.apifiny.sim_stream import Session
from bridges.faults import Fault
from bridges.matching import Side

from .venue import ACCOUNT, NOW, OTHER, D, Ears, RestVenue, enquiry, new, order_id


class Streams(RestVenue):
    """A venue, somebody who listens to orders and to assets, and a market-data connection."""

    def __init__(self, **changes) -> None:
        super().__init__(**({"public_requests_per_second": 0, "rest_requests_per_second": 0} | changes))
        self.orders, self.assets, self.data = Ears(), Ears(), Ears()
        self.feed.tell_orders(self.orders, ACCOUNT, "BINANCE")
        self.feed.tell_assets(self.assets, ACCOUNT, "BINANCE")
        self.rate = PerSecond(self.settings.public_requests_per_second)
        self.session = self.converse(self.data, "key")

    def converse(self, ears: Ears, key: str) -> Session:
        return Session(ears, self.feed, self.market, self.rate, self.settings, key, self.now)

    def subscribe(self, channel: str, symbol: str = "BTCUSDT", venues: str = '["BINANCE"]', action: str = "sub") -> list:
        text = f'{{"channel":"{channel}","symbol":"{symbol}","venues":{venues},"action":"{action}"}}'
        self.session.receive(text, self.now)
        return self.data.take()

    def heard(self) -> list[tuple]:
        """Of each order update: the last three digits of the order id, status, filled quantity."""
        payloads = [each["payload"] for each in self.orders.take()]
        return [(int(each["orderId"][-3:]), each["orderStatus"], each["filledCumulativeQuantity"]) for each in payloads]


@pytest.fixture
def venue() -> Streams:
    return Streams()


# Orders and assets


def test_an_order_update_is_the_documents(venue):
    """Name for name, with the account and not the sub-account."""
    venue.new(1, limitPrice="65010")
    first, last = venue.orders.take()
    assert first["payload"]["orderStatus"] == "SUBMITTED" and "isTaker" not in first["payload"]
    assert last == {
        "logTimestamp": NOW,
        "payload": {
            "accountId": ACCOUNT,
            "venue": "BINANCE",
            "orderId": order_id(1),
            "symbol": "BTCUSDT",
            "orderType": "LIMIT",
            "timeInForce": 1,
            "orderSide": "BUY",
            "limitPrice": 65010,
            "quantity": D("0.1"),
            "openQuantity": 0,
            "filledAveragePrice": 65010,
            "filledCumulativeQuantity": D("0.1"),
            "orderStatus": "FILLED",
            "createdAt": NOW,
            "updatedAt": NOW,
            "cancelledUpdatedAt": None,
            "filledUpdatedAt": NOW,
            "lastCommission": 0,
            "lastCommissionCurrency": "USDT",
            "lastFilledQuantity": D("0.1"),
            "lastFilledPrice": 65010,
            "lastFilledCreatedAt": NOW,
            "isTaker": True,
        },
    }


def test_orders_by_fix_and_by_rest_are_told_in_order(venue):
    """Each as it was at that moment; the last fill stands in the update after it too."""
    venue.by_fix("D", new(1, t54="2", t44="65005", t38="1"))
    venue.new(2, limitPrice="65005", quantity="0.3", timeInForce=3)
    venue.trade(Side.BUY, "0.2", "65005")
    venue.by_fix("F", enquiry(1))
    updates = venue.orders.take()
    assert updates[-1]["payload"]["lastFilledQuantity"] == D("0.2")
    told = [(int(each["payload"]["orderId"][-3:]), each["payload"]["orderStatus"]) for each in updates]
    assert told == [
        (1, "SUBMITTED"),
        (2, "SUBMITTED"),
        (2, "FILLED"),
        (1, "SUBMITTED"),
        (1, "SUBMITTED"),
        (1, "PART_FILLED"),
    ]
    cumulative = [each["payload"]["filledCumulativeQuantity"] for each in updates if each["payload"]["orderId"] == order_id(1)]
    assert cumulative == [0, D("0.3"), D("0.5"), D("0.5")]


def test_a_late_reject_is_told_and_a_refusal_is_not(venue):
    """A post-only order that would trade; an order of no quantity."""
    venue.new(1, limitPrice="65010", timeInForce=7)
    venue.new(2, quantity="0")
    assert venue.heard() == [(1, "REJECTED", 0)]


def test_streams_are_of_one_account_and_of_the_venue_in_the_path(venue):
    """Or of every venue, where the path has none."""
    everywhere, other = Ears(), Ears()
    venue.feed.tell_orders(everywhere, ACCOUNT, "")
    venue.feed.tell_orders(other, OTHER, "")
    venue.by_fix("D", new(1, t207="GBBO"))
    assert (venue.heard(), len(everywhere.take()), other.take()) == ([], 1, [])
    venue.feed.leave(everywhere)
    venue.by_fix("D", new(2))
    assert (venue.heard(), everywhere.take()) == ([(2, "SUBMITTED", 0)], [])


def test_account_updates_tell_what_changed(venue):
    """Frozen by an order, moved by its fill; nothing where nothing changed."""
    venue.new(1)
    (update,) = venue.assets.take()
    assert update == {
        "result": {
            "logTimestamp": NOW,
            "payload": [
                {"accountId": ACCOUNT, "amount": 1_000_000, "available": 993_500, "currency": "USDT", "frozen": 6500, "venue": "BINANCE"}
            ],
        },
        "error": None,
    }
    venue.trade(Side.SELL, "0.1", "65000")
    (update,) = venue.assets.take()
    assert {each["currency"]: each["amount"] for each in update["result"]["payload"]} == {"USDT": 993_500, "BTC": D("10.1")}
    venue.query(1)
    assert venue.assets.take() == []


# Market data


def test_a_book_is_told_at_once_and_whenever_it_changes(venue):
    """One message a venue; orders by FIX change it too."""
    both = venue.subscribe("orderbook", venues='["BINANCE","GBBO"]')
    assert [(each["venues"], each["channel"], each["symbol"]) for each in both] == [
        (["BINANCE"], "orderbook", "BTCUSDT"),
        (["GBBO"], "orderbook", "BTCUSDT"),
    ]
    assert both[0]["orderbook"]["bids"] == [[64990, 1], [64980, 1]]
    venue.by_fix("D", new(1))
    (changed,) = venue.data.take()
    assert changed["orderbook"]["bids"][0] == [65000, D("0.1")]
    venue.query(1)
    assert venue.data.take() == []
    assert venue.subscribe("orderbook", action="unsub") == []
    venue.cancel(1)
    assert venue.data.take() == []


def test_trades_tickers_and_candles(venue):
    """The state of things first, then what is new; candles of every second too."""
    venue.new(1, limitPrice="65010")
    assert [each["price"] for each in venue.subscribe("trade")[0]["trade"]["trades"]] == [65010]
    assert venue.subscribe("ticker")[0]["ticker"]["close"] == 65010
    assert venue.subscribe("kline_1m", "BTC/USDT")[0]["kline_1m"]["count"] == 1
    venue.new(2, limitPrice="65010")
    trade, ticker, candle = venue.data.take()
    assert [(each["exchangeID"], each["side"]) for each in trade["trade"]["trades"]] == [("2", "SELL")]
    assert (ticker["ticker"]["vol"], candle["kline_1m"]["vol"], candle["symbol"]) == (D("0.2"), D("0.2"), "BTC/USDT")
    venue.feed.tick(NOW + 999)
    assert venue.data.take() == []
    venue.feed.tick(NOW + 1000)
    assert [each["channel"] for each in venue.data.take()] == ["kline_1m"]
    assert venue.subscribe("trade", venues='["OKEX"]')[0]["trade"] == {"trades": []}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "0x01001A"),
        ("[]", "0x01001A"),
        ("[" * 100_000, "0x01001A"),
        ("{}", "0x01001A"),
        ('{"ping":1}', "0x01001A"),
        ('{"channel":"book","symbol":"BTCUSDT","venues":["BINANCE"],"action":"sub"}', "0x01001A"),
        ('{"channel":["trade"],"symbol":"BTCUSDT","venues":["BINANCE"],"action":"sub"}', "0x01001A"),
        ('{"channel":"trade","symbol":5,"venues":["BINANCE"],"action":"sub"}', "0x01001A"),
        ('{"channel":"trade","symbol":"BTCUSDT","venues":"BINANCE","action":"sub"}', "0x01001A"),
        ('{"channel":"trade","symbol":"BTCUSDT","venues":[],"action":"sub"}', "0x01001A"),
        ('{"channel":"trade","symbol":"BTCUSDT","venues":[[]],"action":"sub"}', "0x01001A"),
        ('{"channel":"trade","symbol":"BTCUSDT","venues":["BINANCE"],"action":[]}', "0x01001A"),
        ('{"channel":"trade","symbol":"DOGEUSDT","venues":["BINANCE"],"action":"sub"}', "0x04003A"),
        ('{"channel":"trade","symbol":"BTCUSDT","venues":["BINANCE","NOWHERE"],"action":"sub"}', "0x20001A"),
        ('{"channel":"trade","symbol":"BTCUSDT","venues":["GBBO"],"action":"sub"}', "0x05003D"),
        ('{"channel":"kline_1m","symbol":"BTCUSDT","venues":["BINANCE"],"action":"sub"}', "0x04003A"),
        ('{"channel":"kline_2m","symbol":"BTC/USDT","venues":["BINANCE"],"action":"sub"}', "0x01001A"),
    ],
)
def test_what_is_no_request_is_answered_by_an_error(venue, text, code):
    """And nothing is subscribed, of several venues none."""
    venue.session.receive(text, NOW)
    (answer,) = venue.data.take()
    assert (answer["result"], answer["error"]["code"]) == (None, code)
    venue.new(1, limitPrice="65010")
    assert venue.data.take() == []


def test_one_market_data_request_a_second_by_key():
    """Over all connections; pongs do not count."""
    venue = Streams(public_requests_per_second=1)
    assert "orderbook" in venue.subscribe("orderbook")[0]
    venue.session.receive('{"pong":1}', NOW)
    second = Ears()
    venue.converse(second, "key").receive('{"channel":"trade"}', NOW)
    assert second.take()[0]["error"] == {"code": "0x02002A", "message": "rate limit is exceeded"}
    venue.now += 1000
    assert "trade" in venue.subscribe("trade")[0]


# Heartbeat


def test_the_heartbeat_is_answered_with_its_number_or_ends_in_silence(venue):
    """A ping every 30 s; a wrong number is no answer."""
    ears = Ears()
    session = venue.converse(ears, "")
    session.tick(NOW + 29_999)
    assert ears.take() == []
    session.tick(NOW + 30_000)
    assert ears.take() == [{"ping": NOW + 30_000}]
    session.receive(f'{{"pong":{NOW + 30_000}}}', NOW + 30_001)
    session.tick(NOW + 59_999)
    session.tick(NOW + 60_000)
    assert ears.take() == [{"ping": NOW + 60_000}]
    session.receive('{"pong":1}', NOW + 60_001)
    session.tick(NOW + 69_999)
    assert not ears.hung_up
    session.tick(NOW + 70_000)
    assert ears.hung_up


def test_a_user_stream_takes_nothing_but_pongs(venue):
    """An error, and the connection stays."""
    ears = Ears()
    venue.converse(ears, "").receive('{"channel":"trade","symbol":"BTCUSDT","venues":["BINANCE"],"action":"sub"}', NOW)
    assert ears.take()[0]["error"]["code"] == "0x01001A"
    assert not ears.hung_up


# Faults


def test_stream_faults_meet_order_updates(venue):
    """Twice, in the wrong order, after nonsense, never, and late."""
    venue.faults.post(Fault("duplicate_event", match="stream"))
    venue.new(1)
    assert venue.heard() == [(1, "SUBMITTED", 0)] * 2
    venue.faults.post(Fault("reorder_events", match="new"))
    venue.new(2, limitPrice="65010")
    assert venue.heard() == [(2, "FILLED", D("0.1")), (2, "SUBMITTED", 0)]
    venue.faults.post(Fault("garbage", match="stream"))
    venue.new(3)
    assert venue.orders.texts[:2] == list(GARBAGE)
    venue.orders.texts = []
    venue.faults.post(Fault("drop_reply", match="stream"))
    venue.cancel(1)
    assert venue.heard() == []
    venue.faults.post(Fault("delay", 1, 5, "stream"))
    venue.cancel(3)
    assert (venue.heard(), venue.feed.due_ms) == ([], NOW + 5000)
    venue.feed.tick(NOW + 5000)
    assert venue.heard() == [(3, "CANCELLED", 0)]


def test_of_one_thing_the_fix_report_meets_the_fault_first(venue):
    """So the stream tells it once."""
    venue.faults.post(Fault("duplicate_event"))
    assert len(venue.by_fix("D", new(1))) == 2
    assert venue.heard() == [(1, "SUBMITTED", 0)]


def test_where_nobody_listens_a_stream_fault_waits(venue):
    """For whoever comes."""
    venue.feed.leave(venue.orders)
    venue.faults.post(Fault("drop_reply", match="stream"))
    venue.new(1)
    assert venue.faults.pending()


def test_a_reset_tells_books_and_balances(venue):
    """Whoever is connected stays so, and trades begin anew."""
    venue.subscribe("orderbook")
    venue.subscribe("trade")
    venue.new(1, limitPrice="65010")
    venue.orders.take(), venue.assets.take(), venue.data.take()
    venue.exchange.reset()
    venue.feed.reset()
    venue.feed.publish(NOW)
    (book,) = venue.data.take()
    assert book["orderbook"]["asks"][0] == [65010, 1]
    assert len(venue.assets.take()) == 1
    venue.new(2, limitPrice="65010")
    assert [each["channel"] for each in venue.data.take()] == ["orderbook", "trade"]
