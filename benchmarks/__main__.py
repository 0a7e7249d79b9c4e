"""Runs all benchmarks of a usual size, one after another: `make bench`."""

from __future__ import annotations

import subprocess
import sys

RUNS = (
    ("benchmarks.install",),
    ("benchmarks.desk", "--customers", "1500", "20000"),
    ("benchmarks.bulk", "--customers", "1000", "--rate", "25"),
    ("benchmarks.commands", "--count", "60", "--database", "sqlite", "postgresql"),
)

for run in RUNS:
    print(f"\n== python -m {' '.join(run)}", flush=True)
    subprocess.run([sys.executable, "-m", *run], check=True)
