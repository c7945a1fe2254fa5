"""What a case of certification is made of: steps, each of which waits for something. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from fix.certify_facts import CLIENT, EVENT, ROUTER, SECOND, SESSION, Condition, Fault, Heard, Scene, named, whole
from fix.tags import CL_ORD_ID, MSG_SEQ_NUM, ORIG_CL_ORD_ID, POSS_DUP_FLAG, TEXT
from fix.text import printable

__all__ = ["Act", "Alive", "Answer", "Ask", "Away", "Case", "Done", "Failed", "Outcome", "Quiet", "Resent", "Step", "Unfit"]

_ASKING: Final = frozenset({"H", "AF"})
_ANSWER_WITHIN_S: Final = 60


@dataclass(frozen=True, slots=True)
class Done:
    """The step is done."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The client's side did wrong."""

    faults: list[Fault]


@dataclass(frozen=True, slots=True)
class Unfit:
    """The case cannot be judged, through no fault of the client's side."""

    why: str


Outcome = Done | Failed | Unfit | None
_DONE: Final = Done()


class Step(Protocol):
    """What is waited for. `kind`: ask (the client's turn), wait (the router's), act (a simulator's)."""

    @property
    def kind(self) -> str: ...
    @property
    def say(self) -> str: ...
    def enter(self, scene: Scene) -> Outcome: ...
    def hear(self, message: Heard, scene: Scene) -> Outcome: ...
    def tick(self, scene: Scene, now: int) -> Outcome: ...


class _Waiting:
    """What steps do when nothing else is said."""

    __slots__ = ()

    def enter(self, scene: Scene) -> Outcome:
        return None

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        return None

    def tick(self, scene: Scene, now: int) -> Outcome:
        return None


@dataclass(frozen=True)
class Act(_Waiting):
    """A simulator's control is told something; nobody is waited for."""

    path: str
    body: Mapping[str, str | int | float]
    say: str
    kind: str = "act"


@dataclass(frozen=True)
class Ask(_Waiting):
    """A message of the client's. `keep`: remember its ClOrdID so; `holds`: the connection must be there until then."""

    msg_type: str
    say: str
    tags: Mapping[str, Condition]
    clause: str
    keep: str = ""
    holds: bool = False
    kind: str = "ask"

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        if message.who == EVENT and self.holds and message.text == "Disconnecting":
            wrong = f"the connection ended before {named(self.msg_type)} came"
            return Failed([Fault("", None, wrong, self.clause)])
        live = message.who == ROUTER and message.type == "8" and message.found.get(POSS_DUP_FLAG) != "Y"
        if live and self.msg_type == "2" and scene.concerns(message.found):
            return Unfit("the report came only after the logon: your side had missed nothing yet; run the case again")
        if message.who != CLIENT or message.found.get(POSS_DUP_FLAG) == "Y":
            return None
        if message.type != self.msg_type:
            return out_of_turn(message, scene, f"where {named(self.msg_type)} was asked for")
        if message.type in ("F", "G") and scene.of_before(message.found):
            return None
        faults = [
            Fault(tag, message.found.get(tag), wrong, self.clause)
            for tag, condition in self.tags.items()
            if (wrong := condition.wrong(message.found.get(tag), scene))
        ]
        if faults:
            return Failed(faults)
        scene.began = True
        scene.last_seq = whole(message.found, MSG_SEQ_NUM)
        if self.keep:
            scene.names[self.keep] = message.found.get(CL_ORD_ID, "")
        return _DONE

    def tick(self, scene: Scene, now: int) -> Outcome:
        return late(scene, now, f"{named(self.msg_type)} did not come", self.clause)


@dataclass(frozen=True)
class Answer(_Waiting):
    """A message of the router's about what was kept as `about`, with these tags. `before`: it may have come already."""

    msg_type: str
    say: str
    tags: Mapping[str, str]
    about: str = ""
    before: bool = False
    kind: str = "wait"

    def enter(self, scene: Scene) -> Outcome:
        return _DONE if self.before and any(self._fits(each, scene) for each in scene.told) else None

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        if message.who == CLIENT and message.found.get(POSS_DUP_FLAG) != "Y":
            return out_of_turn(message, scene, f"before the router's {named(self.msg_type)} had come")
        if message.who != ROUTER:
            return None
        scene.told.append(message)
        return _DONE if self._fits(message, scene) else self._refused(message, scene)

    def tick(self, scene: Scene, now: int) -> Outcome:
        if now - scene.since < _ANSWER_WITHIN_S * SECOND:
            return None
        return Unfit(f"the router's {named(self.msg_type)} did not come: {self.say}")

    def _fits(self, message: Heard, scene: Scene) -> bool:
        found = message.found
        about = not self.about or scene.names.get(self.about) in (found.get(CL_ORD_ID), found.get(ORIG_CL_ORD_ID))
        return message.type == self.msg_type and about and all(found.get(tag) == value for tag, value in self.tags.items())

    def _refused(self, message: Heard, scene: Scene) -> Outcome:
        found, text = message.found, printable(message.found.get(TEXT, "no Text(58)"))
        no = message.type == "9" or (message.type == "8" and found.get("39") == "8")
        if message.type == "5":
            return Failed([Fault("", None, f"the router ended the session: {text}", "fix/README.md, Session")])
        if no and scene.concerns(found):
            return Failed([Fault("", None, f"the router refused: {text}", "fix/README.md, What bad input gets")])
        if (
            message.type == self.msg_type == "8"
            and found.get("150") != "I"
            and found.get("39") in ("2", "4", "C")
            and scene.concerns(found)
        ):
            return Unfit(f"the order ended another way than the case needs (39={found.get('39')}): {text}")
        return None


