"""The facts of each second, metrics and health: what operators see, and what Prometheus and Grafana do."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml
from prometheus_client.parser import text_string_to_metric_families

from router.admin.alert_settings import AlertSettings, HealthSettings
from router.admin.health import dead, missing
from router.admin.monitor import Pulse
from router.admin.needs import JournalState
from router.model import LinkDown, Tick
from tests.admin.watched import NOW, Watching, budget, facts, session
from tests.router.desk import LINK, SECOND, SESSION, D

CONFIG = Path(__file__).parents[2] / "config"


def samples(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Of one sample name: values by the values of its labels, in the order of their names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


class TestMonitor:
    """Once a second."""

    async def test_what_it_gathers(self) -> None:
        """Everything in one look, with the state held once."""
        watching = Watching()
        watching.rims.sessions, watching.rims.groups = [session()], [budget(3)]
        watching.desk.new()
        watching.desk.down()
        await watching.monitor.once()
        seen = watching.monitor.facts
        assert seen is not None
        assert [(each.name, each.up) for each in seen.destinations] == [("BINANCE", False), ("GBBO", False), ("NATIVE", False)]
        assert (seen.book.all.unknown, seen.journal.sequence, seen.sessions, len(seen.budgets)) == (1, 7, (session(),), 1)
        assert seen.threads >= 1
        assert seen.memory_bytes > 1 << 20
        assert watching.runtime.held == 1

    async def test_alerts_go_to_log_and_stream(self) -> None:
        """Each once; the core's own are in the log already."""
        watching = Watching()
        watching.desk.new()
        watching.later(11)
        await watching.monitor.once()
        await watching.monitor.once()
        order_id = watching.desk.order().order_id
        assert [(row.rule, row.order_id, row.active) for row in watching.told] == [("order-pending", order_id, True)]
        assert [event for event, _ in watching.notes] == ["alert"]
        assert [row.rule for row in watching.monitor.alerts()] == ["order-pending"]
        watching.desk.down()
        await watching.monitor.once()
        assert [row.rule for row in watching.told] == ["order-pending", "core"]
        assert [event for event, _ in watching.notes] == ["alert"]

    async def test_more_executed_than_ordered(self) -> None:
        """Is critical, with the order's id."""
        watching = Watching()
        watching.desk.new()
        watching.desk.accept()
        watching.desk.fill("3")
        await watching.monitor.once()
        assert [(row.rule, row.level, row.order_id) for row in watching.told] == [("overfill", "critical", watching.desk.order().order_id)]

    async def test_a_storm_of_rejects(self) -> None:
        """Counted over the last seconds only."""
        watching = Watching(alerts=AlertSettings(reject_storm=5))
        for number in range(5):
            watching.desk.new(f"a{number}", price=D("1.001"))
        await watching.monitor.once()
        assert [row.text for row in watching.told] == [f"{SESSION}: 5 rejects within 10 s"]
        watching.later(11)
        await watching.monitor.once()
        assert watching.monitor.facts is not None
        assert watching.monitor.facts.rejects == {}

    async def test_a_rim_that_fails_blinds_nobody(self) -> None:
        """It is said once, and gathered again as soon as that goes."""
        failing, tried = True, 0
        gathered = asyncio.Event()

        def journal() -> JournalState:
            nonlocal tried
            tried += 1
            if failing:
                raise OSError("gone")
            gathered.set()
            return watching.journal

        watching = Watching(journal=journal, every_s=0)
        running = asyncio.create_task(watching.monitor.run())
        while tried < 5:
            await asyncio.sleep(0)
        failing = False
        await gathered.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [(event, fields["why"]) for event, fields in watching.notes] == [("monitor", "OSError('gone')")]

    async def test_much_work_leaves_turns_to_others(self) -> None:
        """Thousands of inputs and of live orders are looked at a few at a time."""
        watching = Watching()
        desk = watching.desk
        for number in range(1000):
            desk.new(f"a{number}")
        for _ in range(3000):
            desk.watch.observe(Tick(), [])
        turns, done = 0, asyncio.create_task(watching.monitor.once())
        while not done.done():
            turns += 1
            await asyncio.sleep(0)
        assert desk.watch.backlog == 0
        assert watching.monitor.facts is not None
        assert watching.monitor.facts.book.all.open == 1000
        assert turns > 3000 // 64 + 1000 // 64

    def test_a_loop_that_is_late(self) -> None:
        """Measured from the time something is posted until it is done, and while it is not."""
        now, posted = [0.0], []
        pulse = Pulse(posted.append, lambda: now[0])
        assert pulse.beat() == 0
        now[0] = 0.25
        posted.pop()()
        assert pulse.beat() == 0.25
        now[0] = 7.25
        assert pulse.beat() == 7.0
        assert len(posted) == 1


