"""The operators' language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.admin.contract import ACTS
from router.admin.words import COMMANDS, WrongUse, read, split

EXAMPLES = [(command, example) for command in COMMANDS for example in command.examples]

MEANT = [
    ("status", "status", {}, ""),
    ("STATUS", "status", {}, ""),
    ("orders", "orders", {}, ""),
    ("orders unknown", "orders", {"state": "unknown"}, ""),
    ("orders open destination=PHEMEX symbol=BTC/USD", "orders", {"state": "open", "destination": "PHEMEX", "symbol": "BTC/USD"}, ""),
    ("orders session=FIX.4.2:ROUTER->OMS42", "orders", {"session": "FIX.4.2:ROUTER->OMS42"}, ""),
    ("order a=b", "order", {"order": "a=b"}, ""),
    ("halt all", "halt", {"scope": "all"}, ""),
    ("halt session FIX.4.2:ROUTER->OMS42", "halt", {"scope": "session", "name": "FIX.4.2:ROUTER->OMS42"}, ""),
    ('halt all why="it smells of fire"', "halt", {"scope": "all"}, "it smells of fire"),
    ("cancel 42 why=x", "cancel", {"order": "42"}, "x"),
    ("cancel order=42", "cancel", {"order": "42"}, ""),
    ("cancel-all", "cancel-all", {}, ""),
    ("cancel-all destination=PHEMEX", "cancel-all", {"destination": "PHEMEX"}, ""),
    ("resolve 42 venue_order_id=8f", "resolve", {"order": "42", "venue_order_id": "8f"}, ""),
    ("resolve 42 not_placed", "resolve", {"order": "42", "not_placed": "true"}, ""),
    ("venue PHEMEX", "venue", {"destination": "PHEMEX"}, ""),
    ("venue PHEMEX Disable", "venue", {"destination": "PHEMEX", "do": "disable"}, ""),
    ("session OMS42 seqnum next_in=5 next_out=7", "session", {"session": "OMS42", "do": "seqnum", "next_in": "5", "next_out": "7"}, ""),
    ("resend OMS42 100 0", "resend", {"session": "OMS42", "begin": "100", "end": "0"}, ""),
    ("stop cancel_all", "stop", {"cancel_all": "true"}, ""),
    ("stop cancel_all=no", "stop", {"cancel_all": "false"}, ""),
    ("route-test buy 0.5 BTC/USDT price=65000", "route-test", {"side": "buy", "qty": "0.5", "symbol": "BTC/USDT", "price": "65000"}, ""),
    ("ask PHEMEX trades symbol=BTC/USD", "ask", {"destination": "PHEMEX", "topic": "trades", "symbol": "BTC/USD"}, ""),
]

WRONG = [
    ("ordrs", "perhaps orders"),
    ("halt", "halt needs scope: halt all|session|account|destination [NAME]. For example: "),
    ("halt al", "perhaps all?"),
    ("cancel", "cancel needs order"),
    ("cancel 1 2", "2 is one word too many"),
    ("cancel-all PHEMEX", "PHEMEX is one word too many"),
    ("cancel-all destinaton=PHEMEX", "cancel-all has no destinaton=; perhaps destination or session? Usage: cancel-all [destination=…]"),
    ("cancel-all destination=", "destination= needs a value"),
    ("cancel-all destination=A destination=B", "destination is given twice"),
    ("orders PHEMEX", "state is one of open, unknown, done, all; not PHEMEX"),
    ("orders limit=many", "limit is a number"),
    ("fill-correct 1 2 NaN 3", "last_qty is a number"),
    ("fill-correct 1 2 1_0 3", "last_qty is a number"),
    ("session OMS42 logot", "perhaps logout?"),
    ("stop cancel_all=perhaps", "cancel_all is yes or no"),
    ("watch", "watch what?"),
    ("watch halt all", "it cannot be watched"),
    ("watch watch orders", "watch what?"),
    ('halt all why="no end', "a quotation mark is missing"),
]


@pytest.mark.parametrize(("line", "name", "given", "why"), MEANT, ids=[each[0] for each in MEANT])
def test_what_a_line_means(line: str, name: str, given: dict[str, str], why: str) -> None:
    """Arguments by place, by name, as flags; a reason beside them."""
    request = read(split(line))
    assert (request.command.name, request.given, request.why) == (name, given, why)


@pytest.mark.parametrize(("line", "told"), WRONG, ids=[each[0] for each in WRONG])
def test_what_a_line_cannot_mean(line: str, told: str) -> None:
    """It is said what is wrong and what was perhaps meant."""
    with pytest.raises(WrongUse) as wrong:
        read(split(line))
    assert told in str(wrong.value)


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=[each[1] for each in EXAMPLES])
def test_examples_of_help_mean_their_command(command: object, example: str) -> None:
    """What help shows can be typed as it stands."""
    assert read(split(example)).command is command


def test_every_act_of_the_contract_is_a_command() -> None:
    """There is no second list of acts."""
    assert [each.act for each in COMMANDS if each.act is not None] == list(ACTS)


def test_one_word_sees_and_two_words_act() -> None:
    """`session NAME` shows, `session NAME logout` acts; a reason is no argument."""
    assert read(split("session OMS42")).command.act is None
    assert read(split("session OMS42 why=x")).command.act is None
    assert read(split("session OMS42 logout")).command.act is not None


def test_a_listing_is_watched_so_often() -> None:
    """The last number of `watch` is its pace; what is watched keeps its own arguments."""
    assert read(split("watch orders open 0.5")).every_s == 0.5
    assert read(split("watch orders limit=3")).every_s == 2
    assert read(split("watch order 42")).given == {"order": "42"}


def test_no_word_is_special_inside_a_name() -> None:
    """Backslashes, arrows and hashes are what they are."""
    assert split(r'order a\b why="c # d" x->y') == ["order", r"a\b", "why=c # d", "x->y"]


@given(st.text())
def test_any_line_is_understood_or_refused(line: str) -> None:
    """Whatever is typed, nothing but a request or a `WrongUse` comes of it."""
    try:
        words = split(line)
        if words:
            read(words)
    except WrongUse as wrong:
        assert str(wrong)
