"""`status`, `ack` and `help` as they are read on a terminal."""

from __future__ import annotations

from tests.cli.conftest import Terminal


def test_a_night_on_the_terminal(terminal: Terminal) -> None:
    assert terminal.run("playbook", "run", "restart_workload", "deploy/agents", "-n", "agents")[0] == 0
    terminal.work()
    code, said, _ = terminal.run("status")
    assert code == 0
    assert "opsbot in mode propose on bench" in said
    assert "1 open incident: 1 awaiting_approval" in said
    assert "waits for a human: incident 1 awaiting_approval" in said
    code, said, error = terminal.run("ack", "1")
    assert (code, said) == (2, "")
    assert "may not ack" in error
    (terminal.folder / "agent_config.yaml").write_text(
        (terminal.folder / "agent_config.yaml").read_text().replace("[diagnose,", "[ack, diagnose,")
    )
    for _ in range(2):
        code, said, _ = terminal.run("ack", "1")
        assert (code, said.strip()) == (
            0, "incident 1 is acknowledged by Ana; it is awaiting_approval (approval_needed)",
        )  # fmt: skip
    assert "taken by Ana" in " ".join(terminal.run("show", "1")[1].split())
    assert "Ana looks into it" in terminal.run("status")[1]


def test_help_on_the_terminal(terminal: Terminal) -> None:
    assert "say yes to the plan that you have read" in terminal.run("help")[1]
    code, said, _ = terminal.run("help", "approve")
    assert code == 0
    assert "example: opsbot approve 42 1f0c22ab" in said
    code, _, error = terminal.run("help", "nonsense")
    assert code == 2
    assert "is no verb here" in error
