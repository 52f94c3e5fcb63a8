#!/bin/sh
# Puts the refund agent on a Linux machine as a service, upgrades it, goes back, removes it. docs/linux.md explains.
#
#   install.sh [WHEEL]              install or upgrade; WHEEL: refund_agent-*.whl, without one the folder this script came in.
#                                   Wheels of what it needs beside WHEEL: no network is used.
#   install.sh --name NAME=PORT     a name that stays: NAME terminal, till or technician; PORT /dev/ttyUSB0, or its ID_PATH.
#                                   Makes /dev/refund-NAME, alone or with a WHEEL; may be given several times.
#   install.sh --back               run the release before this one again
#   install.sh --remove             remove all but what the agent keeps: its journal, its policy, its keys
#   --root DIR                      into DIR instead of /, for images and tests: no service is started, no user made
#   --python PYTHON                 of 3.11 or newer
#   --no-start                      do not start the service
set -eu
umask 022 # the service's user reads what root installs

root='' wheel='' python='' do=install start=yes names=''
here=$(cd "$(dirname "$0")" && pwd)

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
usage() { printf 'install.sh: %s\n' "$*" >&2; sed -n '4,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }

while [ $# -gt 0 ]; do
    case $1 in
        --root) [ $# -gt 1 ] || usage "--root needs a folder"; root=$2; shift ;;
        --python) [ $# -gt 1 ] || usage "--python needs a path"; python=$2; shift ;;
        --name) [ $# -gt 1 ] || usage "--name needs NAME=PORT"; names="$names $2"; shift ;;
        --back) do=back ;;
        --remove) do=remove ;;
        --no-start) start= ;;
        -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
        -*) usage "there is no $1" ;;
        *) [ -z "$wheel" ] || usage "one wheel, not two"; wheel=$1 ;;
    esac
    shift
done

if [ -n "$root" ]; then
    mkdir -p "$root"
    root=$(cd "$root" && pwd)
    start=
elif [ "$(id -u)" != 0 ]; then
    fail "must be run as root: sudo $0"
fi
alone() { # no other install.sh meanwhile: it would clear away what this one makes
    command -v flock >/dev/null 2>&1 || return 0
    exec 9<"$opt"
    flock -n 9 || fail "another install.sh is at work in $opt"
}
live() { [ -z "$root" ] && command -v "$1" >/dev/null 2>&1; }
running() { live systemctl && [ -d /run/systemd/system ]; }

opt=$root/opt/refund-agent
unit=$root/etc/systemd/system/refund-agent.service
rules=$root/etc/udev/rules.d/70-refund-agent.rules
ports=$root/etc/udev/rules.d/71-refund-agent-ports.rules
users=$root/usr/lib/sysusers.d/refund-agent.conf
config=$root/etc/refund-agent.toml
bin=$root/usr/local/bin
state=$root/var/lib/refund-agent

switch_to() { # a release, at once: whoever starts meanwhile gets the old one or the new one
    ln -sfn "$1" "$opt/current.new"
    mv -T "$opt/current.new" "$opt/current"
}

restart() {
    running || return 0
    systemctl daemon-reload
    [ -n "$start" ] || return 0
    systemctl enable --quiet refund-agent
    systemctl restart refund-agent
    sleep 5 # one that cannot start ends within two or three
    if systemctl is-active --quiet refund-agent && [ "$(systemctl show -p NRestarts refund-agent)" = NRestarts=0 ]; then
        say "the service runs: sudo journalctl -t refund-agent"
    else
        say "the service does not stay up: sudo journalctl -t refund-agent"
        journalctl -t refund-agent -n 1 -o cat --no-pager 2>/dev/null || true
    fi
}

