"""What the simulated PrimeBit says no with: an HTTP status, a code and a message.

Source: "Error handling", {"error": {"code": "error-code", "message": "Human readable error message"}}. Assumption: the
document lists no codes; these are ours, in the spelling of its "error-code".
"""


class Refused(Exception):
    """The venue's no, with the HTTP status that it is answered with."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        self.status, self.code, self.message = status, code, message


def field(name: str, what: str) -> Refused:
    """A field of the request is at fault."""
    return Refused(400, "invalid-field", f"{name}: {what}")


def bad_request(message: str) -> Refused:
    return Refused(400, "bad-request", message)


def rejected() -> Refused:
    """What the control's `reject` answers."""
    return Refused(400, "rejected", "The request was rejected")


def unauthorised(message: str) -> Refused:
    return Refused(401, "unauthorized", message)


def wrong_account() -> Refused:
    return Refused(403, "forbidden", "The account does not belong to this api-key")


def not_found() -> Refused:
    return Refused(404, "not-found", "There is no such method")


def unknown_symbol() -> Refused:
    return Refused(404, "symbol-not-found", "symbol: there is no such symbol")


def order_not_found() -> Refused:
    return Refused(404, "order-not-found", "There is no such open order")


def no_margin() -> Refused:
    return Refused(400, "insufficient-margin", "The account's free margin does not cover the order")


def too_many_requests() -> Refused:
    return Refused(429, "too-many-requests", "Too Many Requests")
