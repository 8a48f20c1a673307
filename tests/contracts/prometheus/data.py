"""What the servers under contract hold, and what the real ones say of it: the fake is told this, word for word."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from opsbot.testing.prometheus import Said, refusal, scalar, vector
from tests.contracts.prometheus.remote_write import Series

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
"""When all is asked; nothing depends on the day of the test."""

_NOW = int(AT.timestamp() * 1000) - 1_000
ODD = {"inf": math.inf, "nan": math.nan, "neg": -math.inf, "one": 1.5e-7}

SERIES: tuple[Series, ...] = (
    *(({"__name__": "odd", "k": key}, [(_NOW, value)]) for key, value in ODD.items()),
    ({"__name__": "gone"}, [(_NOW - 20_000, 1.0), (_NOW - 10_000, None)]),
    ({"__name__": "old"}, [(_NOW - 600_000, 1.0)]),
    ({"__name__": "queue"}, [(_NOW - 30_000, 1.0), (_NOW - 20_000, 2.0), (_NOW - 10_000, 5.0), (_NOW, 6.0)]),
    ({"__name__": "size", "k": "big"}, [(_NOW, 17222222222222225000.0)]),
    ({"__name__": "size", "k": "huge"}, [(_NOW, 1e21)]),
    ({"__name__": "size", "k": "small"}, [(_NOW, 0.00001)]),
)

NO_STORE = "http://127.0.0.1:1/read"
CONFIG = f"""\
global: {{}}
remote_read: [{{url: '{NO_STORE}', read_recent: true, required_matchers: {{store: far}}}}]
"""
"""A store far away that does not answer stands behind the series with the label `store: far`, and no others."""

UNREAD = {"warnings": [(f'remote_read: error sending request: Post "{NO_STORE}": dial tcp 127.0.0.1:1: connect: '
                       "connection refused")]}  # fmt: skip
MANY = (
    "found duplicate series for the match group {} on the right hand-side of the operation: "
    '[{__name__="odd", k="nan"}, {__name__="odd", k="inf"}];many-to-many matching not allowed: matching labels must be '
    "unique on one side"
)


def _parse_error(where: str, why: str) -> Said:
    return refusal(400, "bad_data", f'invalid parameter "query": {where}: parse error: {why}')


def _odd(**values: float) -> Said:
    return vector(*(({"__name__": "odd", "k": key}, value) for key, value in (values or ODD).items()))


TOLD: dict[str, Said] = {
    "1": scalar(1),
    "1 / 0": scalar(math.inf),
    "vector(1)": vector(({}, 1.0)),
    "vector(1) > 2": vector(),
    "vector(0) / 0": vector(({}, math.nan)),
    "vector(-1) / 0": vector(({}, -math.inf)),
    "vector(scalar(no_such_series))": vector(({}, math.nan)),
    "no_such_series": vector(),
    "absent(up{job='a'})": vector(({"job": "a"}, 1.0)),
    'label_replace(vector(2.5), "pod", "a/ü\\"", "", "")': vector(({"pod": 'a/ü"'}, 2.5)),
    "odd": _odd(),
    "odd > 0": _odd(inf=math.inf, one=1.5e-7),
    "size": vector(({"__name__": "size", "k": "big"}, 17222222222222225000.0),
                   ({"__name__": "size", "k": "huge"}, 1e21), ({"__name__": "size", "k": "small"}, 0.00001)),
    "gone": vector(),
    "gone offset 12s": vector(({"__name__": "gone"}, 1.0)),
    "absent(gone)": vector(({}, 1.0)),
    "old": vector(),
    "old offset 290s": vector(),
    "old offset 400s": vector(({"__name__": "old"}, 1.0)),
    "quantile(2, queue)": vector(({}, math.inf)),
    "rate(queue[1m]) > 9": vector(),
    "odd{store='far'}": vector().but(more=UNREAD),
    "count(odd{store='far'})": vector().but(more=UNREAD),
    '"text"': Said({"resultType": "string", "result": ["$time", "text"]}),
    "no_such_series[1m]": Said({"resultType": "matrix", "result": []}),
    "odd / on() odd": refusal(422, "execution", MANY),
    'label_replace(vector(1), "a", "x", "b", "(")': refusal(
        422, "execution", "invalid regular expression in label_replace(): ("),
    "up{": _parse_error("1:4", "unexpected end of input inside braces"),
    "foo(1)": _parse_error("1:1", 'unknown function with name "foo"'),
    "1 +": _parse_error("1:4", "unexpected end of input"),
    "sum(\n  odd": _parse_error("2:6", "unclosed left parenthesis"),
    "rate(odd)": _parse_error("1:6", 'expected type range vector in call to function "rate", got instant vector'),
    "": _parse_error("1:1", "no expression found in input"),
}  # fmt: skip
"""What Prometheus 2.42 says."""

_COUNTER = "metric might not be a counter, name does not end in _total/_sum/_count/_bucket"
TOLD_3: dict[str, Said] = {
    **TOLD,
    "": _parse_error("unknown position", "no expression found in input"),
    "quantile(2, queue)": TOLD["quantile(2, queue)"].but(
        more={"warnings": ["PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)"]}),
    "rate(queue[1m]) > 9": vector().but(more={"infos": [f'PromQL info: {_COUNTER}: "queue" (1:6)']}),
}  # fmt: skip
"""What Prometheus 3 says: the same, but for notes on how an expression is written."""
