"""How long does a fresh clone take to install? `python -m benchmarks.install`, from a git checkout."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Clones the checkout's HEAD into a fresh folder and makes its environment; prints the seconds."""
    with tempfile.TemporaryDirectory(prefix="trialdesk-clone-") as folder:
        clone = Path(folder) / "trialdesk"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        started = time.perf_counter()
        subprocess.run(["make", "--silent", ".venv/ready-run"], cwd=clone, check=True)
        print(json.dumps({"install_s": round(time.perf_counter() - started, 1)}))


if __name__ == "__main__":
    main()
