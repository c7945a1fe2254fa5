"""The report of a day: what counts on it, what is told of it, and that nothing from outside gets out of its place."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from router.acts import BustTrade, CorrectTrade
from router.engine import Engine
from router.journal import JournalWriter, Record
from router.model import CancelReject, LinkDown, LinkUp, Started, Stated, Stopped
from router.report import files
from router.report.day import ACKNOWLEDGED, CANCELED, VENUE, Day, kind_of
from router.report.outages import ROUTER
from router.report.page import amount, counted, duration, notionals, points, render
from router.words import OrdStatus, OrdType, Side
from tests.router.desk import BTC, LINK, SECOND, D, Desk, configured, reports
from tests.system import ROOT

DAY_NS = 86_400 * SECOND
MIDNIGHT = 1_800_000_000 * SECOND // DAY_NS * DAY_NS + DAY_NS
"""The desk's own time is the day before."""
LONG_AGO = 1000 * DAY_NS
PAST = f"{datetime.fromtimestamp((MIDNIGHT - LONG_AGO) // SECOND, UTC):%Y-%m-%d}"
"""The commands know the true time, and make no report of a day to come."""


def morning(desk: Desk, hour: float = 9) -> Desk:
    """Let the day come."""
    desk.now = MIDNIGHT + int(hour * 3600 * SECOND)
    return desk


def records(desk: Desk) -> Iterator[Record]:
    return (Record(number, now, event) for number, (now, event) in enumerate(desk.inputs, start=1))


def told(desk: Desk, begins: int = MIDNIGHT, ends: int = 0) -> Day:
    """The report of a day of a desk's journal."""
    day = Day(begins, ends or begins + DAY_NS)
    for record in records(desk):
        if not day.take(record):
            return day
    day.close()
    return day


