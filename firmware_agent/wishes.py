"""What is done about a till's wish for a refund: it is tied to its sale, checked, and carried out as every other refund.

A refund at a till names no receipt (ZVT: 06 31 carries none). It is tied, in this order: to the receipt or card it names
after all; to a refund of this amount that is open, or was made just now (a cashier who tries again must not reach the next
sale); to the sale that somebody attested; to the one sale of just this amount of which nothing was given back; to the one
sale that has so much left. Where two fit nobody can tell, and it is held.
"""

import asyncio
import sys

from . import sold
from .journal import Full
from .wire.messages import APPROVED, DECLINED, NOT_EXECUTED

_VOID = 2
_HELD, _DONE, _NOT_DONE, _UNKNOWN = 1, 2, 3, 4
_MOST = 4  # sales that fit and are named
_ROOM = 120  # bytes of text that a till gets
_PATIENCE_MS = 400000  # longer than a refund and the question after it take
_BUSY_TURNS = 400  # of 50 ms: another refund may be under way


def let_go():
    """Nobody needs this module now, nor what it was loaded with."""
    sys.modules.pop(sold.__name__, None)
    sys.modules.pop(__name__, None)


async def resolve(keeper, timeout_ms):
    """Ask after what is open, and wait at most so long; a question that is asked is not broken off, or its answer would
    reach the till. What stays open is marked: from now on a new receipt may be that of a sale."""
    history = keeper.agent.history
    conductor = keeper.agent.conductor
    if not conductor.busy:
        conductor.task = asyncio.create_task(_quietly(conductor))
    for _ in range(timeout_ms // 50):
        await asyncio.sleep(0.05)
        if not conductor.busy:
            break
    try:
        for refund in history.open.values():
            if refund.alone != 0:
                history.record(refund, refund.state, {"alone": 0})
    except (Full, OSError):
        pass


async def _quietly(conductor):
    try:
        await conductor.resolve()
    except (Full, OSError):
        pass  # it stays open


async def answer(keeper, wish, row):
    """What became of a wish, see gate.Keeper.asked; `row`: what is remembered of it."""
    agent = keeper.agent
    history = agent.history
    conductor = agent.conductor
    currency = keeper.currency(wish.currency)
    row[3] = currency or ""
    if currency is None:
        return _HELD, 36, _text(keeper, 36)
    if not wish.amount and wish.kind != _VOID:
        return _HELD, 43, _text(keeper, 43)
    for _ in range(_BUSY_TURNS):
        if not conductor.busy:
            break
        await asyncio.sleep(0.05)
    if history.open and not conductor.busy:
        await conductor.resolve()
    if conductor.busy:
        return _HELD, 9, _text(keeper, 9)
    receipt, fits = tie(keeper, wish, currency)
    amount = wish.amount
    if not amount:
        sale = history.sale(receipt)
        if sale is None:
            return _HELD, 34, _text(keeper, 34)
        amount = sale[3]
    key = _key(keeper, wish.kind, receipt, amount, currency)
    row[2], row[4], row[7] = amount, receipt, key
    row[8] = list(fits) or None
    request = {"key": key, "receipt": receipt, "amount": amount, "currency": currency, "wish": wish, "fits": fits}
    if wish.last_four:
        request["card"] = wish.last_four
    if wish.kind == _VOID:
        request["void"] = 1
    conductor.begin(request)
    await conductor.settled(_PATIENCE_MS)
    held = conductor.held(key)
    refund = history.find(key)
    if held is None and refund is not None:
        if refund.state == APPROVED:
            return _DONE, 0, ""
        if refund.state in (DECLINED, NOT_EXECUTED):
            cause = agent.policy.cause_of(refund.code, agent.terminal) if refund.code else 0
            return _NOT_DONE, cause or 1, _text(keeper, cause or 1)
        return _UNKNOWN, 54, _text(keeper, 54)
    findings = getattr(held, "findings", None)
    if not findings:  # no room in the journal, or a fault of our own
        return _HELD, 14, _text(keeper, 14)
    cause = findings[0]["cause"]
    if cause == 34 and len(fits) > 1:
        return _HELD, cause, _text(keeper, 0) % " ".join(["%d" % one for one in fits])
    return _HELD, cause, _text(keeper, cause)


def _key(keeper, kind, receipt, amount, currency):
    """A key of its own; that of the same wish before if it was held, so that it can be approved and tried again."""
    history = keeper.agent.history
    for row in keeper.rows:
        if row[1:5] == [kind, amount, currency, receipt] and row[5] == _HELD and row[7] and not history.find(row[7]):
            return row[7]
    return "till-%d-%d" % (history.boot, keeper.count[0])


def tie(keeper, wish, currency):
    """(receipt of the sale, 0 if nobody knows it; receipts of all that fit where that is more than one)."""
    agent = keeper.agent
    history = agent.history
    amount = wish.amount
    if wish.receipt:
        return wish.receipt, ()
    for refund in history.open.values():
        if refund.amount == amount and refund.currency == currency:
            return refund.receipt, ()
    now = agent.clock.wall_s()
    told = history.till_sale
    if told and told[1] and None not in (now, told[2]) and 0 <= now - told[2] <= agent.policy.get("approval_s"):
        last = history.earlier({"receipt": told[0], "amount": amount, "currency": currency}).last_wall_s
        if last is None or last < told[2]:
            return told[0], ()
    for receipt, its_amount, its_currency, wall_s in reversed(history.latest):
        if its_amount == amount and its_currency == currency:
            if now is None or wall_s is None or abs(now - wall_s) <= agent.policy.get("gate_repeat_s"):
                return receipt, ()
    number = agent.terminal.currencies[currency]
    given_back = 0
    whole = []
    for sale in sold.sales(history, amount):
        if _fits(sale, wish, number):
            if _left(history, sale, currency) == amount:
                whole.append(sale[1])
            else:
                given_back = sale[1]
    if whole:
        return whole[0], whole[:_MOST] if len(whole) > 1 else ()
    larger = []
    for sale in sold.sales(history, None):
        if sale[3] > amount and _fits(sale, wish, number) and _left(history, sale, currency) >= amount:
            larger.append(sale[1])
            if len(larger) == _MOST:
                break
    if larger:
        return larger[0], larger if len(larger) > 1 else ()
    return given_back, ()


def _fits(sale, wish, number):
    card, token = sale[7], sale[8] if len(sale) > 8 else None
    if wish.card_token and token:
        return wish.card_token == token
    if wish.last_four and card and "*" not in card + wish.last_four and card != wish.last_four:
        return False
    return sale[4] in (None, number)


def _left(history, sale, currency):
    earlier = history.earlier({"receipt": sale[1], "amount": 0, "currency": currency})
    return sale[3] - earlier.approved - earlier.doubt


def _text(keeper, cause):
    """A line for the till's display, in its language: whole sentences, as many as find room; 0: several sales fit."""
    from . import causes

    sys.modules.pop(causes.__name__, None)
    path = causes.PATH[: -len("causes.txt")] + ("causes_%s.txt" if cause else "gate_%s.txt") % keeper.lang
    with open(path, "rb") as rows:
        for line in rows:
            line = line.decode()
            if line.startswith("%d " % cause):
                return _shortened(line[line.find(" ") + 1 :].strip())
    return ""


def _shortened(line):
    while len(line.encode()) > _ROOM:
        end = max(line.rfind(". ", 0, -1), line.rfind("。", 0, -1), line.rfind("；", 0, -1), line.rfind("; ", 0, -1))
        line = line[: end + 1] if end > 0 else line[: len(line) * 3 // 4]
    return line
