"""The text of a template in, plain text and the tokens of its actions out, in turn; it knows no meaning."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple


class Token(NamedTuple):
    """A piece of an action: what it is (a group of `_TOKEN`), and as it is written."""

    kind: str
    word: str


_TOKEN = re.compile(
    r"""(?P<blank>\s+) | (?P<close>}}) | (?P<pipe>\|) | (?P<open>\() | (?P<end>\)) | (?P<declare>:=) | (?P<assign>=)
    | (?P<comma>,) | (?P<text>"(?:\\.|[^"\\\n])*") | (?P<raw>`[^`]*`)
    | (?P<number>(?>[-+]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
        |[\d_]*\d\.?[\d_]*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)))(?![\w.])
    | (?: (?P<variable>\$(?u:[^\W\d]\w*)?) | (?P<field>\.(?u:[^\W\d]\w*)) | (?P<name>(?u:[^\W\d]\w*))
        )(?=[\s.,|:()]|}}|\Z)
    | (?P<dot>\.)(?![\w.])""",
    re.VERBOSE | re.ASCII,
)
"""Names have letters of any kind, as in Go. A number that does not end well is not tried again with fewer digits, which
would take minutes where there are many."""

_COMMENT = re.compile(r"/\*.*?\*/(?=(?:\s+-)?}})", re.DOTALL)

Action = tuple[Token, ...]


def pieces(text: str) -> Iterator[str | Action]:
    """Plain text and actions as they follow each other, comments left out and trim marks done.

    A blank is a token too: it tells `f .x` from `f.x`. ValueError for what no token is.
    """
    at, trim = 0, False
    while (start := text.find("{{", at)) >= 0:
        before, inner = text[at:start], start + 2
        trims_before = text[inner : inner + 1] == "-" and text[inner + 1 : inner + 2].isspace()
        yield from _plain(before, left=trim, right=trims_before)
        action, at, trim = _comment(text, inner, trims_before) or _action(text, inner + trims_before)
        yield from () if action is None else (action,)
    yield from _plain(text[at:], left=trim, right=False)


def _plain(text: str, *, left: bool, right: bool) -> Iterator[str]:
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    yield from (text,) if text else ()


def _comment(text: str, at: int, trims: bool) -> tuple[None, int, bool] | None:
    """A comment, which begins at once, or after a trim mark and a blank: where the text goes on, whether it trims."""
    found = _COMMENT.match(text, at + 2 if trims else at)
    if not found:
        return None
    return None, text.index("}}", found.end()) + 2, text[found.end() : found.end() + 2] != "}}"


def _action(text: str, at: int) -> tuple[Action, int, bool]:
    """What stands between `{{` and `}}`, where the text goes on, and whether blanks after it are trimmed."""
    tokens: list[Token] = []
    while True:
        if text[at : at + 3] == "-}}" and text[at - 1].isspace():
            return tuple(tokens), at + 3, True
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(_unread(text, at))
        at = found.end()
        if found.lastgroup == "close":
            return tuple(tokens), at, False
        tokens.append(Token(str(found.lastgroup), found[0]))


def _unread(text: str, at: int) -> str:
    left = text[at : at + 20].partition("}}")[0].rstrip()
    return f"{left!r} is not supported in a template" if left else "an opening {{ has no closing }}"


def constant(token: Token) -> str | int | float:
    """The value of a text or a number; ValueError where it is neither."""
    if token.kind == "raw":
        return token.word[1:-1].replace("\r", "")
    if token.kind == "text":
        return _unquoted(token.word)
    if token.kind != "number":
        raise ValueError(f"unexpected {token.word!r} in a template")
    return _number(token.word)


def _number(word: str) -> int | float:
    """As Go reads it: a leading 0 means octal, and what has no point and no exponent is whole."""
    try:
        whole = not re.search(r"[.eE]", word) or word.lstrip("+-")[:2] in ("0x", "0X")
        made = int(re.sub(r"^([-+]?)0_?(?=[0-7_]+$)", r"\g<1>0o", word), 0) if whole else float(word)
    except ValueError:
        raise ValueError(f"{word[:40]!r} in a template is no number") from None
    if isinstance(made, int) and not -(2**63) <= made < 2**63:
        raise ValueError(f"{word[:40]!r} in a template is too large")
    return made


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|U([0-9a-fA-F]{8})|([abfnrtv\\\"])|(u[0-9a-fA-F]{4}))")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


def _unquoted(word: str) -> str:
    body = word[1:-1]
    if "\\" in _ESCAPE.sub("", body):
        raise ValueError(f"the text {word[:40]} in a template has an escape that is not known")
    try:
        return _ESCAPE.sub(_meant, body)
    except ValueError:
        raise ValueError(f"the text {word[:40]} in a template has an escape that is not known") from None


def _meant(found: re.Match[str]) -> str:
    """A letter for an escape; bytes beyond ASCII would be half a letter, and are refused."""
    byte, octal, wide, plain, narrow = found.groups()
    if plain:
        return _ESCAPES[plain]
    if narrow:
        return str(json.loads(f'"\\{narrow}"'))
    code = int(octal, 8) if octal else int(byte or wide, 16)
    if code > (0x7F if not wide else 0x10FFFF):
        raise ValueError(code)
    return chr(code)
