"""What a playbook's parts must mean together: references, step arguments, conditions, bounds, cases. Pure.

It reads the plain value of a document, however badly shaped, so that every problem of a file is told at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeGuard

from opsbot import promql
from opsbot.core import duration, template
from opsbot.core.errors import ConfigError, Problem, Refused
from opsbot.core.playbook import Input
from opsbot.remediate import condition, facts
from opsbot.remediate.guardrails import GUARDRAILS, NOT_IF
from opsbot.remediate.plan import wrong_value
from opsbot.remediate.steps import BY_NAME
from opsbot.yamlfile import Document, Where, fit

TYPES = ("target", "integer", "number", "string", "boolean")
STEP_REASONS = ("below_zero", "too_many", "nothing_to_do", "rollout_paused", "bad_input")
REFUSALS = (*(guardrail.__name__ for guardrail in GUARDRAILS if guardrail.__name__ != "not_if"), *NOT_IF, *STEP_REASONS)

_SAMPLES: Mapping[str, Any] = {"integer": 1, "number": 1.0, "string": "x", "boolean": True, "target": "Deployment/app"}


def problems(document: Document) -> Iterator[Problem]:
    """Every problem of meaning in a playbook's document."""
    for part in (_inputs, _guardrails, _when, _steps, _verify, _cases):
        yield from part(document)


def _inputs(document: Document) -> Iterator[Problem]:
    inputs = _mapping(document.value, "inputs")
    targets = [name for name, item in inputs.items() if isinstance(item, Mapping) and item.get("type") == "target"]
    if "inputs" in _top(document) and len(targets) != 1:
        yield document.problem(("inputs",), f"needs one input of type target, and has {len(targets)}", key=True)
    for name, item in inputs.items():
        if not name.isidentifier():
            yield document.problem(("inputs", name), f"{name!r} is no name of an input", "letters, digits, _", key=True)
        if isinstance(item, Mapping):
            yield from _input(document, ("inputs", name), item)


def _input(document: Document, where: Where, item: Mapping[str, Any]) -> Iterator[Problem]:
    kind = item.get("type")
    if isinstance(kind, str) and kind not in TYPES:
        yield document.problem((*where, "type"), f"{kind!r} is no type of an input", nearest(kind, TYPES))
    elif kind == "target":
        yield from _target(document, where, item)
    elif isinstance(kind, str):
        yield from _bounds(document, where, item)


def _target(document: Document, where: Where, item: Mapping[str, Any]) -> Iterator[Problem]:
    kinds = item.get("kinds")
    if not kinds:
        yield document.problem(where, "kinds: is missing", f"one or more of {', '.join(facts.KINDS)}")
    for place, kind in enumerate(kinds if isinstance(kinds, list) else ()):
        if isinstance(kind, str) and kind not in facts.KINDS:
            yield document.problem(
                (*where, "kinds", place), f"{kind!r} is no kind to act on", nearest(kind, facts.KINDS)
            )
    for key in ("default", "minimum", "maximum", "one_of"):
        if key in item:
            yield document.problem((*where, key), f"a target has no {key}", key=True)


def _bounds(document: Document, where: Where, item: Mapping[str, Any]) -> Iterator[Problem]:
    least, most, given = item.get("minimum"), item.get("maximum"), item.get("default")
    numeric = item["type"] in ("integer", "number")
    for key in (
        "kinds",
        *(() if numeric else ("minimum", "maximum")),
        *(() if item["type"] == "string" else ("one_of",)),
    ):
        if key in item:
            yield document.problem((*where, key), f"{item['type']} has no {key}", key=True)
    if _number(least) and _number(most) and least > most:
        yield document.problem((*where, "minimum"), f"minimum {least} is above maximum {most}")
    if given is not None and isinstance(given, str | int | float | bool):
        wrong = wrong_value(_as_input(item), given)
        if wrong:
            yield document.problem((*where, "default"), f"default: {wrong}")


def _as_input(item: Mapping[str, Any]) -> Input:
    least, most, words = item.get("minimum"), item.get("maximum"), item.get("one_of")
    known = tuple(word for word in words if isinstance(word, str)) if isinstance(words, list) else ()
    return Input(
        "",
        item["type"],
        minimum=least if _number(least) else None,
        maximum=most if _number(most) else None,
        one_of=known,
    )


