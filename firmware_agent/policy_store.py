"""Where signed policies are kept: two slots in a flash of their own. Loaded when a policy is looked for or put, and let go.

A slot begins with "RFP1", the size of the envelope (4 bytes), its SHA-256 and a CRC-32 of these; the envelope (COSE_Sign1)
follows at the next whole unit. There is no mark that says which slot is in force: of what is whole, rightly signed, for this
agent and not older than the counter in the journal it is the one with the highest version. So a policy that is put while
another is in force takes its place in one step, with its last byte, and the counter is journaled before it is used.
"""

import struct
import sys
from binascii import crc32
from hashlib import sha256

from .policy import ABSENT, DAMAGED, ELSEWHERE, GOOD, OLD, Policy
from .wire import cbor
from .wire.bodies import POLICY_VERSION
from .wire.errors import WireError
from .wire.messages import unpack
from .wire.steps import finished

_MAGIC = b"RFP1"
_HEAD = 44
_ROW = 160
_WINDOW = 256
_WRONG = {OLD: "policy_old", ELSEWHERE: "policy_elsewhere", DAMAGED: "bad_policy"}


def let_go():
    """Nobody needs this module now."""
    sys.modules.pop(__name__, None)


class _Slot:
    """One half of the flash. size and digest: of the envelope that is, or is being put, there; size 0: none."""

    def __init__(self, flash, number):
        self.flash = flash
        self.room = flash.size // flash.sector // 2 * flash.sector
        self.base = self.room * number
        self.data = self.base + (_HEAD + flash.unit - 1) // flash.unit * flash.unit
        self.room -= self.data - self.base
        head = flash.read(self.base, _HEAD)
        self.size, self.digest = 0, None
        if head[:4] == _MAGIC and struct.unpack(">I", head[40:])[0] == crc32(head[:40]):
            self.size = struct.unpack(">I", head[4:8])[0]
            self.digest = head[8:40]

    def read(self, address, size):
        return self.flash.read(self.data + address, size)

    def have(self):
        """Bytes of the envelope that are there: whole units up to the last byte that is programmed."""
        end = self.size
        while end > 0:
            begin = max(0, end - _WINDOW)
            there = len(self.read(begin, end - begin).rstrip(b"\xff"))
            if there:
                end = begin + there
                return end if end == self.size else end // self.flash.unit * self.flash.unit
            end = begin
        return 0

    def sums(self, size):
        """(SHA-256, CRC-32) of the first bytes."""
        sha, crc = sha256(), 0
        for at in range(0, size, _WINDOW):
            data = self.read(at, min(_WINDOW, size - at))
            sha.update(data)
            crc = crc32(data, crc)
        return sha.digest(), crc

    def begin(self, size, digest):
        flash = self.flash
        self.forget()
        at = self.base + flash.sector
        while at < self.data + size:
            flash.erase(at)
            at += flash.sector
            yield
        head = _MAGIC + struct.pack(">I", size) + digest
        self._program(self.base, head + struct.pack(">I", crc32(head)))
        flash.sync()
        self.size, self.digest = size, digest

    def forget(self):
        """What is here is no policy any more."""
        self.flash.erase(self.base)
        self.flash.sync()
        self.size = 0

    def write(self, offset, data):
        sector = self.flash.sector
        at = self.data + offset
        while data:
            size = min(len(data), sector - at % sector)
            self._program(at, data[:size])
            data = data[size:]
            at += size
        self.flash.sync()

    def _program(self, address, data):
        self.flash.program(address, data + b"\xff" * (-len(data) % self.flash.unit))


def parsed(read, at, size):
    """The Policy in a payload of `size` bytes at an address of `read`. WireError: what is wrong with it."""
    from .wire import rules

    sys.modules.pop(rules.__name__, None)
    end = at + size
    head = read(at, min(size, rules.RULES_MAX + 8))
    if head[:1] != b"\x85":
        raise WireError("bad_policy", "lists")
    values, taken = cbor.item(head, 1)
    if taken > rules.RULES_MAX:
        raise WireError("policy_size", "rules")
    values = unpack(rules.RULES, values)
    lists = []
    at += 1 + taken
    for table in rules.LISTS[1:]:
        count, taken = cbor.array(read(at, min(9, end - at)))
        at += taken
        begin = at
        last = None
        for _ in range(count):
            row, taken = cbor.item(read(at, min(_ROW, end - at)))
            at += taken
            if not isinstance(row, list) or len(row) != table.count(";") or (last is not None and row[0] < last):
                raise WireError("bad_policy", "rows")
            unpack(table, dict(enumerate(row)))
            last = row[0]
        lists.append((begin, at, count))
    if at != end:
        raise WireError("bad_policy", "end")
    return Policy(values, GOOD, read, lists)


