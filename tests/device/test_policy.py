"""The policy on the device: put piece by piece, cut at any byte, verified, replaced in one step, never rolled back."""

from binascii import crc32, unhexlify
from hashlib import sha256

from firmware_agent import policy_store
from firmware_agent.history import History
from firmware_agent.policy import ABSENT, DAMAGED, GOOD, OLD, Policy
from firmware_agent.snapshot import Snapshot
from firmware_agent.wire.bodies import POLICY_VERSION
from firmware_agent.wire.errors import WireError
from firmware_agent.wire.lists import CHARGEBACKS, DISPUTES, PEOPLE, SALES
from firmware_agent.wire.messages import HOLD, PASS, WARN
from hal import none
from hal.said import PowerCut
from hal.sim.flash import Flash

from . import policies
from .bench import Clock, Paged

HEAP = "256k"

KEYS = {unhexlify(policies.KID): unhexlify(policies.KEY)}
V7, V8 = unhexlify(policies.V7), unhexlify(policies.V8)
PIECE = 256
OWN = {"id": "board"}


class Events:
    def __init__(self):
        self.said = []

    def add(self, name, numbers=None):
        self.said.append(name)


class Board:
    """What of an agent a policy concerns; `boot` again to start it anew on the same flash."""

    def __init__(self, unit=4):
        self.policy_flash = Flash(None, 8192, 2048, unit)
        self.flash = Paged()
        self.clock = Clock()
        self.boot()

    def boot(self):
        self.history = History(self.flash, self.clock)
        self.history.agent_id = "12345678"
        self.events = Events()
        self.snapshot = Snapshot(self.clock)
        self.policy = policy_store.load(self.policy_flash, KEYS, self.history, {})
        return self

    @property
    def version(self):
        return self.policy.get("version")

    def piece(self, envelope, offset=0, data=None, anew=None):
        asked = {
            "size": len(envelope),
            "digest": sha256(envelope).digest(),
            "offset": offset,
            "data": data,
            "anew": anew,
        }
        return policy_store.put(self.policy_flash, KEYS, self, asked)

    def put(self, envelope):
        """As refundctl does: begin, see what is there, go on with that."""
        told = self.piece(envelope)
        have = told["have"]
        if told.get("crc") is not None and told["crc"] != crc32(envelope[:have]):
            have = self.piece(envelope, anew=True)["have"]
        while have < len(envelope):
            before = have
            have = self.piece(envelope, have, envelope[have : have + PIECE])["have"]
            assert have > before
        return self

    def refused(self, envelope):
        try:
            self.put(envelope)
        except WireError as error:
            return error.name
        return None


def test_a_signed_policy_is_in_force_with_its_last_piece_and_after_a_restart():
    board = Board()
    assert board.policy.state == ABSENT and board.version is None
    board.put(V7)
    for _ in range(2):
        assert board.policy.state == GOOD and board.version == 7 and board.policy.get("id") == "shop-12"
        assert board.policy.digest == sha256(V7).digest() and board.policy.signer == unhexlify(policies.KID)
        assert board.history.counters[POLICY_VERSION] == 7
        board.boot()
    assert policy_store.answer(board.policy_flash, board)["rows"] == [3, 1, 1, 2]


def test_rows_are_found_by_their_first_field_and_sales_by_their_date():
    policy = Board().put(V7).policy
    assert policy.sale(231, None)[2] == 2500 and policy.sale(231, 20261119)[2] == 1999
    assert policy.sale(231, 20261121) is None and policy.sale(230, None) is None and policy.sale(9, None) is None
    assert [row[2] for row in policy.rows(SALES, 7)] == [5000]
    assert [row[2] for row in policy.rows(DISPUTES, 9)] == [1] and list(policy.rows(DISPUTES, 7)) == []
    assert len(list(policy.rows(CHARGEBACKS, 10))) == 1 and list(policy.rows(CHARGEBACKS, 9)) == []
    assert policy.person("anna")[1] == "boss" and policy.person("carl") is None and policy.person("") is None
    assert policy.role("boss")["limit"] == 100000 and policy.role("chef") == {}
    assert list(Policy({}).rows(PEOPLE, "anna")) == []


def test_a_higher_version_takes_its_place_and_an_older_or_equal_one_is_refused():
    board = Board().put(V7).put(V8)
    assert board.version == 8
    assert board.refused(V7) == "policy_old" and board.version == 8
    assert board.boot().version == 8
    board.put(V8)  # the one in force is there already
    assert board.version == 8 and "policy_refused" not in board.events.said


