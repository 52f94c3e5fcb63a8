"""refundctl policy …, as a person types it: files, keys, signatures, and a push that survives every pulled cable."""

import getpass
import json
import os
import stat
from binascii import crc32
from hashlib import sha256

import cbor2
import pytest
from cwt import COSE, COSEKey
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from firmware_agent import policy_store
from firmware_agent.history import History
from firmware_agent.policy import ABSENT, Policy
from firmware_agent.wire import cose, errors, messages, seldom_messages
from firmware_agent.wire.messages import POLICY, POLICY_PUT
from hal.sim.flash import Flash
from host_tools import link, policy_pin, policy_push, policy_sign, policy_source, refundctl
from host_tools.policy_layout import PLACES

from . import test_policy_source
from .fake_agent import PULL, FakeAgent

CARD = "4111111111111111"
GOOD = test_policy_source.GOOD.replace("2026-12-31T20:00:00Z", "2099-12-31T20:00:00Z")


@pytest.fixture
def ctl(capsysbinary, monkeypatch):
    """Runs a command line: (exit status, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("REFUNDCTL_PORT", raising=False)

    def run(*words):
        status = refundctl.run([str(word) for word in words], {})
        out, err = capsysbinary.readouterr()
        assert b"Traceback" not in err and b"\x1b" not in out
        return status, out.decode(), err.decode()

    return run


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A folder with a source and a key; the present folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.toml").write_text(GOOD)
    policy_sign.write_key("key")
    return tmp_path


def one_line(text):
    return text.startswith("refundctl: ") and text.count("\n") == 1 and text.endswith("\n")


def trusted(line):
    """{key id: key} of a line as a device reads it (firmware_agent/trusted.py)."""
    kid, key = line.split()[:2]
    return {bytes.fromhex(kid): bytes.fromhex(key)}


def reader(data):
    return lambda at, size: data[at : at + size]


# ---- keys and signatures ----
def test_a_key_is_its_owners_alone_and_never_replaced(shop, ctl):
    status, out, err = ctl("--json", "policy", "key", "deployer.key")
    document = json.loads(out)
    assert (status, err) == (0, "") and stat.S_IMODE(os.stat("deployer.key").st_mode) == 0o600
    line = (shop / "deployer.key.pub").read_text()
    kid, key, name = line.split()
    assert (
        line.count("\n") == 1
        and document["line"] + "\n" == line
        and document["signer"] == kid
        and name == "deployer.key"
    )
    assert len(key) == 128 and kid == sha256(bytes.fromhex(key)).hexdigest()[:16]
    before = (shop / "deployer.key").read_bytes()
    for there in ("deployer.key", "key"):
        status, out, err = ctl("policy", "key", there)
        assert (status, out, one_line(err)) == (2, "", True)
    os.unlink("key")
    assert ctl("policy", "key", "key")[0] == 2  # its public part is there
    assert (shop / "deployer.key").read_bytes() == before
    assert ctl("policy", "key", "no/such/folder/key")[0] == 1


def test_a_built_policy_is_accepted_by_the_device_and_by_another_library(shop, ctl):
    status, out, err = ctl("--json", "policy", "build", "shop.toml", "--key", "key")
    document = json.loads(out)
    assert (status, err, document["file"]) == (0, "", "shop.policy")
    envelope = (shop / "shop.policy").read_bytes()
    line = (shop / "key.pub").read_text()
    kid, at, size = cose.verified(reader(envelope), len(envelope), trusted(line))
    assert (kid.hex(), envelope[at : at + size]) == (document["signer"], policy_source.read(GOOD).payload)
    assert policy_sign.opened(envelope) == (kid, envelope[at : at + size])
    x_y = trusted(line)[kid]
    key = COSEKey.new({1: 2, 2: kid, 3: -7, -1: 1, -2: x_y[:32], -3: x_y[32:]})
    assert COSE.new().decode(envelope, key) == envelope[at : at + size]
    tagged = cbor2.loads(envelope)
    assert tagged.tag == 18 and cbor2.loads(tagged.value[0]) == {1: -7, 4: kid} and tagged.value[1] == {}
    assert document["digest"] == sha256(envelope).hexdigest() and document["size"] == len(envelope)
    for at in range(0, len(envelope), 7):
        changed = bytearray(envelope)
        changed[at] ^= 1
        with pytest.raises(errors.WireError):
            cose.verified(reader(bytes(changed)), len(changed), trusted(line))


def test_the_same_source_and_key_make_the_same_file(shop, ctl):
    ctl("policy", "build", "shop.toml", "--key", "key")
    assert ctl("policy", "build", "shop.toml", "--key=key", "-o", "again.policy")[0] == 0
    assert (shop / "shop.policy").read_bytes() == (shop / "again.policy").read_bytes()
    assert sorted(os.listdir()) == ["again.policy", "key", "key.pub", "shop.policy", "shop.toml"]


def test_what_cannot_sign_is_one_clear_line_and_nothing_is_written(shop, ctl):
    (shop / "text").write_text("no key")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP384R1())
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (shop / "p384").write_bytes(other.private_bytes(*form, serialization.NoEncryption()))
    own = ec.generate_private_key(ec.SECP256R1())
    (shop / "locked").write_bytes(own.private_bytes(*form, serialization.BestAvailableEncryption(b"x")))
    for key in ("text", "p384", "locked", "gone", "key.pub", "."):
        status, out, err = ctl("policy", "build", "shop.toml", "--key", key)
        assert (status, out, one_line(err)) == (2, "", True), err
    status, out, err = ctl("policy", "build", "shop.toml")
    assert (status, out, one_line(err)) == (2, "", True) and "--key" in err
    assert not (shop / "shop.policy").exists()


def test_a_key_that_others_can_read_is_warned_of(shop, ctl):
    os.chmod("key", 0o644)
    (warning,) = json.loads(ctl("--json", "policy", "build", "shop.toml", "--key", "key")[1])["warnings"]
    assert warning["fault"] == "key_open" and "chmod" in warning["text"]


@pytest.mark.parametrize("out", ["shop.toml", "key", "key.pub", "."])
def test_a_build_replaces_nothing_but_a_built_policy(shop, ctl, out):
    before = {name: (shop / name).read_bytes() for name in os.listdir()}
    status, _, err = ctl("policy", "build", "shop.toml", "--key", "key", "-o", out)
    assert (status, one_line(err)) == (2, True)
    assert {name: (shop / name).read_bytes() for name in os.listdir()} == before


# ---- check ----
def test_check_lists_every_fault_with_its_place_and_ends_with_2(shop, ctl):
    status, out, err = ctl("policy", "check", "shop.toml")
    assert (status, err) == (0, "") and "shop-1" in out
    (shop / "shop.toml").write_text(GOOD.replace("version = 7", "version = x").replace("cap = 100", "kap = 100"))
    status, out, err = ctl("policy", "check", "shop.toml")
    lines = out.split("\n")
    assert (
        (status, err) == (2, "") and lines[0].startswith("shop.toml:4:11: ") and lines[1].startswith("shop.toml:36:1: ")
    )
    status, out, _ = ctl("--json", "--lang", "zh", "policy", "check", "shop.toml")
    document = json.loads(out)
    assert (status, document["good"], len(document["faults"])) == (2, False, 2)
    assert {name: document["faults"][1][name] for name in ("line", "column", "fault")} == {
        "line": 36,
        "column": 1,
        "fault": "unknown_key",
    }
    assert "cap" in document["faults"][1]["text"] and "没有设置" in document["faults"][1]["text"]
    for command in (["build", "shop.toml", "--key", "key"], ["show", "shop.toml"], ["diff", "shop.toml", "shop.toml"]):
        status, out, err = ctl("policy", *command)
        assert (status, out, one_line(err)) == (2, "", True) and "shop.toml:4:11" in err and "1 more" in err


def test_warnings_do_not_keep_a_policy_from_being_built(shop, ctl):
    text = GOOD.replace('name = "Bob"', 'name = "Bob"\npin = "4321"').replace("2099-12-31T20:00:00Z", "2026-01-02")
    (shop / "shop.toml").write_text(text)
    status, out, _ = ctl("--json", "policy", "check", "shop.toml")
    document = json.loads(out)
    assert (status, document["good"]) == (0, True)
    assert [warning["fault"] for warning in document["warnings"]] == ["plain_pin", "expired"]
    assert "4321" not in out
    status, out, _ = ctl("policy", "build", "shop.toml", "--key", "key")
    assert status == 0 and "shop.toml:80:1:" in out and "shop.policy" in out


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'[policy]\nid = "\xff"\n', "shop.toml:2:7"),
        ('[policy]\nid = "é'.encode("latin-1"), "shop.toml:2:7"),
        (b"\xef\xbb\xbf[policy]\nx = 1\n", "shop.toml:2:1"),
        (b"", "shop.toml:1:1"),
    ],
)
def test_a_file_that_is_no_text_is_said_with_its_place(shop, ctl, data, says):
    (shop / "shop.toml").write_bytes(data)
    status, out, err = ctl("policy", "check", "shop.toml")
    assert (status, err) == (2, "") and says in out


def test_lines_that_end_as_windows_ends_them_are_as_good(shop):
    assert policy_source.read(GOOD.replace("\n", "\r\n")).payload == policy_source.read(GOOD).payload


@pytest.mark.parametrize(
    "words", [["check", "x"], ["build", "x", "--key", "key"], ["show", "x"], ["push", "x"], ["diff", "x", "x"]]
)
def test_a_file_that_is_not_there_is_one_clear_line(shop, ctl, words):
    for more in ([], ["--lang", "zh"], ["--json"]):
        status, out, err = ctl(*more, "policy", *words)
        assert (status, out, one_line(err)) == (2, "", True)


# ---- new ----
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_new_policy_is_good_and_nothing_is_overwritten(shop, ctl, language):
    words = ["--lang", language, "policy"]
    status, out, err = ctl(*words, "new", "fresh.toml", "--platform", "wechat,square", "--platform", "vipps")
    assert (status, err) == (0, "") and "fresh.toml" in out
    assert ctl(*words, "check", "fresh.toml")[0] == 0
    before = (shop / "fresh.toml").read_text()
    assert ("# 策略" in before or "策略" in before) == (language == "zh")
    status, out, err = ctl(*words, "new", "fresh.toml")
    assert (status, out, one_line(err)) == (2, "", True) and (shop / "fresh.toml").read_text() == before
    status, out, err = ctl(*words, "new", "other.toml", "--platform", "wehcat")
    assert (status, one_line(err)) == (2, True) and "wechat" in err and not (shop / "other.toml").exists()


# ---- show and diff ----
@pytest.mark.parametrize("language", ["en", "zh"])
def test_show_says_all_a_policy_says_within_80_columns(shop, ctl, language):
    ctl("policy", "build", "shop.toml", "--key", "key")
    for file in ("shop.toml", "shop.policy"):
        status, out, err = ctl("--lang", language, "policy", "show", file)
        assert (status, err) == (0, "")
        assert all(cell_len(line) <= 80 for line in out.split("\n"))
        for said in (
            "[limits]",
            "2,000.50 EUR",
            "[scheme.any]",
            "sat sun 01:00-03:30 UTC",
            "0.921345",
            "bank_maintenance",
            "Ann",
            "2099-12-31 20:00 UTC",
            "231 2026-05-30",
            "5,000 JPY",
            "network_down",
            "hold",
        ):
            assert said in out, said
        assert "33f37b5a" not in out and "00112233" not in out
        document = json.loads(ctl("--json", "policy", "show", file)[1])
        assert (document["id"], document["rules"]["daily_limit"], len(document["sales"])) == ("shop-1", 200050, 2)
        assert document["people"][0].keys() == {"name", "role", "trained_until"}
        assert (document["signer"] is None) == (file == "shop.toml")


def test_every_setting_is_shown(shop, ctl):
    ctl("policy", "new", "all.toml", "--platform", "wechat")
    text = test_policy_source.uncommented((shop / "all.toml").read_text())
    (shop / "all.toml").write_text(text)
    assert ctl("policy", "show", "all.toml")[0] == 0
    parts = json.loads(ctl("--json", "policy", "show", "all.toml")[1])["parts"]
    shown = {(part["section"], part["key"]) for part in parts}
    told_by_row = {"receipt", "date", "name", "currency"}
    for places in PLACES.values():
        for place in places.values():
            if not place.aid and place.section not in ("codes", "maintenance") and place.key != "salt":
                assert (place.section, place.key) in shown or place.key in told_by_row, place.said


def test_many_rows_are_shown_shortened_and_told_in_full_with_json(shop, ctl):
    rows = "".join(f"\n[[sale]]\nreceipt = {n}\ndate = 2026-05-01\namount = 1.00\n" for n in range(300, 400))
    (shop / "shop.toml").write_text(GOOD + rows)
    assert "90 more" in ctl("policy", "show", "shop.toml")[1]
    assert len(json.loads(ctl("--json", "policy", "show", "shop.toml")[1])["sales"]) == 102


CHANGES = [
    ("daily_limit = 2000.50", "daily_limit = 2500.00", "[limits] daily_limit: 2,000.50 EUR -> 2,500.00 EUR"),
    ("daily_limit = 2000.50\n", "", "[limits] daily_limit removed: 2,000.50 EUR"),
    ("version = 7", "version = 10000", "[policy] version: 7 -> 10000"),
    ("window_days = 180", "max_partial = 3", "[scheme.visa] window_days removed: 180"),
    ("cap = 100\n", "cap = 90\n", "[scheme.any] cap: 100.00 EUR -> 90.00 EUR"),
    ("[scheme.visa]", "[scheme.wechat]", "[scheme.visa] removed: cap 500.00 EUR, window_days 180"),
    ("rate = 0.921345", "rate = 0.93", "[[rate]] USD 2026-06-01 rate: 0.921345 -> 0.93"),
    ("end = 04:30", "end = 04:00", "[[maintenance]] sat sun 01:00-03:30 UTC removed"),
    ('91 = "bank_maintenance"', "91 = 15", "[codes] 91: bank_maintenance -> network_down"),
    ('default = "warn"', 'default = "hold"', "[unknown] default: warn -> hold"),
    ('network_down = "hold"', "", "[unknown] network_down removed: hold"),
    ('pin_hash = "33f3', 'pin_hash = "33f4', "[[person]] Ann pin_hash: another one"),
    ('name = "Bob"', 'name = "Eve"', "[[person]] Eve added: role cashier"),
    ("amount = 50.00", "amount = 51.00", "[[sale]] 231 2026-05-30 amount: 50.00 EUR -> 51.00 EUR"),
    (
        "receipt = 17\n",
        "receipt = 18\n",
        "[[sale]] 18 2026-05-30 added: amount 5,000 JPY",
    ),
    ("gate_open = false", "gate_open = true", "[gate] gate_open: false -> true"),
    ('account_state = "open"', 'account_state = "frozen"', "[account] account_state: open -> frozen"),
]


@pytest.mark.parametrize(("old", "new", "said"), CHANGES)
def test_diff_says_in_words_what_differs(shop, ctl, old, new, said):
    ctl("policy", "build", "shop.toml", "--key", "key")
    assert old in GOOD
    (shop / "new.toml").write_text(GOOD.replace(old, new, 1))
    for side in ("shop.toml", "shop.policy"):
        document = json.loads(ctl("--json", "policy", "diff", side, "new.toml")[1])
        assert said in [change["text"] for change in document["changes"]] and not document["same"]
    for language in ("en", "zh"):
        status, out, err = ctl("--lang", language, "policy", "diff", "shop.policy", "new.toml")
        assert (status, err) == (0, "") and all(cell_len(line) <= 80 for line in out.split("\n"))
    back = json.loads(ctl("--json", "policy", "diff", "new.toml", "shop.toml")[1])["changes"]
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted(turned[change["change"]] for change in back) == sorted(
        change["change"] for change in document["changes"]
    )


def test_two_policies_that_say_the_same_differ_in_nothing(shop, ctl):
    ctl("policy", "build", "shop.toml", "--key", "key")
    status, out, _ = ctl("--json", "policy", "diff", "shop.policy", "shop.toml")
    document = json.loads(out)
    assert (status, document["same"], document["changes"]) == (0, True, [])


def test_another_currency_changes_what_all_money_is_worth(shop, ctl):
    (shop / "new.toml").write_text(GOOD.replace('currency = "EUR"', 'currency = "USD"'))
    said = [
        change["text"] for change in json.loads(ctl("--json", "policy", "diff", "shop.toml", "new.toml")[1])["changes"]
    ]
    assert "[policy] currency: EUR -> USD" in said and "[scheme.any] cap: 100.00 EUR -> 100.00 USD" in said


# ---- files that somebody made ----
def nonsense(envelope):
    kid, payload = policy_sign.opened(envelope)
    return {
        "cut": envelope[:-1],
        "long": envelope + b"x",
        "half": envelope[: len(envelope) // 2],
        "one": envelope[:1],
        "array": b"\x84" + bytes(40),
        "payload": envelope.replace(payload[:40], bytes(40)),
        "key": (kid or b"") * 5,
    }


@pytest.mark.parametrize("kind", ["cut", "long", "half", "one", "array", "payload"])
def test_a_damaged_built_policy_is_one_clear_line(shop, ctl, kind):
    ctl("policy", "build", "shop.toml", "--key", "key")
    (shop / "bad.policy").write_bytes(nonsense((shop / "shop.policy").read_bytes())[kind])
    for words in (["show", "bad.policy"], ["diff", "bad.policy", "shop.toml"]):
        for more in ([], ["--json"], ["--lang", "zh"]):
            status, out, err = ctl(*more, "policy", *words)
            assert (status, out, one_line(err)) == (1, "", True), err
    status, out, err = ctl("policy", "check", "shop.policy")
    assert (status, one_line(err)) == (2, True) and "policy show" in err


def test_a_card_number_in_somebodys_payload_is_not_shown(shop, ctl):
    source = policy_source.read(GOOD)
    source.rules["support"] = f"call {CARD}"
    from host_tools import policy_payload

    pem = (shop / "key").read_bytes()
    (shop / "bad.policy").write_bytes(policy_sign.sign(policy_payload.write(source.contents), pem))
    status, out, err = ctl("policy", "show", "bad.policy")
    assert (status, out, one_line(err)) == (1, "", True) and CARD not in err


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_bytes_are_opened_nothing_breaks(data):
    from host_tools import policy_payload

    payload = bytearray(policy_source.read(GOOD).payload)
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))
    try:
        contents = policy_payload.read(bytes(payload))
    except policy_payload.NoPayload:
        return
    from host_tools import policy_documents
    from host_tools.texts import Texts

    policy_documents.shown(Texts("en"), "x", contents, bytes(payload))
    policy_documents.compared(Texts("zh"), ("x", contents), ("y", policy_source.read(GOOD).contents))


# ---- the command line ----
def test_names_of_files_may_hold_long_numbers_and_a_card_number_is_refused(shop, ctl):
    name = f"shop-{CARD}.toml"
    (shop / name).write_text(GOOD)
    for words in (
        ["check", name],
        ["show", name],
        ["diff", name, name],
        ["build", name, "--key", "key", "-o", "20261231235959.policy"],
    ):
        assert ctl("policy", *words)[0] == 0
    for words in (
        ["check", CARD],
        ["new", "x.toml", "--platform", CARD],
        ["pin", "--rounds", CARD],
        ["build", "shop.toml", "--key", CARD],
        ["pin", CARD],
    ):
        status, out, err = ctl("policy", *words)
        assert (status, out, one_line(err)) == (2, "", True) and CARD not in err
    status, _, err = ctl("policy")
    assert (status, one_line(err)) == (2, True) and "check" in err
    status, _, err = ctl("policy", "chekc", "x")
    assert (status, one_line(err)) == (2, True) and "check" in err


@pytest.mark.parametrize("command", ["new", "check", "build", "show", "diff", "push", "key", "pin"])
def test_every_command_explains_itself_in_both_languages(ctl, command):
    for language in ("en", "zh"):
        status, out, _ = ctl("--lang", language, "policy", command, "--help")
        assert status == 0 and "Usage" in out
        assert any("\u4e00" <= char <= "\u9fff" for char in out) == (language == "zh")


def test_a_pin_is_asked_for_twice_and_only_its_hash_is_printed(shop, ctl, monkeypatch):
    typed = iter(["2580", "2580", "2580", "2581", "12", "12", "", "", "2580", "2580"])
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(typed))
    status, out, err = ctl("policy", "pin")
    assert status == 0 and "2580" not in out + err
    salt, hashed = (line.split('"')[1] for line in out.strip().split("\n"))
    assert bytes.fromhex(hashed) == policy_pin.hashed(bytes.fromhex(salt), "2580", 1000)
    text = GOOD.replace('name = "Bob"', f'name = "Bob"\n{out}')
    assert policy_source.read(text).people[1][3] == bytes.fromhex(salt)
    for _ in range(3):
        status, out, err = ctl("policy", "pin")
        assert (status, out, one_line(err)) == (2, "", True) and "25" not in err
    document = json.loads(ctl("--json", "policy", "pin", "--rounds", "7")[1])
    assert bytes.fromhex(document["pin_hash"]) == policy_pin.hashed(bytes.fromhex(document["salt"]), "2580", 7)


# ---- push ----
class Clock:
    def wall_s(self):
        return 1_795_388_400


class Events:
    def __init__(self):
        self.all = []

    def add(self, name, numbers):
        self.all.append(name)


class Device:
    """What keeps policies on a board: the agent's own code over a simulated flash."""

    def __init__(self, line):
        self.keys = trusted(line)
        self.flash = Flash(None, 32 * 4096, 4096, 4)
        self.history = History(Flash(None, 16 * 4096, 4096, 4), Clock())
        self.policy = Policy({}, ABSENT)
        self.snapshot = {}
        self.events = Events()

    def put(self, asked):
        return policy_store.put(self.flash, self.keys, self, asked)

    def there(self, asked=None):
        return policy_store.answer(self.flash, self)

    def restart(self):
        self.policy = policy_store.load(self.flash, self.keys, self.history, {})


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(link, "ANSWER_S", 0.3)
    monkeypatch.setattr(link, "REOPEN_S", 0.01)
    monkeypatch.setattr(policy_push, "PATIENCE_S", 1)


