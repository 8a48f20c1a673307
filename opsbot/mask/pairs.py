"""Names with their values in a text: `password=…`, `"token": "…"`, `--secret …`, `name: X` beside `value: Y`.

Text in, places of the secret values out. Every repetition in the patterns is bounded, possessive or starts at the
first letter of a word only, so that the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsbot.mask.words import is_secret, random_looking

Span = tuple[int, int]

STEMS = (
    "pass", "pwd", "kennwort", "secret", "token", "cred", "key", "auth", "login", "bearer", "salt", "signature",
    "session", "cert", "connection", "docker", "access", "psk", "pw", "srt", "sig",
)  # fmt: skip
"""One of these is in every name that says that its value is secret."""
_STEMS = "|".join(STEMS)
_Q = r"\\{0,8}[\"'`]"
_BARE = r"[^\s,;&\"'`)}\]<>]"
_QUOTED = rf"(?P<quote>{_Q})(?P<quoted>(?:(?!(?P=quote))(?:\\[^\n]|[^\\\n]))*+)"
# What stands before the quote of a literal: the letters of Python, or a type that only wraps it (`SecretStr("…")`,
# `Some("…")`, `[]byte("…")`); a call such as `getenv("…")` takes the name of a secret, not the secret.
_TYPE = (
    r"(?:new[ \t]{1,4})?(?:[\w\[\]]{0,40}(?:\.|::)){0,4}(?:\[\])?"
    r"(?:secret|sensitive|secure|protected|masked|password|token|key|credentials?|str|string|text|bytes?|array|value"
    r"|from|of|some|just|ok|optional|b64encode|b64decode){1,4}\([ \t]{0,4}"
    r"(?:\w{1,40}[ \t]{0,4}=[ \t]{0,4})?"
)
_OPEN = rf"(?:{_TYPE})?(?:[bru]|[rbf]{{2}}|f)?(?={_Q})"
_FLOW = r"(?!\[|\{[ \t]{0,8}(?:[\"']|\w{1,80}:))"  # a list or mapping is no value: what is in it is looked at by itself
_VALUE = rf"(?:{_OPEN}{_QUOTED}|(?P<bare><[^<>\n]{{0,200}}>|{_FLOW}{_BARE}{{1,200}}+))"
_SPOKEN = (  # names that people write with a blank: `api key: …`
    r"(?:(?:api|access|secret|private|auth|client|encryption|master|shared|signing|session|license|service|account"
    r"|storage|webhook|deploy|root|hmac)[ \t](?=keys?(?![\w.-])))?"
)
_NAME = rf"(?<![A-Za-z0-9_.-])(?P<name>(?>{_SPOKEN}[A-Za-z0-9_.-]*?(?:{_STEMS})[A-Za-z0-9_.-]*+))"
_SIGN = r"(?P<sign>:{0,3}=[=>]?|\?=|=>|:|,(?=[ \t]{0,8}\\{0,8}[\"']))"
_PAIR = re.compile(_NAME + rf"(?P<closed>{_Q})?\]?[ \t]*+" + _SIGN + r"[ \t]*+" + _VALUE, re.IGNORECASE | re.ASCII)
_FLAG_NAME = rf"(?<![\w-])--?(?P<name>(?>[A-Za-z][\w-]*?(?:{_STEMS})[\w-]*+))"
_FLAG = re.compile(_FLAG_NAME + r"[ \t]++(?!-)" + _VALUE, re.IGNORECASE | re.ASCII)
_IS = rf"(?:{_Q})?[ \t]*+[:=][ \t]*+"
_NAME_IS = rf"(?<![\w.-])(?:name|key){_IS}(?:{_Q})?(?P<name>[A-Za-z_][\w.-]*+)"
_VALUE_IS = rf"(?<![\w.-])value{_IS}{_VALUE}"
_NEXT = rf"(?:{_Q})?\s*+,?\s*+(?:{_Q})?"
_NAMED = re.compile(_NAME_IS + _NEXT + _VALUE_IS, re.IGNORECASE | re.ASCII)
_VALUED = re.compile(_VALUE_IS + _NEXT + _NAME_IS, re.IGNORECASE | re.ASCII)
_CONTENT = r"\s{0,80}+(?:<!\[CDATA\[)?(?P<bare>[^<\s\]](?:[^<\n\]]*[^<\s\]])?)(?:\]\]>)?\s{0,80}+</"
_ELEMENT = re.compile(
    rf"<(?:\w{{1,40}}:)?(?P<name>[\w.-]{{1,80}}+)(?:\s[^<>\n]{{0,400}}+)?>{_CONTENT}", re.IGNORECASE | re.ASCII
)
_PROPERTY = re.compile(
    rf"<(?:name|key)>[ \t]*+(?P<name>[\w.-]{{1,80}}+)[ \t]*+</(?:name|key)>\s*+<(?:value|string)>{_CONTENT}",
    re.IGNORECASE | re.ASCII,
)

_REST = re.compile(_BARE + "*+")
_SCHEME = re.compile(
    r"(?:bearer|basic|token|negotiate|ntlm|apikey|api-token|api-key|key|aws4-hmac-sha256)[ \t]++"
    r"(?P<rest>[^\s,;\"'`]++)", re.IGNORECASE,
)  # fmt: skip
_PROSE = re.compile(r"[A-Za-z]{1,40}[.!?]?[ \t]{1,4}[\"'(A-Za-z](?!\w{0,40}[:=])")
_WORD = re.compile(r"[A-Za-z]{1,40}(?![^\s,.;:!?])")
_NO_VALUE = re.compile(r"\d{1,20}[ \t]{1,4}bytes|(?:new|await|lambda|not)[ \t]")
_LINE_START = re.compile(r"[ \t#-]*(?:(?:export|ENV|ARG|set)[ \t]+)?")
_YAML_START = re.compile(r"[ \t]*(?:- +)*")
_NO_BLANK = re.compile(r"\S*+(?=[ \t\r]*+(?:\n|\Z))")
_BLOCK = re.compile(r"[|>][+-]?\d?[ \t]*+(?:#[^\n]*+)?(?=\r?\n)")
_YAML_REST = re.compile(r"(?:(?![ \t]+#|[ \t]{2}|[ \t][\w.-]{1,40}[:=]|[ \t\r]*(?:\n|\Z))[^\n])*")
_FAR = 200


def pairs(text: str) -> Iterator[Span]:
    """The places of values whose names say that they are secret."""
    at = 0
    while found := _PAIR.search(text, at):
        places = list(_of_pair(text, found))
        yield from places
        at = places[-1][1] if places else found.start("bare" if found["quote"] is None else "quoted")
    for pattern in (_FLAG, _NAMED, _VALUED):
        yield from _simple(text, pattern)
    for pattern in (_ELEMENT, _PROPERTY):
        yield from _elements(text, pattern)


def _elements(text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    """What an XML element holds, all of it: blanks and entities too."""
    for found in pattern.finditer(text):
        if is_secret(found["name"], found["bare"], quoted=True):
            yield found.span("bare")


def _simple(text: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    for found in pattern.finditer(text):
        quoted = found["quote"] is not None
        start, end = found.span("quoted" if quoted else "bare")
        if is_secret(found["name"], text[start:end], quoted=quoted):
            yield start, end if quoted else _rest(text, end)


def _of_pair(text: str, found: re.Match[str]) -> Iterator[Span]:
    name, quote = found["name"], found["quote"]
    start, end = found.span("quoted" if quote else "bare")
    if quote is None and _BLOCK.match(text, start):
        yield from _block(text, found.start(), start) if is_secret(name, "|", quoted=True) else ()
        return
    if _unlike(text, found, start):
        return
    start, end = _after_scheme(text, name, start, end, quote is not None)
    if is_secret(name, text[start:end], quoted=quote is not None):
        yield start, end if quote else _bare_end(text, found, start, end)


def _unlike(text: str, found: re.Match[str], start: int) -> bool:
    """Whether this only looks like a value: a word of a sentence, a size, an item after another, a command's output."""
    if found["quote"] is None:
        return _NO_VALUE.match(text, start) is not None or (found["sign"] == ":" and _prose(text, found, start))
    if found["quote"] == "`":
        return " " in found["quoted"]
    return found["sign"] == "," and not (found["name"].startswith("-") or random_looking(found["quoted"]))


