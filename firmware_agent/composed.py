"""What an Agent is put together of. Loaded for that, and let go: a board's heap is small."""

from .conduct import Conductor
from .events import Ring
from .health import Health
from .history import History
from .link import Link
from .policy import ABSENT, GOOD, Policy
from .service import Service
from .snapshot import Snapshot
from .watch.climate import ClimateWatch
from .watch.clock import ClockWatch
from .watch.device import DeviceWatch
from .watch.line import LineWatch
from .watch.network import NetworkWatch
from .watch.power import PowerWatch
from .watch.terminal import TerminalWatch


def compose(agent, ports, settings, reason, let_pass):
    """Puts the parts into an Agent, which has `about`. `ports`, `settings`, `reason`: what an Agent is made with; `let_pass`:
    for the Conductor. JournalError: the flash cannot hold a journal."""
    agent.clock = ports.clock
    agent.terminal = ports.terminal
    agent.light = ports.light
    agent.snapshot = Snapshot(ports.clock)
    agent.history = History(ports.flash, ports.clock, reason)
    agent.journal = agent.history.journal
    agent.events = Ring(ports.clock, agent.history.boot)
    told = {"in_doubt": len(agent.history.open), "agent_version": agent.about["version"], "reset_reason": reason}
    agent.events.add("boot", told)
    for address, size, lost, _ in agent.journal.damage.places:
        name = "journal_damaged" if lost else "journal_cut"
        agent.events.add(name, {"address": address, "bytes": size, "journal_lost": lost})
    agent.policy_flash = ports.policy_flash
    agent.keys = settings.get("keys", {})
    own = settings.get("policy", {})
    agent.policy = Policy(own, GOOD if "id" in own else ABSENT)
    if agent.policy_flash.size:
        from . import policy_store  # loaded for this, and let go: a board's heap is small

        agent.policy = policy_store.load(agent.policy_flash, agent.keys, agent.history, own)
        policy_store.let_go()
    agent.health = Health()
    agent.watchdog = ports.watchdog
    agent.device = DeviceWatch(agent.history, reason, agent.snapshot, agent.events, ports.clock)
    agent.device.boot()
    agent.climate = ClimateWatch(ports.thermometer, settings.get("climate", {}), agent.snapshot, agent.events)
    agent.reference = ClockWatch(ports.clock, agent.snapshot, agent.events)
    agent.line = LineWatch(ports.terminal, settings.get("terminal", {}), agent.snapshot, agent.events)
    agent.power = PowerWatch(ports.power, settings["power"], agent.snapshot, agent.events, agent.history)
    agent.network = NetworkWatch(ports.network, settings.get("network", {}), agent.snapshot, agent.events)
    agent.watch = TerminalWatch(
        ports.terminal, settings.get("terminal", {}), agent.snapshot, agent.events, agent.history, agent.reference
    )
    agent.conductor = Conductor(agent.history, ports.terminal, agent.watch, agent.events, let_pass, ports.clock)
    agent.link = Link(ports.link, Service(agent), agent)
    agent.keeper = None
    if getattr(ports, "gate", None):
        from .gate import Keeper

        agent.keeper = Keeper(agent, ports.gate, settings.get("gate", {}).get("lang", "en"))
    agent.snapshot.put("agent_version", agent.about["version"])
