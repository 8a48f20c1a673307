"""What the demo says of a model, and at its end."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from opsbot.cli import story
from opsbot.core.audit import Note
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.incident import Incident, State
from opsbot.core.target import Target
from opsbot.mask import mask
from opsbot.store import open_store
from tests.chat.chat_world import PLAN, awaiting


@pytest.mark.parametrize(
    ("argv", "found", "says"),
    [
        ("/usr/bin/opsbot", "/usr/bin/opsbot", "opsbot"),
        ("/somewhere/opsbot/__main__.py", "/usr/bin/opsbot", "opsbot"),
        ("/somewhere/opsbot/__main__.py", None, "python -m opsbot"),
        (".venv/bin/opsbot", None, ".venv/bin/opsbot"),
    ],
    ids=["on the path", "a module, and on the path", "a module", "a program that is on no path"],
)
def test_where_to_look_next_can_be_typed(
    monkeypatch: pytest.MonkeyPatch, argv: str, found: str | None, says: str
) -> None:
    monkeypatch.setattr(sys, "argv", [argv])
    monkeypatch.setattr("shutil.which", lambda _name: found)
    lines = [line.plain for line in story._where_next()]
    assert lines[1].startswith(f"  {says} check ")
    assert lines[2].endswith(f": {says} serve")


NOW = datetime(2026, 3, 4, 3, 15, tzinfo=UTC)
APP = Target("agents", "Deployment", "agents")
GUESS = Hypothesis("slow_dependency", APP, mask("the database may be slow"), 0.4, ())
ASKED = Note("diagnostic", "ask_model", "no_answer", {"round": "1", "why": "the model m refuses the connection"})


@pytest.mark.parametrize(
    ("guesses", "note", "says"),
    [
        ((), ASKED, "The model gave no answer: the model m refuses the connection."),
        ((), replace(ASKED, reason="nothing_to_add", detail={}), "The model had nothing to add."),
        ((GUESS,), replace(ASKED, reason="answered", detail={}), "thinks of slow_dependency (40 %): the database"),
    ],
    ids=["no answer", "nothing to add", "a hypothesis"],
)
def test_what_came_of_asking_a_model_is_told_once(guesses: tuple[Hypothesis, ...], note: Note, says: str) -> None:
    store, out = open_store("sqlite://", NOW), io.StringIO()
    made = Incident(0, APP.key, 0, State.OPEN, "critical", mask("High"), NOW, NOW, APP)
    number = store.create(made, Note("monitor", "opened"), NOW).id
    told = story.Story(Console(file=out, width=200), time.monotonic())
    for asked in (False, True, True):
        if asked and "model" not in out.getvalue():
            store.add_hypotheses(number, 1, guesses, note, NOW)
        incident = store.load(number)
        assert incident is not None
        told._incident(incident, store)
    store.close()
    assert out.getvalue().count("  model ") == 1
    assert says in out.getvalue()


@pytest.mark.parametrize("width", [20, 80, 200])
def test_the_command_of_a_proposal_can_be_copied(width: int) -> None:
    """It stands on a line of its own, which nothing breaks but the terminal itself."""
    page = io.StringIO()
    told = story.Story(Console(file=page, width=width, color_system=None), 0.0)
    told.config = "/tmp/" + "folder-of-the-ground/" * 8 + "agent_config.yaml"
    told._proposal(awaiting())
    command = f"opsbot approve 42 {PLAN.digest[:8]} --config {told.config}"
    assert command in page.getvalue().splitlines()
