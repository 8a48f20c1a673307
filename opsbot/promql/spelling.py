"""The spelling of an expression: its pieces, and how the parser must be told them to mean what Prometheus would.

The parser knows functions by their names of today alone, no backslash in raw text, no `_` in numbers, and another
syntax of regular expressions: these are judged here (prometheus/promql/parser/lex.go).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opsbot.promql.complaint import PromqlError
from opsbot.promql.patterns import judged

RENAMED = {"holt_winters": "double_exponential_smoothing"}
"""What Prometheus 2 calls otherwise."""

_PIECE = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<text>(?P<quote>["'])(?:\\.|(?!(?P=quote))[^\\\n])*+(?P<end>(?P=quote))? | `[^`]*+(?P<raw_end>`)?)
  | (?P<number>(?<![\w:.])
      (?a:0x[\da-f]+(?:_[\da-f]+)*|\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:e[-+]?\d+(?:_\d+)*)?)(?![\w:.]))
  | (?P<matches>[=!]~)
  | (?P<word>[\w:]+)
  | (?P<blank>[ \t\r\n]+)
  | (?P<sign>.)
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
_OPERATOR = re.compile(r"[-+*/%^({\[]|[<>]=?|[=!]=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_CALLED = re.compile(r"\s*\(")
_BYTE = re.compile(rb"\\(?:x([\da-fA-F]{2})|([0-3][0-7]{2})|.)", re.DOTALL)

Pieces = Sequence[re.Match[str]]


def pieces(expression: str) -> Pieces:
    """All of it, piece by piece; PromqlError for a text that does not end, and for a blank that is none."""
    found = list(_PIECE.finditer(expression))
    for piece in found:
        if piece.lastgroup == "text" and not (piece["end"] or piece["raw_end"]):
            raise PromqlError("unterminated quoted string", piece.start())
        if piece["sign"] == "\f":
            raise PromqlError(r"unexpected character: '\f'", piece.start())
    return found


def bare(given: Pieces) -> str:
    """The expression with blanks for its texts and comments: every other character stays where it is."""
    return "".join(" " * len(piece[0]) if piece.lastgroup in ("text", "comment") else piece[0] for piece in given)


def operators(bare_text: str) -> int:
    """How many operators and opening brackets there are: no tree is deeper than that."""
    return sum(1 for _ in _OPERATOR.finditer(bare_text))


def modern(given: Pieces) -> str:
    """The same for the parser; PromqlError for a number out of range, and for a pattern that is none."""
    return "".join(_respelled(given))


def _respelled(given: Iterable[re.Match[str]]) -> Iterator[str]:
    before = None
    for piece in given:
        kind = piece.lastgroup
        if kind == "text":
            yield _pattern(piece) if before == "matches" else _quoted(piece[0])
        elif kind == "number":
            yield _number(piece)
        else:
            renamed = kind == "word" and piece[0] in RENAMED and _CALLED.match(piece.string, piece.end())
            yield RENAMED[piece[0]] if renamed else piece[0]
        before = before if kind in ("blank", "comment") else kind


def _number(found: re.Match[str]) -> str:
    """A number without the underscores that may part its digits; PromqlError where it is too large for a float."""
    plain = found[0].replace("_", "")
    if plain[:2].lower() == "0x":
        return plain
    if math.isinf(float(plain)):
        raise PromqlError(f"the number {found[0][:40]} is out of range", found.start())
    return plain.lstrip("0") if re.fullmatch(r"0+[1-9]\d*e.*", plain, re.IGNORECASE) else plain


def _quoted(text: str) -> str:
    """A raw text with a backslash as a quoted one; every other text as it is."""
    if text[0] != "`" or "\\" not in text:
        return text
    return '"' + text[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _pattern(found: re.Match[str]) -> str:
    """For a good pattern one that the parser can read, which matches the empty text where that does: it asks no more.

    PromqlError for a pattern that Prometheus would refuse.
    """
    verdict = judged(_unquoted(found[0], found.start()))
    if verdict.why_not:
        why = " ".join(verdict.why_not.split())[:120]
        raise PromqlError(f"{found[0][:40]} is no regular expression: {why}", found.start() + 1)
    return '".*"' if verdict.empty else '".+"'


def _unquoted(text: str, at: int) -> str:
    """What a text that stands at a place means, by the escapes of Go."""
    if text[0] == "`":
        return text[1:-1]
    import promql_parser

    try:
        literal: Any = promql_parser.parse(_BYTE.sub(_byte, text.encode()).decode("utf-8", "replace"))
    except ValueError as error:
        raise PromqlError(" ".join(str(error).split())[:200], at) from None
    return str(literal.val)


def _byte(found: re.Match[bytes]) -> bytes:
    """What stands for a byte beyond ASCII as that byte: the parser would take it for a character."""
    value = int(found[1], 16) if found[1] else int(found[2], 8) if found[2] else 0
    return bytes([value]) if value > 0x7F else found[0]
