"""How the venue says no: HTTP status, `code` and `msg`. Pure.

From the document ("Response Status Code"): the HTTP statuses 400, 401, 403, 404, 429, 499, 500 and 503, and that a
non-zero `code` is an error explained by `msg`. It has no table of codes.

Assumptions:
 1. Codes are those that exchanges on the same software publish (ChainUp's open API: same fields, same signature). Where
    that table has none, the code is the HTTP status.
 2. A request that cannot be read, lacks a parameter, repeats one or has one that is not allowed is 400.
 3. An unknown key, a wrong signature and a time outside the window are 401; an address that is not on the key's
    whitelist and a key that may not trade are 403.
 4. A value that breaks a rule (symbol, side, type, precision, minimum, page) is 499.
 5. What only the state of the venue forbids (money, an unknown order, an order that is over) is 200 with a code.
 6. An error has the three fields, `data` being null.
"""

ORDER_FAILED = "5"
TOO_SMALL = "6"
TOO_LARGE = "7"
CANCEL_FAILED = "8"
NOT_ENOUGH = "19"
NO_SUCH_ORDER = "22"
NO_VOLUME = "23"
NO_PRICE = "24"
SYSTEM = "100001"
BUSY = "100002"
BAD_PARAMETER = "100004"
BAD_SIGNATURE = "100005"
BAD_ADDRESS = "100007"
NO_PERMISSION = "110032"
NOT_FOUND = "404"
TOO_OFTEN = "429"

TEXTS = {
    ORDER_FAILED: "order failed",
    TOO_SMALL: "the quantity is less than the minimum",
    TOO_LARGE: "the quantity is greater than the maximum",
    CANCEL_FAILED: "order cancellation failed",
    NOT_ENOUGH: "insufficient available balance",
    NO_SUCH_ORDER: "order does not exist",
    NO_VOLUME: "missing transaction quantity parameter",
    NO_PRICE: "missing transaction price parameter",
    SYSTEM: "system exception",
    BUSY: "the server is temporarily too busy, please retry later",
    BAD_PARAMETER: "request parameter is invalid",
    BAD_SIGNATURE: "parameter signature error",
    BAD_ADDRESS: "illegal IP",
    NO_PERMISSION: "this user does not have permission to do this",
    NOT_FOUND: "server could not find the API endpoint",
    TOO_OFTEN: "a rate limit has been exceeded",
}


class Refused(Exception):
    """The venue's no: HTTP status, a code of the table, and what exactly was wrong."""

    def __init__(self, status: int, code: str, detail: str = "") -> None:
        super().__init__(status, code, detail)
        self.status, self.code = status, code
        self.msg = f"{TEXTS[code]}: {detail}" if detail else TEXTS[code]


def malformed(detail: str, code: str = BAD_PARAMETER) -> Refused:
    return Refused(400, code, detail)


def unauthorized(detail: str) -> Refused:
    return Refused(401, BAD_SIGNATURE, detail)


def invalid(detail: str, code: str = BAD_PARAMETER) -> Refused:
    return Refused(499, code, detail)


def denied(code: str, detail: str = "") -> Refused:
    return Refused(200, code, detail)
