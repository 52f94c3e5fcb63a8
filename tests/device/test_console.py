"""The console: what a person with a terminal program reads. HEAP: the agent, its flash and these tests stand side by side."""

from firmware_agent import console
from firmware_agent.agent import Agent

from .bench import ABOUT, SETTINGS, Ports, keeps
from .card_terminal import CardTerminal

HEAP = "256k"
REMEDY = "Plug the original one straight into the wall and wait until the voltage holds; else replace it."


async def bench():
    terminal = CardTerminal()
    terminal.does(5000)
    agent = Agent(Ports(terminal), SETTINGS, ABOUT)
    for _ in range(4):
        agent.power.sample()
    await agent.network.sample()
    await agent.watch.sample()
    await agent.watch.look_at_receipt()
    return agent


async def said(agent, line):
    """All that the console says to a line, with the lines that it broke joined again. No part of it is long, because a
    board holds one at a time."""
    parts = list(await console.answer(agent, line))
    assert all(len(part.encode()) < 640 for part in parts)
    lines = "".join(parts).split("\n")
    for row in lines:  # of a terminal; a Chinese character takes two columns and has no blanks to be broken at
        assert len(row) < 80 or len(row) < len(row.encode()), row
    text = lines[0]
    for row in lines[1:]:
        folded = row[:6] == "      " and row[6:7].strip()
        text += " " + row[6:] if folded else "\n" + row
    return text


async def test_help_names_every_command():
    text = await said(await bench(), "help")
    for word in ("help", "status", "check", "causes", "explain", "log", "lang"):
        assert word in text
    assert text.endswith("\n")


async def test_status_shows_values_with_their_age_and_the_verdict():
    agent = await bench()
    agent.clock.now += 2500
    text = await said(agent, "status")
    assert text.startswith("refund agent 0.1.0 on bench, test 1.2.3\nboot 1, up 3 s, journal ")
    assert "  supply_mv           5000 (2500 ms ago)\n" in text
    assert "refunds 0, in doubt 0\n" in text
    assert " 4 supply," in text.split("  UNKNOWN for want of:")[1]  # it was not sampled for 2.5 s


async def test_check_alone_is_about_the_hardware():
    agent = await bench()
    text = await said(agent, "check")
    assert text.startswith("verdict: GO\n  UNKNOWN for want of: ") and text.count("\n") == 2
    agent.power.power.mv = 4100
    agent.power.sample()
    text = await said(agent, "check")
    assert text.startswith("verdict: HOLD\n  HOLD     4 supply_unstable: ") and "supply_mv=4100" in text
    assert "\n             The power supply is unstable. " + REMEDY + "\n" in text


async def test_the_language_of_the_causes_is_chosen_and_kept():
    agent = await bench()
    agent.power.power.mv = 4100
    agent.power.sample()
    assert await said(agent, "causes 4") == "4 The power supply is unstable. " + REMEDY + "\n"
    assert await said(agent, "lang zh") == "中文\n"
    assert (await said(agent, "causes 4")).startswith("4 供电不稳定。")
    for line in ("check", "status"):
        text = await said(agent, line)
        assert "\n             供电不稳定。" in text and "The power supply" not in text
    for line in ("lang", "lang fr", "lang en zh"):
        assert await said(agent, line) == "language is not right: try help\n"
    assert (await said(agent, "causes 4")).startswith("4 供电不稳定。")
    assert await said(agent, "lang en") == "English\n"
    assert (await said(agent, "causes 60")).startswith("60 A rule on keeping records ")


async def test_all_sixty_causes_are_told_line_by_line_in_both_languages():
    agent = await bench()
    for language in ("en", "zh"):
        await said(agent, "lang " + language)
        number = 0
        for line in await console.answer(agent, "causes"):  # of which no two are held at a time
            number += 1
            assert line.startswith("%d " % number) and line.endswith("\n") and len(line.encode()) <= 181
            if number in (1, 5, 6, 35, 54, 60):
                assert await said(agent, "causes %d" % number) == line.replace("\n      ", " ")
        assert number == 60
    for line in ("causes 0", "causes 61", "causes four", "causes 4111"):
        assert await said(agent, line) == "cause is not right: try help\n"