def _guardrails(document: Document) -> Iterator[Problem]:
    names = _mapping(document.value, "guardrails").get("not_if")
    for place, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str) and name not in NOT_IF:
            yield document.problem(("guardrails", "not_if", place), f"{name!r} is not known", nearest(name, NOT_IF))


def _when(document: Document) -> Iterator[Problem]:
    text = _top(document).get("when")
    if not isinstance(text, str) or not text.strip():
        return
    wrong = condition.check(text, ("target", "inputs"))
    if wrong:
        yield document.problem(("when",), f"when: {wrong}")
        return
    unknown = list(_unknown(document, text))
    for name, hint in unknown:
        yield document.problem(("when",), f"when: there is no {name}", hint)
    if not unknown:
        yield from _tried(document, text)


def _unknown(document: Document, text: str) -> Iterator[tuple[str, str]]:
    known = {"target": [*facts.SAMPLE], "inputs": list(_samples(document))}
    for variable, names in known.items():
        for name in condition.fields(text, variable):
            if name != "*" and name not in names:
                yield f"{variable}.{name}", nearest(name, names)


def _tried(document: Document, text: str) -> Iterator[Problem]:
    """Evaluate once with samples: that finds unknown functions, wrong types and what gives no truth value."""
    values = {"target": {**facts.SAMPLE, "labels": {"app": "x"}}, "inputs": _samples(document)}
    try:
        condition.holds(text, values)
    except Refused as error:
        if error.reason != "condition_field":
            yield document.problem(("when",), f"when: {error}")


def _steps(document: Document) -> Iterator[Problem]:
    for where in ("steps", "undo"):
        steps = _top(document).get(where)
        for place, step in enumerate(steps if isinstance(steps, list) else ()):
            if isinstance(step, Mapping) and isinstance(step.get("do"), str):
                yield from _step(document, (where, place), step)


def _step(document: Document, where: Where, step: Mapping[str, Any]) -> Iterator[Problem]:
    kind, given = BY_NAME.get(step["do"]), step.get("with", {})
    if kind is None:
        yield document.problem((*where, "do"), f"{step['do']!r} is no step kind", nearest(step["do"], BY_NAME))
        return
    if not isinstance(given, Mapping):
        return
    known = _known(document, undo=where[0] == "undo")
    unknown = list(_references(document, (*where, "with"), given, known))
    yield from unknown
    aimed = given.get("target")
    if aimed is not None and "target" not in _types_of(document, aimed):
        yield document.problem((*where, "with", "target"), "must be the target input", "write '{{ inputs.target }}'")
    elif not unknown and _all_known(given, known):
        yield from _arguments(document, (*where, "with"), kind.schema, template.render(given, known))


