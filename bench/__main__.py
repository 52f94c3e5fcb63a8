"""Measures everything, writes results.md, prints the ratios. Ends with 0 whatever they are."""

import shutil
import tempfile
from pathlib import Path

from . import commits, gate, growth, link, preflight, programmed
from .report import Report

HERE = Path(__file__).parent
SCRATCH = HERE.parent / "build"  # on the disk of the project: /tmp may be memory, which syncs at no cost


def main():
    SCRATCH.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=SCRATCH))
    try:
        print("commits a second …", flush=True)
        speeds = commits.measure(folder)
        print("bytes programmed a refund …", flush=True)
        flash = programmed.measure(folder)
        print("with more records …", flush=True)
        rows = [*growth.growing(folder), growth.turning(folder)]
        print("pre-flights …", flush=True)
        preflights = preflight.Measured(folder)
        print("the gate …", flush=True)
        gates = gate.Measured(folder, SCRATCH)
        print("the link …", flush=True)
        links = link.Measured()
    finally:
        shutil.rmtree(folder)
    report = Report(speeds, flash, rows, preflights, gates, links)
    (HERE / "results.md").write_text(report.markdown())
    print("\nbench/results.md is written. Ratios:")
    for line in report.plain():
        print(line)


main()
