"""The venue's JSON objects: an order, an account and a position of AOP, and REST's order and account. Pure.

AOP's objects have exactly the keys of the document's sample (incremental, ETHUSD). REST's answers are not in the
document ("HTTP Response:" and nothing after it): {"code", "msg", "data"} and its order are the venue's later ones,
without the unscaled twins of the scaled numbers ("price" beside "priceEp"), which are floats there.
"""

from bridges.matching import Side
from bridges.phemex.sim_account import Position, TradingAccount
from bridges.phemex.sim_contract import Contract
from bridges.phemex.sim_errors import NAMES
from bridges.phemex.sim_orders import Fill, Order, Row, Status

NO_EXEC_ID = "00000000-0000-0000-0000-000000000000"
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}


def aop_order(
    order: Order,
    account: TradingAccount,
    position: Position,
    exec_status: str,
    action: str,
    seq: int,
    now_ns: int,
    fill: Fill | None = None,
) -> Row:
    """What has just happened to an order. `nthItem` and `totalItems` are of the message: whoever sends it sets them."""
    new, contract = order.asked, position.contract
    return {
        "accountID": account.account_id,
        "action": action,
        "actionTimeNs": order.created_ns,
        "addedSeq": order.added_seq,
        "bonusChangedAmountEv": 0,
        "clOrdID": new.cl_ord_id,
        "closedPnlEv": fill.closed_pnl_ev if fill else 0,
        "closedSize": fill.closed_size if fill else 0,
        "code": order.code,
        "cumQty": order.cum_qty,
        "cumValueEv": order.cum_value_ev,
        "curAccBalanceEv": account.balance_ev,
        "curAssignedPosBalanceEv": 0,
        "curBonusBalanceEv": 0,
        "curLeverageEr": 0,
        "curPosSide": position.side,
        "curPosSize": abs(position.size),
        "curPosTerm": position.term,
        "curPosValueEv": position.value_ev,
        "curRiskLimitEv": contract.settings.risk_limit_ev,
        "cxlRejReason": 0,
        "displayQty": 0,
        "execFeeEv": fill.fee_ev if fill else 0,
        "execID": fill.exec_id if fill else NO_EXEC_ID,
        "execPriceEp": fill.price_ep if fill else 0,
        "execQty": fill.qty if fill else 0,
        "execSeq": seq,
        "execStatus": exec_status,
        "execValueEv": fill.value_ev if fill else 0,
        "feeRateEr": contract.fee_er(fill.maker) if fill else 0,
        "leavesQty": order.leaves_qty,
        "leavesValueEv": contract.value_ev(order.leaves_qty, new.price_ep),
        "message": NAMES[order.code] if order.code else "No error",
        "nthItem": 1,
        "ordStatus": order.status.value,
        "ordType": new.ord_type,
        "orderID": order.order_id,
        "orderQty": new.qty,
        "pegOffsetValueEp": 0,
        "priceEp": new.price_ep,
        "relatedPosTerm": position.term,
        "relatedReqNum": order.request_num,
        "side": SIDES[new.side],
        "stopLossEp": 0,
        "stopPxEp": new.stop_px_ep,
        "symbol": new.symbol,
        "takeProfitEp": 0,
        "timeInForce": new.time_in_force,
        "totalItems": 1,
        "transactTimeNs": now_ns,
        "userID": account.user_id,
        "vsAccountID": 0,
        "vsUserID": 0,
    }


def aop_account(account: TradingAccount, used_ev: int) -> Row:
    return {
        "accountBalanceEv": account.balance_ev,
        "accountID": account.account_id,
        "bonusBalanceEv": 0,
        "currency": account.currency,
        "totalUsedBalanceEv": used_ev,
        "userID": account.user_id,
    }


