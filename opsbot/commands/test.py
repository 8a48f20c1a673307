"""`test`: run the cases that rules and playbooks bring along, and unit tests of promtool."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opsbot.commands import check
from opsbot.commands.desk import Answer, Desk
from opsbot.core.canonical import plain
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import ConfigError, PermanentError, Problem
from opsbot.core.playbook import Playbook
from opsbot.diagnose import cases as rule_cases
from opsbot.lab import promcases, promload, promtests
from opsbot.lab.promserver import Bench
from opsbot.remediate import cases as playbook_cases


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{cases: [{file, name, passed, expected, got}], passed, failed, problems, warnings, prometheus}.

    Cases of unit tests have their `line` too. `prometheus` is what was asked for them ({version, path}, else null).
    Code 1 where a case fails, 2 where a file has problems: its cases prove nothing and are left out. ConfigError where
    that leaves none, PermanentError where there never were any, unless unit tests were asked for: these may be empty.
    """
    session = _Session()
    judged = check.judged(desk, args)
    session.problems += [problem for found in judged for problem in found.problems]
    for found in judged:
        for item in found.items if not found.problems else ():
            session.take(item)
    if session.problems and not session.cases:
        raise ConfigError(session.problems)
    if not session.cases and not session.warnings:
        raise PermanentError("there is no case in these files: rules, playbooks and unit tests of promtool have some")
    return session.answer()


@dataclass(slots=True)
class _Session:
    """What has come of the files so far."""

    cases: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    bench: Bench = field(default_factory=Bench)

    def take(self, item: Any) -> None:
        """Run the cases of one item."""
        if isinstance(item, DiagnosisRule):
            self.add(item.file, rule_cases.run(item))
        elif isinstance(item, Playbook):
            self.add(item.file, playbook_cases.run(item))
        elif isinstance(item, promtests.PromTests):
            self.unit_tests(item)

    def unit_tests(self, tests: promtests.PromTests) -> None:
        """Run the cases of a unit-test file; rule files with problems keep no other file from it."""
        self.warnings += promload.doubts(tests)
        try:
            self.add(tests.file, promcases.run(tests, self.bench))
        except ConfigError as error:
            self.problems += error.problems

    def add(self, file: str, results: Sequence[Any]) -> None:
        """Take cases that were run."""
        self.cases += [_shape(file, result) for result in results]

    def answer(self) -> Answer:
        """All of it, and the exit code."""
        failed = sum(not case["passed"] for case in self.cases)
        data = {
            "cases": self.cases, "passed": len(self.cases) - failed, "failed": failed, "prometheus": self.bench.asked,
            "problems": [plain(problem) for problem in self.problems],
            "warnings": [plain(problem) for problem in self.warnings],
        }  # fmt: skip
        return Answer(data, 2 if self.problems else 1 if failed else 0)


def _shape(file: str, result: Any) -> dict[str, Any]:
    line = {"line": result.line} if isinstance(result, promcases.Judged) else {}
    return {
        "file": file, "name": result.name, "passed": result.passed, "expected": result.expected, "got": result.got,
        **line,
    }  # fmt: skip