async def test_what_is_unknown_is_not_said_to_be_so():
    agent = await bench()
    agent.clock.now += 60000  # all that was seen is old
    text = await said(agent, "check")
    assert "  UNKNOWN  1 terminal_fault: " in text and "reports a fault" not in text  # it alone holds
    assert " 4 supply," in text and "The power supply" not in text


async def test_check_takes_a_receipt_and_an_amount():
    agent = await bench()
    assert (await said(agent, "check 1 50.00")).startswith("verdict: GO\n")
    assert (await said(agent, "check 1 50.00 eur")).startswith("verdict: GO\n")
    assert (await said(agent, "check 1 50")).startswith("verdict: GO\n")
    text = await said(agent, "check 1 50.01")
    assert "verdict: BLOCK" in text and "31 amount_over_remaining" in text and "remaining_amount=5000" in text
    assert agent.terminal.asked == 0 and agent.history.refunds == 0


async def test_explain_tells_what_became_of_a_refund():
    agent = await bench()
    assert await said(agent, "explain") == "no refund is open\n"
    request = {"key": "k1", "receipt": 1, "amount": 1234, "currency": "EUR"}
    await agent.refund(request)
    assert await said(agent, "explain") == "no refund is open; the last ones approved:\n  sale 1, 12.34 EUR\n"
    text = await said(agent, "explain k1")
    assert text.startswith("k1: APPROVED, sale 1, 12.34 EUR\n  receipt 2\n  trace ")
    assert await said(agent, "explain k2") == "no refund has this key\n"
    agent.terminal.plan = ["lost"]
    agent.terminal.foreign = [700]
    request.update({"key": "k2", "amount": 500})
    await agent.refund(request)
    for line in ("explain", "explain k2"):
        text = await said(agent, line)
        assert text.startswith("k2: IN_DOUBT, sale 1, 5.00 EUR\n") and "Do not repeat it" in text


async def test_log_tells_the_last_events_in_words():
    agent = await bench()
    agent.events.add("refund", {"state": 3, "amount": 1234})
    agent.clock.now = 83000
    agent.events.add("fault", {"missing": "ValueError()"})
    text = await said(agent, "log 2")
    last = agent.events.last
    assert text == "%5d     0:01 refund amount=1234 state=3\n%5d     1:23 fault missing=ValueError()\n" % (
        last - 1,
        last,
    )
    assert (await said(agent, "log")).count("\n") == min(10, last)
    assert (await said(agent, "log 9999")).startswith("    1     0:01 boot ")
    for line in ("log 0", "log x", "log -1"):
        assert await said(agent, line) == "number is not right: try help\n"


async def test_what_is_not_right_is_named_and_help_is_offered():
    agent = await bench()
    for line, field in (
        ("check 1", "amount"),
        ("check 1 1.5", "amount"),
        ("check 1 1,50", "amount"),
        ("check 1 0", "amount"),
        ("check 1 -5", "amount"),
        ("check 1 .50.", "amount"),
        ("check 1 99999999999999999999", "amount"),
        ("check 0 5", "receipt"),
        ("check 10000 5", "receipt"),
        ("check abc 5", "receipt"),
        ("check 1 5 XXX", "currency"),
    ):
        assert await said(agent, line) == field + " is not right: try help\n", line
    for line in ("refund 1 5", "HELP", "helpp", "?"):
        assert await said(agent, line) == "unknown command: try help\n"
    assert await said(agent, "") == await said(agent, "   ") == ""


async def test_a_full_card_number_is_not_kept_and_not_echoed():
    agent = await bench()
    for line in ("4111111111111111", "check 4111 1111 1111 1111 5", "help 4111-1111-1111-1111"):
        text = await said(agent, line)
        assert "full card number" in text and "4111" not in text
    assert not keeps(agent.journal.flash, b"4111")


async def test_every_cause_the_checks_speak_of_has_its_name():
    agent = Agent(Ports(CardTerminal()), {"power": SETTINGS["power"]}, ABOUT)  # knows nothing yet
    agent.terminal.misses = 1000
    text = await said(agent, "check 231 5.00")
    for name in (
        " 1 terminal_fault",
        " 4 supply_unstable",
        " 8 software_outdated",
        "15 network_down",
        "31 amount_over_remaining",
        "34 original_not_found",
    ):
        assert "UNKNOWN " + name + ": " in text, text
    assert "verdict: HOLD" in text and "PASS" not in text
