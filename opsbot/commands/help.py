"""`help`: the verbs that this door takes, or one of them with its arguments."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands import VERBS, Argument, Verb
from opsbot.commands.desk import Answer, Desk
from opsbot.core.errors import PermanentError


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{verbs: [{words, usage, summary, example, permission, arguments: [{name, help}]}]}.

    PermanentError for what is no verb.
    """
    rows = [row for row in VERBS if row.spoken or desk.door == "cli"]
    asked = " ".join(args.words)
    chosen = [row for row in rows if not asked or row.words == asked or row.words.split()[0] == asked]
    if not chosen:
        raise PermanentError(f"{asked[:40]!r} is no verb here; there are: {', '.join(row.words for row in rows)}")
    return Answer({"verbs": [_shape(row) for row in chosen]})


def _shape(row: Verb) -> dict[str, object]:
    arguments = [{"name": _name(argument), "help": argument.help} for argument in row.arguments]
    return {
        "words": row.words, "usage": " ".join([row.words, *map(_usage, row.arguments)]), "summary": row.summary,
        "example": row.example, "permission": row.permission, "arguments": arguments,
    }  # fmt: skip


def _usage(argument: Argument) -> str:
    """How an argument is typed, in brackets where it may be left out."""
    name, form = argument.names[0], argument.form
    if not name.startswith("-"):
        return f"[{_name(argument)}]" if form.get("nargs") in ("?", "*") else _name(argument)
    if form.get("action") == "store_true":
        return f"[{name}]"
    return f"[{name} {form.get('metavar') or argument.names[-1].lstrip('-').upper()}]"


def _name(argument: Argument) -> str:
    return ", ".join(argument.names) if argument.names[0].startswith("-") else str(argument.form.get("metavar", ""))
