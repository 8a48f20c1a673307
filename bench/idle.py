"""What `opsbot serve` costs while nothing happens: the share of one core, and the memory.

    python bench/idle.py [SECONDS]

A process of `opsbot serve` with 100 rules every 15 s of a Prometheus 3 with 10,000 series (see bed.py; the conditions
are those of the poll benchmark, and none holds), no model asked, SQLite on disk. After 20 s for its start it is watched
for SECONDS (90). The goals are 1 % of a core and 110 MiB.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from bed import raised, rules

SETTLED = 20.0


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 90.0
    with raised() as bed, tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        quiet = [{**rule, "expr": f"({rule['expr']}) and on() vector(1) > 1"} for rule in rules(100)]
        groups = [{"name": "bench", "interval": "15s", "rules": quiet}]
        (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
        (folder / "alerts.yaml").write_text("alerts: []\nrule_files: [rules.yml]\n")
        config = {
            "prometheus": {"url": bed.url},
            "kubernetes": {"cluster": "bench", "read": {"server": "http://127.0.0.1:1", "token_file": "token"}},
            "limits": {"mode": "observe"},
        }
        (folder / "token").write_text("none")
        (folder / "agent_config.yaml").write_text(yaml.safe_dump(config))
        command = [sys.executable, "-m", "opsbot", "serve", "--config", str(folder / "agent_config.yaml")]
        serving = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(SETTLED)
            before, begun = cpu(serving.pid), time.monotonic()
            time.sleep(seconds)
            if serving.poll() is not None:
                raise SystemExit(f"opsbot ended: {serving.stderr.read() if serving.stderr else ''}")
            share = (cpu(serving.pid) - before) / (time.monotonic() - begun)
            print(f"idle: {share:.2%} of a core (goal 1 %), {memory(serving.pid):.0f} MiB (goal 110)")
        finally:
            serving.terminate()
            serving.wait(30)


def cpu(pid: int) -> float:
    """Seconds of user and system time so far, ended children not counted."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident MiB."""
    said = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(said["VmRSS"].split()[0]) / 1024


if __name__ == "__main__":
    main()