if [ "$do" = remove ]; then
    if running; then
        systemctl disable --now --quiet refund-agent 2>/dev/null || true
        say "the service is stopped"
    fi
    for file in "$unit" "$rules" "$ports" "$users" "$config"; do
        [ ! -e "$file" ] || { rm -f "$file"; say "removed $file"; }
    done
    for name in refund-agent refundctl; do
        case $(readlink "$bin/$name" 2>/dev/null || true) in
            /opt/refund-agent/*) rm -f "$bin/$name"; say "removed $bin/$name" ;;
        esac
    done
    [ ! -e "$opt" ] || { rm -rf "$opt"; say "removed $opt"; }
    ! running || systemctl daemon-reload
    ! live udevadm || udevadm control --reload 2>/dev/null || true
    [ ! -e "$state" ] || say "left as it is: $state (journal, policy, keys). Nothing here ever deletes it."
    exit 0
fi

if [ "$do" = back ]; then
    [ -L "$opt/previous" ] || fail "there is no release before this one"
    alone
    before=$(readlink "$opt/previous")
    now=$(readlink "$opt/current")
    [ "$before" != "$now" ] || fail "there is no release before this one" # cut before it was switched
    [ -x "$opt/$before/bin/python" ] || fail "the release before, $before, is gone"
    switch_to "$before"
    ln -sfn "$now" "$opt/previous"
    say "back at $before; $now is kept"
    restart
    exit 0
fi

# ---- names of ports ----
reload_rules() {
    live udevadm || return 0
    if udevadm control --reload 2>/dev/null; then
        udevadm trigger --subsystem-match=tty --subsystem-match=watchdog 2>/dev/null || true
        udevadm settle --timeout=10 2>/dev/null || true # the names are there when we are done
    fi
}
for pair in $names; do
    name=${pair%%=*} port=${pair#*=}
    case $name in terminal | till | technician) ;; *) fail "--name takes terminal, till or technician, not $name" ;; esac
    case $port in
        /dev/*)
            live udevadm || fail "--name $pair: give its ID_PATH (udevadm info -q property -n $port)"
            port=$(udevadm info -q property -n "$port" | sed -n 's/^ID_PATH=//p') ;;
    esac
    case $port in '' | *[!A-Za-z0-9:._-]*) fail "--name $pair: it has no ID_PATH to know it by" ;; esac
    line="SUBSYSTEM==\"tty\", ENV{ID_PATH}==\"$port\", SYMLINK+=\"refund-$name\", ENV{ID_MM_DEVICE_IGNORE}=\"1\""
    mkdir -p "$(dirname "$ports")"
    touch "$ports"
    grep -v "\"refund-$name\"" "$ports" >"$ports.new" || true
    printf '%s\n' "$line" >>"$ports.new"
    mv "$ports.new" "$ports"
    say "/dev/refund-$name is the serial line at $port"
done
if [ -n "$names" ] && [ -z "$wheel" ]; then
    reload_rules
    exit 0
fi

# ---- install or upgrade ----
if [ -z "$wheel" ]; then
    wheel=$(cd "$here/../.." && pwd)
    [ -f "$wheel/pyproject.toml" ] || fail "give the wheel: install.sh refund_agent-VERSION-py3-none-any.whl"
else
    [ -f "$wheel" ] || fail "there is no $wheel"
    case $wheel in *.whl) ;; *) fail "$wheel is no wheel (refund_agent-VERSION-py3-none-any.whl)" ;; esac
fi
found='' hidden=''
for one in ${python:-python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3}; do
    place=$("$one" -c 'import os, sys; sys.version_info < (3, 11) or print(os.path.realpath(sys.executable))' 2>/dev/null) || continue
    case $place in
        '') ;;
        /root/* | /home/* | /run/user/*) hidden=${hidden:-$one} ;;
        *) found=$one; break ;;
    esac
done
if [ -z "$found" ] && [ -n "$hidden" ]; then
    [ -n "$root" ] || fail "$hidden lies in a home directory, which the service does not see: apt-get install python3 python3-venv"
    say "$hidden lies in a home directory: no service can run it"
    found=$hidden
fi
[ -n "$found" ] || fail "Python 3.11 or newer is needed${python:+, and $python is none}: apt-get install python3 python3-venv"
python=$found
"$python" -c 'import ensurepip' 2>/dev/null || fail "$python lacks venv: apt-get install python3-venv"

mkdir -p "$opt/releases"
alone
# what an interrupted installation left behind is no release
for left in "$opt"/releases/*; do
    [ ! -d "$left" ] || [ -f "$left/whole" ] || { rm -rf "$left"; say "removed $left, which was not whole"; }
done
number=1
for one in "$opt"/releases/*; do
    one=${one##*/}
    case $one in *[!0-9]*) continue ;; esac
    [ "$one" -lt "$number" ] || number=$((one + 1))
