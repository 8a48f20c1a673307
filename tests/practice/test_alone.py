"""One at a time, and what a killed one left is no obstacle."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from opsbot.practice.alone import alone, part

HOLD = """\
import sys, time
from pathlib import Path
from opsbot.practice.alone import alone
with alone(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(300)
"""
ROOT = Path(__file__).parents[2]


def quiet(_text: str) -> None:
    """Nobody wants to know."""


def test_the_second_waits_and_says_for_whom(tmp_path: Path) -> None:
    told, said, order = list[str](), list[str](), list[str]()
    into, held, waits = tmp_path / "place", threading.Event(), threading.Event()

    def first() -> None:
        with alone(into, quiet):
            held.set()
            waits.wait(10)
            order.append("first")

    def tell(text: str) -> None:
        told.append(text)
        if len(told) == 2:
            waits.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(10)
    with alone(into, tell, said.append):
        order.append("second")
    thread.join(10)
    assert order == ["first", "second"]
    assert said == [f"process {os.getpid()} makes place now: waiting for it"]
    assert told[0] == f"{said[0]}, 0 s"


def test_a_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    into = tmp_path / "place"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(into)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with alone(into, pytest.fail):
        pass


def test_parts_are_gone_afterwards(tmp_path: Path) -> None:
    with part(tmp_path / "place") as work:
        (work / "half").write_text("made")
    assert list(tmp_path.iterdir()) == []


def test_parts_of_a_killed_one_are_swept_and_no_others(tmp_path: Path) -> None:
    (tmp_path / ".place.part-dead" / "deep").mkdir(parents=True)
    (tmp_path / ".place2.part-alive").mkdir()
    (tmp_path / "place").mkdir()
    with alone(tmp_path / "place", quiet):
        assert sorted(left.name for left in tmp_path.iterdir()) == [".place.lock", ".place2.part-alive", "place"]
