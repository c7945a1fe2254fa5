"""Who is asking ("Authentication"). Pure.

Assumptions:
 1. The parameters go in the query of the upgrade request, at `/socket/websocket`, where Phoenix's clients put them.
 2. `GET\\n/users/verify\\n` and the query string are joined as in the document's example, with no line end after it; key
    before timestamp. HMAC-SHA256 with the secret's own text in UTF-8, in lower-case hexadecimal.
 3. The timestamp may be `time_window_s` (30) whole seconds off either way. Whatever is wrong is HTTP 403 to the upgrade.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from bridges.moonbase.sim_settings import User

SECOND_NS = 1_000_000_000


class Denied(Exception):
    """The connection is refused; the text says why, and holds no secret."""


class Keys:
    def __init__(self, users: Sequence[User], time_window_s: int) -> None:
        self._users = {user.key: user for user in users}
        self._window_s = time_window_s

    def check(self, query: Mapping[str, str], now_ns: int) -> User:
        """Denied, or the user whose key it is."""
        user = self._users.get(query.get("key", ""))
        if user is None:
            raise Denied("no such key")
        timestamp = query.get("timestamp", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
            raise Denied("timestamp is no number of seconds")
        if abs(int(timestamp) - now_ns // SECOND_NS) > self._window_s:
            raise Denied("timestamp is too far off")
        right = signature(user.secret.get_secret_value(), user.key, timestamp)
        if not hmac.compare_digest(right.encode(), query.get("signature", "").encode("utf-8", "replace")):
            raise Denied("wrong signature")
        return user


def signature(secret: str, key: str, timestamp: str) -> str:
    text = f"GET\n/users/verify\n{urlencode({'key': key, 'timestamp': timestamp})}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
