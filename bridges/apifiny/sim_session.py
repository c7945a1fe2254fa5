"""The venue's side of a FIX 4.2 session: one `Session` a connection, sans I/O. Bytes and epoch milliseconds in,
application messages and bytes out.

Readings of the document ("Configuration for quickfix") and of FIX 4.2, where the document is silent:
 1. ResetOnLogon: every session starts at MsgSeqNum 1 on both sides, so a Logon must carry ResetSeqNumFlag(141)=Y and
    MsgSeqNum 1. Nothing older is kept: a ResendRequest is answered by SequenceReset-GapFill, always.
 2. A Logon is refused by Logout with the code and the reason in Text(58), then the connection is closed ("otherwise
    MsgType(35)=5 will be returned"). Anything else before a Logon closes without a word, and so do 10 s of silence.
 3. A message too far ahead is not kept but asked for again, with all that follows it; a Logout is obeyed all the same.
 4. Too low without PossDup, a foreign BeginString, a missing MsgSeqNum or a second Logon end the session with a Logout;
    so do, after a Reject, foreign CompIDs and a SendingTime more than 120 s from the venue's clock.
 5. Heartbeat when HeartBtInt passes with nothing sent; TestRequest after 1.2 of it in silence, hanging up after 2.4.
    HeartBtInt 0 turns all three off.
"""

from collections.abc import Callable, Iterator, Mapping

from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_fixwire import SOH, Message, Parser, encode, parse_utc_timestamp, utc_timestamp

BEGIN_STRING = "FIX.4.2"
COMP_ID = "APIFINY"
LOGON_TIMEOUT_MS = 10_000
SENDING_TIME_TOLERANCE_MS = 120_000
TEST_AFTER, GONE_AFTER = 1.2, 2.4
# SessionRejectReason(373)
REQUIRED_TAG_MISSING, VALUE_INCORRECT, FORMAT_INCORRECT, COMP_ID_PROBLEM, SENDING_TIME_PROBLEM = 1, 5, 6, 9, 10

# Judges a Logon by its fields: raises Refused, or takes the session in.
Admit = Callable[[Mapping[int, str], int], None]


