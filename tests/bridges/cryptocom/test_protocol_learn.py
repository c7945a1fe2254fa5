"""The Crypto.com protocol when symbols are added, or their rules change, while it runs."""

import json
from urllib.parse import parse_qsl

from bridges.wire import Frame, Note, Request
from router.model import Accepted, Canceled, LinkDown, NotSent
from router.rules import Instrument

from .rig import BIG, BTC, MS, SECOND, START, D, answer, cancel, events, open_order, place, protocol, requests, row, up

ETH = Instrument(symbol="ETH/USDT", venue_symbol="ethusdt", base="ETH", quote="USDT", tick=D("0.01"), lot=D("0.001"))
BTC_ROW = {"symbol": "btcusdt", "count_coin": "usdt", "amount_precision": 5, "base_coin": "btc", "price_precision": 2}
ETH_ROW = BTC_ROW | {"symbol": "ethusdt", "base_coin": "eth", "amount_precision": 3}
BOOK = {"channel": "market_ethusdt_depth_step0", "ts": 1, "tick": {"asks": [[3501, 1]], "buys": [[3499, 2]]}}


def ticks(the, start, seconds):
    """Ticks of 50 ms; what they brought, with its time."""
    times = range(start, start + seconds * SECOND, 50 * MS)
    return [(now, out) for now in times for out in the.tick(now)]


def readings(the, start, seconds):
    """When the list of markets was asked for; that fails each time, and what else is asked about the account is answered."""
    asked = []
    for now in range(start, start + seconds * SECOND, 50 * MS):
        for out in requests(the.tick(now)):
            if "symbols" in out.path:
                asked.append(now)
                the.answered(out, answer(None, 500), now)
            elif "account" in out.path:
                the.answered(out, answer({"total_asset": D(1), "coin_list": []}), now)
    return asked


def channels(outs):
    """Those that are subscribed."""
    told = [json.loads(out.text) for out in outs if isinstance(out, Frame)]
    return [each["params"]["channel"] for each in told if each["event"] == "sub"]


def eth_order(order_id="1"):
    return place(order_id, symbol="ethusdt", price=D(3500))


def learned():
    """Its link up, the new symbol learned and read of the venue."""
    the = up(protocol())
    the.learn((BTC, ETH), START)
    [read] = requests(the.tick(START), "symbols")
    the.answered(read, answer([BTC_ROW, ETH_ROW]), START)
    return the


def test_an_order_of_a_new_symbol_leaves_once_the_venue_lists_it():
    """Before, and until the list of markets was read anew: not sent. Then it is placed, followed and canceled."""
    the = up(protocol())
    assert isinstance(the.send(eth_order(), START)[0], NotSent)
    assert the.learn((BTC, ETH), START) == []
    assert isinstance(the.send(eth_order(), START)[0], NotSent)
    [read] = requests(the.tick(START), "symbols")
    outs = the.answered(read, answer([BTC_ROW, ETH_ROW]), START)
    assert not [out for out in outs if isinstance(out, Note | LinkDown)]
    [create] = the.send(eth_order(), START)
    assert dict(parse_qsl(create.body))["symbol"] == "ethusdt"
    outs = the.answered(create, answer({"order_id": BIG}), START)
    assert any(isinstance(out, Accepted) for out in outs)
    [look] = requests(outs, "showOrder")
    assert dict(parse_qsl(look.body))["symbol"] == "ethusdt"
    assert any(isinstance(out, Canceled) for out in the.answered(look, answer(row(4)), START))


def test_a_market_that_is_listed_already_is_not_read_again():
    """The venue lists all its markets; what it says of the new one is known."""
    the = protocol()
    [read] = the.begin(START)
    [login] = the.answered(read, answer([BTC_ROW, ETH_ROW]), START)
    the.answered(login, answer({"total_asset": D(1), "coin_list": []}), START)
    assert the.learn((BTC, ETH), START) == []
    assert not [out for _, out in ticks(the, START, 5) if requests([out], "symbols")]
    assert isinstance(the.send(eth_order(), START)[0], Request)


def test_a_new_symbol_that_the_venue_does_not_list_is_said():
    """A note when the list was read; the link stays, and nothing is read again."""
    the = up(protocol())
    the.learn((BTC, ETH), START)
    [read] = requests(the.tick(START), "symbols")
    outs = the.answered(read, answer([BTC_ROW]), START)
    [note] = [out for out in outs if isinstance(out, Note)]
    assert "lists no market ethusdt" in note.text
    [login] = requests(outs, "account")
    the.answered(login, answer({"total_asset": D(1), "coin_list": []}), START)
    assert isinstance(the.send(place(), START)[0], Request)
    assert the.learn((BTC, ETH), START) == []
    assert readings(the, START, 30) == []


