"""The venue's FIX API between recording sessions: what each request is answered with, tag by tag."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_exchange import Exchange
from bridges.apifiny.sim_fixapi import GARBAGE, FixApi
from bridges.apifiny.sim_tally import Tally
from bridges.faults import Fault, Faults
from bridges.matching import Side

from .venue import ACCOUNT, BINANCE, NOW, OTHER, D, body_of, enquiry, message, new, order_id, parse, settings


class Recorded:
    """An outlet that keeps what it is given: (type, fields) or raw bytes."""

    def __init__(self, account_id: str) -> None:
        self.account_id = account_id
        self.venues = BINANCE
        self.sent: list = []

    def send(self, msg_type, body):
        self.sent.append((msg_type, body_of(body)))

    def send_raw(self, data):
        self.sent.append(data)

    def reject(self, refused, reason, tag, text):
        self.sent.append(("3", {45: refused.fields[34], 371: str(tag), 372: refused.msg_type, 373: str(reason)}))

    def take(self) -> list:
        sent, self.sent = self.sent, []
        return sent


class Venue:
    """An exchange, its FIX API and a session for each account; `session` may be taken away and brought back."""

    def __init__(self, **changes) -> None:
        options = {name: changes.pop(name) for name in ("reject_text", "requests_per_second") if name in changes}
        self.exchange = Exchange(settings(**changes), NOW)
        self.faults, self.tally = Faults(), Tally()
        self.session, self.other = Recorded(ACCOUNT), Recorded(OTHER)
        self.away = False
        self.api = FixApi(self.exchange, self.faults, self.tally, self._find, **options)
        self.seq = 1

    def _find(self, account_id, venue):
        assert venue in BINANCE
        if self.away:
            return None
        return self.session if account_id == ACCOUNT else self.other

    def ask(self, msg_type: str, body: str, now_ms: int = NOW, by: Recorded | None = None) -> list:
        """Sends one message, as the first account unless said; what came back to that session."""
        self.seq += 1
        outlet = by or self.session
        (parsed,) = parse(message(msg_type, self.seq, body, now_ms))
        self.api.handle(outlet, parsed, now_ms)
        return outlet.take()

    def counterparty(self, side: Side, qty: str, price: str) -> list:
        _, executions = self.exchange.trade("BINANCE", "BTCUSDT", side, D(qty), D(price), NOW)
        self.api.report(executions)
        return self.session.take()


def kinds(sent: list) -> list[str]:
    """Message type, and ExecType of a report."""
    return [each[0] + each[1].get(150, "") for each in sent]


def test_a_new_order_is_told_with_exactly_the_documents_tags():
    """11 because ExecType=New; OrderID is the venue's own."""
    ((kind, report),) = Venue().ask("D", new(1))
    assert kind == "8"
    order_id_of_venue, exec_id = report.pop(37), report.pop(17)
    assert order_id_of_venue != order_id(1)
    assert exec_id
    assert report == {
        11: order_id(1),
        55: "BTCUSDT",
        54: "1",
        44: "65000",
        38: "0.1",
        60: "20231114-22:13:20.000",
        150: "0",
        39: "0",
    }


def test_fills_and_cancels_carry_no_cl_ord_id_and_fills_their_own_price():
    """Correlated by OrderID alone; Price is the fill's on a fill, else the order's."""
    venue = Venue()
    ((_, told),) = venue.ask("D", new(1, t44="65005", t38="1"))
    ((_, fill),) = venue.counterparty(Side.SELL, "0.4", "65005")
    ((_, gone),) = venue.ask("F", enquiry(1, t58="Cancel Order"))
    assert set(fill) == {37, 17, 55, 54, 32, 44, 38, 60, 150, 39}
    assert (fill[32], fill[44], fill[150], fill[39]) == ("0.4", "65005", "1", "1")
    assert set(gone) == {37, 17, 55, 54, 44, 38, 60, 150, 39}
    assert (gone[44], gone[150], gone[39]) == ("65005", "4", "4")
    assert told[37] == fill[37] == gone[37]
    assert len({told[17], fill[17], gone[17]}) == 3


