"""The webhook: every alert arrives once, in order, however long its receiver is away; and the router never waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from router.admin.alert_settings import AlertSettings, WebhookSettings
from router.admin.contract import AlertRow
from router.admin.webhook import QUEUE_AT_MOST, Webhook
from router.secret_source import Fault
from tests.admin.watched import Watching
from tests.router.desk import LINK


def alert(number: int, active: bool = True) -> AlertRow:
    return AlertRow(
        alert_id=number, time="2026-11-23T08:00:00.000000Z", rule="core", level="warning", text=f"alert {number}", order_id="",
        active=active, cleared="" if active else "2026-11-23T08:00:05.000000Z",
    )  # fmt: skip


class Receiver:
    """A server that answers as it is told: by status, or "hang" or "cut"; when nothing is told, with 200."""

    def __init__(self) -> None:
        self.told: list[int | str] = []
        self.bodies: list[dict[str, Any]] = []
        """Of requests that were answered with 200."""
        self.headers: list[str] = []
        self.asked = 0
        self.url = ""
        self.hanging = asyncio.Event()
        self._heard = asyncio.Condition()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        self.headers.append(request.headers.get("Authorization", ""))
        body = await request.json()
        told = self.told.pop(0) if self.told else 200
        if told == "hang":
            await self.hanging.wait()
        if told == "cut" and request.transport is not None:
            request.transport.close()
        if isinstance(told, str):
            return web.Response(status=200)
        if told == 200:
            self.bodies.append(body)
        async with self._heard:
            self._heard.notify_all()
        return web.Response(status=told, headers={"Location": "http://127.0.0.1:1/elsewhere"} if told == 302 else {})

    async def heard(self, count: int) -> None:
        """Wait until so many alerts have arrived."""
        async with self._heard:
            await self._heard.wait_for(lambda: len(self.bodies) >= count)

    def texts(self) -> list[str]:
        return [body["text"] for body in self.bodies]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """On a port of its own."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook/s3cret", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hook/s3cret"
    yield receiver
    receiver.hanging.set()
    await runner.cleanup()


