"""What a person typed in, a row of the verb table and its arguments out, or what to type instead. Pure.

Only rows that are `spoken` are known here: the others read files of whoever runs opsbot.
"""

from __future__ import annotations

import argparse
import difflib
import html
import re
import shlex
from typing import NoReturn

from opsbot.commands import VERBS, Verb
from opsbot.core.errors import PermanentError

LONGEST = 3000
SPOKEN = tuple(row for row in VERBS if row.spoken)
_LABELLED = re.compile(r"<[^<>|]*\|([^<>|]*)>")
_BARE = re.compile(r"<(?:mailto:)?([^<>|]*)>")
_DASH = re.compile(r"(?<!\S)[\u2013\u2014](?=\w)")


def parse(text: str) -> tuple[Verb, argparse.Namespace]:
    """The verb and its arguments; nothing at all means `help`."""
    spoken = split(text) or ["help"]
    row = next((row for row in SPOKEN if row.words == spoken[0].lower()), None)
    if row is None:
        raise PermanentError(_unknown(spoken[0]))
    return row, parser(row).parse_args(spoken[1:])


def split(text: str) -> list[str]:
    """The words as a shell would see them, after taking back what Slack and keyboards make of plain typing."""
    if len(text) > LONGEST:
        raise PermanentError(f"that is longer than {LONGEST} characters")
    try:
        return shlex.split(typed(text))
    except ValueError as error:
        raise PermanentError('a quotation mark is not closed: write --reason "like this"') from error


def typed(text: str) -> str:
    """What was typed, before Slack made links and entities, and keyboards curly quotes and long dashes, of it."""
    bare = html.unescape(_BARE.sub(r"\1", _LABELLED.sub(r"\1", text)))
    bare = bare.replace("\u201c", '"').replace("\u201d", '"').replace("\xa0", " ")
    if "\u2018" in bare:
        bare = bare.replace("\u2018", "'").replace("\u2019", "'")
    return _DASH.sub("--", bare)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise PermanentError(f"{message}. {self.epilog}")


def parser(row: Verb) -> argparse.ArgumentParser:
    """The parser of one verb."""
    made = _Parser(prog=row.words, add_help=False, allow_abbrev=False, epilog=f"For example: {spoken(row.example)}")
    for argument in row.arguments:
        made.add_argument(*argument.names, help=argument.help, **argument.form)
    return made


def spoken(example: str) -> str:
    """An example of the terminal as it is typed here."""
    return f"/{example}"


def _unknown(word: str) -> str:
    near = difflib.get_close_matches(word.lower(), [row.words for row in SPOKEN], n=1)
    hint = f"did you mean {near[0]}?" if near else "/opsbot help lists what there is"
    return f"{word[:40]!r} is nothing that opsbot knows here: {hint}"