def test_market_orders_have_no_price_but_that_of_their_fills_and_by_cash_no_quantity():
    """Nobody gave one."""
    venue = Venue()
    sell = venue.ask("D", new(1, t40="1", t54="2", t44=None))
    assert [set(each[1]) & {44, 38} for each in sell] == [{38}, {44, 38}]
    buy = venue.ask("D", new(2, t40="1", t44=None, t38=None, t152="1000"))
    assert [set(each[1]) & {44, 38} for each in buy] == [set(), {44}]
    assert (buy[1][1][32], buy[1][1][44]) == ("0.01538", "65010")


def test_a_reject_carries_the_id_that_was_sent_and_no_reason():
    """The document lists no Text; `reject_text` is a switch of the simulator."""
    ((_, report),) = Venue().ask("D", new(1, t44="65000.001"))
    assert set(report) == {37, 17, 55, 54, 44, 38, 60, 150, 39}
    assert (report[37], report[150], report[39]) == (order_id(1), "8", "8")
    ((_, report),) = Venue(reject_text=True).ask("D", new(1, t44="65000.001"))
    assert report[58].startswith("0x01001A general request error")


def test_both_sides_of_a_trade_between_clients_are_told():
    """Also when it is the other session's order that came in."""
    venue = Venue()
    venue.ask("D", new(1, t54="2", t44="65000"))
    told = venue.ask("D", new(2, t1=OTHER, t11=order_id(2, account=OTHER)), by=venue.other)
    assert kinds(told) == ["80", "82"]
    assert kinds(venue.session.take()) == ["82"]


@pytest.mark.parametrize("tag", [11, 55, 21, 40, 59, 60, 54, 44, 1, 38, 207])
def test_every_tag_of_a_new_order_but_text_is_required(tag):
    """Session Reject with 371 and 373=1."""
    venue = Venue()
    assert venue.ask("D", new(1, **{f"t{tag}": None})) == [
        ("3", {45: "2", 371: str(tag), 372: "D", 373: "1"}),
    ]
    assert kinds(venue.ask("D", new(1, t58=None))) == ["80"]


@pytest.mark.parametrize("tag", [11, 1, 207])
@pytest.mark.parametrize("msg_type", ["F", "H"])
def test_every_tag_of_an_enquiry_is_required(msg_type, tag):
    """And Text is allowed on a cancel alone."""
    ((kind, reject),) = Venue().ask(msg_type, enquiry(1, **{f"t{tag}": None}))
    assert (kind, reject[371], reject[372], reject[373]) == ("3", str(tag), msg_type, "1")


@pytest.mark.parametrize(
    ("msg_type", "body", "tag", "reason"),
    [
        ("D", new(1, t18="6"), 18, 2),
        ("D", new(1, t20="0"), 20, 2),
        ("D", new(1, t5000="x"), 5000, 2),
        ("F", enquiry(1, t41="1"), 41, 2),
        ("F", enquiry(1, t55="BTCUSDT"), 55, 2),
        ("F", enquiry(1, t60="20231114-22:13:20"), 60, 2),
        ("H", enquiry(1, t58="x"), 58, 2),
        ("H", enquiry(1, t37="x"), 37, 2),
        ("D", new(1, t152="5"), 152, 2),
        ("D", new(1, t40="1", t54="2"), 44, 2),
        ("D", new(1, t40="1", t44=None), 38, 2),
        ("D", new(1, t40="1", t44=None, t38=None), 152, 1),
        ("D", new(1, t40="3"), 40, 5),
        ("D", new(1, t54="5"), 54, 5),
        ("D", new(1, t21="9"), 21, 5),
        ("D", new(1, t59="10"), 59, 6),
        ("D", new(1, t60="today"), 60, 6),
        ("D", new(1, t44="1e5"), 44, 6),
        ("D", new(1, t44="NaN"), 44, 6),
        ("D", new(1, t38="1,5"), 38, 6),
        ("D", new(1, t38="."), 38, 6),
    ],
)
def test_tags_and_values_outside_the_document_are_rejected_by_tag(msg_type, body, tag, reason):
    """2 not defined for the message, 5 value out of range, 6 wrong format; nothing happens."""
    venue = Venue()
    ((kind, reject),) = venue.ask(msg_type, body)
    assert (kind, reject[371], reject[373]) == ("3", str(tag), str(reason))
    assert list(venue.exchange.orders()) == []


