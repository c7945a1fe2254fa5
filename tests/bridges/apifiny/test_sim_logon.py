"""Who may log on to the venue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.apifiny import sim_errors as errors
from bridges.apifiny.sim_errors import Refused
from bridges.apifiny.sim_logon import check_logon

from .venue import ACCOUNT, NOW, OTHER, SECRET, settings, token

THE_ACCOUNT = settings().accounts[0]


def refusal(raw: str, sender: str = ACCOUNT, account=THE_ACCOUNT) -> Refused:
    with pytest.raises(Refused) as caught:
        check_logon(account, sender, raw, NOW)
    return caught.value


@pytest.mark.parametrize("ahead", [1, 30, 35])
def test_the_documents_own_token_is_good_until_it_expires(ahead):
    """30 s ahead, and 5 more for clocks that differ."""
    check_logon(THE_ACCOUNT, ACCOUNT, token(exp=NOW // 1000 + ahead), NOW)


@pytest.mark.parametrize(
    ("claims", "code", "words"),
    [
        ({"exp": NOW // 1000}, errors.SIGNATURE_ERROR, "exp is in the past"),
        ({"exp": NOW // 1000 + 36}, errors.SIGNATURE_ERROR, "ahead"),
        ({"exp": NOW / 1000 + 20.5}, errors.SIGNATURE_ERROR, "integer"),
        ({"exp": str(NOW // 1000 + 20)}, errors.SIGNATURE_ERROR, "integer"),
        ({"exp": NOW + 20_000}, errors.SIGNATURE_ERROR, "ahead"),
        ({"exp": True}, errors.SIGNATURE_ERROR, "integer"),
        ({"exp": None}, errors.SIGNATURE_ERROR, "integer"),
        ({"method": "fix"}, errors.SIGNATURE_ERROR, "method is wrong"),
        ({"method": None}, errors.SIGNATURE_ERROR, "method is missing"),
        ({"digest": "0" * 64}, errors.SIGNATURE_ERROR, "digest is wrong"),
        ({"digest": None}, errors.SIGNATURE_ERROR, "digest is missing"),
        ({"accountId": OTHER}, errors.SIGNATURE_ERROR, "accountId is wrong"),
        ({"secretKeyId": "key2"}, errors.PERMISSION_DENIED, "secretKeyId is wrong"),
    ],
)
def test_every_claim_is_checked(claims, code, words):
    """The reason names the claim."""
    no = refusal(token(**claims))
    assert no.code == code
    assert words in no.detail


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (token(secret="another-secret-of-at-least-32-bytes!"), "does not verify"),
        (token(algorithm="none"), "algorithm"),
        (token(algorithm="HS512", secret=SECRET * 2), "algorithm"),
        (token()[:-6] + "AAAAAA", "does not verify"),
        ("rubbish", "not a JSON web token"),
        ("", "not a JSON web token"),
        ("é.é.é", "not a JSON web token"),
    ],
)
def test_only_hs256_under_the_accounts_own_secret_counts(raw, words):
    """Unsigned, otherwise signed and mangled tokens are all a signature error; nothing secret is quoted."""
    no = refusal(raw)
    assert no.code == errors.SIGNATURE_ERROR
    assert words in no.detail
    assert SECRET not in no.text
    assert not raw or raw not in no.text


def test_an_account_must_exist_be_the_sender_and_not_be_suspended():
    """SUSPENDED: no operations are allowed. RESTRICTED may still query, so it may log on."""
    assert refusal(token(), account=None).code == errors.UNKNOWN_ACCOUNT
    assert refusal(token(), sender=OTHER).code == errors.UNKNOWN_ACCOUNT
    suspended = THE_ACCOUNT.model_copy(update={"status": "SUSPENDED"})
    assert refusal(token(), account=suspended).code == errors.ACCOUNT_STATUS
    check_logon(THE_ACCOUNT.model_copy(update={"status": "RESTRICTED"}), ACCOUNT, token(), NOW)


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: f"eyJhbGciOiJIUzI1NiJ9.{b.hex()}.{b.hex()}"))
def test_no_text_at_all_does_anything_but_be_refused(raw):
    """Whatever a stranger sends: a refusal, never another exception."""
    refusal(raw)
