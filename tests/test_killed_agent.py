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

KILLS = 1000 if os.environ.get("DEEP") else 100
SHOPS = 5  # at once; mostly they wait


def one_shop(folder, runtime, kills, seed):
    """`kills` requests, each with a kill -9 at a random moment; ({amount: times the terminal executed it},
    final states, how many refunds the next boot found open)."""
    chance = random.Random(seed)
    folder.mkdir()
    terminal = running.terminal(folder)
    states = []
    found_open = 0
    try:
        for number in range(1, kills + 1):
            request = {
                "key": f"{runtime}-{seed}-{number}",
                "receipt": 100,
                "amount": number,  # every request its own amount: the terminal's store tells them apart
                "currency": "EUR",
                "sale_amount": 10**9,
            }
            terminal.tell(f"slow {chance.choice((0, 0, 30, 100, 300))}")
            agent = running.Agent(folder, runtime, terminal.link).ready()
            asked = threading.Thread(target=ask, args=(agent, request))
            asked.start()
            time.sleep(chance.random() * 0.4)
            agent.kill()
            asked.join()
            with running.Agent(folder, runtime, terminal.link) as agent:
                found_open += agent.ask(messages.EVENTS_SINCE, {"cursor": 0})["events"][0]["numbers"]["in_doubt"]
                states.append(repeat(agent, request))
    finally:
        terminal.stop()
    executed = {}
    for row in running.turnovers(folder):
        if row["kind"] == "refund" and row["result"] == 0:
            executed[row["amount"]] = executed.get(row["amount"], 0) + 1
    return executed, states, found_open


def ask(agent, request):
    try:
        agent.ask(messages.REFUND, request)
    except Failure:
        pass  # killed meanwhile: the answer is missing, which is the point


def repeat(agent, request):
    """Ask again until the request has an answer that lasts. NOT_EXECUTED may be asked for anew; a busy agent, or one that
    still waits for its terminal, later."""
    end = time.monotonic() + 60
    state = None
    while state not in (messages.APPROVED, messages.DECLINED):
        if time.monotonic() > end:
            raise AssertionError(f"{request['key']} never got an answer, last state {state}")
        try:
            state = agent.refund(request)["state"]
        except Failure:
            time.sleep(0.2)
    return state


@pytest.mark.parametrize("runtime", running.RUNTIMES)
def test_an_agent_killed_at_any_moment_never_loses_and_never_repeats_a_refund(runtime, tmp_path, record_count):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 32))
    print(f"SEED={seed}")
    each = KILLS // len(running.RUNTIMES) // SHOPS
    with ThreadPoolExecutor(SHOPS) as pool:
        shops = list(pool.map(lambda n: one_shop(tmp_path / str(n), runtime, each, seed + n), range(SHOPS)))
    executed = [shop[0].get(amount, 0) for shop in shops for amount in range(1, each + 1)]
    record_count(f"kill -9 on {runtime}: requests", len(executed))
    record_count(f"kill -9 on {runtime}: refunds executed", sum(executed))
    record_count(f"kill -9 on {runtime}: found open at the next boot", sum(shop[2] for shop in shops))
    assert executed == [1] * (each * SHOPS), f"SEED={seed}"
    assert all(state == messages.APPROVED for shop in shops for state in shop[1])
