"""What `opsbot --help` costs: CPU time as a multiple of `python -c pass`, the two run in turn.

    python bench/start.py [RUNS]

Prints the median ratio; the goal is 4 or less.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys


def cpu(command: list[str]) -> float:
    """User and system seconds of one run."""
    before = os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def together(command: list[str], times: int) -> float:
    """Several runs as one figure, because the system counts in hundredths of a second."""
    return sum(cpu(command) for _ in range(times))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    ratios = []
    for _ in range(runs):
        bare = together([sys.executable, "-c", "pass"], 20)
        ratios.append(together([sys.executable, "-m", "opsbot", "--help"], 20) / bare)
    middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
    print(f"opsbot --help / python -c pass: median {middle:.2f}, {least:.2f} to {most:.2f}")


if __name__ == "__main__":
    main()