def rows(day: Day) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Orders and fills as a program reads the files."""
    return (
        [dict(zip(files.ORDERS, row, strict=True)) for row in files.order_rows(day)],
        [dict(zip(files.FILLS, row, strict=True)) for row in files.fill_rows(day)],
    )


def traded(desk: Desk, qty: str = "1", px: str = "99.5", number: int = 1, **more: Any) -> Desk:
    """One order of the day that is filled."""
    desk.new(f"a{number}", **more)
    desk.accept(number)
    desk.fill(qty, px, number)
    return desk


class TestWhatCounts:
    def test_the_days_orders_are_told_as_they_stood_at_its_end(self) -> None:
        """What befell them later is not looked at: the same journal gives the same report for ever."""
        desk = morning(Desk())
        desk.new()
        desk.accept()
        desk.now = MIDNIGHT + DAY_NS - 1000
        desk.fill("1")  # at midnight: the next day's
        orders, fills = rows(told(desk))
        assert [(each["cl_ord_id"], each["status"], each["cum_qty"], each["ended"]) for each in orders] == [("a", "new", "0", "")]
        assert fills == []

    def test_an_order_from_before_that_fills_on_the_day_counts_by_its_fill(self) -> None:
        """It is not an order of the day; its execution is."""
        desk = Desk()
        desk.new()
        desk.accept()
        morning(desk).fill("1")
        day = told(desk)
        assert (counted(day, came=True)["orders"], counted(day, came=False)["filled"]) == (0, 1)
        assert notionals(day) == {"USDT": (D(100), True)}
        assert len(rows(day)[1]) == 1

    def test_an_open_order_from_before_is_in_the_file(self) -> None:
        """Though nothing happened to it, also on a day without any record; one that was over is not."""
        desk = Desk()
        desk.new()
        desk.accept()
        traded(desk, number=2)
        assert [each["cl_ord_id"] for each in rows(told(desk))[0]] == ["a"]

    def test_every_order_is_counted_once_by_how_it_ended(self) -> None:
        """Filled, canceled, canceled in part, rejected, open; a second order under the same ClOrdID is a reject and no order."""
        desk = traded(morning(Desk()))
        for number in (2, 3):
            desk.new(f"a{number}")
            desk.accept(number)
        desk.fill("0.4", number=2)
        desk.end(2)
        desk.end(3)
        desk.new("bad", price=None)
        desk.new("open")
        desk.new("open")
        found = counted(told(desk), came=True)
        assert found == {"orders": 5, "filled": 1, "canceled": 2, "in part": 1, "rejected": 1, "open": 1}
        assert sum(told(desk).rejects.values()) == 2

    def test_from_a_snapshot_before_the_day_it_is_the_same(self) -> None:
        """Orders, fills, links and doubts: whatever was before the snapshot need not be read again."""
        desk = Desk()
        desk.new()
        desk.accept()
        known = len(desk.inputs)
        traded(morning(desk), number=2)
        desk.down()
        desk.now += SECOND
        desk.up()
        desk.fill("0.5")
        whole, rest = told(desk), Day(MIDNIGHT, MIDNIGHT + DAY_NS)
        book = Engine()
        for record in list(records(desk))[:known]:
            book.apply(record.event, record.time)
        rest.resume(book.state, desk.inputs[known - 1][0])
        assert all(rest.take(record) for record in list(records(desk))[known:])
        rest.close()
        assert rows(rest) == rows(whole)
        assert rest.outages.times() == whole.outages.times()
        assert [(each.since, each.until) for each in rest.doubts.found] == [(each.since, each.until) for each in whole.doubts.found] != []

    def test_what_was_down_or_in_doubt_at_a_snapshot_still_is(self) -> None:
        """Since when is not known: it counts from the snapshot."""
        desk = morning(Desk(), 1)
        desk.new()
        desk.accept()
        desk.down()
        day = Day(MIDNIGHT, MIDNIGHT + DAY_NS)
        day.resume(desk.engine.state, desk.now)
        for event in (LinkUp(LINK), Stated(account="acc", status=OrdStatus.NEW, cum_qty=D(0), venue_cl_ord_id="v1")):
            assert day.take(Record(1, desk.now + SECOND, event))
        day.close()
        assert [(each.lost, each.down, each.up_at_end) for each in day.outages.times()] == [(0, SECOND, True)]
        assert [(each.since, each.until) for each in day.doubts.found] == [(desk.now, desk.now + SECOND)]

    def test_the_same_day_bit_by_bit_or_at_once(self) -> None:
        """Counting stops at the first record of the next day, and needs no more."""
        desk = traded(morning(Desk()))
        before = told(desk)
        desk.now = MIDNIGHT + DAY_NS
        traded(desk, number=2)
        assert rows(told(desk)) == rows(before)


class TestMoney:
    def test_volumes_are_exact_by_destination_symbol_and_side(self) -> None:
        """To the last digit, and summed by quote currency."""
        desk = morning(Desk())
        traded(desk, "0.123", "100.00000000000000000001", 1)
        traded(desk, "0.3", "99.9", 2, side=Side.SELL)
        day = told(desk)
        volume = day.trades.volumes()["BINANCE", "BTC/USDT"]
        assert (volume.bought, volume.sold, str(volume.paid)) == (D("0.123"), D("0.3"), "12.30000000000000000000123")
        assert volume.received == D("29.97")
        assert notionals(day) == {"USDT": (volume.paid + volume.received, True)}

    def test_what_was_busted_does_not_count_and_is_shown(self) -> None:
        """The execution and its bust are rows; the fee is not one."""
        desk = morning(Desk())
        desk.new()
        desk.accept()
        exec_id = reports(desk.fill("1", fee=D("0.1"), fee_currency="USDT"))[0].exec_id
        desk.apply(BustTrade(order_id=desk.order().order_id, exec_id=exec_id, text="erroneous"))
        day = told(desk)
        assert (day.trades.volumes(), day.trades.fees()) == ({}, {})
        shown = [(each["kind"], each["counts"], each["became"], each["exec_ref_id"]) for each in rows(day)[1]]
        assert shown == [("trade", "no", "busted", ""), ("bust", "no", "", exec_id)]

    def test_of_a_corrected_execution_the_last_word_counts(self) -> None:
        """Also when it is corrected twice."""
        desk = morning(Desk())
        desk.new()
        desk.accept()
        exec_id = reports(desk.fill("1", "99"))[0].exec_id
        for px in ("98", "97"):
            correct = CorrectTrade(order_id=desk.order().order_id, exec_id=exec_id, last_qty=D(1), last_px=D(px), text="")
            exec_id = reports(desk.apply(correct))[0].exec_id
        day = told(desk)
        assert notionals(day) == {"USDT": (D(97), True)}
        assert [each["counts"] for each in rows(day)[1]] == ["no", "no", "yes"]

    def test_a_correction_of_an_earlier_day_is_an_adjustment(self) -> None:
        """New minus old, outside the day's volume; the earlier day's report stays as it was."""
        desk = traded(Desk(), "1", "99")
        was = rows(told(desk, MIDNIGHT - DAY_NS))
        exec_id = was[1][0]["exec_id"]
        correct = CorrectTrade(order_id=desk.order("a1").order_id, exec_id=exec_id, last_qty=D("0.9"), last_px=D(100), text="")
        morning(desk).apply(correct)
        day = told(desk)
        assert notionals(day) == {}
        assert [(each.qty, each.value) for each in day.trades.adjustments] == [(D("-0.1"), D(-9))]
        assert [each["counts"] for each in rows(day)[1]] == ["earlier"]
        assert rows(told(desk, MIDNIGHT - DAY_NS)) == was

    @pytest.mark.parametrize(
        ("contract", "value"),
        [({}, D(199)), ({"contract_size": D("0.005")}, D("0.995")), ({"contract_size": D(10), "inverse": True}, D(20)), (None, None)],
    )
    def test_a_contract_is_worth_what_it_says(self, contract: dict[str, Any] | None, value: Any) -> None:
        """So many of the base at the price, so many of the quote at any price, or nothing where that is not known: never a guess."""
        desk = morning(Desk())
        there = configured().destinations[0]
        instrument = msgspec.structs.replace(BTC, **(contract or {}))
        desk.apply(configured(destinations=(msgspec.structs.replace(there, instruments=(instrument,)),)))
        traded(desk, "2", "99.5", order_qty=D(2))
        if contract is None:
            desk.apply(configured(destinations=(), routes=()))  # it is gone since, and with it what a unit of it was
        day = told(desk)
        assert notionals(day) == {"USDT": (value or D(0), value is not None)}
        assert (day.trades.slippages()["BINANCE", "BTC/USDT", "buy"].amount is None) == (value in (None, D(20)))

    @pytest.mark.parametrize(
        ("side", "px", "gain", "bp"), [("buy", "99.5", "0.5", "50"), ("sell", "100.25", "0.25", "25"), ("sell", "99", "-1", "-100")]
    )
    def test_slippage_is_better_above_zero_on_both_sides(self, side: str, px: str, gain: str, bp: str) -> None:
        """A buyer gains below the limit, a seller above it."""
        desk = traded(morning(Desk()), px=px, side=Side(side))
        found = told(desk).trades.slippages()["BINANCE", "BTC/USDT", side]
        assert (found.amount, found.average, found.best, found.worst) == (D(gain), D(bp), D(bp), D(bp))
        assert (found.better, found.worse) == ((1, 0) if D(gain) > 0 else (0, 1))

    def test_the_average_weighs_by_value_at_the_limit(self) -> None:
        """One whole at 0 and a quarter at 100 bp are 20."""
        desk = traded(morning(Desk()), "1", "100")
        traded(desk, "0.25", "99", 2)
        assert told(desk).trades.slippages()["BINANCE", "BTC/USDT", "buy"].average == D(20)

    def test_a_correction_is_measured_against_the_limit_of_the_execution(self) -> None:
        """Not against the one that the order has when somebody corrects it."""
        desk = morning(Desk())
        desk.new(destination="NATIVE", order_qty=D(2))
        desk.accept()
        exec_id = reports(desk.fill("1", "99"))[0].exec_id
        desk.replace(px="150")
        desk.replaced()
        desk.apply(CorrectTrade(order_id=desk.order().order_id, exec_id=exec_id, last_qty=D(1), last_px=D(98), text=""))
        assert told(desk).trades.slippages()["NATIVE", "BTC/USDT", "buy"].amount == D(2)

    def test_a_market_order_is_measured_against_nothing(self) -> None:
        """And said so."""
        desk = traded(morning(Desk()), side=Side.SELL, ord_type=OrdType.MARKET, price=None)
        found = told(desk).trades.slippages()["BINANCE", "BTC/USDT", "sell"]
        assert (found.without_limit, found.average, found.better + found.worse + found.at_limit) == (1, None, 0)


class TestTimes:
    def test_latencies_are_differences_of_journal_times(self) -> None:
        """Order to New, sent to accepted, cancel to canceled: each by destination, in ns."""
        desk = morning(Desk())
        desk.new()
        desk.now += 5_000_000
        desk.accept()
        desk.cancel()
        desk.now += 3_000_000
        desk.end()
        found = {kind: {name: list(times) for name, times in of.items()} for kind, of in told(desk).latencies.items()}
        assert found == {ACKNOWLEDGED: {"BINANCE": [5_001_000]}, VENUE: {"BINANCE": [5_001_000]}, CANCELED: {"BINANCE": [3_001_000]}}

    def test_an_order_that_waited_for_its_link_was_sent_later(self) -> None:
        """The client waited for both, the venue was asked only then."""
        desk = morning(Desk(up=False, hold_when_down=60 * SECOND))
        desk.new()
        desk.now += SECOND
        desk.up()
        desk.now += 1000
        desk.accept()
        found = told(desk).latencies
        assert list(found[ACKNOWLEDGED]["BINANCE"]) == [SECOND + 3000]
        assert list(found[VENUE]["BINANCE"]) == [2000]

    def test_a_link_is_down_from_its_loss_to_its_return(self) -> None:
        """Cut to the day; the rest of it is up."""
        desk = morning(Desk(), 1)
        desk.down()
        desk.now += 60 * SECOND
        desk.up()
        (link,) = told(desk).outages.times()
        assert (link.link, link.lost, link.connected, link.down, link.up_at_end) == (LINK, 1, 1, 60 * SECOND + 1000, True)

    def test_a_link_lost_the_day_before_is_down_from_midnight(self) -> None:
        """And to the end of the day where it does not come back."""
        desk = Desk()
        desk.down()
        (link,) = told(desk).outages.times()
        assert (link.lost, link.connected, link.down, link.up_at_end) == (0, 0, DAY_NS, False)

    def test_while_the_router_is_away_no_link_is_down(self) -> None:
        """That time is the router's own: from its last word to its start, also where it died without one."""
        for last in (Stopped(), LinkDown("other")):
            desk = morning(Desk(), 1)
            desk.apply(last)
            stopped = desk.now
            desk.now += 600 * SECOND
            desk.apply(Started("test"))
            desk.now += SECOND
            desk.up()
            outages = told(desk).outages
            away = [each for each in outages.found if each.link == ROUTER]
            assert [(each.since, each.until) for each in away] == [(stopped, stopped + 600 * SECOND + 1000)]
            assert next(each.down for each in outages.times() if each.link == LINK) == SECOND + 1000

    def test_a_doubt_lasts_until_the_venue_spoke(self) -> None:
        """Where the link was lost with an order on it; one that is never answered is unknown at the end."""
        desk = morning(Desk())
        for number in (1, 2):
            desk.new(f"a{number}")
            desk.accept(number)
        desk.down()
        desk.now += 30 * SECOND
        desk.up()
        desk.state(OrdStatus.NEW, "0", name="v1")
        day = told(desk)
        took = [None if each.until is None else each.until - each.since for each in day.doubts.found]
        assert took == [30 * SECOND + 2000, None]
        assert counted(day, came=True)["unknown"] == 1
        assert [(each["cl_ord_id"], each["unknown"]) for each in rows(day)[0]] == [("a1", "no"), ("a2", "yes")]

    def test_orders_are_counted_by_five_minutes(self) -> None:
        """From midnight on."""
        desk = morning(Desk(), 1)
        desk.new("a1")
        desk.new("a2")
        desk.now += 300 * SECOND
        desk.new("a3")
        assert told(desk).slots == {"BINANCE": {12: 2, 13: 1}}


