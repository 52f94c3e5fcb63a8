"""What the simulated terminal tells the till about its turnovers, its day and itself: APDUs, built from PA00P015."""

import time

from hal.terminals.zvt import apdu, compose

from .settings import LOCKS

STATUS, COMPLETION, PRINT_LINE, PRINT_BLOCK, SET_CLOCK = 0x040F, 0x060F, 0x06D1, 0x06D3, 0x0401
SUPPLY_TOO_LOW = 0xBF

# First digit of the card -> (card type 8A, card name 8B, place of its totals in BMP 60); anything else is girocard
_CARDS = {"4": (10, "VISA", 4), "5": (6, "Mastercard", 2), "3": (8, "AMEX", 3)}
_GIROCARD = (5, "girocard", 0)
_PAID_ONLINE = 0x60  # BMP 19
_CONTRACT_NUMBER = "4556000599"
_EXPIRY = "2912"  # YYMM, on the track

MERCHANT, ADMINISTRATION = 1, 3  # TLV 1F07, receipt type
_BLOCK_HEAD = 32  # bytes around the lines of a print block: command, lengths, BMP 06, 1F07, 25, 09


def status_information(done, settings):
    """04 0F of one turnover. The paper has no field that tells a refund from a sale."""
    own = done.card == settings.masked_card
    card_type, card_name, _ = _CARDS.get(done.card[0], _GIROCARD)
    fields = [
        ("result_code", done.result),
        ("amount", done.amount),
        ("currency", done.currency),
        ("time", int(done.time.replace(":", ""))),
        ("date", int(done.date[5:].replace("-", ""))),
        ("card", settings.card if own and "card" in settings.clear else done.card),
        ("receipt", done.receipt),
        ("trace", done.trace),
    ]
    if done.kind == "reversal":
        fields.append(("original_trace", done.original_trace))
    if done.kind == "sale" and done.approved:
        fields.append(("authorisation", b"%06d\0\0" % (done.trace * 7919 % 1000000)))
    fields += [
        ("terminal_id", settings.terminal_id),
        ("payment_type", _PAID_ONLINE),
        ("card_type", card_type),
        ("card_name", card_name + "\0"),  # the paper ends it with a zero
        ("contract_number", _CONTRACT_NUMBER),
        ("turnover", done.number % 1000000),
    ]
    return apdu.pack(STATUS, compose.pack_bitmaps(fields + (_in_clear(settings) if own else [])))


def card(settings):
    """04 0F that ends a read card (06 C0)."""
    card_type, card_name, _ = _CARDS.get(settings.card[0], _GIROCARD)
    fields = [
        ("result_code", 0),
        ("card", settings.card if "card" in settings.clear else settings.masked_card),
        ("card_type", card_type),
        ("card_name", card_name + "\0"),
    ]
    return apdu.pack(STATUS, compose.pack_bitmaps(fields + _in_clear(settings)))


def _in_clear(settings):
    """What some terminals send of a card and should not: track 2, and the number in a TLV container (1F14, and 46, text
    for the customer's receipt)."""
    fields = []
    if "track" in settings.clear:
        fields.append(("track_2", settings.card + "D" + _EXPIRY + "2010000"))
    if "tlv" in settings.clear:
        digits = settings.card + "F" * (len(settings.card) & 1)
        items = [(0x1F14, bytes.fromhex(digits)), (0x46, b"PAN " + settings.card.encode())]
        fields.append(("tlv", compose.pack_tlv(items)))
    return fields


def date_and_time():
    """04 01: the host's date and time, for the till's clock."""
    now = time.localtime()
    fields = [("date_yymmdd", int(time.strftime("%y%m%d", now))), ("time", int(time.strftime("%H%M%S", now)))]
    return apdu.pack(SET_CLOCK, compose.pack_bitmaps(fields))


def day_information(batch, settings):
    """04 0F of the end of day: the total and BMP 60.

    BMP 60: first and last receipt, then count and total of girocard, JCB, Eurocard, Amex, VISA, Diners and the rest.
    Refunds and reversals count negative. The fields have no sign: a total below zero is sent without it.
    """
    sums, counts = [0] * 7, [0] * 7
    for done in batch:
        place = _CARDS.get(done.card[0], _GIROCARD)[2]
        counts[place] += 1
        sums[place] += done.amount if done.kind == "sale" else -done.amount
    first, last = (batch[0].receipt, batch[-1].receipt) if batch else (0, 0)
    totals = apdu.bcd(first, 2) + apdu.bcd(last, 2)
    for count, amount in zip(counts, sums, strict=True):
        totals += bytes((min(count, 255),)) + apdu.bcd(abs(amount), 6)
    now = time.localtime()
    fields = [
        ("result_code", 0),
        ("amount", abs(sum(sums))),
        ("currency", settings.currency),
        ("time", int(time.strftime("%H%M%S", now))),
        ("date", int(time.strftime("%m%d", now))),
        ("terminal_id", settings.terminal_id),
        ("totals", totals),
    ]
    return apdu.pack(STATUS, compose.pack_bitmaps(fields))


