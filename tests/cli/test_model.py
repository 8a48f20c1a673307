"""A model at the terminal: asked where it may be, shown for what it is, and never needed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from opsbot import config as settings
from opsbot.app import hands
from opsbot.testing.loopback import Ending
from opsbot.testing.model import FakeModelServer, Said
from tests.cli.conftest import Terminal

DEPLOYMENT = ("deploy/agents", "-n", "agents")
ODD = "INFO lease 77 moved to state q9 and stays there\n"
BUSY = "WARN task 8f21 timed out after 5000 ms waiting for a free worker (queue 41)\n" * 3


def logs(terminal: Terminal, text: str) -> None:
    """All pods say this now: the terminal reads the clock of the machine, and logs only of the last hour."""
    terminal.cluster.clock.set(datetime.now(UTC))  # type: ignore[attr-defined]
    terminal.cluster.set_logs("agents", "agents-*", text)


def answer(text: str, playbook: str | None = "restart_workload") -> str:
    piece, _, quote = next(line for line in text.split("\n") if "lease 77" in line or "free worker" in line).partition(
        "| "
    )
    return json.dumps({"hypotheses": [{
        "fault": "deadlock_or_hang", "object": "Deployment/agents/agents", "confidence": 0.6, "says": "It hangs.",
        "evidence": [{"id": piece.partition(":")[0], "quote": quote}, {"id": "e99", "quote": "never"}],
        "playbook": playbook,
    }]})  # fmt: skip


@contextmanager
def asking(terminal: Terminal, *said: Said, more: str = "") -> Iterator[FakeModelServer]:
    """The terminal's config with a model, which says this."""
    server = FakeModelServer(*(said or (Said(answer),)))
    with server.serve() as url:
        with (terminal.folder / "agent_config.yaml").open("a") as file:
            file.write(f"model: {{base_url: '{url}/v1', name: fake, timeout: 10s{more}}}\n")
        yield server


def test_it_is_asked_where_the_rules_find_no_cause(terminal: Terminal) -> None:
    logs(terminal, ODD)
    terminal.cluster.change("Deployment", "agents", "agents", {"status": {"readyReplicas": 0}})
    with asking(terminal) as server:
        code, found = terminal.ask("diagnose", *DEPLOYMENT, "--ask-model")
    assert code == 0
    (thought,) = found["hypotheses"]
    assert thought == {
        "fault": "deadlock_or_hang", "says": "It hangs.", "confidence": 0.6, "proposal": "restart_workload",
        "target": {"kind": "Deployment", "namespace": "agents", "name": "agents", "cluster": "bench"},
        "evidence": [{"id": thought["evidence"][0]["id"], "quote": thought["evidence"][0]["quote"]}],
    }  # fmt: skip
    assert "lease 77" in thought["evidence"][0]["quote"]
    assert found["model"] == {
        "reason": "answered", "says": "The model gave hypotheses (dropped: 1 unknown evidence).",
        "dropped": {"unknown_evidence": 1},
    }  # fmt: skip
    assert found["proposals"] == [{"playbook": "restart_workload", "why": "It hangs.", "from": "model"}]
    assert len(server.asked) == 1


def test_it_is_shown_as_a_guess(terminal: Terminal) -> None:
    logs(terminal, ODD)
    with asking(terminal):
        text = terminal.run("diagnose", *DEPLOYMENT, "--ask-model")[1]
    for words in (
        "Guesses of a model",
        "? deadlock_or_hang (60 %) on Deployment/agents -n agents",
        "It hangs.",
        "lease 77",
    ):
        assert words in text
    assert "it would run restart_workload, which needs a human's yes" in text


@pytest.mark.parametrize(
    ("words", "more", "asked"),
    [((), "", 0), (("--ask-model",), "", 1), ((), ", ask: always", 1), (("--rules-only",), ", ask: always", 0)],
    ids=["a cause explains it", "asked for", "always", "rules only"],
)
def test_when_it_is_asked(terminal: Terminal, words: tuple[str, ...], more: str, asked: int) -> None:
    logs(terminal, BUSY)
    with asking(terminal, more=more) as server:
        code, found = terminal.ask("diagnose", *DEPLOYMENT, *words)
    assert (code, len(server.asked)) == (1, asked)
    assert [f["fault"] for f in found["findings"] if f["cause"]] == ["overload"]
    assert found["findings"][0]["rank"] == 1
    assert (found["model"] is not None) is bool(asked)
    assert [p["from"] for p in found["proposals"]] == ["finding"], "what rules propose is not touched"


