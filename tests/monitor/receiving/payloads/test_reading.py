"""JSON of anybody: what is read, and what is refused in which words."""

import json

import pytest

from opsbot.core.errors import Refused
from opsbot.monitor.receiving.payloads import value


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"{}", {}),
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        ('{"a": "\u00e4\U0001f525"}'.encode(), {"a": "ä🔥"}),
        (b'{"a": "\\ud83d\\udd25"}', {"a": "🔥"}),
        (b'{"a": {"x": 1}, "b": {"x": 1}}', {"a": {"x": 1}, "b": {"x": 1}}),
        (b"  [1]\n", [1]),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"9" * 1_000, int("9" * 1_000)),
    ],
    ids=[
        "empty", "all kinds", "unicode", "a pair of halves", "one key in two objects", "blanks", "a mark of UTF-8",
        "many digits",
    ],
)  # fmt: skip
def test_what_is_read(body: bytes, found: object) -> None:
    assert value(body) == found


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "the body is no JSON: line 1, column 1"),
        (b"not json", "the body is no JSON: line 1, column 1"),
        (b'{"a": 1,}', "the body is no JSON: line 1"),
        (b'{"a": 1} {"b": 2}', "line 1, column 10"),
        (b"\xff\xfe", "the body is not UTF-8 (byte 0)"),
        (b'{"a": 1, "a": 2}', "the key 'a' is given twice"),
        (b'[{"b": {"\\u001b[31m": 1, "\\u001b[31m": 2}}]', "the key '\\x1b[31m' is given twice"),
        (b'{"a": NaN}', "NaN is no number of JSON"),
        (b'{"a": -Infinity}', "-Infinity is no number"),
        (b'{"a": 1e999}', "1e999 is too large a number"),
        (b'{"a": "\\ud83d"}', "holds half a character"),
        (b'{"\\udc00": 1}', "holds half a character"),
        (b'[[{"a": [{"b": "\\uD83D x"}]}]]', "holds half a character"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b'{"a":' * 100_000, "the body is nested too deeply"),
        (b"9" * 10_000, "the body is no JSON to be taken: a number has 10000 digits: at most 1000"),
        (b'{"a": [-' + b"9" * 5_000 + b"]}", "a number has 5001 digits"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "the body is no JSON: line 1, column 1"),
        (b'"\x01"', "the body is no JSON"),
    ],
    ids=[
        "nothing", "no JSON", "a comma too many", "two values", "no UTF-8", "a key twice", "an odd key twice", "NaN",
        "infinity", "too large", "half a character", "half a key", "half of one deep down", "deep lists",
        "deep objects", "a huge number", "a huge number deep down", "two marks", "a control character",
    ],
)  # fmt: skip
def test_what_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(Refused) as caught:
        value(body)
    assert caught.value.reason == "bad_json"
    assert says in str(caught.value)
    assert len(str(caught.value)) < 200


def test_many_keys_twice_are_refused_in_little_time() -> None:
    body = json.dumps({str(i): 1 for i in range(50_000)})[:-1] + ', "7": 2}'
    with pytest.raises(Refused, match="given twice"):
        value(body.encode())
