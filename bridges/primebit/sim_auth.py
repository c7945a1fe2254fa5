"""Who is asking: signatures and timestamps, of REST and of the WebSocket; and the rate limit. Pure.

Sources: "Authorization", "WS Authorization", "Rate Limits". Readings:
1. REST signs method + body + path + query + timestamp, one after the other with nothing in between; path and query as
   they stand in the request line, undecoded, without the question mark. The WebSocket signs the timestamp alone.
2. The signature is hexadecimal in small letters, as Node's digest('hex') of the sample is; the secret's own text in
   UTF-8 is the key.
3. A timestamp is whole seconds and at most 30 s off, either way (the document names no limit). One in milliseconds is
   therefore refused.
4. "5 requests per second": in any second, by API key; whoever has no known key is counted by address. A request that
   is refused for the limit does not count.
"""

import hashlib
import hmac
from collections import deque
from collections.abc import Sequence

from bridges.primebit.sim_errors import too_many_requests, unauthorised
from bridges.primebit.sim_settings import Account

SECOND_NS = 1_000_000_000
MOST_OFF_S = 30


class Keys:
    """Every account's key and secret."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._accounts = {each.api_key: each for each in accounts}

    def __contains__(self, key: object) -> bool:
        return key in self._accounts

    def check(self, key: str, text: bytes, signature: str, timestamp: str, now_ns: int) -> str:
        """The account id; Refused (401) otherwise. `text` is everything that was signed."""
        account = self._accounts.get(key)
        if account is None:
            raise unauthorised("api-key: unknown")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 18):
            raise unauthorised("timestamp: not a number of seconds")
        if abs(int(timestamp) * SECOND_NS - now_ns) > MOST_OFF_S * SECOND_NS:
            raise unauthorised(f"timestamp: more than {MOST_OFF_S} s off")
        expected = _signed(account.secret.get_secret_value(), text)
        if not hmac.compare_digest(expected.encode(), raw(signature)):
            raise unauthorised("The signature is wrong")
        return account.account_id


def _signed(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def raw(text: str) -> bytes:
    """The bytes of a text off the wire. Lone surrogates, which JSON and HTTP servers let through, are no signature's: but
    they must not raise.
    """
    return text.encode("utf-8", "surrogatepass")


class Limit:
    """So many requests in any second for each key; a limit of 0 is none."""

    def __init__(self, requests_per_second: int) -> None:
        self._limit = requests_per_second
        self._taken: dict[str, deque[int]] = {}

    def take(self, key: str, now_ns: int) -> None:
        """Counts a request; Refused (429) where it is one too many."""
        if not self._limit:
            return
        taken = self._taken.setdefault(key, deque())
        while taken and taken[0] <= now_ns - SECOND_NS:
            taken.popleft()
        if len(taken) >= self._limit:
            raise too_many_requests()
        taken.append(now_ns)

    def clear(self) -> None:
        self._taken.clear()
