"""What a new sector of the journal begins with: what is kept of the oldest one, which is given up.

Never given up: open refunds, counters, sums, what people said last of the shop, wrong PINs. Given up only for want of room,
oldest first: how refunds ended. Their sales are remembered as forgotten, a bit each, and a refund of one is held: nobody can
know any more that it was not made already.
"""

from binascii import crc32

from .wire import cbor
from .wire.bodies import ATTEST, COUNTS, FORGOTTEN, STATE, TRIES, settled
from .wire.region import FRAME, SEAL

_PAGE = 512  # receipt numbers a page


class Forgotten:
    """Receipt numbers of sales whose refunds were given up. `pages`: {page: bits}."""

    def __init__(self):
        self.pages = {}

    def has(self, receipt):
        bits = self.pages.get(receipt // _PAGE)
        bit = receipt % _PAGE
        return bool(bits and bits[bit >> 3] >> (bit & 7) & 1)

    def add(self, receipt):
        """Its page."""
        page, bit = receipt // _PAGE, receipt % _PAGE
        if page not in self.pages:
            self.pages[page] = bytearray(_PAGE // 8)
        self.pages[page][bit >> 3] |= 1 << (bit & 7)
        return page

    def remove(self, receipt):
        """A sale with this number was seen: what was forgotten was of an earlier one."""
        if self.has(receipt):
            bit = receipt % _PAGE
            self.pages[receipt // _PAGE][bit >> 3] ^= 1 << (bit & 7)


def carry(history, leaving, room):
    """Yields (flags, body) in at most `room` bytes: what is kept of the generation `leaving` (negative: of none), and at last
    the counts. Everything fits into a sector of 4 KB or more, whatever there is of it, and one more record: 6 open refunds of
    196 bytes, 20 pages of 88, 420 of counts, and 417 of people's words and tries; History.limit has fewer open refunds if
    these are more."""
    journal = history.journal
    history.gone = history.lost  # what nobody accepted is not to go away with its sector
    sums = history.sums.rows
    counts = [COUNTS, history.boot, history.agent_id, history.refunds, sums, history.counters, history.gone]
    counts = cbor.encode(counts)
    if leaving >= 0:
        left = min(room // 2, room - journal.room(counts))  # the other half of the sector is for new records
        have = 0
        keys = []
        pages = []
        words = []
        for body in journal.bodies(leaving):
            if body[1] == FORGOTTEN:
                pages.append(cbor.decode(body)[1])
                left -= journal.room(body)
            elif body[1] in (ATTEST, TRIES):
                body = _stands(history, cbor.decode(body))
                if body and body not in words:
                    words.append(body)
                    left -= journal.room(body)
                    yield 0, body
            elif body[1] == STATE:
                if settled(body):
                    have += journal.room(body)
                else:
                    key = cbor.decode(body)[1]
                    if key in history.open and key not in keys:
                        keys.append(key)
        for key in keys:
            body = history.open[key].whole()
            left -= journal.room(body)
            yield 0, body
        for body in journal.bodies(leaving):
            if body[1] == STATE and settled(body):
                if have <= left:
                    yield 0, body
                    continue
                have -= journal.room(body)
                page = _forget(history, body)
                if page is not None and page not in pages:
                    pages.append(page)
                    left -= journal.padded(FRAME + 72)
        for page in pages:
            bits = history.forgotten.pages[page]
            if any(bits):
                yield 0, cbor.encode([FORGOTTEN, page, bits])
    yield SEAL, counts


def _stands(history, record):
    """The body to be carried of somebody's word or tries; None if there is a later one elsewhere, or it is about a sale."""
    if record[0] == TRIES:
        return cbor.encode(record[:3] + [None]) if history.tries.get(record[1]) == record[2] else None
    body = shortened(record)
    return body if history.attests.get(record[1]) == body else None


def shortened(record):
    """The body of an ATTEST record without its text and digest, which are not carried."""
    return cbor.encode(record[:7] + ["", None])


def _forget(history, body):
    """Give up how a refund ended; the page of what is forgotten that this changed, or None."""
    facts = cbor.decode(body)[4]
    if facts.get(0) is None:
        return None  # its request was lost, and with it of what sale it was
    if facts.get(14) is not None:
        sale = history.sale(facts[0])
        if sale and facts[14] != crc32(cbor.encode(sale)):
            return None  # a later sale has this number: whoever asks for a refund means that
    return history.forgotten.add(facts[0])
