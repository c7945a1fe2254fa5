"""Apifiny's error codes ("Apifiny Connect Status/Error Codes"): those the simulator answers with, and their texts.

The hexadecimal code is the key: the document gives some decimals twice, with two meanings. A last digit of A is a
fault of the client ("corrected at the client and the request resubmitted"), B one of the server.
"""

# A name of the table's own is kept where it has no other text.
REQUEST_ERROR = "0x01001A"
SERVER_ERROR = "0x01002B"
SERVER_BUSY = "0x01003B"
TOO_OFTEN = "0x02002A"
UNKNOWN_ACCOUNT = "0x02002B"
WRONG_ENDPOINT = "0x02003A"
IP_NOT_LISTED = "0x01007A"
ACCOUNT_STATUS = "0x02005A"
UNKNOWN_ADDRESS = "0x04001A"
UNKNOWN_SYMBOL = "0x04003A"
UNKNOWN_COIN = "0x04007A"
WITHDRAWAL_LIMIT = "0x04012B"
DUPLICATE_ORDER_ID = "0x05002A"
NEW_ORDER_FAILURE = "0x05002B"
UNKNOWN_ORDER = "0x05003A"
MAINTENANCE = "0x05003D"
CANCEL_ERROR = "0x05004B"
FINAL_STATUS = "0x05007A"
ORDER_TIMESTAMP = "0x05009A"
ORDER_ID_RULE = "0x05012A"
PENDING_SUBMIT = "0x05015A"
NOT_ENOUGH = "0x06001A"
WITHDRAW_TICKET = "0x06001B"
SIGNATURE_ERROR = "0x20000A"
PERMISSION_DENIED = "0x20000B"
NO_MARKET = "0x20001A"

TEXTS = {
    REQUEST_ERROR: "general request error, please check if the parameters in request are correct.",
    SERVER_ERROR: "general server side error, retry or contact customer service.",
    SERVER_BUSY: "server busy please wait",
    TOO_OFTEN: "Request too often, please try later",
    UNKNOWN_ACCOUNT: "Account doesn't exist, please verify account ID.",
    WRONG_ENDPOINT: "Sorry, the venue does not match the request url, please check the base url.",
    ACCOUNT_STATUS: "Account status doesn't satisfy request, please verify account status.",
    UNKNOWN_SYMBOL: "Util_Unknown_Symbol",
    UNKNOWN_COIN: "Util_Unknown_Coin",
    IP_NOT_LISTED: "IP is not in the white list",
    UNKNOWN_ADDRESS: "withdraw address not exist",
    WITHDRAWAL_LIMIT: "You have reach your daily withdrawal limit, please try next day",
    WITHDRAW_TICKET: "withdraw ticket error, please check or create a withdraw ticket first.",
    NO_MARKET: "No matching market",
    DUPLICATE_ORDER_ID: "Order_OriginalOrderIdDuplicate",
    NEW_ORDER_FAILURE: "New order failure,retry or contact customer service.",
    UNKNOWN_ORDER: "Order doesn't exist, please change order ID.",
    MAINTENANCE: "This exchange is currently under maitenance or not supported yet.",
    CANCEL_ERROR: "cancel order error, need to contact customer service.",
    FINAL_STATUS: "cannot cancel order under current order status, need confirm order status and retry or abandon request.",
    ORDER_TIMESTAMP: "Order create failed, timestamp error",
    ORDER_ID_RULE: "order id rule error",
    PENDING_SUBMIT: "order cannot be canceled when in Pending_Submit status,please wait for status changed to submitted"
    " to cancel order.( if order status is still pending submit after 10 minutes, please contact customer service. )",
    NOT_ENOUGH: "Asset_AvailableNotEnough.",
    SIGNATURE_ERROR: "Signature Error",
    PERMISSION_DENIED: "Permission denied. Invalid API key or permissions for action.",
}


class Refused(Exception):
    """The venue's no: a code of the table, and what exactly was wrong with the request."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    @property
    def text(self) -> str:
        return explain(self.code, self.detail)


def explain(code: str, detail: str = "") -> str:
    """The code, its text and the detail, in one line."""
    text = f"{code} {TEXTS[code]}"
    return f"{text}: {detail}" if detail else text
