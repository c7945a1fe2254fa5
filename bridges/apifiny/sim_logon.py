"""Who may log on ("Logon" of the FIX API): the JWT in RawData(96). Pure.

Assumptions: `exp` is a whole number of seconds in the future and at most 30 s ahead, plus 5 s for clocks that differ;
only HS256 is signed with ("Signature"); a SUSPENDED account may not log on ("no operations are allowed").
"""

import hashlib

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_auth import verified
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_settings import Account

METHOD = "Fix"
MAX_AHEAD_S, TOLERANCE_S = 30, 5


def check_logon(account: Account | None, sender_comp_id: str, token: str, now_ms: int) -> None:
    """Raises `sim_errors.Refused` with the venue's code and what was wrong; never quotes the token or the secret."""
    if account is None or account.account_id != sender_comp_id:
        raise Refused(errors.UNKNOWN_ACCOUNT)
    claims = verified(account, token)
    expected = {
        "accountId": account.account_id,
        "secretKeyId": account.key_id,
        "method": METHOD,
        "digest": hashlib.sha256(account.account_id.encode()).hexdigest(),
    }
    for claim, value in expected.items():
        if claims.get(claim) != value:
            code = errors.PERMISSION_DENIED if claim == "secretKeyId" else errors.SIGNATURE_ERROR
            raise Refused(code, f"{claim} is {'wrong' if claim in claims else 'missing'}")
    exp = claims.get("exp")
    if type(exp) is not int:  # a JSON true is an int to isinstance
        raise Refused(errors.SIGNATURE_ERROR, "exp is not an integer of seconds")
    if exp * 1000 <= now_ms:
        raise Refused(errors.SIGNATURE_ERROR, "exp is in the past")
    if exp * 1000 > now_ms + (MAX_AHEAD_S + TOLERANCE_S) * 1000:
        raise Refused(errors.SIGNATURE_ERROR, f"exp is more than {MAX_AHEAD_S} s ahead")
    if account.status == "SUSPENDED":
        raise Refused(errors.ACCOUNT_STATUS, account.status)
