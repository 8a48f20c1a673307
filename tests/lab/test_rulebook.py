"""Rules read again as their files change: a bad file leaves in force what it held before."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.lab import rulebook
from opsbot.lab.rulebook import RuleBook

MAIN = "rule_files: ['prometheus/*.yaml']\nalerts: [{name: Own, condition: up == 0, severity: info}]\n"


def rules(*names: str) -> str:
    inner = "".join(f"  - {{alert: {name}, expr: up == 0}}\n" for name in names)
    return f"groups:\n- name: g\n  rules:\n{inner}"


class Folder:
    """A folder with an alerts.yaml, and the book over it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "prometheus").mkdir()
        self.stamp = 1_000_000_000
        self.write("alerts.yaml", MAIN)
        self.write("prometheus/a.yaml", rules("A"))
        self.book = RuleBook(path / "alerts.yaml", {}, timedelta(seconds=30))

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)
        self.stamp += 1
        os.utime(self.path / name, ns=(self.stamp, self.stamp))

    @property
    def agreements(self) -> dict[str, tuple[str, ...]]:
        return {one.name: one.equal for one in self.book.inhibitions}

    @property
    def names(self) -> list[str]:
        return [rule.name for rule in self.book.rules]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    assert made.book.look()
    return made


def test_all_files_that_are_named(folder: Folder) -> None:
    assert folder.names == ["Own", "A"]
    assert not folder.book.look()
    assert folder.book.figures == {"rule_files": 2, "rule_files_invalid": 0, "alert_rules": 2}


def test_changes_are_taken_up(folder: Folder) -> None:
    folder.write("prometheus/b.yaml", rules("B"))
    assert folder.book.look()
    assert folder.names == ["Own", "A", "B"]
    folder.write("prometheus/a.yaml", rules("A2"))
    (folder.path / "prometheus/b.yaml").unlink()
    assert folder.book.look()
    assert folder.names == ["Own", "A2"]


def test_a_bad_file_leaves_the_old_one_in_force_and_the_others_go_on(folder: Folder) -> None:
    folder.write("prometheus/a.yaml", rules("A") + "  - {alert: Bad, expr: rate(up}\n")
    folder.write("prometheus/b.yaml", rules("B"))
    assert folder.book.look()
    assert folder.names == ["Own", "A", "B"]
    (problem,) = folder.book.problems
    assert (Path(problem.file).name, problem.line, problem.rule) == ("a.yaml", 5, "Bad")
    assert folder.book.figures["rule_files_invalid"] == 1
    assert not folder.book.look()
    folder.write("prometheus/a.yaml", rules("A3"))
    assert folder.book.look()
    assert (folder.names, folder.book.problems) == (["Own", "A3", "B"], ())


@pytest.mark.parametrize(
    "text", ["", "# soon\n", "---\n", "groups:\n"], ids=["nothing", "a comment", "a mark", "a key"]
)
def test_a_file_that_was_emptied_keeps_its_rules(folder: Folder, text: str) -> None:
    folder.write("prometheus/a.yaml", text)
    assert folder.book.look()
    assert folder.names == ["Own", "A"]
    (problem,) = folder.book.problems
    assert problem.message == "is empty; what it held stays in force"
    folder.write("prometheus/a.yaml", "groups: []\n")
    assert folder.book.look()
    assert (folder.names, folder.book.problems) == (["Own"], ())


def test_a_file_that_is_empty_from_the_start_holds_no_rules(folder: Folder) -> None:
    folder.write("prometheus/b.yaml", "# soon\n")
    folder.book.look()
    assert (folder.names, folder.book.problems) == (["Own", "A"], ())
    folder.write("prometheus/b.yaml", "")
    folder.book.look()
    assert folder.book.problems == ()


@pytest.mark.parametrize("text", ["alerts: [", "alerts: [{name: Own}]"], ids=["no YAML", "a bad rule"])
def test_a_bad_alerts_file_keeps_its_rules_and_its_patterns(folder: Folder, text: str) -> None:
    folder.write("alerts.yaml", text)
    assert folder.book.look()
    assert folder.names == ["Own", "A"]
    assert folder.book.problems


def test_an_alerts_file_that_goes_away_keeps_its_rules(folder: Folder) -> None:
    (folder.path / "alerts.yaml").unlink()
    assert folder.book.look()
    assert folder.names == ["Own", "A"]
    assert "no such file" in folder.book.problems[0].message


def test_a_plain_name_must_be_there_and_a_pattern_need_not(folder: Folder) -> None:
    folder.write("alerts.yaml", "rule_files: ['none/*.yaml', gone.yaml]")
    assert folder.book.look()
    assert [Path(problem.file).name for problem in folder.book.problems] == ["gone.yaml"]
    assert [path.name for path in rulebook.named(folder.path / "alerts.yaml")] == ["gone.yaml"]


def test_alike_rules_of_two_files_are_two(folder: Folder) -> None:
    folder.write("prometheus/b.yaml", rules("A"))
    assert folder.book.look()
    assert len({rule.id for rule in folder.book.rules}) == 3


@pytest.mark.parametrize(
    ("pattern", "want"),
    [("*.yaml", ["alerts.yaml"]), ("prometheus/../prometheus/a.yaml", ["a.yaml"]), ("**/*.yaml", ["alerts.yaml",
    "a.yaml"]),
     ("", []), ("/", []), ("prometheus", [])],
    ids=["star", "up and down", "all folders", "nothing", "root", "a folder"],
)  # fmt: skip
def test_patterns(folder: Folder, pattern: str, want: list[str]) -> None:
    assert [path.name for path in rulebook.globbed(folder.path, pattern)] == want
    if pattern.endswith(".yaml"):
        assert [path.name for path in rulebook.globbed(Path("/nowhere"), f"{folder.path}/{pattern}")] == want


INHIBIT = (
    "inhibit:\n  - {name: nodes, source_matchers: [alertname=NodeDown], "
    "target_matchers: [alertname=~Pod.*], equal: [node]}\n"
)


def test_inhibitions_are_taken_up_and_kept_while_the_file_is_bad(folder: Folder) -> None:
    assert folder.agreements == {}
    folder.write("alerts.yaml", MAIN + INHIBIT)
    assert folder.book.look()
    assert folder.agreements == {"nodes": ("node",)}
    assert not folder.book.look()
    folder.write("alerts.yaml", MAIN + INHIBIT.replace("=~", "~"))
    assert folder.book.look()
    assert folder.agreements == {"nodes": ("node",)}
    assert [problem.line for problem in folder.book.problems] == [4]
    assert folder.names == ["Own", "A"]
    folder.write("alerts.yaml", MAIN + INHIBIT.replace("[node]", "[host]"))
    assert folder.book.look()
    assert folder.agreements == {"nodes": ("host",)}
    assert len(folder.book.problems) == 0
