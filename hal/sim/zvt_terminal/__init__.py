"""A simulated ZVT card terminal, a process of its own: `python -m hal.sim.zvt_terminal --help`. CPython alone.

line or tcp_line (bytes, ACK, timers) -> session (whose turn it is) -> behaviour, payments, administration (what the paper
says, as steps) -> reports (answers); the turnover store keeps what was executed; console takes the commands of whoever tests
a till, script reads them from a file, rules does them when their command comes.
"""