def test_standard_header_tags_are_welcome():
    """PossResend and the like belong to every message."""
    assert kinds(Venue().ask("D", "97=Y|57=DESK|" + new(1))) == ["80"]


@pytest.mark.parametrize("tif", ["2", "4", "X"])
def test_a_time_in_force_that_the_venue_has_not_is_its_business(tif):
    """Rejected with 0x01001A, not by the session."""
    venue = Venue()
    assert kinds(venue.ask("D", new(1, t59=tif))) == ["88"]
    assert venue.tally.by_code == {errors.REQUEST_ERROR: 1}


@pytest.mark.parametrize(("msg_type", "answer"), [("G", ("j", "3")), ("AF", ("3", "11")), ("U1", ("3", "11"))])
def test_messages_that_the_venue_does_not_take(msg_type, answer):
    """BusinessMessageReject for what FIX 4.2 has, Reject for what it has not."""
    ((kind, reject),) = Venue().ask(msg_type, "11=1|")
    assert (kind, reject.get(380) or reject.get(373)) == answer


def test_a_refusal_of_ours_that_the_client_sends_back_is_not_answered():
    """Or the two would go on for ever."""
    assert Venue().ask("j", "372=8|380=0|") == []


def test_cancel_rejects_tell_the_true_status():
    """37, 11, 39, 434=1, 102 and 58 with the code."""
    venue = Venue()
    venue.ask("D", new(1, t44="65010"))
    ((kind, late),) = venue.ask("F", enquiry(1))
    order = venue.exchange.find(ACCOUNT, "BINANCE", order_id(1))
    assert order is not None
    assert kind == "9"
    assert late.pop(58).startswith("0x05007A ")
    assert late == {37: order.venue_id, 11: order_id(1), 39: "2", 434: "1", 102: "0"}
    ((_, unknown),) = venue.ask("F", enquiry(9))
    assert unknown.pop(58).startswith("0x05003A ")
    assert unknown == {37: "NONE", 11: order_id(9), 39: "8", 434: "1", 102: "1"}


def test_another_accounts_order_is_unknown_and_another_endpoints_venue_refused():
    """Orders belong to accounts; 0x02003A for what this endpoint does not serve."""
    venue = Venue()
    venue.ask("D", new(1))
    for by, changes in ((venue.other, {}), (venue.other, {"t1": OTHER}), (venue.session, {"t1": OTHER})):
        ((kind, no),) = venue.ask("F", enquiry(1, **changes), by=by)
        assert (kind, no[58][:8], no[37]) == ("9", "0x05003A", "NONE")
    ((_, no),) = venue.ask("F", enquiry(1, t207="OKEX"))
    assert (no[58][:8], no[102]) == ("0x02003A", "2")


def test_a_status_request_tells_the_latest_report_again():
    """Same ExecID; ClOrdID only while that report is the New one; a reject for a rejected order."""
    venue = Venue()
    first = venue.ask("D", new(1, t44="65005"))
    assert venue.ask("H", enquiry(1)) == first
    fill = venue.counterparty(Side.SELL, "0.04", "65005")
    assert venue.ask("H", enquiry(1)) == fill
    rejected = venue.ask("D", new(2, t38="0"))
    assert venue.ask("H", enquiry(2)) == rejected
    ((_, unknown),) = venue.ask("H", enquiry(3))
    assert set(unknown) == {37, 17, 60, 150, 39}
    assert (unknown[37], unknown[150], unknown[39]) == ("NONE", "8", "8")
    for by, changes in ((venue.session, {"t207": "GBBO"}), (venue.other, {}), (venue.other, {"t1": OTHER})):
        ((_, not_theirs),) = venue.ask("H", enquiry(1, **changes), by=by)
        assert not_theirs[37] == "NONE"