class TestRejects:
    def test_they_are_grouped_by_reason_and_kind_of_text(self) -> None:
        """Numbers and ids are left out, tag numbers stay."""
        desk = morning(Desk())
        for number in (1, 2):
            desk.new(f"a{number}")
            desk.reject(number, text=f"insufficient balance: {number}00.5 USDT")
        assert told(desk).rejects == {("BINANCE", "broker-option", "insufficient balance: # USDT"): 2}
        assert kind_of("ClOrdID(11) x-17 was used before, by order 261120090000-4") == "ClOrdID(11) # was used before, by order #"

    def test_cancels_that_were_refused_are_told(self) -> None:
        """By CxlRejReason."""
        desk = morning(Desk())
        assert any(isinstance(each, CancelReject) for each in desk.cancel(orig="nobody"))
        assert [reason for _, reason, _ in told(desk).cancel_rejects] == ["unknown-order"]


class TestFiles:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
    def test_what_is_from_outside_is_no_formula(self, text: str) -> None:
        """An apostrophe stands before it; our own numbers stay numbers."""
        desk = morning(Desk())
        desk.new(text, account=text)
        desk.accept()
        desk.fill("1", fee=D("-0.1"), fee_currency=text, text=text)
        orders, fills = rows(told(desk))
        assert (orders[0]["cl_ord_id"], orders[0]["account"]) == (f"'{text}", f"'{text}")
        assert (fills[0]["cl_ord_id"], fills[0]["fee_currency"], fills[0]["text"], fills[0]["fee"]) == (*(f"'{text}",) * 3, "-0.1")

    def test_an_execution_names_what_the_venue_calls_it(self) -> None:
        """Order and execution, also where the execution overtook the acknowledgement and was kept for it."""
        desk = morning(Desk())
        desk.new()
        desk.fill("0.5", exec_id="theirs-1")
        desk.accept()
        desk.fill("0.5", exec_id="theirs-2")
        fills = rows(told(desk))[1]
        assert [(each["venue_order_id"], each["venue_cl_ord_id"], each["venue_exec_id"]) for each in fills] == [
            ("o1", "v1", "theirs-1"), ("o1", "v1", "theirs-2"),
        ]  # fmt: skip

    def test_times_and_amounts_are_exact(self) -> None:
        """Microseconds, UTC; every digit, no exponent."""
        assert files.iso(1_800_000_000_123_456_789) == "2027-01-15T08:00:00.123456Z"
        assert [files.exact(each) for each in (D("1E+3"), D("0.00000001"), D("1.50"), None)] == ["1000", "0.00000001", "1.50", ""]

    def test_a_file_is_what_a_csv_reader_expects(self, tmp_path: Path) -> None:
        """A header, then the rows; commas, quotes, line ends and other scripts come back as they were."""
        nasty = 'a,"b"\nü€中'
        files.write(tmp_path / "x.csv", ("one", "two"), [(nasty, "2")])
        assert list(csv.reader(io.StringIO((tmp_path / "x.csv").read_bytes().decode(), newline=""))) == [["one", "two"], [nasty, "2"]]


