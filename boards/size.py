"""`make size`: bytes of an agent's .mpy on a board, and of those how many stay in its heap
(docs/decisions/0010-what-stays-in-the-heap.md)."""

import sys
import tempfile

from . import used
from .compiled import compile_to, flat

BUDGET = 80 * 1024  # of what stays in a board's heap
# Files that are loaded when somebody asks for it, or for the start alone, and let go.
_ASKED = (
    "audit causes composed console crash files groups people policy_store refunding report safe sold starts stream tools "
    "trusted typed wishes wire_cose wire_hdlc wire_refund_messages wire_report_messages wire_rules wire_seldom_messages "
    "wire_survey wire_tool_messages zvt_codes zvt_serve zvt_token terminals_field39 boards_boot micropython_build"
).split()
_OF_A_GATE = ("gate", "zvt_gate")  # never loaded where no till is wired to the board
_OF_TCP = ("zvt_tcp_line", "zvt_tcp_scan")  # in a gate's imports, but a board's tills and terminals are on UARTs


def made(board, till):
    """{file: (bytes, its sources)} of an agent. `till`: whether a till is wired to its board."""
    data = used.board(board)
    drivers = {**data["DRIVERS"], "till": "uart" if till else "none"}
    with tempfile.TemporaryDirectory() as folder:
        return compile_to(folder, used.modules(board, {**data, "DRIVERS": drivers}))


def stays(board, till):
    """Bytes that stay in the heap of a board."""
    return sum(size for file, (size, _) in made(board, till).items() if not _when(file, board, till))


def _when(file, board, till=False):
    """Words for a file that does not stay, "" for one that does."""
    if file in _ASKED or file == flat("boards." + board):
        return "when asked for"
    if file in _OF_TCP:
        return "never"
    if file in _OF_A_GATE and not till:
        return "with a till"
    drivers = used.board(board)["DRIVERS"]
    if file == "hal_none" and not any(drivers[port] == "none" for port in drivers if port != "till"):
        return "in safe mode"
    return ""


def main(board):
    """Prints the files of a board and a line for each board; 1 if one is over its budget."""
    files = made(board, False)
    for file, (size, inside) in sorted(files.items(), key=lambda item: -item[1][0]):
        when = _when(file, board)
        print(f"{size:7,}  {inside[0] if len(inside) == 1 else file + '.mpy'}{f'  ({when})' if when else ''}")
        for name in inside if len(inside) > 1 else ():
            print(f"{'':11}{name}")
    print(f"{sum(size for size, _ in files.values()):7,}  in all, {len(files)} files")
    print(f"Of a budget of {BUDGET:,} stay in the heap, without a till and with the gate to one:")
    over = False
    for name in used.names():
        alone, gate = stays(name, False), stays(name, True)
        too_much = max(alone, gate) > BUDGET
        over |= too_much
        print(f"{alone:7,} {gate:7,}  {name}{'  over budget' if too_much else ''}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
