"""Files of `rules:` in, DiagnosisRule values out; every problem of a file at once, with its place and a hint.

Nothing is guessed: an unknown fault, source or playbook, a pattern that is wrong or slow, a reference that no pattern
provides, a rule without a case for each answer, all refuse the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from opsbot.core import duration
from opsbot.core.diagnosis import Condition, DiagnosisRule, FindingIs, Pattern, RuleCase, When
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.faults import NAMES
from opsbot.diagnose.order import asked, cycle
from opsbot.diagnose.rulemodel import ConditionModel, RuleModel
from opsbot.diagnose.vetting import Vetted
from opsbot.yamlfile import Document, fit, parse_one, read_text


def load(path: Path, playbooks: Collection[str] | None = None) -> tuple[DiagnosisRule, ...]:
    """The rules of one file; ConfigError with all its problems."""
    return parse(read_text(path), str(path), playbooks)


def parse(text: str, file: str, playbooks: Collection[str] | None = None) -> tuple[DiagnosisRule, ...]:
    """The rules of a text. Names in `suggests` are looked up among `playbooks`, where they are given."""
    document = parse_one(text, file)
    items = _items(document)
    problems: list[Problem] = []
    models: list[tuple[int, RuleModel]] = []
    for place, item in enumerate(items):
        try:
            models.append((place, fit(document, RuleModel, item, ("rules", place))))
        except ConfigError as error:
            problems += error.problems
    for place, model in models:
        problems += Vetted(document, place, model).problems(playbooks)
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.line, problem.column)))
    rules = tuple(_rule(document, place, model) for place, model in models)
    problems += _doubles(rules)
    if problems:
        raise ConfigError(problems)
    return rules


def load_all(
    paths: Iterable[Path], playbooks: Collection[str] | None = None, disable: Collection[str] = ()
) -> tuple[DiagnosisRule, ...]:
    """The rules of many files as one set, those named in `disable` left out; ConfigError with all problems of all."""
    rules: list[DiagnosisRule] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            rules += load(path, playbooks)
        except ConfigError as error:
            problems += error.problems
    kept = tuple(rule for rule in rules if rule.name not in disable)
    problems += together(kept) if not problems else _doubles(kept)
    if problems:
        raise ConfigError(problems)
    return kept


def together(rules: Sequence[DiagnosisRule]) -> tuple[Problem, ...]:
    """What is wrong with rules only when they are laid together: names given twice or unknown, and circles."""
    known = {rule.name for rule in rules} | NAMES
    problems = list(_doubles(rules))
    for rule in rules:
        for name in sorted(asked(rule) - known):
            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name a rule or a fault"
            problems.append(_of(rule, f"finding {name!r} is of no rule or check", hint))
    circle = cycle(rules)
    problems += [_of(rule, "its `finding` conditions lead back to itself", "leave one of them out") for rule in circle]
    return tuple(problems)


def _of(rule: DiagnosisRule, message: str, hint: str) -> Problem:
    return Problem(rule.file, rule.line, 1, f"{rule.name}: {message}", hint, rule.name)


def _doubles(rules: Sequence[DiagnosisRule]) -> Iterator[Problem]:
    seen: dict[str, DiagnosisRule] = {}
    for rule in rules:
        first = seen.setdefault(rule.name, rule)
        if first is not rule:
            hint = f"the first one is in {first.file}:{first.line}; `disable:` in the config leaves one out"
            yield _of(rule, "a rule of this name is given twice", hint)


def _items(document: Document) -> list[Any]:
    """The entries of `rules:`; ConfigError where the file is of another form."""
    value = document.value
    if not isinstance(value, dict) or not isinstance(value.get("rules"), list) or not value["rules"]:
        raise ConfigError([document.problem((), "must hold a list `rules:` of diagnosis rules")])
    others = [key for key in value if key != "rules"]
    if others:
        raise ConfigError([document.problem((key,), f"{key}: is not a known key", "known keys: rules", key=True)
                           for key in others])  # fmt: skip
    return list(value["rules"])


def _rule(document: Document, place: int, model: RuleModel) -> DiagnosisRule:
    cases = tuple(
        RuleCase(
            case.name, dict(case.evidence), None if case.finds == "nothing" else dict(case.finds),
            tuple(case.findings), document.at(("rules", place, "cases", index))[0],
        )
        for index, case in enumerate(model.cases)
    )  # fmt: skip
    when = When(_conditions(model.when.all), _conditions(model.when.any), _conditions(model.when.none))
    return DiagnosisRule(
        name=model.name, fault=model.fault, says=model.says, when=when, source=model.source, cases=cases,
        explains=tuple(model.explains), suggests=tuple(model.suggests), confidence=model.confidence,
        file=document.file, line=document.at(("rules", place))[0],
    )  # fmt: skip


def _conditions(items: Iterable[ConditionModel]) -> tuple[Condition, ...]:
    return tuple(
        FindingIs(item.finding) if item.finding
        else Pattern(item.source, item.pattern, duration.parse(item.within) if item.within else None, item.at_least)
        for item in items
    )  # fmt: skip
