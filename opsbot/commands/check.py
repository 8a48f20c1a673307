"""`check`: problems in files of any of our formats."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from opsbot.commands.desk import Answer, Desk
from opsbot.core.errors import Problem
from opsbot.lab import check, library


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{files: [{path, kind, rules, ignored, problems, warnings}], problems: N}; code 1 where there are problems."""
    named = [Path(name) for name in args.files]
    judged = check.check(check.found_in(named) if named else list(library.files(desk.config)), desk.config)
    count = sum(len(found.problems) for found in judged)
    return Answer({"files": [_shape(found) for found in judged], "problems": count}, 1 if count else 0)


def _shape(found: check.Checked) -> dict[str, Any]:
    return {
        "path": str(found.path),
        "kind": found.kind,
        "rules": found.rules,
        "ignored": [],
        "problems": [_problem(problem) for problem in found.problems],
        "warnings": [_problem(problem) for problem in found.warnings],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line, "column": problem.column, "rule": problem.rule, "message": problem.message,
        "hint": problem.hint,
    }  # fmt: skip