@dataclass(frozen=True)
class Quiet(_Waiting):
    """For so many seconds the client must not send some messages about this case's orders, nor a new order."""

    seconds: int
    never: tuple[str, ...]
    say: str
    clause: str
    kind: str = "wait"

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        if message.who != CLIENT or message.type not in self.never or scene.of_before(message.found):
            return None
        return Failed([Fault("", None, f"sent {named(message.type)} {message.found.get(CL_ORD_ID, '')}: {self.say}", self.clause)])

    def tick(self, scene: Scene, now: int) -> Outcome:
        return _DONE if now - scene.since >= self.seconds * SECOND else None


@dataclass(frozen=True)
class Away(_Waiting):
    """The connection ends."""

    say: str
    kind: str = "ask"

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        if message.who == EVENT and message.text == "Disconnecting":
            scene.missed_from = scene.facts.last_from_router + 1
            return _DONE
        if message.who == CLIENT and message.type not in SESSION and message.found.get(POSS_DUP_FLAG) != "Y":
            return out_of_turn(message, scene, "where the connection was to end")
        return None

    def tick(self, scene: Scene, now: int) -> Outcome:
        return late(scene, now, "the connection did not end", "fix/README.md, Session")


@dataclass(frozen=True)
class Alive(_Waiting):
    """A Heartbeat by itself, or the answer to a TestRequest."""

    say: str
    clause: str
    kind: str = "ask"

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        if message.who == ROUTER and message.type == "1":
            scene.test_request, scene.since, scene.began = message.found.get("112", ""), message.time, True
        if message.who != CLIENT or message.type != "0":
            return None
        given = message.found.get("112")
        if given is None and scene.test_request:
            return Failed([Fault("112", None, f"should be {scene.test_request}, the TestRequest's", self.clause)])
        if given is not None and given != scene.test_request:
            right = f"should be {scene.test_request}, the TestRequest's" if scene.test_request else "nothing was asked: should be absent"
            return Failed([Fault("112", given, right, self.clause)])
        return _DONE

    def tick(self, scene: Scene, now: int) -> Outcome:
        patience = scene.facts.heartbeat_s if scene.test_request else 3 * scene.facts.heartbeat_s
        if now - scene.since < patience * SECOND:
            return None
        if not scene.test_request:
            return Unfit("neither a Heartbeat nor a TestRequest was seen: is your side logged on?")
        wrong = f"TestRequest {scene.test_request} was not answered within {patience} s"
        return Failed([Fault("", None, wrong, self.clause)])


@dataclass(frozen=True)
class Resent(_Waiting):
    """The router asks for what it missed, and gets it: with PossDupFlag, or filled."""

    say: str
    clause: str
    kind: str = "ask"

    def hear(self, message: Heard, scene: Scene) -> Outcome:
        found, seq = message.found, whole(message.found, MSG_SEQ_NUM)
        if message.who == ROUTER and message.type == "2":
            scene.resend_from, scene.resend_to, scene.since = whole(found, "7"), scene.last_seq, message.time
        if message.who != CLIENT or not scene.resend_from or not seq or seq > scene.resend_to:
            return None
        if found.get(POSS_DUP_FLAG) != "Y":
            return Failed([Fault(POSS_DUP_FLAG, found.get(POSS_DUP_FLAG), f"should be Y: MsgSeqNum(34) {seq} is sent again", self.clause)])
        if message.type in SESSION and message.type not in ("3", "4"):
            return Failed([Fault("", None, f"sent {named(message.type)} again: fill it with SequenceReset(4), 123=Y", self.clause)])
        if seq == scene.resend_from:
            scene.resend_from = whole(found, "36") if message.type == "4" else seq + 1
        return _DONE if scene.resend_from > scene.resend_to else None

    def tick(self, scene: Scene, now: int) -> Outcome:
        if now - scene.since < _ANSWER_WITHIN_S * SECOND:
            return None
        if not scene.resend_from:
            return Unfit("the router did not ask for a resend")
        return Failed([Fault("", None, f"nothing came for MsgSeqNum(34) {scene.resend_from}, which the router asked for", self.clause)])


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `versions`: of 4.2, 4.4, 5.0SP2."""

    name: str
    title: str
    instruction: str
    steps: tuple[Step, ...]
    versions: tuple[str, ...] = ("4.2", "4.4", "5.0SP2")


def late(scene: Scene, now: int, wrong: str, clause: str) -> Outcome:
    """Nothing came for too long: left out, or broken off."""
    if now - scene.since < scene.facts.wait_s * SECOND:
        return None
    if not scene.began:
        return Unfit(f"{wrong} within {scene.facts.wait_s} s")
    return Failed([Fault("", None, f"{wrong} within {scene.facts.wait_s} s", clause)])


def out_of_turn(message: Heard, scene: Scene, when: str) -> Outcome:
    """A message nobody asked for: session messages, questions and cleaning up are free."""
    if message.type in SESSION or message.type in _ASKING or scene.of_before(message.found):
        return None
    wrong = f"sent {named(message.type)} {message.found.get(CL_ORD_ID, '')} {when}"
    return Failed([Fault("", None, wrong, "the case's instruction")])
