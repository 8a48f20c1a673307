"""argparse built from the verb table; a subparser gets its arguments only when it is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from opsbot import __version__
from opsbot.commands import VERBS, Verb

ABOUT = "opsbot: from an alert on Kubernetes to its cause, an approved change, and proof that it helped."


def asked(words: Sequence[str]) -> tuple[Verb | None, list[str]]:
    """The verb that a command line begins with, a leading --config aside, and what is left for its parser."""
    lead = 0
    if words[:1] == ["--config"]:
        lead = 2
    elif words and words[0].startswith("--config="):
        lead = 1
    for length in (2, 1):
        spoken = list(words[lead : lead + length])
        found = next((row for row in VERBS if row.words.split() == spoken), None)
        if found:
            return found, [*words[:lead], *words[lead + length :]]
    return None, list(words)


def _listed(rows: Sequence[Verb]) -> str:
    width = max(len(row.words) for row in rows) + 2
    return "\n".join(f"  {row.words:<{width}}{row.summary}" for row in rows)


def group(words: Sequence[str]) -> str:
    """Help on the verbs that begin with the same word, if that is what a line asks for; else nothing."""
    rows = [row for row in VERBS if row.words.split()[:-1] == list(words[:1])] if words else []
    if not rows or words[1:2] not in (["--help"], ["-h"]):
        return ""
    usage = f"usage: opsbot {words[0]} {{{','.join(row.words.split()[1] for row in rows)}}} ..."
    return f"{usage}\n\nverbs:\n{_listed(rows)}\n\n`opsbot {words[0]} VERB --help` explains one.\n"


def overview() -> argparse.ArgumentParser:
    """The parser for a line without a known verb: it knows the verbs' names and nothing of their arguments."""
    parser = argparse.ArgumentParser(
        prog="opsbot",
        description=f"{ABOUT}\n\nverbs:\n{_listed(VERBS)}",
        epilog="`opsbot VERB --help` explains one. Exit codes: 0 good, 1 found something, 2 bad usage or config.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="opsbot [--config FILE] VERB ...",
    )
    parser.add_argument("--version", action="version", version=f"opsbot {__version__}")
    parser.add_argument("--config", metavar="FILE", help="the agent_config.yaml to use")
    parser.add_argument("verb", metavar="VERB", nargs="+", help="one of the verbs above")
    return parser


def of(row: Verb) -> argparse.ArgumentParser:
    """The parser of one verb."""
    parser = argparse.ArgumentParser(
        prog=f"opsbot {row.words}",
        description=f"{row.summary[0].upper()}{row.summary[1:]}.",
        epilog=f"example: {row.example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for argument in row.arguments:
        parser.add_argument(*argument.names, help=argument.help, **argument.form)
    parser.add_argument("--config", metavar="FILE", help="the agent_config.yaml to use")
    if row.door == "any":
        parser.add_argument(
            "--format", choices=("text", "json"), default="text", help="text for people, json for programs"
        )
    return parser


def unknown(words: Sequence[str]) -> str:
    """What to say of a line whose verb is not known."""
    import difflib

    spoken = " ".join(word for word in words if not word.startswith("-"))
    known = [row.words for row in VERBS]
    within = [name for name in known if name.split()[0] == spoken.split()[0]] if spoken else []
    if within:
        return f"{spoken!r} needs one of: {', '.join(name.split()[1] for name in within)}"
    near = difflib.get_close_matches(spoken, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`opsbot --help` lists the verbs"
    return f"{spoken!r} is no verb of opsbot ({hint})"
