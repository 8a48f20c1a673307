"""`silence` on a terminal, over a real store: what is printed, and what a program reads."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def allow(terminal: Terminal) -> None:
    config = terminal.folder / "agent_config.yaml"
    window = "maintenance: [{name: always, from: '00:00', until: '24:00', match: [a=b]}]\n"
    config.write_text(config.read_text().replace("[diagnose,", "[silence, diagnose,") + window)


def test_an_evening_on_the_terminal(terminal: Terminal) -> None:
    terminal.run("playbook", "run", "restart_workload", "deploy/agents", "-n", "agents")  # makes the store
    code, _, error = terminal.run("silence", "add", "HighLatency", "--for", "2h", "--comment", "x")
    assert (code, "Ana may not silence" in error) == (2, True)
    allow(terminal)
    assert terminal.run("silence", "list") == (0, "no silence\n", "")
    code, said, _ = terminal.run("silence", "add", "HighLatency", 'ns=~"shop-.*"', "--preview")
    assert code == 0
    assert "nothing was changed" in said
    assert "0 firing alerts match" in said
    code, said, _ = terminal.run(
        "silence", "add", "HighLatency", 'ns=~"shop-.*"', "--for", "2h", "--comment", "load [bold]test\x1b[31m"
    )
    assert (code, "silence 1 is active: from " in said) == (0, True)
    said = terminal.run("silence", "list")[1]
    assert 'alertname="HighLatency"' in said
    assert "[bold]" in said
    assert "\x1b" not in said
    assert "1 active silence; 1 ends next" in terminal.run("status")[1]
    assert "maintenance always until" in terminal.run("status")[1]
    assert terminal.run("silence", "expire", "1")[1].startswith("silence 1 is over")
    code, _, error = terminal.run("silence", "expire", "1")
    assert (code, "silence 1 is over already" in error, "expired by Ana" in error) == (2, True, True)
    code, data = terminal.ask("silence", "list", "--all")
    assert [(one["id"], one["state"], one["expired_by"]) for one in data["silences"]] == [(1, "expired", "Ana")]


def test_a_list_in_one_word_and_the_same_twice(terminal: Terminal) -> None:
    terminal.run("playbook", "run", "restart_workload", "deploy/agents", "-n", "agents")
    allow(terminal)
    words = ("silence", "add", '{a="b", c=~"d|e"}', "--for", "2h", "--comment", "x")
    terminal.run(*words)
    code, data = terminal.ask(*words)
    assert (code, data["silence"]["matchers"], data["overlaps"]) == (0, ['a="b"', 'c=~"d|e"'], [1])
    assert "the same is silenced by 1, 2" in terminal.run(*words)[1]


def test_refusals_have_names_for_programs(terminal: Terminal) -> None:
    terminal.run("playbook", "run", "restart_workload", "deploy/agents", "-n", "agents")
    allow(terminal)
    for words, reason in (
        (["a!=b", "--for", "2h", "--comment", "x"], "too_wide"), (["a=b", "--for", "2h"], "no_comment"),
        (["--for", "2h", "--comment", "x"], "no_matchers"), (["a=b", "--comment", "x"], "no_time"),
    ):  # fmt: skip
        code, data = terminal.ask("silence", "add", *words)
        assert (code, data["reason"]) == (2, reason)


def test_the_three_explain_themselves(terminal: Terminal) -> None:
    assert "silence expire" in terminal.run("silence", "--help")[1]
    assert "--preview" in terminal.run("silence", "add", "--help")[1]
    assert "'silence' needs one of: add, list, expire" in terminal.run("silence")[2]


def test_check_advises_on_a_window_that_is_over(terminal: Terminal) -> None:
    config = terminal.folder / "agent_config.yaml"
    config.write_text(
        config.read_text() + "maintenance:\n  - {name: old, from: '2020-12-01 20:00', until: '2020-12-02 02:00'}\n"
    )
    code, said, _ = terminal.run("check", str(config))
    assert code == 0
    assert "warning: window 'old' is over (take it out)" in said
