"""Apifiny's table of errors: what each row says of a create, a cancel and a question."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridges.apifiny.codes import TABLE, Verdict, no_such_order, of_cancel, of_create, of_question, rows_of
from bridges.apifiny.reading import Failure, Malformed, amount, loads, outcome, texts
from router.words import CxlRejReason, OrdRejReason

NO, UNKNOWN, AGAIN, LATER = Verdict.NO, Verdict.UNKNOWN, Verdict.AGAIN, Verdict.LATER


def failure(code: Any, message: str = "no") -> Failure:
    found = outcome(loads(json.dumps({"result": None, "error": {"code": code, "message": message}})))
    assert isinstance(found, Failure)
    return found


def test_the_whole_table_is_there() -> None:
    """Seventy rows; five whose decimal code is not their hexadecimal one, and one code that stands there twice."""
    assert len(TABLE) == 70
    assert {row.code for row in TABLE if row.decimal != row.key} == {"0x05003B", "0x05005A", "0x05006B", "0x05007B", "0x06001B"}
    assert sorted(row.code for row in TABLE if sum(each.key == row.key for each in TABLE) > 1) == ["0x05008A", "0x05008A"]


@pytest.mark.parametrize(
    ("code", "verdict", "reason"),
    [
        ("0x04003A", NO, OrdRejReason.UNKNOWN_SYMBOL),
        ("0x20001A", NO, OrdRejReason.UNKNOWN_SYMBOL),
        ("0x05003D", NO, OrdRejReason.EXCHANGE_CLOSED),
        ("0x06001A", NO, OrdRejReason.EXCEEDS_LIMIT),
        ("0x05006A", NO, OrdRejReason.EXCEEDS_LIMIT),
        ("0x05008A", NO, OrdRejReason.BROKER_OPTION),
        ("0x20000A", NO, OrdRejReason.BROKER_OPTION),
        ("0x20000B", NO, OrdRejReason.BROKER_OPTION),
        ("0x02002B", NO, OrdRejReason.UNKNOWN_ACCOUNT),
        ("0x05005A", UNKNOWN, OrdRejReason.OTHER),
        ("0x06010A", UNKNOWN, OrdRejReason.OTHER),
        ("0x01003B", UNKNOWN, OrdRejReason.OTHER),
        ("0x05002B", UNKNOWN, OrdRejReason.OTHER),
        ("0x05007B", UNKNOWN, OrdRejReason.OTHER),
        ("0x05002A", UNKNOWN, OrdRejReason.OTHER),
        ("0x02002A", UNKNOWN, OrdRejReason.OTHER),
        ("0x01000C", UNKNOWN, OrdRejReason.OTHER),
        ("0x0FFFFA", UNKNOWN, OrdRejReason.OTHER),
        (327786, UNKNOWN, OrdRejReason.OTHER),
        (327802, UNKNOWN, OrdRejReason.OTHER),
        (393242, NO, OrdRejReason.EXCEEDS_LIMIT),
        ("393258", NO, OrdRejReason.EXCEEDS_LIMIT),
    ],
)
def test_only_a_documented_refusal_is_a_no_to_a_create(code: Any, verdict: Verdict, reason: OrdRejReason) -> None:
    """Timeouts, faults of the venue's, repeated ids, and decimals that may mean one of these, leave a create unknown."""
    assert of_create(failure(code).rows) == (verdict, reason)


@pytest.mark.parametrize(
    ("code", "verdict", "reason"),
    [
        ("0x05003A", NO, CxlRejReason.UNKNOWN_ORDER),
        ("0x05003B", NO, CxlRejReason.UNKNOWN_ORDER),
        (327738, NO, CxlRejReason.UNKNOWN_ORDER),
        ("0x050016A", NO, CxlRejReason.UNKNOWN_ORDER),
        (327802, NO, CxlRejReason.TOO_LATE),
        ("0x05014A", NO, CxlRejReason.ALREADY_PENDING),
        ("0x05015A", NO, CxlRejReason.BROKER_OPTION),
        ("0x05008A", UNKNOWN, CxlRejReason.BROKER_OPTION),
        ("0x01003B", AGAIN, CxlRejReason.BROKER_OPTION),
        ("0x02002A", LATER, CxlRejReason.BROKER_OPTION),
        ("0x0FFFFB", UNKNOWN, CxlRejReason.OTHER),
    ],
)
def test_a_cancel_is_refused_repeated_or_unknown(code: Any, verdict: Verdict, reason: CxlRejReason) -> None:
    """A timeout says nothing, a fault of the venue's is worth another try, the rest is a no with its reason."""
    assert of_cancel(failure(code).rows) == (verdict, reason)


def test_no_such_order_is_three_codes() -> None:
    """An order that is not open may be there all the same; so may one behind any other error."""
    assert {row.code for row in TABLE if no_such_order(rows_of(row.key, True))} == {"0x05001A", "0x05003A", "0x050016A"}
    assert not no_such_order(())


def test_every_row_has_a_verdict_for_each_use() -> None:
    """No row makes a create go twice: of a create only NO and UNKNOWN are said."""
    for row in TABLE:
        for rows in (rows_of(row.key, True), rows_of(row.decimal, False)):
            assert row in rows
            assert of_create(rows)[0] in (NO, UNKNOWN)
            assert of_cancel(rows)[0] in Verdict
            assert of_question(rows) in Verdict


def test_the_samples_hexadecimal_literal_is_read() -> None:
    """The document's own sample of an error is no JSON: its code stands there without quotes."""
    sample = b'{ "result": null, "error": { "code": 0x02002B, "message": "Account doesn\'t exist, please verify account ID" } }'
    found = outcome(loads(sample))
    assert found == Failure(rows_of(0x02002B, True), "0x02002B Account doesn't exist, please verify account ID")


def test_the_rate_limits_message_is_known_without_a_code() -> None:
    """The document gives this error by its words only."""
    assert of_cancel(failure(None, "rate limit is exceeded").rows)[0] is LATER


@pytest.mark.parametrize("code", [True, [], {}, "0x", "0x" + "F" * 40, "x", "-1", 10**30])
def test_a_code_that_is_none_is_unknown(code: Any) -> None:
    """Whatever stands for a code, it is no refusal that the document knows."""
    assert of_create(failure(code).rows)[0] is UNKNOWN


@pytest.mark.parametrize("value", [None, True, "", "NaN", "Infinity", "1_0", "-1", "1e999", [], {}, "9" * 41])
def test_a_number_that_is_none_is_refused(value: Any) -> None:
    """What cannot be an exact, sane amount is malformed."""
    with pytest.raises(Malformed):
        amount({"x": value}, "x")


def test_numbers_stay_exact() -> None:
    """A JSON number of many digits is the same Decimal, and the same text for an operator."""
    text = '{"a": 0.10000000000000000001, "b": 100}'
    assert str(amount(loads(text), "a")) == "0.10000000000000000001"
    assert texts(text) == {"a": "0.10000000000000000001", "b": "100"}