def _opened(slot, keys, agent_id, terminal_id, least):
    """In steps (wire/steps.py), the Policy in a slot that is whole. WireError: why it is none for us."""
    if slot.sums(slot.size)[0] != slot.digest:
        raise WireError("bad_policy", "digest")
    from .wire import cose

    try:
        signer, at, size = yield from cose.verifying_envelope(slot.read, slot.size, keys)
    finally:
        for name in (cose.__name__, cose.__name__.replace("cose", "es256")):
            sys.modules.pop(name, None)
    del cose  # the rules' page is loaded next: a board's heap has no room for both
    yield
    # read by the flash itself: through a method of ours this module could not be let go while the policy is in force
    policy = parsed(slot.flash.read, slot.data + at, size)
    values = policy.rules
    if values["version"] < least:
        raise WireError("policy_old", "version")
    if agent_id not in values.get("agents", (agent_id,)):
        raise WireError("policy_elsewhere", "agents")
    if terminal_id is not None and terminal_id not in values.get("terminals", (terminal_id,)):
        raise WireError("policy_elsewhere", "terminals")
    policy.digest, policy.signer, policy.size = slot.digest, signer, slot.size
    return policy


def load(flash, keys, history, own):
    """The Policy in force after a start. `own`: a board's rules; if it has any with an id they are a policy themselves."""
    best = None
    state = GOOD if "id" in own else ABSENT
    counter = history.counters.get(POLICY_VERSION, 0)
    if counter:  # there was one: it must not go back to the board's own
        state = ABSENT
    for number in (0, 1) if flash.size else ():
        slot = _Slot(flash, number)
        if slot.size and slot.size <= slot.room and slot.have() == slot.size:
            try:
                found = finished(_opened(slot, keys, history.agent_id, None, counter))
            except WireError as error:
                state = max(state, _state_of(error))
                continue
            if best is None or found.rules["version"] > best.rules["version"]:
                best = found
    if best is None:
        return Policy(own, state)
    _raise(history, counter, best)
    return best


def _raise(history, counter, policy):
    if policy.rules["version"] > counter:
        history.count(POLICY_VERSION, policy.rules["version"])


def _state_of(error):
    for state, name in _WRONG.items():
        if error.name == name:
            return state
    return DAMAGED


def answer(flash, agent):
    """{name: value} of POLICY_ANSWER."""
    policy = agent.policy
    told = {
        "state": policy.state,
        "room": _Slot(flash, 0).room if flash.size else 0,
        "counter": agent.history.counters.get(POLICY_VERSION, 0),
        "size": policy.size,
        "digest": policy.digest,
        "signer": policy.signer,
        "rows": [count for _, _, count in policy.lists],
    }
    for name in ("id", "version", "valid_from", "expires"):
        told[name] = policy.get(name)
    return told


def put(flash, keys, agent, asked):
    """One piece of a policy ({name: value} of POLICY_PUT_REQUEST): {name: value} of POLICY_ANSWER. When the last one is there
    it is verified and in force. WireError: why not; what was put is forgotten then."""
    return finished(putting(flash, keys, agent, asked))


def putting(flash, keys, agent, asked):
    """As `put`, in steps: a board verifies a signature for seconds."""
    if not flash.size:
        raise WireError("no_policy_room")
    size, digest = asked["size"], asked["digest"]
    policy = agent.policy
    if digest == policy.digest:
        told = answer(flash, agent)
        told["have"] = size
        return told
    slots = (_Slot(flash, 0), _Slot(flash, 1))
    slot = slots[0 if slots[1].digest == policy.digest else 1] if policy.digest else slots[0]
    if size > slot.room:
        raise WireError("policy_size")
    if slot.size != size or slot.digest != digest or asked.get("anew"):
        yield from slot.begin(size, digest)
    have = slot.have()
    data = asked.get("data")
    crc = None
    if data and asked["offset"] == have and have + len(data) <= size:
        if have + len(data) < size:  # whole units: a rest of one could not be told from what was cut
            data = data[: len(data) // flash.unit * flash.unit]
        slot.write(have, data)
        have += len(data)
    elif not data:
        crc = slot.sums(have)[1]
    if have == size:
        history = agent.history
        counter = history.counters.get(POLICY_VERSION, 0)
        try:
            terminal_id = agent.snapshot.get("terminal_id")
            fresh = yield from _opened(slot, keys, history.agent_id, terminal_id, counter + 1)
            yield
            _raise(history, counter, fresh)
        except WireError as error:
            slot.forget()
            agent.events.add("policy_refused", {"missing": error.name})
            raise
        agent.policy = fresh
        agent.events.add("policy_loaded", {"policy_id": fresh.get("id"), "policy_version": fresh.get("version")})
    told = answer(flash, agent)
    told["have"] = have
    told["crc"] = crc
    return told
