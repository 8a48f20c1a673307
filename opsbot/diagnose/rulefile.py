"""Files of `rules:` in, DiagnosisRule values out; every problem of a file at once, with its place and a hint.

Nothing is guessed: an unknown fault, source or playbook, a pattern that is wrong or slow, a reference that no pattern
provides, a rule without a case for each answer, all refuse the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from opsbot.core import duration
from opsbot.core.diagnosis import Condition, DiagnosisRule, FindingIs, Pattern, RuleCase, When
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.faults import NAMES
from opsbot.diagnose.order import asked, cycle
from opsbot.diagnose.rulemodel import BLANK, ConditionModel, RuleModel
from opsbot.diagnose.vetting import LONGEST_NAME, Vetted
from opsbot.yamlfile import Document, Where, fit, read_text, reading, sound


def load(path: Path, playbooks: Collection[str] | None = None) -> tuple[DiagnosisRule, ...]:
    """The rules of one file; ConfigError with all its problems."""
    return parse(read_text(path), str(path), playbooks)


def parse(text: str, file: str, playbooks: Collection[str] | None = None) -> tuple[DiagnosisRule, ...]:
    """The rules of a text. Names in `suggests` are looked up among `playbooks`, where they are given."""
    with reading(text, file) as document:
        found = [_entry(document, place, item, playbooks) for place, item in enumerate(_items(document))]
        document.note(_doubles([rule for rule in found if rule]))
        return tuple(rule for rule in found if rule)


def _entry(document: Document, place: int, item: Any, playbooks: Collection[str] | None) -> DiagnosisRule | None:
    """One entry as a rule, as far as it can be read; all that is wrong with it is noted on the document."""
    where: Where = ("rules", place)
    try:
        fit(document, RuleModel, item, where)
    except ConfigError as error:
        name = str(item.get("name", ""))[:LONGEST_NAME] if isinstance(item, dict) else ""
        document.note(replace(problem, rule=name) for problem in error.problems)
    good = sound(document, RuleModel, item, where, BLANK)
    if not good:
        return None
    document.note(Vetted(good[0], place, good[1]).problems(playbooks))
    return _rule(*good, place) if (*where, "name") in good[0].marks else None


def together(rules: Sequence[DiagnosisRule], others: Collection[str] = ()) -> tuple[Problem, ...]:
    """What is wrong with rules only when they are laid together: names given twice or unknown, and circles.

    `others` are names of rules that are known and not at hand.
    """
    known = {rule.name for rule in rules} | NAMES | set(others)
    problems = list(_doubles(rules))
    for rule in rules:
        for name in sorted(asked(rule) - known):
            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else "name a rule or a fault"
            problems.append(_of(rule, f"finding {name[:60]!r} is of no rule or check", hint))
    circle = cycle(rules)
    problems += [_of(rule, "its `finding` conditions lead back to itself", "leave one of them out") for rule in circle]
    return tuple(problems)


def _of(rule: DiagnosisRule, message: str, hint: str) -> Problem:
    name = rule.name[:LONGEST_NAME]
    return Problem(rule.file, rule.line, 1, f"{name}: {message}", hint, name)


def _doubles(rules: Sequence[DiagnosisRule]) -> Iterator[Problem]:
    seen: dict[str, DiagnosisRule] = {}
    for rule in rules:
        first = seen.setdefault(rule.name, rule)
        if first is not rule:
            hint = f"the first one is in {first.file}:{first.line}; `disable:` in the config leaves one out"
            yield _of(rule, "a rule of this name is given twice", hint)


def _items(document: Document) -> list[Any]:
    """The entries of `rules:`; other keys are noted, and a file of another form is a ConfigError."""
    value = document.value if isinstance(document.value, dict) else {}
    known = "known keys: rules"
    others = [key for key in value if key != "rules"]
    document.note(document.problem((key,), f"{key[:60]}: is not a known key", known, key=True) for key in others)
    items = value.get("rules")
    if not isinstance(items, list) or not items:
        raise ConfigError([document.problem((), "must hold a list `rules:` of diagnosis rules")])
    return items


def _rule(document: Document, model: RuleModel, place: int) -> DiagnosisRule:
    cases = tuple(
        RuleCase(
            case.name, dict(case.evidence), dict(case.finds) if isinstance(case.finds, dict) else None,
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