class Session:
    """Feed it with `receive` and `tick`; send away what `take_output` gives; hang up when `closed` says so."""

    def __init__(self, admit: Admit, now_ms: int) -> None:
        self._admit = admit
        self._parser = Parser()
        self._out: list[bytes] = []
        self.peer = ""
        self.active = False
        self.closed = False
        self._next_in = 1
        self._next_out = 1
        self._asked_again = False
        self._heartbeat_ms = 0
        self._last_in = self._last_out = now_ms
        self._test_sent = False

    def receive(self, data: bytes, now_ms: int) -> Iterator[Message]:
        """The application messages in these bytes, each to be answered before the next is asked for."""
        for message in self._parser.feed(data):
            if self.closed:
                return
            self._last_in = now_ms
            self._test_sent = False
            if not self.active:
                self._logon(message, now_ms)
            elif self._in_order(message, now_ms):
                handler = _ADMIN.get(message.msg_type)
                if handler is None:
                    yield message
                else:
                    handler(self, message.fields, now_ms)

    def tick(self, now_ms: int) -> None:
        """Time passes: heartbeats, test requests, giving up."""
        silence = now_ms - self._last_in
        if not self.active:
            self.closed = self.closed or silence >= LOGON_TIMEOUT_MS
        elif self._heartbeat_ms:
            if silence >= GONE_AFTER * self._heartbeat_ms:
                self.closed = True
                return
            if silence >= TEST_AFTER * self._heartbeat_ms and not self._test_sent:
                self._test_sent = True
                self.send("1", f"112=TEST-{now_ms}{SOH}", now_ms)
            if now_ms - self._last_out >= self._heartbeat_ms:
                self.send("0", "", now_ms)

    def send(self, msg_type: str, body: str, now_ms: int) -> None:
        """Numbers a message and queues it; nothing is sent on a session that is over."""
        if not self.closed:
            self._put(msg_type, self._next_out, body, now_ms)
            self._next_out += 1

    def send_raw(self, data: bytes) -> None:
        """Queues bytes that need not be FIX."""
        if not self.closed:
            self._out.append(data)

    def take_output(self) -> bytes:
        """What is to be sent, once."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def reject(self, refused: Message, reason: int, tag: int | str, text: str, now_ms: int) -> None:
        """Session-level Reject(3); `tag` is RefTagID(371), 0 for none."""
        ref_tag = f"371={tag}{SOH}" if tag and str(tag).isdigit() else ""
        self.send(
            "3",
            f"45={refused.fields.get(34, 0)}{SOH}{ref_tag}372={refused.msg_type}{SOH}373={reason}{SOH}58={text}{SOH}",
            now_ms,
        )

    def log_out(self, text: str, now_ms: int) -> None:
        """Says Logout and is over."""
        self.send("5", f"58={text}{SOH}" if text else "", now_ms)
        self.active = False
        self.closed = True

    # Parts

    def _put(self, msg_type: str, seq: int, body: str, now_ms: int, dup: str = "") -> None:
        time = utc_timestamp(now_ms)
        orig = f"122={time}{SOH}" if dup else ""
        head = f"34={seq}{SOH}49={COMP_ID}{SOH}56={self.peer}{SOH}{dup}52={time}{SOH}{orig}"
        self._out.append(encode(BEGIN_STRING, msg_type, head + body))
        self._last_out = now_ms

    def _logon(self, message: Message, now_ms: int) -> None:
        fields = message.fields
        self.peer = fields.get(49, "")
        if message.msg_type != "A" or not self.peer:
            self.closed = True
            return
        try:
            interval = _check_logon(message, now_ms)
            self._admit(fields, now_ms)
        except Refused as no:
            self.log_out(no.text, now_ms)
            return
        except ValueError as no:
            self.log_out(str(no), now_ms)
            return
        self.active = True
        self._next_in = 2
        self._heartbeat_ms = interval * 1000
        self.send("A", f"98=0{SOH}108={interval}{SOH}141=Y{SOH}", now_ms)

    def _in_order(self, message: Message, now_ms: int) -> bool:
        """Is this the next message, sound and ours? Everything that follows from a no is done here."""
        fields = message.fields
        if message.begin_string != BEGIN_STRING:
            self.log_out(f"BeginString is not {BEGIN_STRING}", now_ms)
            return False
        seq = _number(fields.get(34, ""))
        if seq is None or seq < 1:
            self.log_out("MsgSeqNum is missing or no number", now_ms)
            return False
        if message.msg_type == "4" and fields.get(123) != "Y":
            self._reset(message, now_ms)  # SequenceReset-Reset does not mind its own number
            return False
        if seq > self._next_in:
            if message.msg_type == "5":
                self.log_out("", now_ms)
            elif message.msg_type == "2":
                self._resend(fields, now_ms)  # answered first, or two sides that both wait would wait for ever
                self._ask_again(now_ms)
            else:
                self._ask_again(now_ms)
            return False
        if seq < self._next_in:
            if fields.get(43) != "Y":
                self.log_out(f"MsgSeqNum too low, expecting {self._next_in} but received {seq}", now_ms)
            return False
        self._next_in += 1
        self._asked_again = False
        return self._sound(message, now_ms)

    def _sound(self, message: Message, now_ms: int) -> bool:
        fields = message.fields
        if message.flaw is not None:
            reason, tag = message.flaw
            self.reject(message, reason, tag, f"tag {tag[:20]} is invalid, empty or there twice", now_ms)
            return False
        if fields.get(49) != self.peer or fields.get(56) != COMP_ID:
            tag = "49" if fields.get(49) != self.peer else "56"
            self.reject(message, COMP_ID_PROBLEM, tag, "CompID problem", now_ms)
            self.log_out("CompID problem", now_ms)
            return False
        if 52 not in fields:
            self.reject(message, REQUIRED_TAG_MISSING, 52, "SendingTime is missing", now_ms)
            return False
        try:
            sent = parse_utc_timestamp(fields[52])
        except ValueError:
            self.reject(message, FORMAT_INCORRECT, 52, "SendingTime is no UTCTimestamp", now_ms)
            return False
        if abs(sent - now_ms) > SENDING_TIME_TOLERANCE_MS:
            self.reject(message, SENDING_TIME_PROBLEM, 52, "SendingTime accuracy problem", now_ms)
            self.log_out("SendingTime accuracy problem", now_ms)
            return False
        required = _REQUIRED.get(message.msg_type, ())
        for each in required:
            value = fields.get(each)
            if value is None:
                self.reject(message, REQUIRED_TAG_MISSING, each, "required tag is missing", now_ms)
                return False
            if each != 112 and _number(value) is None:
                self.reject(message, FORMAT_INCORRECT, each, "not a number", now_ms)
                return False
        return True

    def _ask_again(self, now_ms: int) -> None:
        if not self._asked_again:
            self._asked_again = True
            self.send("2", f"7={self._next_in}{SOH}16=0{SOH}", now_ms)

    def _heartbeat(self, _fields: Mapping[int, str], _now_ms: int) -> None:
        pass

    def _test_request(self, fields: Mapping[int, str], now_ms: int) -> None:
        self.send("0", f"112={fields[112]}{SOH}", now_ms)

    def _resend(self, fields: Mapping[int, str], now_ms: int) -> None:
        begin, end = _number(fields.get(7, "")), _number(fields.get(16, ""))
        if not begin or end is None or begin >= self._next_out:
            return
        # 0 is FIX 4.2's infinity, 999999 that of the versions before it.
        following = self._next_out if end == 0 or end >= self._next_out else max(end, begin) + 1
        self._put("4", begin, f"123=Y{SOH}36={following}{SOH}", now_ms, dup=f"43=Y{SOH}")

    def _gap_fill(self, fields: Mapping[int, str], now_ms: int) -> None:
        new = _number(fields[36])
        if new is not None and new >= self._next_in:
            self._next_in = new
            return
        self.send("3", f"45={fields[34]}{SOH}371=36{SOH}372=4{SOH}373=5{SOH}58=NewSeqNo goes back{SOH}", now_ms)

    def _reset(self, message: Message, now_ms: int) -> None:
        new = _number(message.fields.get(36, ""))
        if new is None:
            self.reject(message, REQUIRED_TAG_MISSING, 36, "NewSeqNo is missing", now_ms)
        elif new < self._next_in:
            self.reject(message, VALUE_INCORRECT, 36, "NewSeqNo goes back", now_ms)
        else:
            self._next_in = new
            self._asked_again = False

    def _logout(self, _fields: Mapping[int, str], now_ms: int) -> None:
        self.log_out("", now_ms)

    def _logon_again(self, _fields: Mapping[int, str], now_ms: int) -> None:
        self.log_out("logged on already", now_ms)


_ADMIN: dict[str, Callable[[Session, Mapping[int, str], int], None]] = {
    "0": Session._heartbeat,
    "1": Session._test_request,
    "2": Session._resend,
    "3": Session._heartbeat,  # a Reject of ours: there is nothing to do about it
    "4": Session._gap_fill,
    "5": Session._logout,
    "A": Session._logon_again,
}
_REQUIRED = {"1": (112,), "2": (7, 16), "4": (36,)}


def _check_logon(message: Message, now_ms: int) -> int:
    """HeartBtInt in seconds; ValueError with what was wrong."""
    fields = message.fields
    if message.begin_string != BEGIN_STRING:
        raise ValueError(f"BeginString is not {BEGIN_STRING}")
    if message.flaw is not None:
        raise ValueError(f"tag {message.flaw[1][:20]} is invalid, empty or there twice")
    if fields.get(56) != COMP_ID:
        raise ValueError(f"TargetCompID is not {COMP_ID}")
    if fields.get(34) != "1" or fields.get(141) != "Y":
        raise ValueError("ResetSeqNumFlag=Y and MsgSeqNum 1 are required")
    if fields.get(98) != "0":
        raise ValueError("EncryptMethod is not 0")
    interval = _number(fields.get(108, ""))
    if interval is None or interval > 3600:
        raise ValueError("HeartBtInt is no number of seconds from 0 to 3600")
    if abs(parse_utc_timestamp(fields.get(52, "")) - now_ms) > SENDING_TIME_TOLERANCE_MS:
        raise ValueError("SendingTime accuracy problem")
    return interval


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
