"""Who is asking ("Authentication"): the JWT in the header `signature`, of REST, user streams and market data. Pure.

Readings where the document is silent or broken:
 1. `exp` is required of REST and user streams: a whole number of seconds, in the future and at most 60 s ahead (the
    document's own are 30). Its example for user streams gives milliseconds: on user streams those are taken as well.
 2. Whatever is wrong with the token is 0x20000A, with its key 0x20000B; an account that there is not is 0x02002B; a
    SUSPENDED account is 0x02005A ("no operations are allowed").
 3. `digest` is SHA-256 in lower-case hexadecimal, of the body of a POST as it came, or of a GET's query string as it
    stands in the request line, undecoded and without the question mark (the empty text where there is none). Streams
    have none: "Websocket Stream remove digest". Claims beyond those listed are not looked at.
 4. Market data signs {"accessKey": key} and nothing else; it needs no account in good standing.
"""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import jwt

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_settings import Account

ALGORITHM = "HS256"
MAX_AHEAD_MS = 60_000
# No time in seconds is this large before the year 5138, and none in milliseconds is smaller after 1973.
_LEAST_MS = 100_000_000_000
# The claims are this file's to judge, by the venue's clock.
_UNJUDGED = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


def verified(account: Account, token: str) -> dict[str, Any]:
    """The claims of a token that this account signed; Refused with 0x20000A otherwise. Never quotes token or secret."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            account.secret.get_secret_value(),
            algorithms=[ALGORITHM],
            options=_UNJUDGED,  # type: ignore[arg-type]
        )
    except jwt.InvalidAlgorithmError:
        raise Refused(errors.SIGNATURE_ERROR, f"the algorithm is not {ALGORITHM}") from None
    except jwt.InvalidSignatureError:
        raise Refused(errors.SIGNATURE_ERROR, "the signature does not verify") from None
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Refused(errors.SIGNATURE_ERROR, "not a JSON web token") from None
    return claims


class Keys:
    """Every account's key and secret."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = {each.account_id: each for each in accounts}
        self._by_key = {each.key_id: each for each in self._accounts.values()}

    def check(self, token: str, signed: bytes | None, now_ms: int) -> Account:
        """The account; Refused otherwise. `signed`: what the digest is of, None for a stream."""
        account = self._account(_claimed(token, "accountId"))
        claims = verified(account, token)
        if claims.get("secretKeyId") != account.key_id:
            raise Refused(errors.PERMISSION_DENIED, f"secretKeyId is {'wrong' if 'secretKeyId' in claims else 'missing'}")
        if signed is not None:
            _check_digest(claims.get("digest"), signed)
        _check_exp(claims.get("exp"), signed is None, now_ms)
        if account.status == "SUSPENDED":
            raise Refused(errors.ACCOUNT_STATUS, account.status)
        return account

    def check_access_key(self, token: str) -> str:
        """The access key of a market-data connection; Refused otherwise."""
        account = self._by_key.get(_claimed(token, "accessKey"))
        if account is None:
            raise Refused(errors.PERMISSION_DENIED, "no such accessKey")
        verified(account, token)
        return account.key_id

    def _account(self, account_id: str) -> Account:
        account = self._accounts.get(account_id)
        if account is None:
            raise Refused(errors.UNKNOWN_ACCOUNT)
        return account


def _claimed(token: str, claim: str) -> str:
    """Who a token says it is of, before anything is verified: it tells whose secret is to verify it."""
    if not token:
        raise Refused(errors.SIGNATURE_ERROR, "no signature")
    try:
        claims: Any = jwt.decode(token, options={"verify_signature": False} | _UNJUDGED)  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Refused(errors.SIGNATURE_ERROR, "not a JSON web token") from None
    value = claims.get(claim)
    if not isinstance(value, str):
        raise Refused(errors.SIGNATURE_ERROR, f"{claim} is missing")
    return value


def _check_digest(digest: object, signed: bytes) -> None:
    expected = hashlib.sha256(signed).hexdigest()
    if not isinstance(digest, str) or not hmac.compare_digest(digest.encode(), expected.encode()):
        raise Refused(errors.SIGNATURE_ERROR, "digest is missing" if digest is None else "digest is wrong")


def _check_exp(exp: object, on_stream: bool, now_ms: int) -> None:
    if type(exp) is not int:  # a JSON true is an int to isinstance
        raise Refused(errors.SIGNATURE_ERROR, "exp is missing" if exp is None else "exp is not an integer of seconds")
    at_ms = exp if on_stream and exp >= _LEAST_MS else exp * 1000
    if at_ms <= now_ms:
        raise Refused(errors.SIGNATURE_ERROR, "exp is in the past")
    if at_ms > now_ms + MAX_AHEAD_MS:
        raise Refused(errors.SIGNATURE_ERROR, f"exp is more than {MAX_AHEAD_MS // 1000} s ahead")
