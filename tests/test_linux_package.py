"""The service on a Linux machine: installed, upgraded, taken back and removed in a folder that stands for /, without a
network and without touching this machine. The journal is never deleted."""

import base64
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import zipfile

import pytest

from boards import linux_file
from boards.compiled import ROOT

HERE = ROOT / "packaging" / "linux"

pytestmark = pytest.mark.skipif(not shutil.which("sh"), reason="no shell")


def wheel(folder, version, command="refund-agent", needs=None):
    """A wheel of the agent's name whose commands say its version: install.sh does not look into it."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"refund_agent-{version}.dist-info"
    files = {
        "refund_toy.py": f"def main():\n    print('toy {version}')\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: refund-agent\nVersion: {version}\n"
        + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{command} = refund_toy:main\nrefundctl = refund_toy:main\n",
    }
    rows = []
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"refund_agent-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


class Machine:
    def __init__(self, folder):
        self.root = folder / "root"
        self.wheels = folder / "wheels"
        self.opt = self.root / "opt/refund-agent"
        self.config = self.root / "etc/refund-agent.toml"
        self.state = self.root / "var/lib/refund-agent"

    def run(self, *arguments, good=True):
        command = ["sh", str(HERE / "install.sh"), "--root", str(self.root), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) is good, done.stdout + done.stderr
        return done.stdout if good else done.stderr

    def says(self):
        """What the release that runs says; its script names the path it will have in the image."""
        python = self.opt / "current/bin/python"
        return subprocess.run(
            [python, "-c", "import refund_toy; refund_toy.main()"], capture_output=True, text=True
        ).stdout.strip()

    def kept(self):
        return {path.name: path.read_bytes() for path in self.state.iterdir()}


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_installed_upgraded_taken_back_and_removed_the_journal_stays(machine):
    said = machine.run(wheel(machine.wheels, "1.0"))
    assert "without a network" in said and machine.says() == "toy 1.0"
    for path in ("etc/systemd/system/refund-agent.service", "etc/udev/rules.d/70-refund-agent.rules"):
        assert (machine.root / path).is_file()
    first = (machine.opt / "current/bin/refund-agent").read_text().splitlines()[0]
    assert first == "#!/opt/refund-agent/releases/1/bin/python"
    assert str(machine.root) not in (machine.opt / "current/pyvenv.cfg").read_text()
    # the deployer's own
    machine.state.mkdir(parents=True)
    for name in ("journal", "policy", "trusted", "card.key"):
        (machine.state / name).write_text("precious " + name)
    kept = machine.kept()
    machine.config.write_text("link = '/dev/refund-technician'\n")

    said = machine.run(wheel(machine.wheels, "2.0"))
    assert machine.says() == "toy 2.0" and f"kept {machine.config}" in said
    assert machine.config.read_text() == "link = '/dev/refund-technician'\n" and machine.kept() == kept
    machine.run("--back")
    assert machine.says() == "toy 1.0" and machine.kept() == kept
    machine.run("--back")
    assert machine.says() == "toy 2.0"
    machine.run(wheel(machine.wheels, "3.0"))
    assert machine.says() == "toy 3.0"
    assert len(list((machine.opt / "releases").iterdir())) == 2  # and no more than one to go back to

    said = machine.run("--remove")
    assert machine.kept() == kept and "left as it is" in said
    left = sorted(str(path.relative_to(machine.root)) for path in machine.root.rglob("*") if not path.is_dir())
    assert left == sorted(f"var/lib/refund-agent/{name}" for name in kept)
    assert "left as it is" in machine.run("--remove")  # a second time


def test_installing_the_same_twice_changes_nothing_but_the_release(machine):
    one = wheel(machine.wheels, "1.0")
    machine.run(one)
    before = {path: path.read_bytes() for path in (machine.root / "etc").rglob("*") if path.is_file()}
    said = machine.run(one)
    assert {path: path.read_bytes() for path in (machine.root / "etc").rglob("*") if path.is_file()} == before
    assert "wrote" not in said and machine.says() == "toy 1.0"


def test_a_wheel_of_another_python_is_named_and_not_the_network_alone(machine):
    one = wheel(machine.wheels, "2.0", needs="refund-toy-part")
    (machine.wheels / "refund_toy_part-1.0-cp39-cp39-win32.whl").write_bytes(b"")
    said = machine.run(one, good=False)
    assert "without a network:" in said and "refund-toy-part" in said.partition("with one:")[0]
    assert "nothing was changed" in said and "with Python 3." in said


@pytest.mark.parametrize("fault", ["damaged", "another", "gone", "no wheel"])
def test_what_cannot_be_installed_leaves_the_old_release_running(machine, fault):
    machine.run(wheel(machine.wheels, "1.0"))
    wrong = wheel(machine.wheels, "2.0", "something-else" if fault == "another" else "refund-agent")
    if fault == "damaged":
        wrong.write_bytes(wrong.read_bytes()[:400])
    elif fault == "gone":
        wrong.unlink()
    elif fault == "no wheel":
        wrong = wrong.rename(machine.wheels / "refund_agent.zip")
    machine.run(wrong, good=False)
    assert machine.says() == "toy 1.0"
    assert [path.name for path in (machine.opt / "releases").iterdir()] == ["1"]


def test_an_installation_that_was_cut_is_cleared_away_by_the_next(machine):
    machine.run(wheel(machine.wheels, "1.0"))
    (machine.opt / "releases/2/bin").mkdir(parents=True)
    (machine.opt / "current.new").unlink(missing_ok=True)
    said = machine.run(wheel(machine.wheels, "2.0"))
    assert "was not whole" in said and machine.says() == "toy 2.0"


def test_an_upgrade_after_one_that_was_cut_while_it_switched_runs_what_it_says(machine):
    machine.run(wheel(machine.wheels, "1.0"))
    machine.run(wheel(machine.wheels, "2.0"))
    (machine.opt / "current.new").symlink_to("releases/1")
    machine.run(wheel(machine.wheels, "3.0"))
    assert machine.says() == "toy 3.0" and not (machine.opt / "current.new").is_symlink()
    assert (machine.opt / "previous").readlink().name == "2"


def test_there_is_no_way_back_to_the_release_that_runs(machine):
    machine.run(wheel(machine.wheels, "1.0"))
    (machine.opt / "previous").symlink_to("releases/1")  # cut before it switched
    assert "no release before" in machine.run("--back", good=False)


def test_what_fails_or_is_interrupted_leaves_nothing_and_says_so_in_one_line(machine, tmp_path):
    machine.run(wheel(machine.wheels, "1.0"))
    python = tmp_path / "python"  # good for all that is asked of it, but the disk is full
    asked = "*sys.executable*) echo /usr/bin/python3.11 ;; *venv*) mkdir -p $3/bin; exit 1 ;;"
    python.write_text(f"#!/bin/sh\ncase $* in {asked} esac\n")
    python.chmod(0o755)
    said = machine.run("--python", python, wheel(machine.wheels, "2.0"), good=False)
    assert "nothing was changed" in said and said.startswith("install.sh: ") and machine.says() == "toy 1.0"
    assert [path.name for path in (machine.opt / "releases").iterdir()] == ["1"]
    python.write_text(python.read_text().replace("exit 1", "kill -TERM $PPID; exit 0"))
    said = machine.run("--python", python, wheel(machine.wheels, "2.0"), good=False)
    assert "interrupted; nothing was changed" in said
    assert [path.name for path in (machine.opt / "releases").iterdir()] == ["1"]


@pytest.mark.skipif(not shutil.which("flock"), reason="no flock")
def test_two_installations_at_once_are_one(machine):
    machine.run(wheel(machine.wheels, "1.0"))
    folder = os.open(machine.opt, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    assert "another install.sh" in machine.run(wheel(machine.wheels, "2.0"), good=False)
    os.close(folder)
    assert machine.says() == "toy 1.0"


def test_names_of_ports_stay_and_a_second_word_about_one_counts(machine):
    machine.run("--name", "terminal=pci-0000:00:14.0-usb-0:2:1.0", "--name", "technician=platform-uart-3")
    machine.run("--name", "terminal=pci-0000:00:14.0-usb-0:4:1.0")
    lines = (machine.root / "etc/udev/rules.d/71-refund-agent-ports.rules").read_text().splitlines()
    assert len(lines) == 2 and all("ID_MM_DEVICE_IGNORE" in line for line in lines)
    assert any("usb-0:4:1.0" in line and 'SYMLINK+="refund-terminal"' in line for line in lines)
    assert any("platform-uart-3" in line and 'SYMLINK+="refund-technician"' in line for line in lines)
    for wrong in ('terminal=x"y', "terminal=", "printer=usb-1"):
        machine.run("--name", wrong, wheel(machine.wheels, "1.0"), good=False)
    assert not machine.opt.exists()  # before anything was installed


@pytest.mark.parametrize("arguments", [["--bogus"], ["--root"], ["a.whl", "b.whl"]])
def test_wrong_usage_is_told(machine, arguments):
    done = subprocess.run(["sh", str(HERE / "install.sh"), *arguments], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("install.sh: ") and "--remove" in done.stderr


def test_a_python_that_is_none_or_that_the_service_cannot_see_is_told(machine, tmp_path):
    stub = tmp_path / "python"
    stub.write_text("#!/bin/sh\necho /root/.pyenv/versions/3.11.7/bin/python3.11\n")
    stub.chmod(0o755)
    command = ["sh", str(HERE / "install.sh"), "--root", str(machine.root), "--python"]
    for python, says in ((str(stub), "home"), (str(tmp_path / "none"), "is none")):
        arguments = [*command, python, str(wheel(machine.wheels, "1.0"))]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert done.returncode and says in done.stdout + done.stderr
    assert not (machine.opt / "current").exists()


def test_going_back_without_a_release_before_is_refused(machine):
    machine.run(wheel(machine.wheels, "1.0"))
    assert "no release before" in machine.run("--back", good=False)
    assert machine.says() == "toy 1.0"


# ---- the files ----


def test_the_example_of_a_config_file_is_right_as_it_is_and_with_every_line_taken_in(tmp_path):
    text = (HERE / "refund-agent.toml").read_text()
    assert linux_file.read(HERE / "refund-agent.toml").faults == []
    every = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE).replace('supply = "AC"', '# supply = "AC"')
    path = tmp_path / "every.toml"
    path.write_text(every)
    told = linux_file.read(path)
    assert told.faults == []
    seen = {*told.options, *told.changes, "supply"}
    wanted = {key for keys in linux_file.KEYS.values() for key in keys} - {"state", "link", "password"}
    assert wanted <= seen


def test_the_unit_asks_for_no_right_that_an_agent_does_not_need():
    text = (HERE / "refund-agent.service").read_text()
    for line in ("User=refund-agent", "NoNewPrivileges=yes", "ProtectSystem=strict", "DevicePolicy=closed"):
        assert f"\n{line}\n" in text
    assert "\nCapabilityBoundingSet=\n" in text and "--state /var/lib/refund-agent\n" in text


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_takes_the_unit_and_calls_it_little_exposed(tmp_path):
    unit = HERE / "refund-agent.service"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "refund-agent" in line and "is not executable" not in line]
    assert said == []
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(unit)], capture_output=True, text=True
    )
    if "offline" not in done.stderr:  # an old one does not know it
        assert done.returncode == 0, done.stdout[-300:]


def test_the_page_for_deployers_names_every_setting_and_no_other_option():
    page = (ROOT / "docs" / "linux.md").read_text()
    for section, keys in linux_file.KEYS.items():
        for key in keys.keys() - {"state"}:
            assert f"`{key}`" in page, (section, key)
    script = (HERE / "install.sh").read_text()
    for line in re.findall(r"install\.sh ([^\n#]*)", page):
        for option in re.findall(r"--[a-z]+", line):
            assert f"{option})" in script, option
