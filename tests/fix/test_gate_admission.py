"""Who may come in."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from fix.admission import Admission, Quiet, Refused, Why, address_of

KEY, OTHER = ("FIX.4.2", "A", "R"), ("FIX.4.4", "B", "R")
HOME, AWAY = ip_address("10.0.0.1"), ip_address("10.1.0.1")


def admission(per_address: int = 3, a_minute: int = 6) -> Admission:
    return Admission({KEY: [ip_network("10.0.0.0/16")], OTHER: [ip_network("10.1.0.0/16")]}, per_address, a_minute)


def why(ask, *what) -> Why | None:  # type: ignore[no-untyped-def]
    try:
        ask(*what)
    except Refused as refused:
        return refused.why
    return None


def test_an_address_of_no_session_is_refused_before_it_speaks() -> None:
    """Where every session says where it may come from."""
    assert why(admission().arrive, ip_address("192.0.2.1"), 0.0) is Why.ADDRESS
    assert why(admission().arrive, ip_address("2001:db8::1"), 0.0) is Why.ADDRESS
    assert why(Admission({KEY: []}, 3, 6).arrive, ip_address("192.0.2.1"), 0.0) is None


def test_a_session_comes_from_its_own_networks_only() -> None:
    """An address that is good for another session is not good for this one."""
    rules = admission()
    assert why(rules.log_on, KEY, AWAY, "1") is Why.NOT_FROM_HERE
    assert why(rules.log_on, KEY, HOME, "1") is None
    assert why(rules.log_on, ("FIX.4.2", "A", "X"), HOME, "1") is Why.UNKNOWN
    assert why(rules.log_on, ("FIX.4.4", "A", "R"), HOME, "1") is Why.UNKNOWN


def test_a_session_is_held_once() -> None:
    """The second is refused, with the name of the first, until that one is gone."""
    rules = admission()
    rules.log_on(KEY, HOME, "connection 7")
    with pytest.raises(Refused, match="connection 7"):
        rules.log_on(KEY, HOME, "connection 8")
    rules.free(KEY)
    rules.log_on(KEY, HOME, "connection 9")


def test_connections_of_an_address_are_limited() -> None:
    """Until one of them leaves; other addresses are not touched by it."""
    rules = admission(per_address=2)
    assert [why(rules.arrive, HOME, 0.0) for _ in range(3)] == [None, None, Why.TOO_MANY_HERE]
    assert why(rules.arrive, AWAY, 0.0) is None
    rules.leave(HOME)
    assert why(rules.arrive, HOME, 0.0) is None


def test_attempts_of_an_address_are_limited() -> None:
    """A minute's worth at once, then at the rate; a refused attempt costs nothing."""
    rules = admission(per_address=1000, a_minute=6)
    assert [why(rules.arrive, HOME, 0.0) for _ in range(8)] == [None] * 6 + [Why.TOO_OFTEN] * 2
    assert [why(rules.arrive, HOME, now) for now in (5.0, 11.0, 12.0, 21.0, 22.0)] == [
        Why.TOO_OFTEN, None, Why.TOO_OFTEN, None, Why.TOO_OFTEN,
    ]  # fmt: skip
    assert [why(rules.arrive, HOME, 1000.0) for _ in range(7)].count(None) == 6


def test_an_ipv6_network_counts_as_one_address() -> None:
    """A /64; IPv4 through an IPv6 socket is IPv4."""
    rules = Admission({KEY: []}, 1, 6)
    assert why(rules.arrive, ip_address("2001:db8::1"), 0.0) is None
    assert why(rules.arrive, ip_address("2001:db8::2"), 0.0) is Why.TOO_MANY_HERE
    assert why(rules.arrive, ip_address("2001:db8:0:1::1"), 0.0) is None
    assert address_of("::ffff:10.0.0.1") == HOME


def test_strangers_do_not_fill_the_log() -> None:
    """So many lines a minute; the next one says how many were left out."""
    quiet = Quiet(2)
    assert [quiet.may_speak(now) for now in (0.0, 1.0, 2.0, 3.0, 60.0, 61.0)] == [0, 0, None, None, 2, 0]