def test_reports_while_the_session_is_away_are_lost_and_a_status_request_tells():
    """The venue recovers nothing over FIX."""
    venue = Venue()
    venue.ask("D", new(1, t44="65005"))
    venue.away = True
    assert venue.counterparty(Side.SELL, "0.1", "65005") == []
    venue.away = False
    assert kinds(venue.ask("H", enquiry(1))) == ["82"]


# Faults


def test_drop_request_neither_acts_nor_answers():
    """It is counted all the same."""
    venue = Venue()
    venue.faults.post(Fault("drop_request", match="new"))
    assert venue.ask("D", new(1)) == []
    assert list(venue.exchange.orders()) == []
    assert venue.tally.by_kind == {"new": 1}
    assert kinds(venue.ask("D", new(1))) == ["80"]


def test_drop_reply_acts_and_loses_the_direct_answer_alone():
    """The New is lost and the fill of the same moment is not."""
    venue = Venue()
    venue.faults.post(Fault("drop_reply", count=3))
    assert kinds(venue.ask("D", new(1, t44="65010"))) == ["82"]
    assert venue.ask("H", enquiry(1)) == []
    assert venue.ask("F", enquiry(1)) == []
    assert kinds(venue.ask("F", enquiry(1))) == ["9"]


def test_delay_leaves_a_new_order_pending_until_its_time():
    """Cancels get 0x05015A, status requests nothing; then the order goes into the book."""
    venue = Venue()
    venue.faults.post(Fault("delay", delay_s=1.5, match="new"))
    assert venue.ask("D", new(1, t44="65010")) == []
    ((_, no),) = venue.ask("F", enquiry(1))
    assert (no[39], no[102], no[58][:8]) == ("A", "2", "0x05015A")
    assert venue.ask("H", enquiry(1)) == []
    venue.api.tick(NOW + 1499)
    assert venue.session.take() == []
    assert venue.api.due_ms == NOW + 1500
    venue.api.tick(NOW + 1500)
    assert kinds(venue.session.take()) == ["80", "82"]
    assert venue.api.due_ms is None


def test_delay_of_a_cancel_acts_at_once_and_answers_late():
    """The order is gone before the client knows."""
    venue = Venue()
    venue.ask("D", new(1))
    venue.faults.post(Fault("delay", delay_s=1, match="cancel"))
    assert venue.ask("F", enquiry(1)) == []
    assert venue.exchange.books["BINANCE", "BTCUSDT"].best(Side.BUY) == D(64990)
    venue.api.tick(NOW + 1000)
    assert kinds(venue.session.take()) == ["84"]


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("rate_limit", [errors.TOO_OFTEN, errors.TOO_OFTEN, errors.TOO_OFTEN]),
        ("reject", [errors.NEW_ORDER_FAILURE, errors.CANCEL_ERROR, errors.SERVER_ERROR]),
    ],
)
def test_injected_refusals_leave_everything_as_it_was(kind, codes):
    """Each request in its own way, with its code; the order may be tried again under the same id."""
    venue = Venue()
    venue.faults.post(Fault(kind, count=3))
    answers = [venue.ask("D", new(1)), venue.ask("F", enquiry(1)), venue.ask("H", enquiry(1))]
    assert [kinds(answer) for answer in answers] == [["88"], ["9"], ["j"]]
    assert answers[1][0][1][58][:8] == codes[1]
    assert answers[2][0][1][58][:8] == codes[2]
    assert sum(venue.tally.by_code[code] for code in set(codes)) == 3
    assert kinds(venue.ask("D", new(1))) == ["80"]


