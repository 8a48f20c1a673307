"""The key `inhibit` of alerts.yaml, as Alertmanager spells its `inhibit_rules`: entries in, inhibitions out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import BeforeValidator

from opsbot import matchers
from opsbot.core.silence import Inhibition, Match, Matcher
from opsbot.matchers import MatcherError
from opsbot.monitor.rules.vetting import Judge
from opsbot.yamlfile import Strict, Title, Where, sound

KEY = "inhibit"
Texts = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class InhibitModel(Strict):
    """One entry; the four keys without matchers in their names are Alertmanager's older ones."""

    name: Title | None = None
    source_matchers: Texts = []
    target_matchers: Texts = []
    equal: Texts = []
    source_match: dict[str, str] = {}
    source_match_re: dict[str, str] = {}
    target_match: dict[str, str] = {}
    target_match_re: dict[str, str] = {}


def inhibitions(found: Judge, items: Any) -> tuple[Inhibition, ...]:
    """The entries whose form is right; what is wrong with their matchers is noted, what is odd is advised."""
    made = []
    found = replace(found, name="")
    for place, item in enumerate(items if isinstance(items, list) else []):
        where: Where = (KEY, place)
        good = sound(found.document, InhibitModel, item, where)
        if good:
            made.append(_made(replace(found, document=good[0]), good[1], where))
    return tuple(made)


def _made(found: Judge, model: InhibitModel, where: Where) -> Inhibition:
    before = len(found.document.problems)
    source = _side(found, where, "source", (model.source_match, model.source_match_re, model.source_matchers))
    target = _side(found, where, "target", (model.target_match, model.target_match_re, model.target_matchers))
    for place, name in enumerate(model.equal):
        if not name:
            found.bad((*where, "equal", place), "equal: a label's name must not be empty")
    line = found.document.at(where)[0]
    name = model.name or f"{PurePath(found.document.file).name}:{line}"
    if len(found.document.problems) == before:
        _advise(found, where, source, target)
    return Inhibition(source, target, tuple(model.equal), name)


def _side(
    found: Judge, where: Where, side: str, given: tuple[dict[str, str], dict[str, str], list[str]]
) -> tuple[Matcher, ...]:
    """All matchers of one side, whichever keys they stand under."""
    plain, regular, texts = given
    made: list[Matcher] = []
    for key, match, pairs in ((f"{side}_match", Match.IS, plain), (f"{side}_match_re", Match.LIKE, regular)):
        for name, value in pairs.items():
            with _told(found, (*where, key, name), key):
                made.append(matchers.made(name, match, value))
    key = f"{side}_matchers"
    for place, text in enumerate(texts):
        with _told(found, (*where, key, place), key):
            made += matchers.parse(text)
    return tuple(made)


@contextmanager
def _told(found: Judge, where: Where, key: str) -> Iterator[None]:
    """What is wrong with a matcher, noted at its place."""
    try:
        yield
    except MatcherError as error:
        found.bad(where, f"{key}: {error}", error.hint)


def _advise(found: Judge, where: Where, source: tuple[Matcher, ...], target: tuple[Matcher, ...]) -> None:
    if not (source or target):
        found.warn(where, "inhibit: holds nothing back: without matchers every alert is on both sides")
    elif not source:
        found.warn(where, "inhibit: without source_matchers any alert that fires holds others back")
    elif not target:
        found.warn(where, "inhibit: without target_matchers it holds every other alert back")