def _all_known(given: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether there is a sample of everything referred to: an input of an unknown type has none."""
    return all(template.look_up(path, known) is not None for path in template.references(given))


def _arguments(document: Document, where: Where, schema: Any, sample: Mapping[str, Any]) -> Iterator[Problem]:
    try:
        fit(document, schema, sample, where)
    except ConfigError as error:
        yield from error.problems


def _references(
    document: Document, where: Where, given: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[Problem]:
    for name, value in given.items():
        try:
            paths = list(template.references(value))
        except ValueError as error:
            yield document.problem((*where, name), str(error))
            continue
        for path in paths:
            try:
                template.look_up(path, known)
            except KeyError:
                yield document.problem((*where, name), f"there is no {path!r}", nearest(path, _paths(known)))


def _known(document: Document, *, undo: bool) -> Mapping[str, Any]:
    """What steps may refer to, with a sample of each; `before` is for undo alone."""
    known = {"inputs": _samples(document)}
    return {**known, "before": facts.BOUND} if undo else known


def _samples(document: Document) -> dict[str, Any]:
    return {
        name: _sample(item) for name, item in _mapping(document.value, "inputs").items() if isinstance(item, Mapping)
    }


def _sample(item: Mapping[str, Any]) -> Any:
    sample = _SAMPLES.get(str(item.get("type")))
    bounds = [value for value in (item.get("default"), item.get("minimum"), item.get("maximum")) if value is not None]
    fitting = [value for value in bounds if type(value) is type(sample)]
    return fitting[0] if fitting else sample


def _types_of(document: Document, value: Any) -> set[str]:
    """The types of the inputs that a value is one whole reference to."""
    inputs = _mapping(document.value, "inputs")
    if not isinstance(value, str):
        return set()
    found = {name: item for name, item in inputs.items() if value.replace(" ", "") == f"{{{{inputs.{name}}}}}"}
    return {str(item.get("type")) for item in found.values() if isinstance(item, Mapping)}


def _verify(document: Document) -> Iterator[Problem]:
    verify = _top(document).get("verify")
    if not isinstance(verify, Mapping):
        return
    clears, wanted = verify.get("alert_clears_within"), verify.get("condition")
    if clears is None and wanted is None:
        yield document.problem(("verify",), "needs alert_clears_within, or a condition with within")
    if wanted is not None and verify.get("within") is None:
        yield document.problem(("verify",), "within: is missing", "how long the condition may take to come true")
    if isinstance(wanted, str) and wanted.strip():
        yield from _proof(document, wanted)
    if _span(verify, "holds_for") > _span(verify, "within") and wanted is not None:
        yield document.problem(("verify", "holds_for"), "holds_for is longer than within, so it could never be seen")
    for key in ("holds_for", "within"):
        if wanted is None and key in verify:
            yield document.problem(("verify", key), f"{key} belongs to a condition", key=True)


def _proof(document: Document, wanted: str) -> Iterator[Problem]:
    """A condition proves nothing if it holds for whatever series there is, at any value."""
    try:
        promql.condition(wanted)
    except ValueError as error:
        yield document.problem(("verify", "condition"), f"condition: {error}")
        return
    if not promql.has_comparison(wanted):
        hint = "write what must be true, such as `avg(response_time) < 1000`"
        yield document.problem(("verify", "condition"), "condition: compares nothing, so it proves nothing", hint)


def _span(verify: Mapping[str, Any], name: str) -> timedelta:
    try:
        return duration.parse(verify[name])
    except (KeyError, TypeError, ValueError):
        return timedelta.max if name == "within" else timedelta()


def _cases(document: Document) -> Iterator[Problem]:
    cases, seen = _top(document).get("cases"), dict[str, int]()
    for place, case in enumerate(cases if isinstance(cases, list) else ()):
        if not isinstance(case, Mapping):
            continue
        name = case.get("name")
        if isinstance(name, str) and seen.setdefault(name, place) != place:
            yield document.problem(("cases", place, "name"), f"a case {name!r} is there already")
        yield from _case(document, ("cases", place), case)


def _case(document: Document, where: Where, case: Mapping[str, Any]) -> Iterator[Problem]:
    refuses = case.get("refuses")
    if ("plans" in case) == ("refuses" in case):
        yield document.problem(where, "give either `plans` or `refuses`")
    if isinstance(refuses, str) and refuses not in REFUSALS:
        yield document.problem(
            (*where, "refuses"), f"{refuses!r} is no reason of a refusal", nearest(refuses, REFUSALS)
        )
    for name, value in _mapping(case, "cluster").items():
        yield from _fact(document, (*where, "cluster", name), name, value)
    inputs = _mapping(document.value, "inputs")
    for name in _mapping(case, "inputs"):
        if name not in inputs:
            yield document.problem(
                (*where, "inputs", name), f"there is no input {name!r}", nearest(name, inputs), key=True
            )


def _fact(document: Document, where: Where, name: str, value: Any) -> Iterator[Problem]:
    if name not in facts.SAMPLE:
        yield document.problem(where, f"{name!r} is no fact", nearest(name, facts.SAMPLE), key=True)
    elif type(value) is not type(facts.SAMPLE[name]):
        yield document.problem(where, f"{name} must be like {facts.SAMPLE[name]!r}")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint: the known word that is most like this one, or all of them."""
    names = sorted(known)
    found = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(names)}"


def _paths(known: Mapping[str, Any]) -> list[str]:
    return [f"{root}.{name}" for root, names in known.items() for name in names]


def _top(document: Document) -> Mapping[str, Any]:
    return document.value if isinstance(document.value, Mapping) else {}


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