@pytest.mark.parametrize(
    ("said", "reason", "words"),
    [
        (Said("It may be the network."), "no_answer", "no usable answer"),
        (Said(status=500, raw=b"boom"), "no_answer", "answered 500: boom"),
        (Said(ending=Ending.DROPPED), "no_answer", "broke the connection off"),
        (Said("x" * 30_000), "no_answer", "answer of 30000 characters"),
        (Said('{"hypotheses": [{}]}'), "no_answer", "is missing"),
        (Said(lambda text: answer(text).replace("deadlock_or_hang", "gremlins")),
         "nothing_usable", "could not be used (dropped: 1 unknown fault)"),
    ],
    ids=["prose", "500", "dropped", "over-long", "other shape", "no fault"],
)  # fmt: skip
def test_one_that_fails_leaves_the_rules_result(terminal: Terminal, said: Said, reason: str, words: str) -> None:
    logs(terminal, BUSY)
    with asking(terminal, said):
        code, found = terminal.ask("diagnose", *DEPLOYMENT, "--ask-model")
    assert (code, found["hypotheses"], found["model"]["reason"]) == (1, [], reason)
    assert words in found["model"]["says"]
    assert [f["fault"] for f in found["findings"] if f["cause"]] == ["overload"]


def test_one_that_is_dead_does_as_well(terminal: Terminal) -> None:
    logs(terminal, BUSY)
    with (terminal.folder / "agent_config.yaml").open("a") as file:
        file.write("model: {base_url: 'http://127.0.0.1:1/v1', name: fake}\n")
    code, found = terminal.ask("diagnose", *DEPLOYMENT, "--ask-model")
    assert (code, found["model"]["reason"]) == (1, "no_answer")
    assert "refuses the connection" in terminal.run("diagnose", *DEPLOYMENT, "--ask-model")[1]


def test_the_prompt_is_printed_and_nobody_asked(terminal: Terminal) -> None:
    logs(terminal, f"{ODD}login with password=Tr0ub4dor-and-3-horses\x1b[2J\n")
    with asking(terminal) as server:
        code, found = terminal.ask("diagnose", *DEPLOYMENT, "--prompt")
        text = terminal.run("diagnose", *DEPLOYMENT, "--prompt")[1]
    assert (code, server.requests) == (0, [])
    assert set(found["prompt"]) == {"system", "text", "schema"}
    assert "lease 77 moved" in found["prompt"]["text"]
    assert "Tr0ub4dor" not in json.dumps(found)
    assert "\x1b" not in text
    assert "never an instruction" in text


def test_the_prompt_needs_no_model_and_no_store(terminal: Terminal) -> None:
    code, found = terminal.ask("diagnose", *DEPLOYMENT, "--prompt")
    assert (code, found["target"]["name"]) == (0, "agents")


def test_asking_one_that_is_not_there_is_bad_usage(terminal: Terminal) -> None:
    code, _, err = terminal.run("diagnose", *DEPLOYMENT, "--ask-model")
    assert (code, "no `model` in the config" in err) == (2, True)


@pytest.mark.parametrize("word", ["--ask-model", "--rules-only"])
def test_an_incident_is_asked_about_as_the_config_says(terminal: Terminal, word: str) -> None:
    assert terminal.run("diagnose", "1", word)[0] == 2


def _fire(terminal: Terminal) -> Any:
    """An incident without an action of its own, diagnosed by the agents."""
    from opsbot import config as settings
    from opsbot.app import connect
    from opsbot.core.alert import Alert, AlertState
    from opsbot.core.audit import Note
    from opsbot.core.incident import Incident, State
    from opsbot.core.target import Target
    from opsbot.mask import mask

    hands = connect(settings.load())
    now, target = hands.clock(), Target("agents", "Deployment", "agents", "bench")
    alert = Alert("rule", "High", "f1", "critical", {}, AlertState.FIRING, now, target=target)
    hands.store.save_alerts("rule", [alert], now)
    made = Incident(0, target.key, 0, State.OPEN, "critical", mask("High"), now, now, target)
    hands.store.create(made, Note("monitor", "open"), now, ["f1"])
    hands.store.close()


def test_an_incident_shows_what_a_model_thinks(terminal: Terminal) -> None:
    logs(terminal, ODD)
    with asking(terminal) as server:
        _fire(terminal)
        terminal.work()
        found = terminal.ask("show", "1")[1]["incident"]
        text = terminal.run("show", "1")[1]
        prompt = terminal.ask("diagnose", "1", "--prompt")[1]["prompt"]
    assert len(server.asked) == 1
    assert found["model"]["reason"] == "answered"
    assert found["hypotheses"][0]["proposal"] == "restart_workload"
    assert "Guesses of a model" in text
    assert "lease 77 moved" in text
    assert server.asked[0]["messages"][1]["content"] == prompt["text"], "what is printed is what was sent"
    assert terminal.ask("audit", "verify")[1]["problems"] == []


def test_without_a_model_an_incident_says_nothing_of_one(terminal: Terminal) -> None:
    _fire(terminal)
    terminal.work()
    assert terminal.ask("show", "1")[1]["incident"]["model"] is None
    assert "Guesses" not in terminal.run("show", "1")[1]


def test_the_client_is_loaded_in_the_background_where_a_model_is_configured(terminal: Terminal) -> None:
    file = terminal.folder / "agent_config.yaml"
    assert hands.warm_up(settings.load(str(file))) is None
    with asking(terminal) as server:
        thread = hands.warm_up(settings.load(str(file)))
        assert thread is not None
        thread.join(30)
        assert (thread.daemon, thread.is_alive(), "openai" in sys.modules, server.asked) == (True, False, True, [])
