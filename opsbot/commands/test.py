"""`test`: run the cases that rules and playbooks bring along, and unit tests of promtool."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from opsbot.commands import check
from opsbot.commands.desk import Answer, Desk
from opsbot.core.diagnosis import DiagnosisRule
from opsbot.core.errors import ConfigError, PermanentError
from opsbot.core.playbook import Playbook
from opsbot.diagnose import cases as rule_cases
from opsbot.lab import promcases, promtests
from opsbot.remediate import cases as playbook_cases


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{cases: [{file, name, passed, expected, got}], passed, failed}; code 1 where one fails.

    ConfigError for files with problems: cases of a file that cannot be in force prove nothing.
    """
    judged = check.judged(desk, args)
    problems = [problem for found in judged for problem in found.problems]
    if problems:
        raise ConfigError(problems)
    cases = [case for found in judged for item in found.items for case in _cases(item)]
    if not cases:
        raise PermanentError("there is no case in these files: rules, playbooks and unit tests of promtool have some")
    failed = sum(not case["passed"] for case in cases)
    return Answer({"cases": cases, "passed": len(cases) - failed, "failed": failed}, 1 if failed else 0)


def _cases(item: Any) -> Iterator[dict[str, Any]]:
    if isinstance(item, DiagnosisRule):
        yield from (_shape(item.file, result) for result in rule_cases.run(item))
    elif isinstance(item, Playbook):
        yield from (_shape(item.file, result) for result in playbook_cases.run(item))
    elif isinstance(item, promtests.PromTests):
        yield from (_shape(item.file, result) for result in promcases.run(item))


def _shape(file: str, result: Any) -> dict[str, Any]:
    return {
        "file": file, "name": result.name, "passed": result.passed, "expected": result.expected, "got": result.got,
    }  # fmt: skip