def test_duplicate_event_sends_the_next_report_twice_with_one_exec_id():
    """A client that counts both fills is wrong."""
    venue = Venue()
    venue.ask("D", new(1, t44="65005"))
    venue.faults.post(Fault("duplicate_event"))
    once, twice = venue.counterparty(Side.SELL, "0.1", "65005")
    assert once == twice
    assert once[1][150] == "2"


def test_reorder_events_swaps_the_next_two_reports():
    """The fill comes before the New."""
    venue = Venue()
    venue.faults.post(Fault("reorder_events"))
    assert kinds(venue.ask("D", new(1, t44="65010"))) == ["82", "80"]


def test_garbage_comes_before_the_next_report():
    """Bytes that are not FIX, then a message that means nothing, then the truth."""
    venue = Venue()
    venue.faults.post(Fault("garbage"))
    raw, (_, nonsense), (_, report) = venue.ask("D", new(1))
    assert raw == GARBAGE
    assert (nonsense[150], nonsense[44], nonsense[37]) == ("Z", "-1e999", report[37])
    assert report[150] == "0"


def test_stream_faults_lose_or_delay_a_report_that_answers_nothing():
    """With `match` stream."""
    venue = Venue()
    venue.faults.post(Fault("drop_reply", match="stream"))
    venue.faults.post(Fault("delay", delay_s=1, match="stream"))
    assert kinds(venue.ask("D", new(1, t44="65005"))) == ["80"]
    assert venue.counterparty(Side.SELL, "0.03", "65005") == []
    assert venue.counterparty(Side.SELL, "0.03", "65005") == []
    venue.api.tick(NOW + 1000)
    assert kinds(venue.session.take()) == ["81"]


def test_http_faults_are_kept_for_http():
    """FIX takes no notice of them."""
    venue = Venue()
    venue.faults.post(Fault("http_503"))
    assert kinds(venue.ask("D", new(1))) == ["80"]
    assert venue.faults.pending() == [(Fault("http_503"), 1)]


def test_the_rate_limit_counts_an_accounts_requests_of_one_second():
    """Off unless set; over it 0x02002A, and the second after is free again."""
    venue = Venue(requests_per_second=2)
    answers = [venue.ask("D", new(n)) for n in range(3)]
    assert [kinds(answer) for answer in answers] == [["80"], ["80"], ["88"]]
    assert venue.tally.by_code == {"ok": 2, errors.TOO_OFTEN: 1}
    assert kinds(venue.ask("D", new(4), NOW + 1000)) == ["80"]


def test_reset_forgets_what_was_to_leave_later():
    """Delayed answers and held reports are gone with their orders."""
    venue = Venue()
    venue.faults.post(Fault("delay", delay_s=1, match="new"))
    venue.ask("D", new(1))
    venue.exchange.reset()
    venue.api.reset()
    venue.api.tick(NOW + 5000)
    assert venue.session.take() == []


values = st.one_of(
    st.sampled_from(["", "0", "1", "2", "-1", ".5", "65000", "1e9", "NaN", "9" * 40, "0." + "9" * 40, "BTCUSDT", "BINANCE"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\x01"), max_size=8),
)
tags = st.sampled_from(["11", "55", "21", "40", "59", "60", "54", "44", "1", "38", "152", "207", "58", "18", "99999"])


@given(st.sampled_from("DFH"), st.lists(st.tuples(tags, values), min_size=1, max_size=4))
def test_no_values_at_all_make_the_venue_fail(msg_type, changes):
    """Any request, however mangled, is answered once and leaves books and money sound."""
    venue = Venue()
    known = new(1) if msg_type == "D" else enquiry(1)
    wrong = dict(part.split("=", 1) for part in known.split("|") if part) | dict(changes)
    wrong.pop("99999", None)
    answers = venue.ask(msg_type, "".join(f"{tag}={value}|".replace("|", "\x01") for tag, value in wrong.items()))
    assert [each[0] for each in answers] in (["8"], ["9"], ["3"], ["8", "8"], ["8", "8", "8"], ["8", "8", "8", "8"])
    venue.exchange.check()
