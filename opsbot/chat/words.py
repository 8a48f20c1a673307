"""What a person typed in, a row of the verb table and its arguments out, or what to type instead. Pure.

Only rows that are `spoken` are known here: the others read files of whoever runs opsbot.
"""

from __future__ import annotations

import argparse
import difflib
import html
import re
import shlex
from contextlib import suppress
from typing import NoReturn

from opsbot.commands import VERBS, Verb
from opsbot.core.errors import PermanentError

LONGEST = 3000
SPOKEN = tuple(row for row in VERBS if row.spoken)
_LABELLED = re.compile(r"<[^<>|]*\|([^<>|]*)>")
_BARE = re.compile(r"<(?:mailto:)?([^<>|]*)>")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
_LETTER = "\ue027"
"""Stands for an apostrophe inside a word while quotation marks are looked for."""
_REASON = re.compile(r"\s--(reason|comment)(?=[\s=])[\s=]*")
_NEXT = re.compile(r"\s--(?:for|from|preview)(?![\w-])")
_DASH = re.compile(r"(?<!\S)[\u2013\u2014](?=\w)")


def parse(text: str) -> tuple[Verb, argparse.Namespace]:
    """The verb and its arguments; nothing at all means `help`.

    Where it is not understood otherwise, all that follows `--reason` or `--comment` is that: quotation marks may be
    left out.
    """
    bare = typed(text)
    try:
        return _parsed(split(bare))
    except PermanentError as error:
        given = _REASON.split(bare, maxsplit=1)
        if len(given) == 1 or not given[2].strip():
            raise
        free, rest = _free(given[1], given[2].strip())
        with suppress(PermanentError):
            return _parsed([*split(given[0]), f"--{given[1]}={free}", *split(rest)])
        raise error from None


def _free(option: str, words: str) -> tuple[str, str]:
    """What was written without quotation marks, and the options after it: of a comment alone, a reason is the end."""
    found = _NEXT.search(words) if option == "comment" else None
    return (words[: found.start()], words[found.start() :]) if found else (words, "")


def meant(text: str) -> str:
    """The verb that is meant; empty where the words are not understood."""
    try:
        return parse(text)[0].words
    except PermanentError:
        return ""


def _parsed(spoken: list[str]) -> tuple[Verb, argparse.Namespace]:
    spoken = spoken or ["help"]
    for length in (2, 1):
        words = " ".join(spoken[:length]).lower()
        row = next((row for row in SPOKEN if row.words == words), None)
        if row:
            return row, parser(row).parse_args(spoken[length:])
    raise PermanentError(_unknown(spoken[0]))


def split(bare: str) -> list[str]:
    """The words as a shell would see them, but for an apostrophe inside a word, which is a letter here."""
    try:
        return [word.replace(_LETTER, "'") for word in shlex.split(_APOSTROPHE.sub(_LETTER, bare))]
    except ValueError as error:
        raise PermanentError('a quotation mark is not closed: write --reason "like this"') from error


def typed(text: str) -> str:
    """What was typed, before Slack made links and entities, and keyboards curly quotes and long dashes, of it.

    PermanentError for what is too long.
    """
    if len(text) > LONGEST:
        raise PermanentError(f"that is longer than {LONGEST} characters")
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
    group = [row.words for row in SPOKEN if row.words.split()[0] == word.lower()]
    if group:
        return f"{word[:40]!r} needs a second word: {', '.join(group)}"
    near = difflib.get_close_matches(word.lower(), [row.words for row in SPOKEN], n=1)
    hint = f"did you mean {near[0]}?" if near else "/opsbot help lists what there is"
    return f"{word[:40]!r} is nothing that opsbot knows here: {hint}"