def test_a_list_that_could_not_be_read_is_asked_for_again():
    """After a while, with the account asked for in between; the markets of before hold meanwhile."""
    the = up(protocol())
    the.learn((BTC, ETH), START)
    [read] = requests(the.tick(START), "symbols")
    the.lost(read, True, "timeout", START)
    assert [now - START for now in readings(the, START, 30)] == [10 * SECOND, 20 * SECOND]
    assert isinstance(the.send(place(), START + 30 * SECOND)[0], Request)


def test_changed_rules_are_judged():
    """A tick that is finer than the venue's decimals is said, of an old symbol too; the same rules again say nothing."""
    the = up(protocol())
    finer = Instrument(symbol="BTC/USDT", venue_symbol="btcusdt", base="BTC", quote="USDT", tick=D("0.001"), lot=D("0.00001"))
    [note] = the.learn((finer,), START)
    assert "the configured tick 0.001 has more" in note.text
    assert the.learn((finer,), START) == []
    assert the.learn((BTC,), START) == []
    assert len(the.learn((finer,), START)) == 1


def test_what_is_learned_before_the_markets_are_read_is_judged_with_them():
    """One reading, no more, and a note of what is not listed."""
    the = protocol()
    [read] = the.begin(START)
    assert the.learn((BTC, ETH), START) == []
    outs = the.answered(read, answer([BTC_ROW]), START)
    assert any(isinstance(out, Note) and "ethusdt" in out.text for out in outs)
    [login] = requests(outs, "account")
    the.answered(login, answer({"total_asset": D(1), "coin_list": []}), START)
    assert not requests([out for _, out in ticks(the, START, 5)], "symbols")


def test_what_is_new_is_subscribed_on_an_open_stream():
    """At once and alone; all of it at the next opening."""
    the = up(protocol())
    assert channels(the.opened(START)) == ["market_btcusdt_depth_step0", "market_btcusdt_trade_ticker"]
    new = ["market_ethusdt_depth_step0", "market_ethusdt_trade_ticker"]
    the.receive(json.dumps(BOOK), START)
    assert the.top("ethusdt").bid is None
    assert channels(the.learn((BTC, ETH), START)) == new
    the.receive(json.dumps(BOOK), START)
    assert (the.top("ethusdt").bid, the.top("ethusdt").ask) == (D(3499), D(3501))
    the.closed("gone", START)
    assert channels(the.opened(START))[2:] == new


def test_on_a_closed_stream_it_is_subscribed_when_it_opens():
    """Nothing before."""
    the = up(protocol())
    the.opened(START)
    the.closed("gone", START)
    assert channels(the.learn((BTC, ETH), START)) == []
    assert len(channels(the.opened(START))) == 4


def test_learning_twice_changes_nothing():
    """No frame, no request, no word; the books stay, also of what is left out."""
    the = learned()
    the.opened(START)
    the.receive(json.dumps(BOOK), START)
    for instruments in ((BTC, ETH), (ETH, BTC, ETH), (BTC,), (BTC, ETH)):
        assert the.learn(instruments, START) == []
    assert not requests([out for _, out in ticks(the, START, 5)], "symbols")
    assert the.top("ethusdt").bid == D(3499)
    assert len(channels(the.opened(START))) == 4


def test_open_orders_are_not_disturbed():
    """Their looks go on and their cancels leave, also where the symbol is not in the list any more."""
    the, look = open_order()
    the.learn((ETH,), START)
    assert [out for out in events(the.answered(look, answer(row(1)), START)) if not isinstance(out, Note)] == []
    [request] = the.send(cancel(str(BIG)), START)
    assert dict(parse_qsl(request.body))["symbol"] == "btcusdt"
    assert requests([out for _, out in ticks(the, START, 5)], "showOrder")


def test_everything_is_canceled_in_new_symbols_too():
    """And in those that are left out; each once."""
    the = up(protocol())
    the.learn((ETH,), START)
    assert [dict(parse_qsl(each.body))["symbol"] for each in requests(the.cancel_all(START))] == ["btcusdt", "ethusdt"]
