"""Asks the real promtool what alerts a rule has: rule and series in, alerts per minute out."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PAIR = re.compile(r'([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"')
_BLOCK = re.compile(
    r"alertname: (?P<name>\S+), time: (?P<time>\S+),\s+exp:.*?got:\[(?P<got>.*?)(?=\n    alertname:|\Z)", re.DOTALL
)


@dataclass(frozen=True)
class Got:
    """An alert that fires according to promtool."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def firing(
    program: Path, folder: Path, rules: Sequence[Mapping[str, Any]], series: Mapping[str, str], minutes: int
) -> dict[tuple[str, int], list[Got]]:
    """The alerts that fire, by rule name and minute; series as promtool writes them, one value per minute.

    promtool tells what there is only where it differs from what is expected, so an alert is expected that never comes.
    """
    never = {"exp_labels": {"never": "there"}}
    names = sorted({str(rule["alert"]) for rule in rules})
    asked = [
        {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": [never]}
        for minute in range(minutes)
        for name in names
    ]
    test = {
        "interval": "1m", "alert_rule_test": asked,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
    }  # fmt: skip
    (folder / "rules.json").write_text(json.dumps({"groups": [{"name": "g", "rules": list(rules)}]}))
    (folder / "test.json").write_text(
        json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": [test]})
    )
    tool = program.with_name("promtool")
    ran = subprocess.run([str(tool), "test", "rules", str(folder / "test.json")], capture_output=True, check=False)
    return _read((ran.stdout + ran.stderr).decode("utf-8", "replace"), names, minutes)


def _read(said: str, names: Sequence[str], minutes: int) -> dict[tuple[str, int], list[Got]]:
    found: dict[tuple[str, int], list[Got]] = {}
    for block in _BLOCK.finditer(said):
        alerts = re.findall(r"Labels:\{(.*)\}\s+Annotations:\{(.*)\}", block["got"])
        found[block["name"], _minute(block["time"])] = [Got(_pairs(a), _pairs(b)) for a, b in alerts]
    if len(found) != len(names) * minutes:
        raise AssertionError(f"promtool said something else than expected: {said[:2000]}")
    return found


def _pairs(text: str) -> dict[str, str]:
    """`a="b", c="d"` as Go quotes it."""
    return {
        name: json.loads(f'"{re.sub(chr(92) * 2 + "x(..)", _unhex, value)}"') for name, value in _PAIR.findall(text)
    }


def _unhex(found: re.Match[str]) -> str:
    return f"\\u00{found[1]}"


def _minute(text: str) -> int:
    """`1h2m0s` in minutes."""
    hours, minutes = re.search(r"(\d+)h", text), re.search(r"(\d+)m", text)
    return int(hours[1] if hours else 0) * 60 + int(minutes[1] if minutes else 0)