class TestMetrics:
    """/metrics, as Prometheus reads it."""

    @staticmethod
    async def everything() -> str:
        """The metrics of a router where something of everything has happened."""
        watching = Watching(pulses={"bridges": Pulse(lambda _: None)}, skews=lambda: {LINK: 0.5}, unauthorized=lambda: 3)
        desk = watching.desk
        watching.rims.sessions, watching.rims.groups = [session()], [budget(30)]
        for stage in ("decode", "journal", "apply", "send", "report"):
            desk.stages.took(stage, 1500)
        desk.new()
        desk.accept()
        desk.fill("1")
        desk.new("b", price=D("1.001"))
        desk.new("c")
        desk.down()
        watching.later(60)
        await watching.monitor.once()
        return watching.metrics()

    async def test_values(self) -> None:
        """By session, destination and outcome."""
        text = await self.everything()
        assert samples(text, "fixrouter_orders_total") == {("BINANCE", SESSION): 3}
        assert samples(text, "fixrouter_orders_done_total") == {
            ("BINANCE", "filled", SESSION): 1, ("BINANCE", "rejected", SESSION): 1,
        }  # fmt: skip
        assert samples(text, "fixrouter_unknown_orders")["BINANCE",] == 1
        assert samples(text, "fixrouter_open_orders") == {("BINANCE",): 1, ("GBBO",): 0, ("NATIVE",): 0}
        assert samples(text, "fixrouter_destination_up") == {(name, LINK): 0 for name in ("BINANCE", "GBBO", "NATIVE")}
        assert samples(text, "fixrouter_budget_used") == {("orders", "phemex"): 30}
        assert samples(text, "fixrouter_unauthorized_total") == {(): 3}
        assert samples(text, "fixrouter_build_info") == {("1.2.3",): 1}
        assert samples(text, "fixrouter_alerts_active")["destination-down",] == 3

    async def test_stages_are_histograms(self) -> None:
        """Cumulative, in seconds."""
        text = await self.everything()
        buckets = {key[0]: value for key, value in samples(text, "fixrouter_stage_seconds_bucket").items() if key[1] == "apply"}
        assert (buckets["5e-06"], buckets["+Inf"]) == (1, 1)
        assert samples(text, "fixrouter_stage_seconds_sum")["apply",] == 1.5e-06
        assert samples(text, "fixrouter_stage_seconds_count")["venue answer",] == 1

    async def test_a_scrape_holds_nothing_up(self) -> None:
        """It takes the state's lock never, and says what is known without it."""
        watching = Watching()
        watching.metrics()
        assert watching.runtime.held == 0

    async def test_names(self) -> None:
        """All ours but for the process's own, each with a help text and no id in a label."""
        text = await self.everything()
        for family in text_string_to_metric_families(text):
            assert family.name.startswith(("fixrouter_", "process_")), family.name
            assert family.documentation, family.name
            for sample in family.samples:
                assert set(sample.labels) <= {
                    "session", "destination", "outcome", "kind", "reason", "link", "command", "stage", "le", "group", "loop",
                    "rule", "version",
                }  # fmt: skip

    async def test_the_dashboard_and_the_rules_name_what_there_is(self) -> None:
        """Every expression is PromQL, and every metric in it is one of ours, with labels that it has."""
        labels: dict[str, set[str]] = {}
        for family in text_string_to_metric_families(await self.everything()):
            for sample in family.samples:
                labels.setdefault(sample.name, set()).update(sample.labels)
        scrape = {"job", "instance"}
        expressions = [*dashboard(), *(rule["expr"] for rule in rules())]
        assert len(expressions) > 50
        for expression in expressions:
            promql_parser.parse(expression)
            for name in re.findall(r"\b(?:fixrouter|process)_\w+", expression):
                assert name in labels, f"{name} in {expression}"
                for matchers in re.findall(name + r"\{([^}]*)\}", expression):
                    assert set(re.findall(r"(\w+)\s*(?:=|!)", matchers)) <= labels[name] | scrape, expression

    async def test_what_is_measured_is_shown(self) -> None:
        """Each of our metrics stands on the dashboard."""
        shown = " ".join(dashboard())
        hidden = {"fixrouter_build_info", "fixrouter_core_alerts", "fixrouter_budget_reserve"}
        for family in text_string_to_metric_families(await self.everything()):
            if family.name.startswith("fixrouter_") and family.name not in hidden:
                assert family.name in shown, family.name

    def test_the_dashboard_is_one(self) -> None:
        """Panels have ids of their own, lie within the grid, do not cover each other, and ask the chosen data source."""
        panels = grafana()["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels)
        covered: set[tuple[int, int]] = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert at["x"] + at["w"] <= 24
            assert not cells & covered, panel["title"]
            covered |= cells
            assert panel["type"] == "row" or panel["datasource"]["uid"] == "${datasource}"

    def test_the_rules_have_words(self) -> None:
        """A level and a summary each, no name twice, and only labels that the expression keeps."""
        names = [rule["alert"] for rule in rules()]
        assert len(set(names)) == len(names)
        for rule in rules():
            assert rule["labels"]["severity"] in ("warning", "critical")
            assert rule["annotations"]["summary"]


class TestHealth:
    """Alive, and ready."""

    def test_alive(self) -> None:
        """Threads tick and the facts are fresh."""
        assert dead(HealthSettings(), facts(), NOW + SECOND) == []

    def test_dead(self) -> None:
        """Each thing by its name."""
        assert dead(HealthSettings(), None, NOW) == ["nothing was gathered about the router yet"]
        stale = facts(ticked=NOW - 30 * SECOND, loop_lags={"bridges": 12.0})
        assert dead(HealthSettings(), stale, NOW + 20 * SECOND) == [
            "nothing was gathered about the router for 20 s", "the core's ticking thread has not gone round for 30 s",
            "the event loop of bridges is 12 s late",
        ]  # fmt: skip

    async def test_ready(self) -> None:
        """One destination is enough unless it is said which ones; the journal must be writable."""
        watching = Watching()
        assert watching.monitor.missing() == ["nothing was gathered about the router yet"]
        await watching.monitor.once()
        assert watching.monitor.missing() == []
        watching.desk.down()
        watching.journal = JournalState(sequence=7, bytes=1, failing="disk full", durability="process")
        await watching.monitor.once()
        assert watching.monitor.missing() == ["the journal cannot be written: disk full", "no destination is connected"]

    async def test_what_must_be_there_is_a_setting(self) -> None:
        """Destinations and sessions by name, with why they are not there."""
        needed = HealthSettings(required_destinations=("GBBO",), required_sessions=("FIX.4.4:ROUTER->OMS44",))
        watching = Watching(health_settings=needed)
        watching.desk.apply(LinkDown(LINK, "reset"))
        await watching.monitor.once()
        assert watching.monitor.missing() == [
            "session FIX.4.4:ROUTER->OMS44 is not logged on", "destination GBBO is not connected: reset",
        ]  # fmt: skip
        assert missing(HealthSettings(required_destinations=()), watching.monitor.facts) == []


def grafana() -> dict[str, Any]:
    """The dashboard's file."""
    found: dict[str, Any] = json.loads((CONFIG / "grafana" / "fixrouter.json").read_text())
    return found


def dashboard() -> list[str]:
    """Its expressions, as Grafana sends them."""
    found = grafana()
    expressions = [target["expr"] for panel in found["panels"] for target in panel.get("targets", [])]
    expressions += [each["expr"] for each in found["annotations"]["list"]]
    return [each.replace("$__rate_interval", "1m") for each in expressions]


def rules() -> Iterator[dict[str, Any]]:
    """Prometheus's alert rules."""
    for group in yaml.safe_load((CONFIG / "alerts" / "prometheus-rules.yml").read_text())["groups"]:
        yield from group["rules"]
