"""How Go's templates write values, and printf: values in, the same text out as from Go's fmt package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsbot.core.alert import Sample
from opsbot.monitor.gotemplate import verbs
from opsbot.monitor.gotemplate.moments import Int64, Moment
from opsbot.monitor.gotemplate.verbs import PLAIN, Byte, Form, not_finite

WIDEST = 100
UNFILLED = "<error expanding template: "
"""How a text begins that stands where a template could not be filled, here and in what a Prometheus pushes."""


class TemplateError(ValueError):
    """A template that parsed but cannot be filled with this sample."""


def text_of(value: Any) -> str:
    """What a function takes for a text: nothing but a text."""
    if not isinstance(value, str):
        raise TemplateError(f"{shown(value)[:40]} is no text")
    return value


def short(v: float) -> str:
    """Go's `%.4g`."""
    return not_finite(v) or f"{v:.4g}"


def shown(value: Any) -> str:
    """What a template writes where a value stands alone."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sample):
        return _written(value, PLAIN, "v").removeprefix("&")
    return "<no value>" if value is None else _written(value, PLAIN, "v")


def bare(value: Any) -> str:
    """Go's `%v`."""
    return value if isinstance(value, str) else _written(value, PLAIN, "v")


# printf -------------------------------------------------------------------------------------------------------------

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)", re.DOTALL)
_ELSEWHERE = ("*", "[")


def vet_format(text: str) -> None:
    """TemplateError where a format asks for more than printf here can do."""
    for _flags, width, precision, verb in _VERB.findall(text):
        if verb in _ELSEWHERE:
            raise TemplateError(f"the format {text[:40]!r} holds %{verb}, which is not supported")
        if len(width + precision) > 6 or int(width or 0) > WIDEST or int(precision or 0) > WIDEST:
            raise TemplateError(f"the format {text[:40]!r} is wider than {WIDEST}")


def printf(text: Any, *arguments: Any) -> str:
    """Go's Sprintf, complaints such as `%!d(float64=5)` included."""
    vet_format(text_of(text))
    left = list(arguments)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not left:
            return f"%!{verb}(MISSING)"
        form = Form(flags, int(width) if width else None, None if precision is None else int(precision or 0))
        return _verb(left.pop(0), form, verb)

    out = _VERB.sub(one, text)
    return out + (f"%!(EXTRA {', '.join(map(_typed, left))})" if left else "")


def _verb(value: Any, form: Form, verb: str) -> str:
    if verb in "vw":
        flags = form.flags.replace("#", "").replace("+", "")
        form = Form(flags, form.width, form.precision, form.has("#"))
    if verb == "T":
        return str(verbs.of_text("<nil>" if value is None else _type(value), form, "s"))
    return _written(value, form, verb)


def _typed(value: Any) -> str:
    return "<nil>" if value is None else f"{_type(value)}={_written(value, PLAIN, 'v')}"


def _written(value: Any, form: Form, verb: str) -> str:
    """A value under a verb, or Go's complaint that it has none for it."""
    if value is None:
        return verbs.pad("<nil>", form) if verb == "v" else f"%!{verb}(<nil>)"
    if isinstance(value, Mapping):
        return _of_map(value, form, verb)
    if isinstance(value, Sample):
        return _of_sample(value, form, verb)
    if isinstance(value, Moment):
        return _of_moment(value, form, verb)
    if isinstance(value, list) and not value and not form.typed:
        return "[]"
    made = _single(value, form, verb)
    return made if made is not None else f"%!{verb}({_type(value)}={_single(value, form, 'v')})"


def _single(value: Any, form: Form, verb: str) -> str | None:
    if isinstance(value, bool):
        return verbs.of_bool(value, form, verb)
    if isinstance(value, str):
        return verbs.of_text(value, form, verb)
    if isinstance(value, int):
        return verbs.of_int(value, form, verb)
    if isinstance(value, float):
        return verbs.of_float(value, form, verb)
    raise TemplateError("a series cannot be written out: take its value or a label")


def _of_map(value: Mapping[str, str], form: Form, verb: str) -> str:
    if verb == "p":
        raise TemplateError("%p of labels is not supported")
    pairs = (f"{_written(name, form, verb)}:{_written(value[name], form, verb)}" for name in sorted(value))
    return "map[string]string{" + ", ".join(pairs) + "}" if form.typed else "map[" + " ".join(pairs) + "]"


def _of_sample(value: Sample, form: Form, verb: str) -> str:
    if form.typed or verb == "p":
        raise TemplateError("a series cannot be written out: take its value or a label")
    return f"&{{{_written(value.labels, form, verb)} {_written(value.value, form, verb)}}}"


def _of_moment(value: Moment, form: Form, verb: str) -> str:
    made = None if form.typed else verbs.of_text(str(value), form, verb)
    if made is None:
        raise TemplateError(f"%{verb} of a time is not supported: format it")
    return made


def _type(value: Any) -> str:
    if isinstance(value, Mapping):
        return "map[string]string"
    kinds: dict[type, str] = {
        str: "string", bool: "bool", int: "int", Int64: "int64", Byte: "uint8", float: "float64",
        Sample: "*template.sample", list: "template.queryResult",
    }  # fmt: skip
    if type(value) not in kinds:
        raise TemplateError("the type of this value is not known")
    return kinds[type(value)]
