"""Who is asking: signatures and expiry, of REST and of the WebSocket; and the rounds of the rate limits. Pure.

Readings:
- "x-phemex-request-expiry : ... the Unix EPoch millisecond to expire the request, normally it should be (Now() + 1
  minute)", and the example is 154567778, which is seconds. Seconds it is (so does the venue's later document say).
- How far ahead a REST request may expire is not said. user.auth's "between now and now+5 minutes" holds for both: an
  expiry of 1 minute in milliseconds is then refused, as one that is past.
- The signature is lower-case hexadecimal and "case sensitive"; its key is the secret's own text in UTF-8, of REST and
  of user.auth (the document's "HMacSha256(access-token + expiry)" names no key).
- Path and query are signed as they stand in the request line, undecoded, without the question mark.
- A round is 60 s from the client's first request in it; a refused request counts, a client is an access token, and
  whoever has no valid one is counted together with all others like him.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from bridges.phemex.sim_errors import Unauthorised
from bridges.phemex.sim_settings import Account

SECOND_NS = 1_000_000_000
ROUND_NS = 60 * SECOND_NS
FURTHEST_S = 300


class Keys:
    """Every account's token and secret."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self._accounts = {each.token: each for each in accounts}

    def __contains__(self, token: object) -> bool:
        return token in self._accounts

    def check(self, token: str, text: bytes, signature: str, expiry: str, now_ns: int) -> int:
        """The user id; Unauthorised otherwise. `text` is everything that was signed."""
        account = self._accounts.get(token)
        if account is None:
            raise Unauthorised("401 Failed to load API KEY.")
        if not (expiry.isascii() and expiry.isdigit() and len(expiry) <= 18):
            raise Unauthorised("401 Request Expiry is no number of seconds.")
        if not now_ns < int(expiry) * SECOND_NS <= now_ns + FURTHEST_S * SECOND_NS:
            raise Unauthorised("401 Request Expired.")
        if not hmac.compare_digest(signed(account.secret.get_secret_value(), text).encode(), signature.encode()):
            raise Unauthorised("401 API Signature verification failed.")
        return account.user_id


def signed(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Round:
    began_ns: int
    used: int = 0


class Rounds:
    """So many requests a minute for each key; a limit of 0 is none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rounds: dict[str, Round] = {}

    def take(self, key: str, now_ns: int) -> tuple[int, int]:
        """Counts a request: how many are left after it, and the seconds to wait, which is 0 for one that may pass."""
        if not self._limit:
            return 1, 0
        current = self._rounds.get(key)
        if current is None or now_ns >= current.began_ns + ROUND_NS:
            current = self._rounds[key] = Round(now_ns)
        if current.used >= self._limit:
            return 0, -(-(current.began_ns + ROUND_NS - now_ns) // SECOND_NS)
        current.used += 1
        return self._limit - current.used, 0

    def clear(self) -> None:
        self._rounds.clear()
