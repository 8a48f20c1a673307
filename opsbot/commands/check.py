"""`check`: problems in files of any of our formats."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsbot.commands.desk import Answer, Desk
from opsbot.config import Config
from opsbot.core.alert import AlertRule
from opsbot.core.errors import ConfigError, OpsbotError, Problem
from opsbot.lab import check, library, online


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{files: [{path, kind, rules, ignored, problems, warnings}], problems: N, unasked: why}; code 1 for problems."""
    found, unasked = _advised(judged(desk, args), desk)
    count = sum(len(each.problems) for each in found)
    data = {"files": [_shape(each) for each in found], "problems": count, "unasked": unasked}
    return Answer(data, 1 if count else 0)


def _advised(found: list[check.Checked], desk: Desk) -> tuple[list[check.Checked], str | None]:
    """With what a Prometheus says of the alert rules, where config names one; and why it says nothing, if it fails."""
    rules = [item for each in found for item in each.items if isinstance(item, AlertRule)]
    try:
        metrics = desk.metrics if rules else None
        said = online.advice(rules, metrics, desk.now) if metrics else []
    except ConfigError:
        return found, "the config has problems"
    except OpsbotError as error:
        return found, str(error)
    return [
        replace(each, warnings=(*each.warnings, *(one for one in said if one.file == str(each.path)))) for each in found
    ], None


def judged(desk: Desk, args: Namespace) -> list[check.Checked]:
    """The files asked for, or all that the config names, each with what is wrong with it.

    A config with problems stops nothing: they are told where it is among the files.
    """
    config = _settings(desk)
    named = [Path(name) for name in args.files]
    return check.check(check.found_in(named) if named else list(library.files(config)), config, desk.now)


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
        "ignored": [{"name": one.name, "why": one.why} for one in found.ignored],
        "problems": [_problem(problem) for problem in found.problems],
        "warnings": [_problem(problem) for problem in found.warnings],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "line": problem.line, "column": problem.column, "rule": problem.rule, "message": problem.message,
        "hint": problem.hint, "excerpt": problem.excerpt,
    }  # fmt: skip
