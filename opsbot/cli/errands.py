"""Carry out one verb: who asks, may they, what came of it, and every error as a sentence instead of a traceback."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from typing import Any

from opsbot.commands import Verb
from opsbot.commands.sentence import sentence
from opsbot.core.errors import ConfigError, OpsbotError

GOOD, FOUND, BAD = 0, 1, 2


def run(row: Verb, args: Namespace) -> int:
    """Run the verb; the exit code."""
    try:
        return _own(row, args) if row.door == "cli" else _shared(row, args)
    except ConfigError as error:
        return _problems(error, args, row)
    except OpsbotError as error:
        return _failed(sentence(error), args, reason=getattr(error, "reason", ""))
    except KeyboardInterrupt:
        return _failed("stopped", args, code=130)
    except BrokenPipeError:
        sys.stderr.close()
        return GOOD


def _own(row: Verb, args: Namespace) -> int:
    from opsbot.cli import load

    code: int = load(row)(args)
    return code


def _shared(row: Verb, args: Namespace) -> int:
    from opsbot.app.desk import TerminalDesk
    from opsbot.cli import load

    with TerminalDesk(args.config) as desk:
        person = desk.person(row.permission)
        answer = load(row)(desk, person, args)
        if args.format == "json":
            sys.stdout.write(json.dumps(answer.data, indent=2) + "\n")
        else:
            from opsbot.cli.tell import tell

            tell(row.words, answer.data)
        return int(answer.code)


def _problems(error: ConfigError, args: Namespace, row: Verb) -> int:
    """All problems; who asked for a bot that runs on is told last that there is none."""
    from opsbot.core.canonical import plain

    if getattr(args, "format", "text") == "json":
        _write_json({"error": "config", "problems": [plain(problem) for problem in error.problems]})
    for problem in error.problems:
        named = f"{problem.rule}: {problem.message}" if problem.rule else problem.message
        _complain(str(replace(problem, message=named)))
    if row.words == "serve":
        count = len(error.problems)
        _complain(f"opsbot: did not start: {count} problem{'s' if count != 1 else ''}")
    return BAD


def _failed(words: str, args: Namespace, code: int = BAD, reason: str = "") -> int:
    if getattr(args, "format", "text") == "json":
        _write_json({"error": words} | ({"reason": reason} if reason else {}))
    _complain(f"opsbot: {words}")
    return code


def _write_json(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data, indent=2) + "\n")


def _complain(words: str) -> None:
    from opsbot.core.escape import visible

    sys.stderr.write(visible(words) + "\n")