class Sender:
    """A webhook that runs, with a clock that moves when it pauses."""

    def __init__(self, url: str, **more: Any) -> None:
        self.pauses: list[float] = []
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.now = 0.0
        self.settings = WebhookSettings.model_validate({"url": url, "router": "desk 1", "answer_within_s": 1, **more})
        self.hook = Webhook(self.settings, Path(), self.note, self.sleep, lambda: self.now, lambda: 1.0)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def note(self, event: str, **fields: Any) -> None:
        self.notes.append((event, fields))

    async def __aenter__(self) -> Sender:
        self._task = asyncio.create_task(self.hook.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_what_is_posted(receiver: Receiver) -> None:
    """Exactly these keys; a cleared alert with the time of that; no header where no secret is set."""
    async with Sender(receiver.url) as sender:
        sender.hook.say(alert(1))
        sender.hook.say(alert(1, active=False))
        await receiver.heard(2)
    common = {"text": "alert 1", "level": "warning", "rule": "core", "router": "desk 1"}
    assert receiver.bodies == [
        {**common, "time": "2026-11-23T08:00:00.000000Z", "active": True},
        {**common, "time": "2026-11-23T08:00:05.000000Z", "active": False},
    ]
    assert receiver.headers == ["", ""]


@pytest.mark.parametrize("trouble", [[500, 503, 429], ["cut", 500, 408], ["hang", "cut", 502]])
async def test_it_is_repeated_until_it_arrives(receiver: Receiver, trouble: list[int | str]) -> None:
    """Through errors, lost connections and silence, with growing pauses; in order; it is said once that it fails, and that it is over."""
    receiver.told = trouble
    async with Sender(receiver.url) as sender:
        for number in (1, 2, 3):
            sender.hook.say(alert(number))
        await receiver.heard(3)
    assert receiver.texts() == ["alert 1", "alert 2", "alert 3"]
    assert sender.pauses == [1.0, 2.0, 4.0]
    assert [event for event, _ in sender.notes] == ["webhook does not answer", "webhook answers again"]
    assert sender.hook.dropped == 0


async def test_nobody_listens() -> None:
    """A receiver that is down is tried with pauses of a minute at most, until that makes no sense any more."""
    async with Sender("http://127.0.0.1:1/hook/s3cret", give_up_after_s=600) as sender:
        sender.hook.say(alert(1))
        while not sender.hook.dropped:
            await asyncio.sleep(0)
    assert max(sender.pauses) == 60.0
    assert sender.pauses[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    assert sum(sender.pauses[:-1]) < 600 <= sum(sender.pauses)
    assert sender.notes[-1][0] == "webhook did not take an alert"


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
async def test_a_no_is_taken_for_one(receiver: Receiver, status: int) -> None:
    """What is refused is not repeated, a redirect not followed; the next alert has its chance."""
    receiver.told = [status]
    async with Sender(receiver.url) as sender:
        sender.hook.say(alert(1))
        sender.hook.say(alert(2))
        await receiver.heard(1)
    assert (receiver.texts(), receiver.asked, sender.pauses, sender.hook.dropped) == (["alert 2"], 2, [], 1)
    assert sender.notes == [
        ("webhook did not take an alert", {"level": "error", "host": "127.0.0.1", "rule": "core", "why": f"status {status}"})
    ]


async def test_too_many_at_once(receiver: Receiver) -> None:
    """The oldest make place, and are counted; saying one never waits."""
    async with Sender(receiver.url) as sender:
        for number in range(QUEUE_AT_MOST + 5):
            sender.hook.say(alert(number))
        assert (sender.hook.waiting, sender.hook.dropped) == (QUEUE_AT_MOST, 5)
        await receiver.heard(3)
    assert receiver.texts()[:3] == ["alert 5", "alert 6", "alert 7"]


async def test_secrets_are_sent_and_never_said(receiver: Receiver, tmp_path: Path) -> None:
    """The header's value and the address come from files, and no note or repr shows them."""
    (tmp_path / "key").write_text("Bearer hunter2\n")
    (tmp_path / "url").write_text(receiver.url)
    receiver.told = [500, 403]
    notes: list[Any] = []
    settings = WebhookSettings.model_validate({"url": {"file": "url"}, "secret": {"file": "key"}})

    async def no_pause(_: float) -> None:
        return

    hook = Webhook(settings, tmp_path, lambda *said, **fields: notes.append((said, fields)), no_pause)
    running = asyncio.create_task(hook.run())
    hook.say(alert(1))
    hook.say(alert(2))
    await receiver.heard(1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert receiver.headers == ["Bearer hunter2"] * 3
    assert len(notes) == 2
    assert "hunter2" not in repr((notes, hook, settings))
    assert "s3cret" not in repr((notes, hook, settings))


@pytest.mark.parametrize(
    ("url", "secret", "wrong"),
    [
        ("gopher://hooks", "a", "alerts.webhook.url"), ("http://hooks:99999999/b", "a", "alerts.webhook.url"),
        ("http:///hooks", "a", "alerts.webhook.url"), ("http://hooks", "hooks\r\nb", "alerts.webhook.secret"),
    ],
)  # fmt: skip
def test_secrets_that_cannot_be_used(tmp_path: Path, url: str, secret: str, wrong: str) -> None:
    """Are a fault of the configuration, said without them."""
    (tmp_path / "url").write_text(url)
    (tmp_path / "key").write_text(secret)
    settings = WebhookSettings.model_validate({"url": {"file": "url"}, "secret": {"file": "key"}})
    with pytest.raises(Fault, match=wrong) as fault:
        Webhook(settings, tmp_path, lambda *_, **__: None)
    assert "hooks" not in str(fault.value)


def test_a_missing_secret_is_a_fault(tmp_path: Path) -> None:
    """Named by its file."""
    settings = WebhookSettings.model_validate({"url": "http://x", "secret": {"file": "nowhere"}})
    with pytest.raises(Fault, match="nowhere"):
        Webhook(settings, tmp_path, lambda *_, **__: None)


async def test_from_the_core_to_the_receiver(receiver: Receiver) -> None:
    """What the core says is posted when it is said; that it is of before is not posted. What lasts has an end that is."""
    watching = Watching(alerts=AlertSettings.model_validate({"webhook": {"url": receiver.url}, "core_s": 60}), every_s=0)
    watching.desk.down()
    running = asyncio.create_task(watching.monitor.run())
    await receiver.heard(1)
    watching.later(30)
    await receiver.heard(4)
    watching.later(3600)
    watching.desk.up()
    watching.later(1)
    await watching.monitor.once()
    watching.later(10)
    await receiver.heard(7)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert receiver.bodies[0]["text"] == f"{LINK} is down; 0 open orders are in doubt until it is back"
    told = [(body["rule"], body["active"]) for body in receiver.bodies]
    assert told == [("core", True), *[("destination-down", True)] * 3, *[("destination-down", False)] * 3]
