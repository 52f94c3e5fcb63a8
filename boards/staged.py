"""A scene made ready for an agent that runs: its journal in a file, its terminal as options of the simulated one."""

from hal.sim.flash import Flash
from hal.sim.zvt_terminal.settings import LOCKS

from .scene import prepare


def journal(scene, path, flash):
    """Make the journal of a scene in a file. `flash`: {"size", "sector", "unit"}."""
    prepare(Flash(str(path), **flash), [step for step in scene["history"] if "at_ms" not in step], scene["wall_s"])


def hardware(scene):
    """The state of the simulated hardware (hal/sim/hardware.py)."""
    state = dict(scene["hardware"])
    if isinstance(state.get("power"), int):
        state["power"] = [[0, state["power"]]]
    for name in ("network", "battery"):
        state[name] = _last(state.get(name))
    state["wall_s"] = scene["wall_s"]
    state["own_time"] = True
    return state


def terminal_options(state):
    """Options of the simulated ZVT terminal that make it behave as a scene's terminal in the end, as far as it can."""
    state = {name: _last(value) for name, value in state.items()}
    commands = []
    if state.get("code"):
        commands.append("status %02X" % state["code"])
    if state.get("locks"):
        commands.append("lock " + " ".join(name for bit, name in enumerate(LOCKS) if state["locks"] >> bit & 1))
    if state.get("state"):
        commands.append("device_state %d" % state["state"])
    for name in ("version", "model"):
        if state.get(name):
            commands.append(f"{name} {state[name].replace(' ', '_')}")
    outcome = state.get("outcome") or {}
    if outcome.get("code") and not outcome.get("accepted"):
        commands.append("decline %02X always" % outcome["code"])
    if state.get("silent"):
        commands.append("silent on")
    return [word for command in commands for word in ("--set", command)]


def _last(value):
    """The last step of a trace [[from_ms, value], …]; anything else as it is."""
    return value[-1][1] if isinstance(value, list) and value and isinstance(value[0], list) else value
