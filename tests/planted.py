"""The bugs that tests/bugs.py plants: slips a programmer could make in the journal or the life-cycle of a refund.

Each breaks a promise. A bug's text must occur exactly once in its file.
"""

from collections import namedtuple

# name, what is wrong then, file, exact text there, what stands there instead
Bug = namedtuple("Bug", "name wrong file old new")

REGION = "firmware_agent/wire/region.py"
SURVEY = "firmware_agent/wire/survey.py"
BODIES = "firmware_agent/wire/bodies.py"
JOURNAL = "firmware_agent/journal.py"
CARRY = "firmware_agent/carry.py"
HISTORY = "firmware_agent/history.py"
SUMS = "firmware_agent/sums.py"
WORDS = "firmware_agent/words.py"
EARLIER = "firmware_agent/earlier.py"
REFUND = "firmware_agent/refund.py"
CONDUCT = "firmware_agent/conduct.py"
REFUNDING = "firmware_agent/refunding.py"
SALE = "firmware_agent/checks/sale.py"
DOUBT = "firmware_agent/checks/doubt.py"
LINUX = "hal/linux/flash.py"

BUGS = [
    # ---- what counts as written ----
    Bug(
        "record-checksum",
        "a record counts whatever its checksum says",
        REGION,
        """\
        if struct.unpack(">I", rest[size + 8 :])[0] != crc32(rest[: size + 8], crc32(head)):
            return None
""",
        "",
    ),
    Bug(
        "record-last-byte",
        "a record counts before its last byte is there",
        REGION,
        'if struct.unpack(">I", rest[size + 8 :])[0] != crc32(rest[: size + 8], crc32(head)):',
        'if rest[size + 8 : size + 11] != struct.pack(">I", crc32(rest[: size + 8], crc32(head)))[:3]:',
    ),
    Bug(
        "header-checksum",
        "the header of a sector counts whatever its checksum says",
        SURVEY,
        'if data[:3] != b"RFJ" or struct.unpack(">I", data[28:])[0] != crc32(data[:28]):',
        'if data[:3] != b"RFJ":',
    ),
    Bug(
        "append-unsynced",
        "a record is acknowledged and was never synced",
        JOURNAL,
        """\
        self._program(self.end, data)
        self.flash.sync()
        self.unsaid = None
""",
        """\
        self._program(self.end, data)
        self.unsaid = None
""",
    ),
    Bug(
        "append-synced-too-early",
        "the sync stands before the program it is for",
        JOURNAL,
        """\
        self._program(self.end, data)
        self.flash.sync()
        self.unsaid = None
""",
        """\
        self.flash.sync()
        self._program(self.end, data)
        self.unsaid = None
""",
    ),
    Bug(
        "first-header-unsynced",
        "the very first header may come to the flash after what follows it, and nobody knows the region for ours",
        JOURNAL,
        """\
        if not generation:
            flash.sync()  # the very first bytes must be known for ours
""",
        "",
    ),
    Bug(
        "number-reused",
        "what is appended behind carried records has their numbers once more",
        JOURNAL,
        """\
        self.sequence = number
        self.digest = digest
""",
        """\
        self.digest = digest
""",
    ),
    # ---- torn, failed and damaged ----
    Bug(
        "torn-not-void",
        "what a cut left of a record stays as it is, and may read as whole another day",
        JOURNAL,
        """\
            for at in range(begin, self.end, 256):
                self._program(at, b"\\0" * min(256, self.end - at))
""",
        "",
    ),
    Bug(
        "torn-written-over",
        "a boot does not look for torn bytes, and the next record is written over them",
        JOURNAL,
        """\
            self.unsaid = (self.end, self.used(self.end, self.base(self.newest) + flash.sector) - self.end)
""",
        "",
    ),
    Bug(
        "failed-append-forgotten",
        "what a failed append programmed is not made void before the next one",
        JOURNAL,
        """\
        self.unsaid = (self.end, size)
""",
        "",
    ),
    Bug(
        "damage-at-the-end-unsaid",
        "damage behind the last whole record is passed over in silence",
        SURVEY,
        """\
        if bad:
            damage(bad[0], bad[1], 0, 0)
""",
        "",
    ),
    Bug(
        "lost-not-counted",
        "a damaged place does not say how many records were lost there",
        SURVEY,
        "damage(place, wrong, lost, number - lost)",
        "damage(place, wrong, 0, number - lost)",
    ),
    Bug(
        "loss-goes-away",
        "a loss that nobody accepted is no loss any more once its sector is given up",
        CARRY,
        """\
    history.gone = history.lost  # what nobody accepted is not to go away with its sector
""",
        "",
    ),
    Bug(
        "digest-unchecked",
        "an altered record whose checksum was mended is believed",
        SURVEY,
        """\
                if not lost and digest and record(flags, number, body, digest)[1] != its:
                    damage(at, end - at, 1, number)
""",
        "",
    ),
    Bug(
        "digest-unchained",
        "the digest of a record says nothing about those before it",
        REGION,
        "digest = sha256(digest + data).digest()[:DIGEST]",
        "digest = sha256(data).digest()[:DIGEST]",
    ),
    # ---- the turn of the ring ----
    Bug(
        "seal-unsynced",
        "the oldest sector is erased before what was carried out of it is synced",
        JOURNAL,
        """\
            at += self.padded(len(data))
        flash.sync()
""",
        """\
            at += self.padded(len(data))
""",
    ),
    Bug(
        "seal-not-needed",
        "a sector counts before all that it carries is in it",
        SURVEY,
        """\
        if self._unsealed(self.newest, number):
            self.newest -= 1
            self.unsealed = True
""",
        "",
    ),
    Bug(
        "seal-is-enough",
        "a seal counts although what was to be carried before it is missing",
        SURVEY,
        """\
            if its != number:
                return False
            if flags is None""",
        """\
            if flags is None""",
    ),
    Bug(
        "oldest-unread",
        "the oldest sector that counts is not read",
        REGION,
        "return max(0, self.newest - self.sectors + 2)",
        "return max(0, self.newest - self.sectors + 3)",
    ),
    Bug(
        "boot-wears",
        "every boot erases the spare sector, erased or not, and wears it",
        JOURNAL,
        """\
                if not self.blank(self.newest + 1) or (
                    self.oldest and not (survey.records_in(self.newest) or (0, False))[1]
                ):
                    flash.erase(self.base(self.newest + 1))
                    flash.sync()
""",
        """\
                flash.erase(self.base(self.newest + 1))
                flash.sync()
""",
    ),
    # ---- what is carried ----
    Bug(
        "first-sector-not-carried",
        "nothing is carried out of the very first sector",
        CARRY,
        "    if leaving >= 0:\n",
        "    if leaving > 0:\n",
    ),
    Bug(
        "open-not-carried",
        "open refunds are given up with their sector",
        CARRY,
        """\
            body = history.open[key].whole()
            left -= journal.room(body)
            yield 0, body
""",
        """\
            left -= journal.room(history.open[key].whole())
""",
    ),
    Bug(
        "open-carried-in-part",
        "of an open refund only its last record is carried, without what the earlier ones said",
        CARRY,
        "            body = history.open[key].whole()\n",
        "            body = [one for one in journal.bodies(leaving) if one[1] == STATE and cbor.decode(one)[1] == key][-1]\n",
    ),
    Bug(
        "open-not-read",
        "a boot does not read the open refunds that were carried",
        HISTORY,
        "if flags and body[1] == STATE and settled(body):",
        "if flags and body[1] == STATE:",
    ),
    Bug(
        "finals-not-carried",
        "refunds that ended are forgotten at once, although there is room",
        CARRY,
        """\
                if have <= left:
                    yield 0, body
                    continue
""",
        "",
    ),
    Bug(
        "counters-not-carried",
        "counters begin at 0 again when the ring has turned",
        CARRY,
        "sums, history.counters, history.gone]",
        "sums, {}, history.gone]",
    ),
    Bug(
        "sums-carried-in-part",
        "of the sums only those of the last day and month are carried",
        CARRY,
        "sums = history.sums.rows\n",
        "sums = history.sums.rows[-2:]\n",
    ),
    Bug(
        "words-not-carried",
        "what people said of the shop, and wrong PINs, are given up with their sector",
        CARRY,
        """\
                    left -= journal.room(body)
                    yield 0, body
            elif body[1] == STATE:
""",
        """\
                    left -= journal.room(body)
            elif body[1] == STATE:
""",
    ),
    Bug(
        "old-word-carried",
        "a person's word that was taken back since is carried behind the later one, and counts again",
        CARRY,
        "return body if history.attests.get(record[1]) == body else None",
        "return None if record[2] else body",
    ),
    Bug(
        "old-tries-carried",
        "wrong PINs that were forgiven since are carried, and lock a person out",
        CARRY,
        "return cbor.encode(record[:3] + [None]) if history.tries.get(record[1]) == record[2] else None",
        "return cbor.encode(record[:3] + [None])",
    ),
    Bug(
        "words-without-bound",
        "people's words take the room that open refunds need to be carried",
        HISTORY,
        " - max(0, words - _WORDS) // 196",
        "",
    ),
    Bug(
        "approval-of-an-earlier-sale",
        "what was attested of a sale counts for a later one with its receipt number",
        WORDS,
        "        counts = not sale\n",
        "        counts = True\n",
    ),
    Bug(
        "right-pin-forgives-nothing",
        "wrong PINs are counted on after a right one",
        WORDS,
        """\
        if count or who in self.tries:
            self._keep""",
        """\
        if count:
            self._keep""",
    ),
    Bug(
        "verdict-each-time",
        "a till that asks again and again has the same verdict journaled each time, and wears out the flash",
        WORDS,
        "        if said != self._verdict:\n",
        "        if rows or said != self._verdict:\n",
    ),
    Bug(
        "forgotten-not-marked",
        "a refund is given up and its sale is not marked as forgotten",
        CARRY,
        "                page = _forget(history, body)\n",
        "                page = None\n",
    ),
    Bug(
        "forgotten-in-memory-only",
        "a sale is marked as forgotten, and the next boot does not know it",
        CARRY,
        """\
                    pages.append(page)
                    left -= journal.padded(FRAME + 72)
""",
        """\
                    left -= journal.padded(FRAME + 72)
""",
    ),
    Bug(
        "forgotten-pages-not-carried",
        "what was marked as forgotten is known for one round only",
        CARRY,
        """\
                pages.append(cbor.decode(body)[1])
                left -= journal.room(body)
""",
        """\
                left -= journal.room(body)
""",
    ),
    Bug(
        "not-executed-carried",
        "NOT_EXECUTED is carried behind the same refund's later approval, and it is paid again",
        BODIES,
        """\
    return body[_behind_key(body)] in (APPROVED, DECLINED)
""",
        """\
    return body[_behind_key(body)] in (APPROVED, DECLINED, 6)
""",
    ),
    # ---- the same request again ----
    Bug(
        "key-across-windows",
        "a key that stands across two windows of reading is not found, and its refund is made again",
        REGION,
        "if data in self.flash.read(at, min(window + len(data), end - at)):",
        "if data in self.flash.read(at, min(window, end - at)):",
    ),
    Bug(
        "index-cleared-beside",
        "a sector that is entered in the index clears the bits of the one before it, whose records are found no more",
        REGION,
        "                bits[at] &= ~bit\n",
        "                bits[at] &= ~(bit >> 1 or 128)\n",
    ),
    Bug(
        "index-without-carried",
        "records that were carried are not entered in the index",
        REGION,
        "            for body in self.bodies(generation):\n",
        "            for body in [row[3] for row in self.sector(generation) if row[1] == 0]:\n",
    ),
    Bug(
        "index-without-keys",
        "a refund that has ended is entered in the index without its key",
        BODIES,
        "        yield crc32(body[2 : _behind_key(body)])\n",
        "        yield 0 if settled(body) else crc32(body[2 : _behind_key(body)])\n",
    ),
    Bug(
        "index-of-the-newest",
        "a sector that is not full yet is entered in the index, and what is appended to it later is not found",
        REGION,
        "for generation in range(max(self._entered + 1, self.oldest), self.newest):",
        "for generation in range(max(self._entered + 1, self.oldest), self.newest + 1):",
    ),
    Bug(
        "index-in-part",
        "a sector that could not be read to its end counts as entered in the index",
        REGION,
        """\
            for body in self.bodies(generation):
                for term in terms(body):
                    bits[term * self._row % len(bits) + sector] |= bit
            self._entered = generation  # only now: the flash may have refused to be read
""",
        """\
            self._entered = generation
            for body in self.bodies(generation):
                for term in terms(body):
                    bits[term * self._row % len(bits) + sector] |= bit
""",
    ),
    Bug(
        "key-of-carried-not-found",
        "the key of a refund that was carried is not found, and its refund is made again",
        HISTORY,
        """\
        for _, body in self.journal.holding(cbor.encode(key), key_term(key)):
            if body[1] == STATE:
""",
        """\
        for flags, body in self.journal.holding(cbor.encode(key), key_term(key)):
            if body[1] == STATE and not flags:
""",
    ),
    Bug(
        "latest-by-the-clock",
        "of a refund's states the one counts whose time is the latest, not the one that was journaled last",
        HISTORY,
        "                    found.apply(record[2], record[3], record[4])\n",
        """\
                    if (record[3] or 0) >= (found.wall_s or 0):
                        found.apply(record[2], record[3], record[4])
""",
    ),
    Bug(
        "anew-keeps-old-facts",
        "a refund that is asked for anew keeps what was known of the first time",
        EARLIER,
        """\
        if state == REQUESTED:  # perhaps anew: nothing is known of this time yet
            self.__init__(self.key)
""",
        "",
    ),
    # ---- the life-cycle ----
    Bug(
        "sent-before-journaled",
        "SENT is journaled when the terminal has answered",
        CONDUCT,
        """\
            state, action = step(refund.state, event)
            self.enter(refund, state, facts)

    async def _perform""",
        """\
            state, action = step(refund.state, event)
            if action == "send":
                event, more = await self._perform(refund, action)
                self.enter(refund, state, facts)
                facts = more
                state, action = step(refund.state, event)
            self.enter(refund, state, facts)

    async def _perform""",
    ),
    Bug(
        "entered-before-journaled",
        "a state is entered, and told, although the medium refused its record",
        HISTORY,
        """\
        self._append([STATE, refund.key, state, wall_s, numbered])
        self._enter(refund, state, wall_s, numbered, True)
""",
        """\
        self._enter(refund, state, wall_s, numbered, True)
        self._append([STATE, refund.key, state, wall_s, numbered])
""",
    ),
    Bug(
        "baseline-not-kept",
        "the terminal's last receipt is asked for before a refund is sent, and not journaled",
        CONDUCT,
        'return "baseline", {"before": identity(await self.terminal.last_receipt())}',
        'return "baseline", {"before": identity(await self.terminal.last_receipt()) and None}',
    ),
    Bug(
        "doubt-sent-again",
        "a refund in doubt is sent again when it is asked for again",
        REFUND,
        "IN_DOUBT ask IN_DOUBT compare\n",
        "IN_DOUBT ask SENT send\n",
    ),
    Bug(
        "sent-and-booted-is-not-executed",
        "a refund that was SENT when the power went counts as never executed",
        REFUND,
        "SENT boot IN_DOUBT compare\n",
        "SENT boot NOT_EXECUTED answer\n",
    ),
    Bug(
        "not-executed-is-declined",
        "what the terminal never did is told as declined",
        REFUND,
        "IN_DOUBT same NOT_EXECUTED answer\n",
        "IN_DOUBT same DECLINED answer\n",
    ),
    Bug(
        "believed-at-work",
        "the same receipt as before is believed while the terminal is still at work",
        CONDUCT,
        "            await asyncio.sleep(_PAUSE_S)\n",
        "            break\n",
    ),
    Bug(
        "anothers-receipt",
        "the receipt of one refund settles the doubt of another",
        CONDUCT,
        "(self.history.is_ours(now) or self._is_sale(now))",
        "self._is_sale(now)",
    ),
    Bug(
        "any-next-receipt",
        "a receipt two further on is taken for ours, whoever made the one between",
        REFUND,
        "receipt != before[0] % 9999 + 1):",
        "receipt <= before[0]):",
    ),
    Bug(
        "settled-in-any-state",
        "a person's word is taken for a refund that has ended",
        REFUNDING,
        """\
        if refund.state != IN_DOUBT:
            raise WireError("not_in_doubt", "key")
        try:
            conductor.enter(refund, step(refund.state, "attest""",
        """\
        try:
            conductor.enter(refund, step(IN_DOUBT, "attest""",
    ),
    Bug(
        "settled-before-asked",
        "a person's word is taken for a refund that is SENT, before the terminal was asked",
        REFUNDING,
        """\
        if refund.state != IN_DOUBT:
            raise WireError("not_in_doubt", "key")
        try:
            conductor.enter(refund, step(refund.state, "attest""",
        """\
        if not refund.open:
            raise WireError("not_in_doubt", "key")
        try:
            conductor.enter(refund, step(IN_DOUBT, "attest""",
    ),
    Bug(
        "attestation-not-kept",
        "who settled a doubt, and why, is not journaled",
        REFUNDING,
        '"attest_done" if done else "attest_not_done")[0], facts)',
        '"attest_done" if done else "attest_not_done")[0], {})',
    ),
    # ---- amounts, sums, counters, the clock ----
    Bug(
        "amount-truncated",
        "how a refund ended is journaled with the lowest 16 bits of its amount",
        HISTORY,
        "numbered = {0: refund.receipt, 1: refund.amount, 2: refund.currency}",
        "numbered = {0: refund.receipt, 1: refund.amount & 0xFFFF, 2: refund.currency}",
    ),
    Bug(
        "doubt-not-spent",
        "what is in doubt counts as left of its sale",
        SALE,
        "remaining = sale.amount - approved - doubt",
        "remaining = sale.amount - approved",
    ),
    Bug(
        "declined-is-spent",
        "what was declined counts as paid out of its sale",
        EARLIER,
        """\
            return
        if refund.state == APPROVED:
            self.approved""",
        """\
        if not refund.open:
            self.approved""",
    ),
    Bug(
        "declined-in-sums",
        "what was declined is in the sums of what was approved",
        HISTORY,
        "counts and state == APPROVED and refund.amount is not None",
        "counts and not refund.open and refund.amount is not None",
    ),
    Bug(
        "counters-fall",
        "a counter may fall",
        HISTORY,
        """\
        if value < self.counters.get(counter, 0):
            raise ValueError("a counter never falls")
""",
        "",
    ),
    Bug(
        "sums-of-today",
        "a new day or month begins its sum in the row of the one before, so a clock that jumps loses it",
        SUMS,
        "if row[0] != currency or row[1] != period]",
        "if row[0] != currency or (row[1] < 0) != (period < 0)]",
    ),
    Bug(
        "window-by-a-wrong-clock",
        "a refund of tomorrow, by a clock that was set back, counts as long ago and may be asked for twice",
        DOUBT,
        """\
    if case.wall_s is not None and refund.wall_s is not None and case.wall_s >= refund.wall_s:
        ago = case.wall_s - refund.wall_s
""",
        """\
    if case.wall_s is not None and refund.wall_s is not None:
        ago = abs(case.wall_s - refund.wall_s)
""",
    ),
    # ---- the file on Linux ----
    Bug(
        "file-unsynced",
        "sync leaves what was written in the host's memory",
        LINUX,
        "        os.fdatasync(self._fd)\n",
        "        pass\n",
    ),
    Bug(
        "file-shared",
        "two processes may have the journal at once",
        LINUX,
        "fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)",
    ),
    Bug(
        "file-named-too-early",
        "a new journal has its name before it is on the disk",
        LINUX,
        """\
        os.fsync(fd)
        os.rename(fresh, path)
""",
        """\
        os.rename(fresh, path)
        os.fsync(fd)
""",
    ),
    Bug(
        "file-written-in-part",
        "what the kernel did not take at once is not written",
        LINUX,
        """\
    while done < len(data):
        data = data[done:]
        address += done
        done = os.pwrite(fd, data, address)
""",
        "",
    ),
]
