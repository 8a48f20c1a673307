"""`check`: problems in files of any of our formats."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from opsbot.commands.desk import Answer, Desk
from opsbot.config import Config
from opsbot.core.errors import ConfigError, Problem
from opsbot.lab import check, library


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{files: [{path, kind, rules, ignored, problems, warnings}], problems: N}; code 1 where there are problems."""
    found = judged(desk, args)
    count = sum(len(each.problems) for each in found)
    return Answer({"files": [_shape(each) for each in found], "problems": count}, 1 if count else 0)


def judged(desk: Desk, args: Namespace) -> list[check.Checked]:
    """The files asked for, or all that the config names, each with what is wrong with it.

    A config with problems stops nothing: they are told where it is among the files.
    """
    config = _settings(desk)
    named = [Path(name) for name in args.files]
    return check.check(check.found_in(named) if named else list(library.files(config)), config)


def _settings(desk: Desk) -> Config:
    """The config in force, or defaults in the folder of one with problems; ConfigError where the file is missing."""
    path = desk.config_file
    try:
        return desk.config
    except ConfigError:
        return Config(folder=path.parent if path else Path(), file=path)


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
