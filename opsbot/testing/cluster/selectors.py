"""Label and field selectors: text in, a predicate over objects out; what cannot be read is a 400."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.wire import Failure, Json

Test = Callable[[Mapping[str, str]], bool]

_KEY = r"[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_EQUAL = re.compile(rf"(?P<key>{_KEY})\s*(?P<op>==|=|!=)\s*(?P<value>{_VALUE})")
_IN = re.compile(rf"(?P<key>{_KEY})\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)")
_EXISTS = re.compile(rf"(?P<op>!?)\s*(?P<key>{_KEY})")
_COMMA = re.compile(r",(?![^()]*\))")


def labels(selector: str) -> Test:
    """A predicate over labels, from `a=b,c!=d,e in (f,g),h,!i`; an empty selector takes everything."""
    tests = [_label(part.strip(), selector) for part in _COMMA.split(selector)] if selector.strip() else []
    return lambda found: all(test(found) for test in tests)


def _label(part: str, whole: str) -> Test:
    if equal := _EQUAL.fullmatch(part):
        key, value, wanted = equal["key"], equal["value"], equal["op"] != "!="
        return lambda found: (found.get(key) == value) is wanted
    if among := _IN.fullmatch(part):
        key, values, wanted = among["key"], {v.strip() for v in among["values"].split(",")}, among["op"] == "in"
        return lambda found: (key in found and found[key] in values) is wanted
    if exists := _EXISTS.fullmatch(part):
        key, wanted = exists["key"], not exists["op"]
        return lambda found: (key in found) is wanted
    raise Failure(400, f'unable to parse requirement: found {part!r} in selector "{whole}"')


def matches(selector: Mapping[str, Any] | None, found: Mapping[str, str]) -> bool:
    """A selector as objects hold it (matchLabels, matchExpressions); None takes nothing, an empty one everything."""
    if selector is None:
        return False
    same = all(found.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return same and all(_expression(part, found) for part in selector.get("matchExpressions") or [])


def _expression(part: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    key, values = part["key"], part.get("values") or []
    return {
        "In": key in found and found[key] in values,
        "NotIn": not (key in found and found[key] in values),
        "Exists": key in found,
        "DoesNotExist": key not in found,
    }[part["operator"]]


def fields(selector: str, kind: Kind) -> Callable[[Json], bool]:
    """A predicate over objects, from `a.b=c,d!=e`; a field that the kind does not offer is a 400."""
    tests = [_field(part.strip(), kind) for part in selector.split(",") if part.strip()]
    return lambda found: all(test(found) for test in tests)


def _field(part: str, kind: Kind) -> Callable[[Json], bool]:
    found = re.fullmatch(r"([^=!]+?)\s*(==|=|!=)\s*(.*)", part)
    if not found:
        raise Failure(400, f"invalid selector: '{part}'; can't understand '{part}'")
    path, wanted, value = found[1], found[2] != "!=", found[3]
    if path not in ("metadata.name", "metadata.namespace", *kind.fields):
        raise Failure(400, f"field label not supported: {path}")
    return lambda obj: (_text_at(obj, path) == value) is wanted


def _text_at(obj: Json, path: str) -> str:
    if path == "source":
        return str((obj.get("source") or {}).get("component") or obj.get("reportingComponent") or "")
    if path == "status.successful":
        path = "status.succeeded"
    found: Any = obj
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, bool) or path in ("spec.unschedulable", "spec.hostNetwork"):
        return "true" if found else "false"
    return "" if found is None else str(found)
