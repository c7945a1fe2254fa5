"""The fault plan of a simulator."""

import pytest

from bridges.faults import REQUEST_KINDS, Fault, Faults


def test_a_fault_happens_as_often_as_posted():
    """Count is how many times, and then it is over."""
    faults = Faults()
    faults.post(Fault("drop_reply", count=2, match="new"))
    assert [faults.take_request("new", REQUEST_KINDS) is not None for _ in range(3)] == [True, True, False]
    assert not faults


def test_a_fault_waits_for_a_request_of_its_match():
    """Another kind of request passes by."""
    faults = Faults()
    faults.post(Fault("reject", match="cancel"))
    assert faults.take_request("new", REQUEST_KINDS) is None
    assert faults.take_request("cancel", REQUEST_KINDS) == Fault("reject", match="cancel")


def test_any_is_any_request_and_no_pushed_report():
    """A dropped reply is not to swallow somebody's fill."""
    faults = Faults()
    faults.post(Fault("drop_reply"))
    assert faults.take_request("stream", REQUEST_KINDS) is None
    assert faults.take_request("query", REQUEST_KINDS) is not None


def test_kinds_that_the_caller_cannot_perform_are_kept():
    """An HTTP error waits for an HTTP request."""
    faults = Faults()
    faults.post(Fault("http_500"))
    faults.post(Fault("delay", delay_s=2))
    assert faults.take_request("new", {"delay"}) == Fault("delay", delay_s=2)
    assert faults.pending() == [(Fault("http_500"), 1)]
    faults.clear()
    assert not faults


def test_a_stream_fault_meets_any_report_or_the_answer_it_is_narrowed_to():
    """`match` new means the report that answers a new order."""
    faults = Faults()
    faults.post(Fault("duplicate_event", match="new"))
    assert faults.take_stream(None) is None
    assert faults.take_stream("cancel") is None
    assert faults.take_stream("new") is not None
    faults.post(Fault("garbage"))
    assert faults.take_stream(None) is not None


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("kind", {"kind": "explode"}),
        ("match", {"kind": "delay", "match": "some"}),
        ("count", {"kind": "delay", "count": 0}),
        ("delay_s", {"kind": "delay", "delay_s": -1}),
        ("delay_s", {"kind": "delay", "delay_s": float("nan")}),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(field, wrong):
    """The message begins with the field."""
    with pytest.raises(ValueError, match=f"^{field}:"):
        Fault(**wrong)