class TestPage:
    def test_what_is_from_outside_is_escaped(self) -> None:
        """In tables and in pictures; also a "$", which the drawing library would take for a formula."""
        desk = morning(Desk())
        desk.new("<script>a</script>", account="<b>")
        desk.down(LINK)
        desk.up("<script>$\\frac$ 中</script>")
        desk.new("b", symbol="<script>s</script>", destination="BINANCE")
        page = render(told(desk), "<script>t</script>", "")
        assert "<script" not in page
        assert page.count("&lt;script&gt;a&lt;/script&gt;") == 1
        assert "&lt;script&gt;$\\frac$ 中&lt;/script&gt;" in page

    def test_it_needs_nothing_but_itself(self) -> None:
        """No script, no resource, no address but the names of SVG."""
        page = render(told(traded(morning(Desk()))), "Report", "")
        for word in ("<script", "<link", "<img", "@import", "url(http", "src="):
            assert word not in page
        assert {each.split('"')[0] for each in page.split("http://")[1:]} <= {"www.w3.org/2000/svg", "www.w3.org/1999/xlink"}

    def test_its_pictures_are_sound_and_have_names(self) -> None:
        """Each parses as XML, says what it shows, and takes its colours from the page."""
        desk = traded(morning(Desk()))
        page = render(told(desk), "Report", "")
        drawn = [f"<svg{each.split('</svg>')[0]}</svg>" for each in page.split("<svg")[1:]]
        names = [ElementTree.fromstring(each).get("aria-label", "").split()[0] for each in drawn]
        assert names == ["New", "Distribution", "Distribution", "When"]
        assert all("var(--" in each and "#0" not in each for each in drawn)

    def test_a_day_without_anything_is_a_page_that_says_so(self) -> None:
        """No picture of nothing, no empty table."""
        page = render(told(Desk()), "Report", "")
        for said in ("No order came on", "Nothing was executed", "Nothing to measure", "No order was rejected", "known throughout"):
            assert said in page

    def test_amounts_are_whole_and_times_readable(self) -> None:
        """Every digit of an amount; three of a time."""
        amounts = (D("1234567.1234567890123400"), D(0), D("1E+3"), None)
        assert [amount(each) for each in amounts] == ["1,234,567.12345678901234", "0", "1,000", "–"]
        assert [points(each) for each in (D("1.005"), D("-0.5"), None)] == ["+1.00", "-0.50", "–"]
        times = (12, 1_234, 9_999_999, 999_999_999, 1_500_000_000, 61_000_000_000, 3_660_000_000_000)
        assert [duration(each) for each in times] == ["12 ns", "1.23 µs", "10 ms", "1 s", "1.5 s", "1 min 01 s", "1 h 01 min"]