def test_what_is_not_for_us_is_refused_and_the_policy_in_force_stays():
    board = Board().put(V7)
    assert board.refused(unhexlify(policies.FOREIGN)) == "bad_signature"
    assert board.refused(unhexlify(policies.ELSEWHERE)) == "policy_elsewhere"
    assert board.refused(unhexlify(policies.NO_POLICY)) in ("missing", "bad_policy")
    board.snapshot.put("terminal_id", "52001233")
    assert board.refused(unhexlify(policies.OTHER_TERMINAL)) == "policy_elsewhere"
    assert board.refused(V8 + b"\0") == "bad_message"
    assert board.refused(V8[:-1]) == "bad_message"
    assert board.refused(b"\xd2\x84" + b"\0" * 5000) == "policy_size"
    altered = bytearray(V8)
    altered[len(altered) // 2] ^= 1
    assert board.refused(bytes(altered)) == "bad_signature"
    assert board.version == 7 and board.boot().version == 7
    board.put(V8)
    assert board.version == 8


def test_bytes_that_are_not_those_announced_are_refused():
    board = Board().put(V7)
    digest = sha256(V8).digest()
    try:
        for at in range(0, len(V8), PIECE):
            data = V8[at : at + PIECE] if at else b"\0" * PIECE
            policy_store.put(
                board.policy_flash, KEYS, board, {"size": len(V8), "digest": digest, "offset": at, "data": data}
            )
        raise AssertionError("taken")
    except WireError as error:
        assert error.name == "bad_policy"
    assert board.put(V8).version == 8


def test_a_piece_in_the_wrong_place_is_not_taken_and_the_answer_says_where_to_go_on():
    board = Board()
    assert board.piece(V7)["have"] == 0
    assert board.piece(V7, 400, V7[400:600])["have"] == 0
    assert board.piece(V7, 0, V7[:203])["have"] == 200  # whole units
    assert board.piece(V7, 0, V7[:200])["have"] == 200
    told = board.piece(V7)
    assert told["have"] == 200 and told["crc"] == crc32(V7[:200])
    board.boot()  # the link was lost and the power too
    assert board.piece(V7)["have"] == 200
    assert board.put(V7).version == 7


def test_a_cut_after_any_byte_leaves_the_old_policy_or_the_new_one_and_the_push_goes_on():
    for unit in (4, 256):
        begun = Board(unit).put(V7)
        memory = bytes(begun.policy_flash._memory)
        journal = begun.flash
        cuts = 0
        after = 0
        while True:
            board = Board(unit)
            board.policy_flash = Flash(None, 8192, 2048, unit, memory=bytearray(memory))
            board.flash = _copy(journal)
            board.boot()
            board.policy_flash.cut_after = after
            board.policy_flash.half_erased = after * 7 % 2048
            try:
                board.put(V8)
                break
            except PowerCut:
                cuts += 1
            board.policy_flash.cut_after = None
            board.boot()
            assert board.policy.state == GOOD and board.version in (7, 8), (unit, after)
            assert board.put(V8).version == 8 and board.boot().version == 8, (unit, after)
            after += 1 if unit == 4 and after < 64 else 37  # the head byte by byte
        assert cuts > 10


def test_a_cut_in_the_journal_between_verifying_and_using_counts_the_version_at_the_next_start():
    begun = Board().put(V7)
    for after in range(0, 60, 3):
        board = Board()
        board.policy_flash = Flash(None, 8192, 2048, 4, memory=bytearray(begun.policy_flash._memory))
        board.flash = _copy(begun.flash)
        board.boot()
        board.flash.cut_after = after
        try:
            board.put(V8)
        except PowerCut:
            pass
        board.flash.cut_after = None
        board.boot()
        assert board.version == 8 and board.history.counters[POLICY_VERSION] == 8


def test_a_flash_put_back_to_an_older_policy_is_seen():
    board = Board().put(V7)
    old = bytes(board.policy_flash._memory)
    board.put(V8)
    board.policy_flash = Flash(None, 8192, 2048, 4, memory=bytearray(old))
    board.boot()
    assert board.policy.state == OLD and board.version is None


def test_every_bit_that_turns_over_in_flash_takes_the_policy_out_of_force():
    board = Board().put(V7)
    good = bytes(board.policy_flash._memory)
    base = 2048 * 2 if board.policy_flash.read(0, 4) != b"RFP1" else 0
    for bit in range(0, (44 + len(V7)) * 8, 41):
        memory = bytearray(good)
        memory[base + bit // 8] ^= 1 << bit % 8
        board.policy_flash = Flash(None, 8192, 2048, 4, memory=memory)
        board.boot()
        assert board.policy.state in (ABSENT, DAMAGED), bit
    board.policy_flash = Flash(None, 8192, 2048, 4, memory=bytearray(good))
    assert board.boot().version == 7


def test_a_board_without_memory_for_policies_says_so_and_keeps_its_own_rules():
    board = Board()
    board.policy_flash = none.Flash()
    assert policy_store.load(board.policy_flash, KEYS, board.history, OWN).state == GOOD
    assert policy_store.load(board.policy_flash, KEYS, board.history, {}).state == ABSENT
    assert board.refused(V7) == "no_policy_room"


def test_a_board_that_had_a_signed_policy_does_not_go_back_to_its_own_rules():
    board = Board().put(V7)
    board.policy_flash = Flash(None, 8192, 2048, 4)
    assert policy_store.load(board.policy_flash, KEYS, board.history, OWN).state == ABSENT


def test_a_rule_that_is_missing_has_a_default_or_is_none():
    policy = Policy({"max_age_ms": 5})
    assert policy.get("max_age_ms") == 5 and policy.get("code_window_s") == 900 and policy.get("daily_limit") is None
    schemes = Policy({"schemes": [{"name": "*", "cap": 1}, {"name": "visa", "cap": 2}]})
    assert schemes.scheme("visa")["cap"] == 2 and schemes.scheme("amex")["cap"] == schemes.scheme(None)["cap"] == 1
    assert Policy({}).scheme("visa") == {}
    assert (Policy({}).unknown_is(4), Policy({}).unknown_is(1)) == (WARN, HOLD)
    assert Policy({"unknown": {0: PASS}}).unknown_is(4) == PASS


def _copy(flash):
    other = Paged()
    other._pages = {number: bytearray(page) for number, page in flash._pages.items()}
    return other