@pytest.fixture
def device(shop):
    rows = "".join(f"\n[[sale]]\nreceipt = {n}\ndate = 2026-05-01\namount = 1.00\n" for n in range(300, 400))
    (shop / "shop.toml").write_text(GOOD + rows)
    (shop / "shop.policy").write_bytes(
        policy_sign.sign(policy_source.read(GOOD + rows).payload, (shop / "key").read_bytes())
    )
    return Device((shop / "key.pub").read_text())


@pytest.fixture
def agent(tmp_path, device):
    with FakeAgent(tmp_path) as fake:
        fake.agent_id = device.history.agent_id
        fake.answers[POLICY] = device.there
        fake.answers[POLICY_PUT] = device.put
        yield fake


@pytest.fixture
def on(ctl, agent):
    return lambda *words: ctl("--port", agent.port, *words)


def test_a_pushed_policy_is_in_force_and_pushed_once(shop, device, agent, on):
    status, out, err = on("policy", "show")
    assert (status, err) == (0, "") and "no policy" in out
    status, out, err = on("--json", "policy", "push", "shop.policy")
    document = json.loads(out)
    envelope = (shop / "shop.policy").read_bytes()
    assert (status, err, document["sent"], document["already"]) == (0, "", len(envelope), False)
    assert (document["state"], document["id"], document["version"]) == ("good", "shop-1", 7)
    assert document["digest"] == sha256(envelope).hexdigest() and document["rows"]["sales"] == 102
    assert device.policy.rules["daily_limit"] == 200050
    pieces = [asked for asked in agent.requests(POLICY_PUT) if "data" in asked]
    assert len(pieces) == -(-len(envelope) // policy_push.PIECE) and all(len(asked["data"]) <= 512 for asked in pieces)
    document = json.loads(on("--json", "policy", "push", "shop.policy")[1])
    assert (document["sent"], document["already"]) == (0, True)
    for language, said in (("en", "in force"), ("zh", "正在生效")):
        for words in (["show"], ["push", "shop.policy"]):
            status, out, _ = on("--lang", language, "policy", *words)
            assert status == 0 and said in out and all(cell_len(line) <= 80 for line in out.split("\n"))


def test_a_source_is_built_and_pushed_in_one(shop, device, on):
    assert on("policy", "push", "shop.toml", "--key", "key")[0] == 0
    assert device.policy.digest == sha256((shop / "shop.policy").read_bytes()).digest()
    status, out, err = on("policy", "push", "shop.toml")
    assert (status, out, one_line(err)) == (2, "", True) and "--key" in err


def test_a_cable_pulled_at_every_piece_is_survived(shop, device, agent, on):
    total = -(-len((shop / "shop.policy").read_bytes()) // policy_push.PIECE) + 1
    asked_of = []

    def pulled(asked):
        """Before the agent has it at the odd times, behind it at the even ones."""
        asked_of.append(asked)
        if len(asked_of) % 3 == 1:
            return PULL
        answer = device.put(asked)
        return PULL if len(asked_of) % 3 == 2 else answer

    agent.answers[POLICY_PUT] = pulled
    agent.away_s = 0.02
    status, out, err = on("--json", "policy", "push", "shop.policy")
    assert (status, err) == (0, "") and json.loads(out)["state"] == "good"
    assert device.policy.digest == sha256((shop / "shop.policy").read_bytes()).digest()
    assert len(asked_of) > 2 * total and device.events.all == ["policy_loaded"]


def test_a_push_that_was_cut_goes_on_from_any_piece(shop, ctl, tmp_path_factory):
    """The link is lost for good after each number of requests; the same command goes on, also after the agent restarted."""
    source = GOOD + "".join(f"\n[[sale]]\nreceipt = {n}\ndate = 2026-05-01\namount = 1.00\n" for n in range(300, 380))
    envelope = policy_sign.sign(policy_source.read(source).payload, (shop / "key").read_bytes())
    (shop / "shop.policy").write_bytes(envelope)
    pieces = -(-len(envelope) // policy_push.PIECE)
    for cut in range(1, pieces + 1):
        device = Device((shop / "key.pub").read_text())
        done = _push(device, envelope, stop=cut)
        assert done == "stopped"
        device.restart()
        assert _push(device, envelope) == len(envelope) - policy_push.PIECE * (cut - 1)
        assert device.policy.digest == sha256(envelope).digest()


class Direct:
    """A link that hands requests to a device; `stop`: it is lost for good at this one."""

    port = "direct"

    def __init__(self, device, stop=None):
        self.device, self.stop, self.asked = device, stop, 0

    def ask(self, command, values=None, seconds=None):
        if command == messages.STATUS:
            return {"agent_id": "5eed1234"}
        if self.asked == self.stop:
            raise link.LinkLost(port=self.port)
        self.asked += 1
        try:
            return self.device.put(
                messages.unpack(
                    seldom_messages.POLICY_PUT_REQUEST, messages.pack(seldom_messages.POLICY_PUT_REQUEST, values)
                )
            )
        except errors.WireError as error:
            raise link.AgentError(error.rc, error.field)

    def reopen(self, deadline):
        return False


def _push(device, envelope, stop=None):
    """Bytes sent, or "stopped"."""
    try:
        return policy_push.push(Direct(device, stop), envelope, lambda done, total: None)[1]
    except policy_push.PushLost:
        return "stopped"


def test_what_was_left_of_another_policy_is_not_taken_for_this_one(shop, device):
    envelope = (shop / "shop.policy").read_bytes()
    changed = bytearray(envelope)
    changed[300] ^= 1
    head = {"size": len(envelope), "digest": sha256(envelope).digest(), "offset": 0}
    device.put(head)
    device.put({**head, "data": bytes(changed[:512])})
    assert device.put(head)["crc"] == crc32(changed[:512])
    assert _push(device, envelope) == len(envelope)  # begun anew
    assert device.policy.digest == sha256(envelope).digest()


def test_what_turned_over_in_the_memory_meanwhile_is_sent_once_more(shop, device):
    envelope = (shop / "shop.policy").read_bytes()

    class Turns(Direct):
        def ask(self, command, values=None, seconds=None):
            if self.asked == 3 and command == POLICY_PUT:
                self.device.flash.program(policy_store._Slot(self.device.flash, 0).data + 8, bytes(4))
            return super().ask(command, values)

    assert policy_push.push(Turns(device), envelope, lambda done, total: None)[1] == 2 * len(envelope)
    assert device.policy.digest == sha256(envelope).digest()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda text: text.replace("version = 7", "version = 6"), "policy_old"),
        (
            lambda text: text.replace('terminals = ["52500041", "52500042"]', 'agents = ["00000000"]').replace(
                "= 7", "= 8"
            ),
            "policy_elsewhere",
        ),
        (
            lambda text: (
                text + "".join(f"\n[[chargeback]]\nreceipt = {n}\ndate = 2026-05-01\n" for n in range(1, 9000))
            ),
            "policy_size",
        ),
    ],
)
def test_a_policy_that_is_refused_says_why_and_the_one_before_stays(shop, device, on, change, name):
    assert on("policy", "push", "shop.policy")[0] == 0
    (shop / "shop.toml").write_text(change(GOOD))
    said = set()
    for language in ("en", "zh"):
        status, out, err = on("--lang", language, "policy", "push", "shop.toml", "--key", "key")
        assert (status, out, one_line(err)) == (4, "", True), err
        said.add(err)
    assert len(said) == 2 and device.policy.rules["version"] == 7
    assert ("policy_refused" in device.events.all) == (name != "policy_size")


