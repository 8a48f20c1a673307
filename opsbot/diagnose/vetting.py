"""A rule as written in, what is wrong with it out: names, patterns, references, cases, each with place and hint."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from opsbot.core.errors import Problem
from opsbot.core.faults import FAULTS, NAMES, nearest
from opsbot.core.template import references
from opsbot.diagnose import sources
from opsbot.diagnose.pattern import groups, vet
from opsbot.diagnose.rulemodel import BLANK, ConditionModel, RuleModel
from opsbot.yamlfile import Document, Step, Where

ALWAYS = ("count", "target.name", "target.kind", "target.namespace")
LONGEST_NAME = 63
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Vetted:
    """One rule being looked over: each part yields what is wrong with it."""

    document: Document
    place: int
    model: RuleModel

    def problems(self, playbooks: Collection[str] | None) -> Iterator[Problem]:
        """Everything that is wrong with the rule; `playbooks` are the names that `suggests` may hold, where known."""
        yield from self._names(playbooks)
        for part in ("all", "any", "none"):
            for index, item in enumerate(getattr(self.model.when, part)):
                yield from self._condition(item, ("when", part, index))
        if self._whole("when") and not (self.model.when.all or self.model.when.any):
            yield from self._bad(("when",), "has neither `all` nor `any`", "a rule must look for something", key=True)
        yield from self._says()
        yield from self._cases()

    def _bad(self, where: Where, message: str, hint: str = "", *, key: bool = False) -> Iterator[Problem]:
        """The problem, unless it is of a key that is not there or has the wrong form: that was said already."""
        name = self.model.name[:LONGEST_NAME]
        path: Where = ("rules", self.place, *where)
        if path[:3] in self.document.keys or where[0] in RuleModel.model_fields.keys() - BLANK.keys():
            said = f"{name}: {'.'.join(str(step)[:60] for step in where)}: {message}"
            yield self.document.problem(path, said, hint, name, key=key)

    def _whole(self, where: Step) -> bool:
        """Whether all that stands under a key had the right form, so that something may be missed there."""
        return self.document.whole(("rules", self.place, where))

    def _names(self, playbooks: Collection[str] | None) -> Iterator[Problem]:
        model = self.model
        if not _NAME.fullmatch(model.name):
            yield from self._bad(("name",), "must be small letters, digits and `_`, and begin with a letter")
        if model.fault not in FAULTS:
            why = "is a symptom, which is never a cause" if model.fault in NAMES else "is no known fault"
            yield from self._bad(("fault",), f"{model.fault[:60]!r} {why}", _near_fault(model.fault))
        for index, name in enumerate(model.explains):
            if name not in NAMES:
                yield from self._bad(
                    ("explains", index), f"{name[:60]!r} is no known fault or symptom", _near_fault(name)
                )
        if not 0 < model.confidence <= 1:
            yield from self._bad(("confidence",), "must be more than 0 and at most 1")
        if not model.source.strip():
            yield from self._bad(
                ("source",), "must say which program writes this text", "for example 'libpq, fe-connect.c'"
            )
        yield from self._suggests(playbooks)

    def _suggests(self, playbooks: Collection[str] | None) -> Iterator[Problem]:
        for index, name in enumerate(self.model.suggests):
            if playbooks is not None and name not in playbooks:
                near = get_close_matches(name, sorted(playbooks), n=1)
                yield from self._bad(("suggests", index), f"{name[:60]!r} is no playbook",
                               f"did you mean {near[0]!r}?" if near else "")  # fmt: skip

    def _condition(self, item: ConditionModel, where: Where) -> Iterator[Problem]:
        if bool(item.finding) == bool(item.source or item.pattern):
            yield from self._bad(where, "must be either {source, pattern} or {finding}")
            return
        if item.finding:
            if item.finding == self.model.name or item.within or item.at_least != 1:
                yield from self._bad((*where, "finding"), "must name another rule, and takes no other key")
            return
        if item.source not in sources.NAMES:
            wrong = f"{item.source[:40]!r} is no evidence source" if item.source else "is missing"
            yield from self._bad((*where, "source"), wrong, _near_source(item.source))
        if item.at_least < 1:
            yield from self._bad((*where, "at_least"), "must be 1 or more")
        yield from self._pattern(item, where)

    def _pattern(self, item: ConditionModel, where: Where) -> Iterator[Problem]:
        wrong = vet(item.pattern) if item.pattern else "is missing"
        if wrong:
            yield from self._bad((*where, "pattern"), wrong)
        elif reserved := [name for name in groups(item.pattern) if name in ("target", "count")]:
            yield from self._bad(
                (*where, "pattern"), f"a group may not be called {reserved[0]!r}", "it always stands for itself"
            )

    def _provided(self) -> set[str] | None:
        """The named groups of all patterns that must or may be found; None while one of these is wrong itself."""
        wanted = [item.pattern for item in (*self.model.when.all, *self.model.when.any) if item.source]
        if any(not pattern or vet(pattern) for pattern in wanted):
            return None
        return {name for pattern in wanted for name in groups(pattern)}

    def _says(self) -> Iterator[Problem]:
        try:
            paths = list(references(self.model.says))
        except ValueError as error:
            yield from self._bad(("says",), str(error))
            return
        provided = self._provided()
        known = {*ALWAYS, *(provided or ())}
        for path in paths:
            if path in known or (provided is None and "." not in path):
                continue
            near = get_close_matches(path, sorted(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known))}"
            yield from self._bad(("says",), f"no named group provides {path!r}", hint)

    def _cases(self) -> Iterator[Problem]:
        answers = set()
        for index, case in enumerate(self.model.cases):
            where: Where = ("cases", index)
            answers.add(case.finds == "nothing")
            for source in case.evidence:
                if source not in sources.NAMES:
                    yield from self._bad((*where, "evidence", source), "is no source", _near_source(source))
            if case.finds != "nothing":
                yield from self._finds(case.finds, (*where, "finds"))
        if self._whole("cases") and answers != {True, False}:
            missing = "one case that finds something and one that finds `nothing`"
            yield from self._bad(("cases",), f"needs {missing}", key=True)

    def _finds(self, finds: Any, where: Where) -> Iterator[Problem]:
        if not isinstance(finds, dict) or not all(isinstance(text, str) for text in finds.values()):
            yield from self._bad(where, "must be a mapping of group to text, or `nothing`")
            return
        provided = self._provided()
        for group in finds:
            if provided is not None and group not in {*provided, "count"}:
                yield from self._bad((*where, group), "is no named group of the rule")


def _near_fault(word: str) -> str:
    near = nearest(word)
    return f"did you mean {near!r}?" if near else ""


def _near_source(word: str) -> str:
    near = get_close_matches(word, sources.NAMES, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sources.NAMES)}"
