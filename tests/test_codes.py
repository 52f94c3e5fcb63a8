"""Every response code leads to its cause through a whole pre-flight, and one that no table lists is never GO."""

import random

from boards.scenario import ATTESTATIONS
from firmware_agent.wire.messages import PASS, UNKNOWN
from hal.terminals import field39

from .device.test_response_codes import HOST, ZVT, listed
from .scenes import base, played

# A terminal that is not ready to receive is at work (9). The same byte as the result of a refund: its host is away (15).
AT_WORK = {0xA0: 9}


def told(code):
    """What a pre-flight says after the host answered a code, on a person's word."""
    scene = base()
    words = [ATTESTATIONS.index("host_code"), 231, 1, "anna", "supervisor", code, None]
    scene["history"].append({"do": "attest", "words": words, "wall_s": scene["wall_s"] - 60})
    return played(scene)


def shown(code):
    """The same while the terminal shows a status byte."""
    scene = base()
    scene["terminal"]["code"] = code
    return played(scene)


def test_every_status_of_the_terminal_leads_to_its_cause(record_count):
    codes = {int(code, 16): cause for code, cause in listed(ZVT).items()}
    for code, cause in codes.items():
        answer = shown(code)
        cause = AT_WORK.get(code, cause)
        assert answer.statuses.get(cause, PASS) not in (PASS, UNKNOWN), f"{code:02X}"
        assert answer.evidence[cause]["result_code"] in (code, 0x9C)
    record_count("codes of terminals led to their causes", f"{len(codes)} of {len(codes)}")


def test_every_code_of_a_host_leads_to_its_cause(record_count):
    codes = listed(HOST)
    for code, cause in codes.items():
        answer = told(code)
        assert answer.statuses.get(cause, PASS) not in (PASS, UNKNOWN), code
        assert answer.evidence[cause]["host_code"] == code
    record_count("codes of hosts led to their causes", f"{len(codes)} of {len(codes)}")


def test_an_accepted_code_keeps_nothing():
    for code in ["00", "10", "11", "A2", "A4", "A5", "A6"]:
        assert field39.accepted(code) and told(code).verdict == "GO", code


def test_a_code_that_no_table_lists_is_never_go():
    zvt, host = listed(ZVT), listed(HOST)
    unlisted = [code for code in range(1, 256) if f"{code:02X}" not in zvt and f"{code:02X}" not in host]
    assert len(unlisted) > 100
    for code in unlisted:
        answer = shown(code)
        assert answer.verdict != "GO" and answer.statuses[1] == UNKNOWN, f"{code:02X}"
        assert answer.evidence[1]["result_code"] == code
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for _ in range(60):
        code = "".join(chance.choices("0123456789ABCDEFXYZ", k=chance.randint(2, 6)))
        if code not in host and code not in zvt and not field39.accepted(code):
            answer = told(code)
            assert answer.verdict != "GO" and answer.statuses[1] == UNKNOWN, f"{code} (seed {seed})"