def _prose(text: str, found: re.Match[str], start: int) -> bool:
    if " " in found["name"] and _WORD.match(text, start):
        return True
    if "auth" in found["name"].lower():
        return _SCHEME.match(text, start) is None and _WORD.match(text, start) is not None
    return _PROSE.match(text, start) is not None and not _indented(text, found.start())


def _rest(text: str, end: int) -> int:
    """The end of an unquoted value that may be longer than the pattern looked."""
    rest = _REST.match(text, end)
    return rest.end() if rest else end


def _bare_end(text: str, found: re.Match[str], start: int, end: int) -> int:
    """The end of an unquoted value: of a word, or of the line where nothing but the pair stands on it."""
    if found["sign"] == ":" and _indented(text, found.start()):
        line = _YAML_REST.match(text, start)
    else:
        line = _NO_BLANK.match(text, start) if _leads(text, found.start(), _LINE_START) else None
    return max(line.end(), end) if line else _rest(text, end)


def _indented(text: str, name: int) -> bool:
    """Whether a name stands as the keys of nested YAML do, whose plain values may hold blanks."""
    return text[name - 1 : name] in (" ", "\t") and _leads(text, name, _YAML_START)


def _leads(text: str, name: int, start: re.Pattern[str]) -> bool:
    """Whether a name is the first thing on its line."""
    begin = text.rfind("\n", max(0, name - _FAR), name) + 1
    return (begin > 0 or name < _FAR) and start.fullmatch(text, begin, name) is not None


def _after_scheme(text: str, name: str, start: int, end: int, quoted: bool) -> Span:
    """Leave the scheme of an Authorization header readable: `Bearer ***`."""
    scheme = _SCHEME.match(text, start) if "auth" in name.lower() else None
    if scheme is None or (quoted and scheme.end() > end):
        return start, end
    return scheme.start("rest"), end if quoted else scheme.end()


def _block(text: str, name: int, start: int) -> Iterator[Span]:
    """The lines of a YAML block scalar: those that stand deeper than its key."""
    depth = name - (text.rfind("\n", 0, name) + 1)
    at = text.find("\n", start) + 1
    while 0 < at < len(text):
        stop = text.find("\n", at)
        line = text[at:stop] if stop >= 0 else text[at:]
        lead = len(line) - len(line.lstrip())
        if line.strip():
            if lead <= depth:
                return
            yield at + lead, at + len(line.rstrip())
        at += len(line) + 1
