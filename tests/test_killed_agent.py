"""The promise: whatever moment the agent is killed at, one request is one refund."""

import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from firmware_agent.wire import messages
from host_tools.failures import Failure

from . import running

DEEP = 3 if os.environ.get("DEEP") else 1
# (board, runtime): kills
KILLS = {("linux", "cpython"): 200 * DEEP, **{("sim", runtime): 50 * DEEP for runtime in running.RUNTIMES}}
SHOPS = 10  # at once; mostly they wait


def one_shop(folder, board, runtime, kills, seed):
    """`kills` requests, each with a kill -9 at a random moment; ({amount: times the terminal executed it},
    final states, how many refunds the next boot found open, how often the journal went on to its next sector)."""
    chance = random.Random(seed)
    folder.mkdir()
    terminal = running.terminal(folder)
    changes = (*running.QUICK_AGENT, "size=4096", "sector=2048")  # it goes round after a few refunds
    agent = running.Agent(folder, runtime, terminal.link, changes, board=board)
    states = []
    found_open = 0
    try:
        for number in range(1, kills + 1):
            request = {
                "key": f"{board}-{runtime}-{seed}-{number}",
                "receipt": 1000 + number,
                "amount": number,  # every request its own amount: the terminal's store tells them apart
                "currency": "EUR",
                "sale_amount": 10**9,
            }
            terminal.tell(f"slow {chance.choice((0, 0, 30, 100, 300))}")
            asked = threading.Thread(target=ask, args=(agent.ready(), request))
            asked.start()
            time.sleep(chance.random() * 0.4)
            agent.kill()
            asked.join()
            (folder / "state/machine-start").unlink(missing_ok=True)  # of a Linux machine the power went
            agent = running.Agent(folder, runtime, terminal.link, changes, board=board)
            found_open += agent.ask(messages.EVENTS_SINCE, {"cursor": 0})["events"][0]["numbers"]["in_doubt"]
            states.append(repeat(agent, request))
        rounds = agent.ask(messages.JOURNAL)["newest"]
    finally:
        agent.stop()
        terminal.stop()
    executed = {}
    for row in running.turnovers(folder):
        if row["kind"] == "refund" and row["result"] == 0:
            executed[row["amount"]] = executed.get(row["amount"], 0) + 1
    return executed, states, found_open, rounds


def ask(agent, request):
    try:
        agent.ask(messages.REFUND, request)
    except Failure:
        pass  # killed meanwhile: the answer is missing, which is the point


def repeat(agent, request):
    """Ask again until the request has an answer that lasts. NOT_EXECUTED may be asked for anew; a busy agent, or one that
    still waits for its terminal, later."""
    end = time.monotonic() + 60
    state = failure = None
    while state not in (messages.APPROVED, messages.DECLINED):
        if time.monotonic() > end:
            raise AssertionError(f"{request['key']} never got an answer, last state {state}, last failure {failure!r}")
        try:
            state = agent.refund(request)["state"]
        except Failure as error:
            failure = error
            time.sleep(0.2)
    return state


@pytest.mark.parametrize("board, runtime", KILLS)
def test_an_agent_killed_at_any_moment_never_loses_and_never_repeats_a_refund(board, runtime, tmp_path, record_count):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    each = KILLS[board, runtime] // SHOPS
    with ThreadPoolExecutor(SHOPS) as pool:
        shops = list(pool.map(lambda n: one_shop(tmp_path / str(n), board, runtime, each, seed + n), range(SHOPS)))
    executed = [shop[0].get(amount, 0) for shop in shops for amount in range(1, each + 1)]
    name = f"kill -9 on board {board}, {runtime}"
    record_count(f"{name}: requests", len(executed))
    record_count(f"{name}: refunds executed", sum(executed))
    record_count(f"{name}: found open at the next boot", sum(shop[2] for shop in shops))
    assert executed == [1] * (each * SHOPS), f"SEED={seed}"
    assert all(state == messages.APPROVED for shop in shops for state in shop[1])
    if each >= 20:
        assert all(shop[3] > 1 for shop in shops)