def aop_position(account: TradingAccount, position: Position, mark_ep: int) -> Row:
    contract, size = position.contract, abs(position.size)
    return {
        "accountID": account.account_id,
        "assignedPosBalanceEv": 0,
        "avgEntryPriceEp": contract.avg_price_ep(size, position.value_ev),
        "bankruptCommEv": 0,
        "bankruptPriceEp": 0,
        "buyLeavesQty": position.buy_leaves_qty,
        "buyLeavesValueEv": position.buy_leaves_ev,
        "buyValueToCostEr": contract.order_cost_er(Side.BUY),
        "createdAtNs": 0,
        "crossSharedBalanceEv": max(0, account.balance_ev - position.used_ev(mark_ep)),
        "cumClosedPnlEv": position.closed_pnl_ev,
        "cumFundingFeeEv": 0,
        "cumTransactFeeEv": position.fees_ev,
        "currency": account.currency,
        "dataVer": position.version,
        "deleveragePercentileEr": 0,
        "displayLeverageEr": 0,
        "estimatedOrdLossEv": 0,
        "execSeq": position.exec_seq,
        "freeCostEv": 0,
        "freeQty": 0,
        "initMarginReqEr": contract.settings.init_margin_er,
        "lastFundingTime": 0,
        "lastTermEndTime": 0,
        "leverageEr": 0,
        "liquidationPriceEp": 0,
        "maintMarginReqEr": contract.settings.maint_margin_er,
        "makerFeeRateEr": 0,
        "markPriceEp": mark_ep,
        "orderCostEv": position.order_cost_ev,
        "posCostEv": position.cost_ev,
        "positionMarginEv": position.cost_ev,
        "positionStatus": "Normal",
        "riskLimitEv": contract.settings.risk_limit_ev,
        "sellLeavesQty": position.sell_leaves_qty,
        "sellLeavesValueEv": position.sell_leaves_ev,
        "sellValueToCostEr": contract.order_cost_er(Side.SELL),
        "side": position.side,
        "size": size,
        "symbol": contract.symbol,
        "takerFeeRateEr": 0,
        "term": position.term,
        "transactTimeNs": position.transact_ns,
        "unrealisedPnlEv": position.unrealised_ev(mark_ep),
        "updatedAtNs": 0,
        "usedBalanceEv": position.used_ev(mark_ep),
        "userID": account.user_id,
        "valueEv": position.value_ev,
    }


def rest_order(order: Order, contract: Contract, created: bool = False) -> Row:
    """The answer's `data`: with `created`, an order as its placing is answered, before the matching saw it.

    `orderType` and `timeInForce` are null in every later sample of these two answers; nothing to rely on.
    """
    new = order.asked
    leaves = new.qty if created else order.leaves_qty
    direction = "UNSPECIFIED" if not new.conditional else "Rising" if new.side is Side.BUY else "Falling"
    return {
        "bizError": 0,
        "orderID": order.order_id,
        "clOrdID": new.cl_ord_id,
        "symbol": new.symbol,
        "side": SIDES[new.side],
        "actionTimeNs": order.created_ns,
        "transactTimeNs": 0 if created else order.updated_ns,
        "orderType": None,
        "priceEp": new.price_ep,
        "orderQty": new.qty,
        "displayQty": new.qty,
        "timeInForce": None,
        "reduceOnly": new.reduce_only,
        "stopPxEp": new.stop_px_ep,
        "closedPnlEv": 0,
        "closedSize": 0,
        "cumQty": 0 if created else order.cum_qty,
        "cumValueEv": 0 if created else order.cum_value_ev,
        "leavesQty": leaves,
        "leavesValueEv": contract.value_ev(leaves, new.price_ep),
        "stopDirection": direction,
        "ordStatus": Status.CREATED.value if created else order.status.value,
    }


def rest_account(account: TradingAccount, used_ev: int) -> Row:
    """`accountId`, and not `accountID`: so it is written in the venue's later documents, here alone."""
    return {
        "accountId": account.account_id,
        "currency": account.currency,
        "accountBalanceEv": account.balance_ev,
        "totalUsedBalanceEv": used_ev,
    }
