"""One matcher or a list of them: text in, values out, or what is wrong with it and what to write instead.

Two spellings, as in Alertmanager's matchers (https://prometheus.io/docs/alerting/latest/configuration/#matcher): the
classic one is tried first, as Alertmanager does where both can read a text and disagree; names that it does not know
are read as UTF-8, where they may be quoted and quotation follows Go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from opsbot.core.silence import Match, Matcher
from opsbot.matchers.matching import why_not

LONGEST = 10_000
MOST = 100
HINT = 'write NAME="VALUE" with =, !=, =~ or !~'

_SPACE = " \t\n\r\f"
_HEAD = re.compile(r"[ \t\n\r\f]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t\n\r\f]*(=~|!~|!=|=)")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_BARE = re.compile(r'(?:[^"\\]|\\.)*\\?', re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CLASSIC_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


class MatcherError(ValueError):
    """A text that is no matcher; `hint` says what to write instead."""

    def __init__(self, message: str, hint: str = HINT) -> None:
        super().__init__(message)
        self.hint = hint


def parse(text: str) -> tuple[Matcher, ...]:
    """A list such as `{severity="critical", name=~"web-.*"}`, the braces being optional; it may be empty."""
    _bounded(text)
    try:
        found = tuple(_classic(piece) for piece in _pieces(text.removeprefix("{").removesuffix("}")))
    except MatcherError as error:
        found = _utf8(text, error)
    if len(found) > MOST:
        raise MatcherError(f"holds {len(found)} matchers: at most {MOST}", "use a regular expression")
    return found


def parse_one(text: str) -> Matcher:
    """A single matcher, whose value may hold commas without quotes."""
    _bounded(text)
    if text.startswith("{") or text.endswith("}"):
        raise MatcherError(f"{_cut(text)}: one matcher has no braces around it")
    try:
        return _classic(text)
    except MatcherError as error:
        found = _utf8(text, error)
    if len(found) != 1:
        raise MatcherError(f"{_cut(text)}: holds {len(found)} matchers instead of one")
    return found[0]


def spell(matcher: Matcher) -> str:
    """The matcher as text that is read back equal by either spelling that can hold it."""
    if _NAME.fullmatch(matcher.name):
        value = matcher.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{matcher.name}{matcher.match.value}"{value}"'
    return f"{_go_quoted(matcher.name)}{matcher.match.value}{_go_quoted(matcher.value)}"


def spell_all(matchers: Sequence[Matcher]) -> str:
    """A list in braces."""
    return "{" + ", ".join(map(spell, matchers)) + "}"


def made(name: str, match: Match, value: str) -> Matcher:
    """A matcher whose regular expression, if it is one, is known to be good; MatcherError otherwise."""
    if not name:
        raise MatcherError("a label's name must not be empty")
    wrong = why_not(value) if match in (Match.LIKE, Match.NOT_LIKE) else ""
    if wrong:
        hint = "regular expressions are RE2: no look-around, no back-references, and \\ before a letter meant as such"
        raise MatcherError(f"{name}{match.value}{_cut(value)}: {wrong}", hint)
    return Matcher(name, match, value)


def _bounded(text: str) -> None:
    if len(text) > LONGEST:
        raise MatcherError(f"is {len(text)} characters long: at most {LONGEST}", "use a regular expression")


def _cut(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


# the classic spelling -----------------------------------------------------------------------------------------------


def _pieces(text: str) -> Iterator[str]:
    """The parts between commas that stand outside quotation marks; a last one of blanks is none."""
    start, quoted, escaped = 0, False, False
    for place, letter in enumerate(text):
        if letter == ",":
            if not quoted:
                yield text[start:place]
                start = place + 1
        elif letter == '"':
            quoted, escaped = quoted == escaped, False
        else:
            escaped = letter == "\\" and not escaped
    if text[start:].strip():
        yield text[start:]


def _classic(text: str) -> Matcher:
    head = _HEAD.match(text)
    if head is None:
        raise MatcherError(_headless(text))
    raw = text[head.end() :].strip(_SPACE)
    form = _QUOTED if raw.startswith('"') else _BARE
    found = form.fullmatch(raw)
    if found is None:
        raise MatcherError(f"{_cut(text)}: {_unquoted(raw)}", 'inside quotation marks write \\" for one of them')
    body = found[1] if form is _QUOTED else raw
    value = _ESCAPE.sub(lambda escape: _CLASSIC_ESCAPES.get(escape[1], escape[0]), body)
    return made(head[1], Match(head[2]), value)


def _headless(text: str) -> str:
    name = _NAME.match(text.lstrip(_SPACE))
    if not text.strip():
        return "a matcher is missing"
    if name and name[0] == text.strip():
        return f"{_cut(text)}: a name alone is no matcher"
    return f"{_cut(text)}: no operator after the name" if name else f"{_cut(text)}: does not begin with a label's name"


def _unquoted(raw: str) -> str:
    if not raw.startswith('"'):
        return "holds a quotation mark in the middle of its value"
    inner = re.match(r'"(?:[^"\\]|\\.)*"', raw, re.DOTALL)
    return "has something after the closing quotation mark" if inner else "its quotation mark is not closed"


# names of any letters -----------------------------------------------------------------------------------------------

_TOKEN = re.compile(r'\s*(?:([{},])|(=~|!=|!~|=)|("(?:[^"\\]|\\.)*")|([^\s{}!=~,\\"\'`]+)|$)', re.DOTALL)
_END = ("", "")


def _utf8(text: str, classic: MatcherError) -> tuple[Matcher, ...]:
    """The list, or what the classic spelling had to say where this one cannot read it either."""
    try:
        return tuple(_listed(list(_tokens(text))))
    except _Unread:
        raise classic from None


class _Unread(Exception):
    """It is not in this spelling."""


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _Unread
        place = found.end()
        mark, operator, quoted, bare = found.groups()
        if mark:
            yield mark, mark
        elif operator:
            yield "operator", operator
        elif quoted or bare:
            yield "word", _go_unquoted(quoted) if quoted else bare
    yield _END


def _listed(tokens: list[tuple[str, str]]) -> Iterator[Matcher]:
    braces = tokens[0][0] == "{"
    place = 1 if braces else 0
    while tokens[place][0] == "word":
        kinds = [kind for kind, _ in tokens[place : place + 3]]
        if kinds != ["word", "operator", "word"]:
            raise _Unread
        yield made(tokens[place][1], Match(tokens[place + 1][1]), tokens[place + 2][1])
        place += 3
        if tokens[place][0] != ",":
            break
        place += 1
    if [*tokens[place:]] != ([("}", "}"), _END] if braces else [_END]):
        raise _Unread


_GO_ESCAPE = re.compile(
    r'\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))', re.DOTALL
)
_GO_LETTERS = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))


def _go_unquoted(text: str) -> str:
    """What a string in quotation marks of Go stands for (https://go.dev/ref/spec#String_literals)."""
    if "\n" in text:
        raise _Unread
    parts, place = [], 0
    body = text[1:-1]
    try:
        for found in _GO_ESCAPE.finditer(body):
            parts += [body[place : found.start()].encode(), _go_escaped(found)]
            place = found.end()
        return b"".join([*parts, body[place:].encode()]).decode()
    except (UnicodeError, ValueError, OverflowError):
        raise _Unread from None


def _go_escaped(found: re.Match[str]) -> bytes:
    letter, byte, octal, short, long, _ = found.groups()
    if letter:
        return _GO_LETTERS[letter].encode()
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8)])
    if not (short or long):
        raise _Unread
    return chr(int(short or long, 16)).encode()


def _go_quoted(text: str) -> str:
    names = {value: name for name, value in _GO_LETTERS.items()}
    return '"' + "".join(f"\\{names[letter]}" if letter in names else letter for letter in text) + '"'
