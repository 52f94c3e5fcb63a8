"""A simulated till (ECR) for ZVT terminals, a process of its own: `python -m hal.sim.zvt_till --help`. CPython alone.

commands (text -> what to ask) -> till (asks by the driver for tills, hal/terminals/zvt/cashier.py) -> screen (what its
display shows, words.py where the terminal sends a code alone); plug opens the line and has the faults of a bad cable or till.
"""
