"""Who asks: the form, the signature and the time of a user request ("Request Signing"). Pure.

Readings and assumptions:
 1. What is signed are the decoded names and values; names sort by their characters; `sign` itself is left out; empty
    values are skipped; the secret comes last. The hash is lower-case hexadecimal, as the example's function gives it.
 2. `time` is epoch milliseconds, as in the example, and may differ from the venue's clock by `time_window_ms` either
    way. The document has no window at all; a time in seconds is far outside any.
 3. POST and DELETE take every parameter in the body ("POST Parameter", "DELETE body Parameter"): a query string is 400.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from bridges.cryptocom.sim_errors import BAD_ADDRESS, Refused, malformed, unauthorized
from bridges.cryptocom.sim_settings import User

FORM = "application/x-www-form-urlencoded"
SIGNED = frozenset({"api_key", "time", "sign"})
MAX_FIELDS = 32


def parse_form(content_type: str, query: str, body: bytes) -> dict[str, str]:
    """The parameters of a POST or DELETE body; 400 where "Endpoint" is not obeyed."""
    if query:
        raise malformed("parameters belong in the body")
    media, _, options = content_type.lower().partition(";")
    if media.strip() != FORM or options.strip() not in ("", "charset=utf-8"):
        raise malformed(f"Content-Type must be {FORM}")
    return parse_pairs(body)


def parse_pairs(text: bytes) -> dict[str, str]:
    """The pairs of a form or a query string; 400 where they cannot be read or one comes twice."""
    try:
        pairs = parse_qsl(text.decode("ascii"), True, strict_parsing=bool(text), errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise malformed("not a form") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise malformed("a parameter came twice")
    return values


def authenticate(params: Mapping[str, str], users: Mapping[str, User], address: str, window_ms: int, now_ms: int) -> User:
    """The user who signed. Refused: 400 what is missing, 401 key, signature or time, 403 address. By `api_key`."""
    for name in sorted(SIGNED):
        if not params.get(name):
            raise malformed(f"{name} is missing")
    user = users.get(params["api_key"])
    if user is None:
        raise unauthorized("unknown api_key")
    expected = signature(params, user.secret.get_secret_value())
    if not hmac.compare_digest(expected.encode(), params["sign"].encode()):
        raise unauthorized("sign does not match")
    stamp = params["time"]
    # Eighteen digits are still far below what int() would refuse.
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 18) or abs(int(stamp) - now_ms) > window_ms:
        raise unauthorized(f"time is not within {window_ms} ms of the server's {now_ms}")
    if user.ip_whitelist and address not in user.ip_whitelist:
        raise Refused(403, BAD_ADDRESS, "not on the key's whitelist")
    return user


def signature(params: Mapping[str, str], secret: str) -> str:
    text = "".join(name + value for name, value in sorted(params.items()) if name != "sign" and value)
    return hashlib.sha256((text + secret).encode()).hexdigest()