def test_a_policy_of_a_strangers_key_is_refused(shop, device, on):
    policy_sign.write_key("stranger")
    status, out, err = on("policy", "push", "shop.toml", "--key", "stranger")
    assert (status, out, one_line(err)) == (4, "", True) and "signature" in err and device.policy.state == ABSENT


def test_another_agent_behind_the_cable_gets_nothing(shop, device, agent, on):
    def swapped(asked):
        agent.agent_id = "0badcafe"
        return PULL

    agent.answers[POLICY_PUT] = swapped
    status, out, err = on("policy", "push", "shop.policy")
    assert (status, out, one_line(err)) == (5, "", True) and "another agent" in err


def test_a_link_that_stays_away_ends_the_push_with_5(shop, agent, on, monkeypatch):
    monkeypatch.setattr(policy_push, "PATIENCE_S", 0.1)
    agent.away_s = 1.5
    agent.answers[POLICY_PUT] = lambda asked: PULL
    status, out, err = on("policy", "push", "shop.policy")
    assert (status, out, one_line(err)) == (5, "", True) and "same command" in err


def test_an_agent_that_takes_nothing_ends_the_push(shop, device, agent, on):
    agent.answers[POLICY_PUT] = lambda asked: {**device.there(), "have": 0, "crc": 0}
    status, out, err = on("policy", "push", "shop.policy")
    assert (status, out, one_line(err)) == (1, "", True)
    assert len(agent.requests(POLICY_PUT)) < 10


def test_an_agent_without_room_or_without_policies_is_said(shop, agent, on):
    def none(asked):
        raise errors.WireError("no_policy_room")

    agent.answers[POLICY_PUT] = none
    status, out, err = on("policy", "push", "shop.policy")
    assert (status, out, one_line(err)) == (4, "", True) and "no memory" in err


def test_a_policy_that_expired_is_not_called_in_force(shop, device, agent, on):
    agent.answers[POLICY] = lambda asked: {
        **device.there(),
        "state": 0,
        "digest": bytes(32),
        "version": 1,
        "id": "s",
        "expires": 5,
        "valid_from": 1,
    }
    assert "expired" in on("policy", "show")[1]
    for state, said in ((2, "damaged"), (3, "older"), (4, "another terminal")):
        agent.answers[POLICY] = lambda asked, state=state: {**device.there(), "state": state}
        assert said in on("policy", "show")[1]