class TestCommand:
    """`fixrouter report`, as a process."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Where a router had a day."""
        journal = JournalWriter(tmp_path / "var" / "journal")
        assert list(journal.replay()) == []
        for record in records(traded(morning(Desk()))):
            journal.append(record.event, record.time - LONG_AGO)
        return tmp_path  # the journal stays open: the router runs

    def run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = "from router.report_command import report; report()"
        config = ("--config", str(ROOT / "config" / "demo" / "router.toml"))
        return subprocess.run(
            [sys.executable, "-c", program, *arguments, *config], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "120"},
        )  # fmt: skip

    def test_it_writes_three_files_and_a_summary(self, folder: Path) -> None:
        """While the router has the journal; nothing else is left in the folder."""
        done = self.run(folder, PAST, "--out", "deep/out")
        expected = [f"report-{PAST}.html", f"orders-{PAST}.csv", f"fills-{PAST}.csv"]
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[:3] == [f"deep/out/{each}" for each in expected]
        assert sorted(each.name for each in (folder / "deep" / "out").iterdir()) == sorted(expected)
        assert "traded in USDT" in done.stdout
        assert "99.5" in (folder / "deep" / "out" / expected[2]).read_text()

    def test_to_standard_output_goes_the_page_alone(self, folder: Path) -> None:
        """The summary is on standard error then, and no file is written."""
        done = self.run(folder, PAST, "--to-stdout")
        assert done.stdout.startswith("<!doctype html>")
        assert done.stdout.rstrip().endswith("</html>")
        assert "executions" in done.stderr
        assert [each.name for each in folder.iterdir()] == ["var"]

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("20261120",), "20261120 is not a day"),
            (("2026-02-30",), "2026-02-30 is not a day"),
            (("2999-01-01",), "has not begun"),
            (("2001-01-01",), "has nothing of that day: it begins at"),
            (("2001-01-01", "--out", "var/journal/journal-000001.log/x"), "--out: var/journal/journal-000001.log/x: Not a directory"),
        ],
    )
    def test_wrong_use_ends_with_2_and_a_line(self, folder: Path, arguments: tuple[str, ...], said: str) -> None:
        """Which says what is wrong."""
        done = self.run(folder, *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_journal_that_does_not_check_ends_with_2(self, folder: Path) -> None:
        """No file is written of it."""
        path = next((folder / "var" / "journal").glob("*.log"))
        path.write_bytes(path.read_bytes().replace(b"99.5", b"99.4"))
        done = self.run(folder, PAST)
        assert (done.returncode, done.stdout) == (2, "")
        assert "the checksum does not fit" in done.stderr
        assert [each.name for each in folder.iterdir()] == ["var"]

    def test_a_journal_without_its_beginning_ends_with_2(self, tmp_path: Path) -> None:
        """The orders in the part that is gone would be missing in the report."""
        journal = JournalWriter(tmp_path / "var" / "journal", segment_bytes=500)
        assert list(journal.replay()) == []
        for record in records(traded(morning(Desk()))):
            journal.append(record.event, record.time - LONG_AGO)
            journal.tend()
        journal.close()
        (tmp_path / "var" / "journal" / "journal-000001.log").unlink()
        done = self.run(tmp_path, PAST)
        assert (done.returncode, done.stdout) == (2, "")
        assert "the beginning of the journal is gone" in done.stderr

    def test_a_day_that_is_not_over_is_told_so_far(self, folder: Path) -> None:
        """By name; the page says until when."""
        done = self.run(folder, "today", "--to-stdout")
        assert done.returncode == 0
        assert "the day so far, 00:00 to" in done.stdout

    def test_without_a_journal_it_ends_with_2(self, tmp_path: Path) -> None:
        """And names the folder."""
        done = self.run(tmp_path, "yesterday")
        assert done.returncode == 2
        assert "there is no journal in var/journal" in done.stderr
