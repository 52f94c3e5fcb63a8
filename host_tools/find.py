"""Where agents are: the ports of this machine, and which of them answer."""

import os
import stat

from serial.tools import list_ports

from .failures import NO_AGENT, WRONG_USAGE, Failure
from .link import Link

# An echo takes 3 ms at 115200 baud and an agent answers within some 10 ms; a long wait on every port without one would
# be the reader's.
ECHO_S = 0.5


class NoAgentFound(Failure):
    """Fields: tried, a list of (port, Failure)."""

    key, exit_status = "no_agent_found", NO_AGENT


class SeveralAgents(Failure):
    """Fields: ports, a list."""

    key, exit_status = "several_agents", WRONG_USAGE


def links_of_this_machine(environment):
    """The symlinks of agents that run on this machine: `link` where it was told no --link, else `link-PROCESS`. None of a
    folder that is not ours to trust, none of a process that is gone."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    if not hasattr(os, "getuid"):
        return []
    folder = os.path.join(runtime, "refund-agent") if runtime else f"/tmp/refund-agent-{os.getuid()}"
    try:
        status = os.stat(folder)
        # in /tmp anybody could make a folder of this name and answer in the agent's place
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return []
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name == "link" or _runs(name.removeprefix("link-"))]


def _runs(process):
    # what a killed agent left behind may lead to somebody else's terminal by now
    return process.isdecimal() and os.path.exists(f"/proc/{process}")


def candidates(environment):
    """[(port, description or None for an agent's own symlink)], the symlinks first, every device once."""
    found = []
    devices = set()
    for link in links_of_this_machine(environment):
        if os.path.realpath(link) not in devices:
            devices.add(os.path.realpath(link))
            found.append((link, None))
    for port in sorted(list_ports.comports(), key=lambda port: port.device):
        if os.path.realpath(port.device) not in devices:
            devices.add(os.path.realpath(port.device))
            found.append((port.device, "" if port.description in (None, "n/a") else port.description))
    return found


def answers(port):
    """An open Link if an agent answers on `port`; Failure says why not. Bounded by ECHO_S."""
    link = Link(port).open()
    try:
        link.echo(ECHO_S)
    except BaseException:
        link.close()
        raise
    return link


def every_port(environment):
    """[(port, description, None or the Failure)] of all candidates."""
    found = []
    for port, description in candidates(environment):
        failure = None
        try:
            answers(port).close()
        except Failure as error:
            failure = error
        found.append((port, description, failure))
    return found


def the_agent(environment):
    """The open Link to the one agent there is; NoAgentFound or SeveralAgents otherwise."""
    links, tried = [], []
    for port, _ in candidates(environment):
        try:
            links.append(answers(port))
        except Failure as error:
            tried.append((port, error))
    if len(links) == 1:
        return links[0]
    for link in links:
        link.close()
    if links:
        raise SeveralAgents(ports=[link.port for link in links])
    raise NoAgentFound(tried=tried)