def registered(with_currency, settings, faults):
    """06 0F of a registration. BMP 19 is a status byte here: bit 0 initialisation needed, bit 1 diagnosis needed."""
    status = 1 if faults.device_state == 1 or "initialisation" in faults.locks else 0
    status |= 2 if "diagnosis" in faults.locks else 0
    fields = [("payment_type", status), ("terminal_id", settings.terminal_id)]
    if with_currency:
        fields.append(("currency", settings.currency))
    return apdu.pack(COMPLETION, compose.pack_bitmaps(fields))


def terminal_status(with_version, with_tlv, settings, faults):
    """06 0F of a status enquiry: [version], status byte, [TLV with device and locks]."""
    status, locks, tlv = faults.status, set(faults.locks), None
    if faults.supply_mv is not None:
        status = status or SUPPLY_TOO_LOW
        locks.add("low_battery")
    if with_tlv:
        bits = sum(1 << place for place, name in enumerate(LOCKS) if name in locks)
        device = [
            (0x1F40, settings.model.encode()),
            (0x1F41, settings.version.encode()),
            (0x1F42, apdu.bcd(settings.serial, 4)),
            (0x1F43, bytes((faults.device_state,))),
        ]
        tlv = [(0xE4, device), (0x1F55, bytes((bits & 0xFF, bits >> 8)))]
    return apdu.pack(COMPLETION, compose.pack_status(settings.version if with_version else None, status, tlv))


def receipt_lines(done, settings):
    """The lines of one receipt, at most 24 characters each."""
    return [
        "    SIMULATED SHOP",
        "   1, Example Street",
        "     12345 Example",
        "------------------------",
        "%s  %s" % (done.date, done.time),
        "Terminal-ID %08d" % settings.terminal_id,
        "Contract    %s" % _CONTRACT_NUMBER,
        "Receipt %04d  Trace %06d" % (done.receipt, done.trace),
        " ",
        done.kind.upper(),
        _CARDS.get(done.card[0], _GIROCARD)[1],
        done.card.replace("E", "*"),
        "%03d  %d.%02d" % (done.currency, done.amount // 100, done.amount % 100),
        " ",
        "APPROVED" if done.approved else "DECLINED %02X" % done.result,
        "------------------------",
        "Please keep the receipt",
    ] + ["line %d" % number for number in range(1, settings.receipt_lines + 1)]


def system_lines(settings):
    """The lines of 06 1A."""
    return [
        "SYSTEM INFORMATION",
        "Model %s" % settings.model,
        "Version %s" % settings.version,
        "Serial number %08d" % settings.serial,
        "Terminal-ID %08d" % settings.terminal_id,
        "Currency %03d" % settings.currency,
    ]


def printed(lines, receipt_type, wishes):
    """The messages that print one receipt on the till's printer: lines (06 D1), or blocks (06 D3) no longer than wished."""
    lines = [line.encode() for line in lines]
    if not wishes.blocks:
        # each line behind an attribute byte; 81 alone: the receipt is complete
        return [apdu.pack(PRINT_LINE, line) for line in [b"\x00" + line for line in lines] + [b"\x81"]]
    blocks, room = [[]], 0
    for line in lines:
        room -= len(line) + 2
        if room < 0 and blocks[-1]:
            blocks.append([])
        if not blocks[-1]:
            room = wishes.longest - _BLOCK_HEAD - len(line) - 2
        blocks[-1].append((0x07, line))
    blocks[-1].append((0x09, b"\x81"))  # the receipt is complete
    # 1F07 receipt type, 25 print texts, 07 one line each
    return [
        apdu.pack(
            PRINT_BLOCK,
            compose.pack_bitmaps([("tlv", compose.pack_tlv([(0x1F07, bytes((receipt_type,))), (0x25, block)]))]),
        )
        for block in blocks
    ]