done
release=$opt/releases/$number
say "release $number: $wheel"
give_up() { rm -rf "$release"; fail "$*; nothing was changed"; }
trap 'give_up "interrupted"' INT TERM HUP
"$python" -m venv "$release" >&2 || give_up "Python could not make $release"
pip="$release/bin/python -m pip --disable-pip-version-check --quiet install"
if [ -f "$wheel" ] && $pip --no-index --find-links "$(dirname "$wheel")" "$wheel" 2>"$release/alone"; then
    say "installed without a network, from $(dirname "$wheel")"
elif $pip "$wheel" 2>"$release/said"; then
    say "installed, with what it needs from the network"
else
    [ ! -s "$release/alone" ] || { say "without a network:" && tail -n 2 "$release/alone" && say "with one:"; } >&2
    tail -n 2 "$release/said" >&2
    give_up "pip could not install it with $("$python" -V) on $(uname -m). Without a network: pip wheel --wheel-dir wheels . with" \
        "the same Python on a machine of the same kind, bring wheels/"
fi
[ -x "$release/bin/refund-agent" ] || give_up "$wheel holds no refund-agent"
if [ -n "$root" ]; then # the image's own paths
    for file in "$release"/bin/* "$release/pyvenv.cfg"; do
        [ -L "$file" ] || [ ! -f "$file" ] || sed -i "s|$root/opt/refund-agent|/opt/refund-agent|g" "$file"
    done
fi
rm -f "$release/said" "$release/alone"
sync -f "$release" 2>/dev/null || sync # a cut of the power leaves no release that is half on the disk
: >"$release/whole"
trap - INT TERM HUP

put() { # FROM TO: only what differs
    mkdir -p "$(dirname "$2")"
    cmp -s "$1" "$2" || { install -m 0644 "$1" "$2.new"; mv "$2.new" "$2"; say "wrote $2"; }
}
put "$here/refund-agent.service" "$unit"
put "$here/70-refund-agent.rules" "$rules"
put "$here/refund-agent.sysusers" "$users"
put "$here/refund-agent.toml" "$opt/refund-agent.toml"
[ ! -f "$here/../../docs/linux.md" ] || put "$here/../../docs/linux.md" "$opt/linux.md"
if [ -e "$config" ]; then
    say "kept $config"
else
    put "$here/refund-agent.toml" "$config"
fi

if live systemd-sysusers; then
    systemd-sysusers "$users"
elif [ -z "$root" ] && ! id refund-agent >/dev/null 2>&1; then
    useradd --system --user-group --home-dir /var/lib/refund-agent --shell /usr/sbin/nologin refund-agent
    for group in dialout i2c; do ! getent group $group >/dev/null || usermod -aG $group refund-agent; done
fi
reload_rules

if [ -L "$opt/current" ]; then
    ln -sfn "$(readlink "$opt/current")" "$opt/previous"
fi
switch_to "releases/$number"
mkdir -p "$bin"
for name in refund-agent refundctl; do
    [ ! -e "$release/bin/$name" ] || ln -sfn "/opt/refund-agent/current/bin/$name" "$bin/$name"
done
say "release $number is the one that runs"
# one to go back to is enough
for old in "$opt"/releases/*; do
    case releases/${old##*/} in "$(readlink "$opt/current")" | "$(readlink "$opt/previous" 2>/dev/null)") ;; *) rm -rf "$old" ;; esac
done
restart
say "next: edit $config, then sudo refund-agent doctor"
