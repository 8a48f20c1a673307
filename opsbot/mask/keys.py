"""Private keys in PEM and its kin: text in, places of the lines of keys out, also of keys that were cut or prefixed.

A log shows a key line by line, often behind a timestamp or the name of a container, and its tail has no BEGIN. What
stands between the marks of a certificate, a request or a public key is no secret and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

Span = tuple[int, int]
Mark = re.Match[str] | None

_MARK = re.compile(r"-----(?:(?P<begin>BEGIN)|END) (?P<what>[A-Z0-9 ]{1,60})-----")
_BODY = re.compile(r"\\{1,8}[nrt]|(?P<body>(?:(?!\\{1,8}[nrt])[^\s\"'>|])++)")
_LINES = re.compile(r"(?:(?:\s|\\[nrt])*+(?:[A-Za-z0-9+/=]{16,}+|[A-Za-z][\w-]{1,20}: [^\n\"']{0,200}))*+")
_PIECE = re.compile(
    r"\\{1,8}[nrt]|(?<![^\s\"'`|>\])}nrt])(?P<body>[A-Za-z0-9+/]{4,128}+={0,2})(?![^\s\"'`<|,\\])", re.ASCII
)
_LONG = re.compile(r"[A-Za-z0-9+/]{60}")
_FULL_LINE = range(60, 77)  # PEM breaks at 64 characters, OpenSSH at 70, MIME at 76
_ANCHORED = 16  # characters of a line that are enough beside a BEGIN or END
_PUBLIC = ("AAAAB3Nza", "AAAAC3Nza", "AAAAE2Vj")  # how the public keys of SSH begin
_FAR = 300  # characters between two lines of a key: the end of one log line and the prefix of the next


def key_lines(text: str) -> Iterator[Span]:
    """What belongs to private keys: all between BEGIN and END, and the lines of keys of which either is missing."""
    if "-----" not in text and not _LONG.search(text):
        return
    marks: list[Mark] = [None, *_MARK.finditer(text), None]
    for left, right in pairwise(marks):
        opened, closed = left is not None and bool(left["begin"]), right is not None and not right["begin"]
        start, end = left.end() if left else 0, right.start() if right else len(text)
        if opened and not _private(left):
            continue
        if opened and closed:
            yield from _bodies(text, start, end)
        elif not closed or _private(right):
            yield from _cut_key(text, start, end, opened=opened, closed=closed)


def _private(mark: Mark) -> bool:
    return mark is not None and "PRIVATE KEY" in mark["what"]


def _bodies(text: str, start: int, end: int) -> Iterator[Span]:
    """Everything, line by line, also where the line ends are escaped as in JSON."""
    yield from (part.span() for part in _BODY.finditer(text, start, end) if part["body"])


def _cut_key(text: str, start: int, end: int, *, opened: bool, closed: bool) -> Iterator[Span]:
    """The lines of keys in a part of a text that has BEGIN before it, or END behind it, or neither."""
    if opened:
        lines = _LINES.match(text, start, end)
        at = lines.end() if lines else start
        yield from _bodies(text, start, at)
        yield from _anchored(text, [(at, at), *_pieces(text, at, end)])
        yield from _pieces(text, at, _line_ahead(text, at, end))
    if closed:
        yield from _anchored(text, [(end, end), *reversed(list(_pieces(text, start, end)))])
        yield from _pieces(text, _line_back(text, start, end), end)
    full = [span for span in _pieces(text, start, end) if _full(text[slice(*span)])]
    for run in _runs(text, full):
        if len(run) > 1:
            yield from run
            yield from _pieces(text, _line_back(text, start, run[0][0]), run[0][0])
            yield from _pieces(text, run[-1][1], _line_ahead(text, run[-1][1], end))


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """The words of base64 that may be a line of a key or the rest of one."""
    for found in _PIECE.finditer(text, start, end):
        if found["body"] and _mixed(found["body"]):
            yield found.span("body")


def _mixed(word: str) -> bool:
    """Whether a word is base64 rather than a word, a number or a digest in hexadecimal."""
    kinds = any(c.isdigit() for c in word) + any(c.isupper() for c in word) + any(c.islower() for c in word)
    return kinds == 3 or word.endswith("=")


def _full(word: str) -> bool:
    return len(word) in _FULL_LINE and not word.endswith("=") and not word.startswith(_PUBLIC)


def _anchored(text: str, spans: list[Span]) -> Iterator[Span]:
    """The lines that follow one another beside a mark, which stands first; away from it in either direction."""
    near, *rest = spans
    for span in (span for span in rest if span[1] - span[0] >= _ANCHORED):
        if not _adjoin(text, min(near, span), max(near, span)):
            return
        yield span
        near = span


def _runs(text: str, spans: list[Span]) -> Iterator[list[Span]]:
    """Lines of one length that follow one another."""
    run: list[Span] = []
    for span in spans:
        if run and not (span[1] - span[0] == run[-1][1] - run[-1][0] and _adjoin(text, run[-1], span)):
            yield run
            run = []
        run.append(span)
    yield run


def _adjoin(text: str, first: Span, second: Span) -> bool:
    """Whether two pieces stand on lines that follow one another, whose ends may be escaped."""
    between = text[first[1] : second[0]] if second[0] - first[1] <= _FAR else "\n\n"
    return between.count("\n") <= 1 and ("\n" in between or "\\" in between)


def _line_ahead(text: str, at: int, end: int) -> int:
    """The end of the line after this one."""
    stop = min(end, at + _FAR)
    line = text.find("\n", at, stop)
    after = text.find("\n", line + 1, stop) if line >= 0 else -1
    return after if after >= 0 else stop


def _line_back(text: str, start: int, at: int) -> int:
    """The begin of the line before this one."""
    stop = max(start, at - _FAR)
    line = text.rfind("\n", stop, at)
    before = text.rfind("\n", stop, line) if line >= 0 else -1
    return before + 1 if before >= 0 else stop
