"""Where agents are: the ports of this machine, which of them answer, and at what speed.

Nothing is sent but an SMP echo: no Ctrl-A, no AT. Modems are not opened; a port that answers as something else, or sends
text by itself, is left alone. So is Bluetooth: to open such a port calls whoever is at its other end.
"""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

from serial.tools import list_ports

from . import link_port, link_usb, port_holder
from .failures import NO_AGENT, WRONG_USAGE, Failure
from .link import BAUD, Link, NoAnswer
from .link_port import PortBusy

# An echo takes 3 ms at 115200 baud and an agent answers within some 10 ms; a long wait on every port without one would
# be the reader's.
ECHO_S = 0.5
OTHER_ECHO_S = 0.25  # at another speed: 80 ms at the slowest; all of them within 2 s
SERVICE = "/run/refund-agent"  # where systemd lets the service of a Linux terminal make its link
SPEEDS = (9600, 57600, 230400, 460800, 921600)  # tried where nobody answers at 115200


class NoAgentFound(Failure):
    """Fields: tried, a list of (port, Failure)."""

    key, exit_status = "no_agent_found", NO_AGENT


class SeveralAgents(Failure):
    """Fields: ports, a list."""

    key, exit_status = "several_agents", WRONG_USAGE


class NotAsked(Failure):
    """A device that is known to be something else. Fields: port, what."""

    key, exit_status = "not_asked", NO_AGENT


class Candidate:
    """port: path; usb: "2e8a:0005" or None; what: the device by its numbers, else as the system describes it, None for an
    agent's own symlink; speed: whether the port has one on the wire; other: it is known not to be an agent's."""

    def __init__(self, port, what, usb=None, speed=True, other=False):
        self.port = port
        self.what = what
        self.usb = usb
        self.speed = speed
        self.other = other


def links_of_this_machine(environment):
    """The symlinks of agents that run on this machine: `link` where it was told no --link, else `link-PROCESS`. None of a
    folder that is not ours to trust, none of a process that is gone."""
    runtime = environment.get("XDG_RUNTIME_DIR")
    if not hasattr(os, "getuid"):
        return []
    own = os.path.join(runtime, "refund-agent") if runtime else f"/tmp/refund-agent-{os.getuid()}"
    found = []
    for folder in (own, SERVICE):
        try:
            status = os.stat(folder)
            # in /tmp anybody could make a folder of this name and answer in the agent's place; in /run root alone can
            if stat.S_ISDIR(status.st_mode) and (folder == SERVICE or status.st_uid == os.getuid()):
                names = sorted(os.listdir(folder))
                found += [
                    os.path.join(folder, one) for one in names if one == "link" or _runs(one.removeprefix("link-"))
                ]
        except OSError:
            pass
    return found


def _runs(process):
    # what a killed agent left behind may lead to somebody else's terminal by now
    return process.isdecimal() and os.path.exists(f"/proc/{process}")


def candidates(environment):
    """[Candidate], agents' symlinks first, then known boards, every device once."""
    found = []
    devices = set()
    for link in links_of_this_machine(environment):
        if os.path.realpath(link) not in devices:
            devices.add(os.path.realpath(link))
            found.append(Candidate(link, None, speed=False))
    listed = [_listed(port) for port in sorted(list_ports.comports(), key=lambda port: port.device)]
    for candidate in sorted(listed, key=lambda candidate: candidate.usb is None):
        if os.path.realpath(candidate.port) not in devices:
            devices.add(os.path.realpath(candidate.port))
            found.append(candidate)
    return found


def _listed(port):
    described = "" if port.description in (None, "n/a") else port.description
    if not isinstance(port.vid, int):
        radio = os.path.basename(port.device).startswith("rfcomm")
        return Candidate(port.device, "Bluetooth" if radio else described, other=radio)
    what, speed, may_be = link_usb.known(port.vid, port.pid)
    return Candidate(port.device, what or described, f"{port.vid:04x}:{port.pid:04x}", speed, not may_be)


def candidate(port):
    """The Candidate that a port named by somebody is; what and usb are None where the system does not list it."""
    if "://" in port or port.startswith(link_port.REPLAY) or link_port.is_pseudo(port):
        return Candidate(port, None, speed=False)
    device = os.path.realpath(port)
    for listed in list_ports.comports():
        if os.path.realpath(listed.device) == device:
            return _listed(listed)
    return Candidate(port, None)


def answers(candidate):
    """An open Link if an agent answers there; Failure says why not. On a port with a speed on the wire that stays silent at
    115200 baud, the other speeds are tried."""
    if candidate.other:
        raise NotAsked(port=candidate.port, what=candidate.what)
    link = _opened(candidate.port)
    try:
        try:
            link.echo(ECHO_S)
        except NoAnswer as silence:
            if not candidate.speed or link_port.is_pseudo(candidate.port) or silence.key == "only_text":
                raise
            if not _at_another_speed(link):
                raise
    except BaseException:
        link.close()
        raise
    return link


def _opened(port):
    try:
        return Link(port).open()
    except PortBusy:
        raise port_holder.busy(port)


def _at_another_speed(link):
    for speed in SPEEDS:
        link.set_baud(speed)
        try:
            link.echo(OTHER_ECHO_S)
        except NoAnswer:
            continue
        return True
    link.set_baud(BAUD)
    return False


def named(port):
    """The open Link to the port that somebody named, at the speed at which an agent answers."""
    there = candidate(port)
    if not there.speed:
        return _opened(port)
    there.port = port
    there.other = False  # whoever names it knows what it is
    return answers(there)


def every_port(environment):
    """[(Candidate, None or the Failure, baud or None)] of all candidates, asked at the same time."""
    found = candidates(environment)

    def ask(candidate):
        try:
            link = answers(candidate)
        except Failure as failure:
            return candidate, failure, None
        link.close()
        return candidate, None, link.baud if candidate.speed else None

    with ThreadPoolExecutor(max(1, len(found))) as pool:
        return list(pool.map(ask, found))


def the_agent(environment):
    """The open Link to the one agent there is; NoAgentFound or SeveralAgents otherwise."""
    found = candidates(environment)

    def ask(candidate):
        try:
            return answers(candidate)
        except Failure as failure:
            return candidate.port, failure

    with ThreadPoolExecutor(max(1, len(found))) as pool:
        results = list(pool.map(ask, found))
    links = [result for result in results if isinstance(result, Link)]
    if len(links) == 1:
        return links[0]
    for link in links:
        link.close()
    if links:
        raise SeveralAgents(ports=[link.port for link in links])
    raise NoAgentFound(tried=[result for result in results if not isinstance(result, Link)])
