"""`export prometheus`: what alerts.yaml says, as a rule file for Prometheus."""

from __future__ import annotations

import os
import secrets
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from opsbot.commands.desk import Answer, Desk
from opsbot.config import Config
from opsbot.core import duration
from opsbot.core.errors import ConfigError, PermanentError
from opsbot.lab import export, library, rulebook
from opsbot.monitor.rules import rulefile
from opsbot.yamlfile import read_text

_FOLDERS = tuple(f"{name}/*.{ending}" for name in ("rules", "playbooks") for ending in ("yaml", "yml"))


def prometheus(desk: Desk, person: str, args: Namespace) -> Answer:
    """{rules: N, groups: [{name, interval, rules: N}], output: path or null, text}; the file is written or untouched.

    ConfigError for problems of alerts.yaml; PermanentError where the output is a file that opsbot reads itself, or
    cannot be written.
    """
    config = desk.config
    source = config.alerts_file
    if not source.is_file():
        raise ConfigError([rulebook.missing(source)])
    rules, _ = rulefile.load(source, desk.playbooks, library.every(config))
    text = export.text(rules, source.name)
    output = _place(args.output, config) if args.output and args.output != "-" else None
    if output:
        _write(output, text)
    return Answer(_shape(export.bundles(rules), output, text))


def _shape(found: tuple[export.Bundle, ...], output: Path | None, text: str) -> dict[str, Any]:
    groups = [
        {"name": each.name, "interval": duration.spell(each.every), "rules": len(each.rules)} for each in found
    ]  # fmt: skip
    rules = sum(len(each.rules) for each in found)
    return {"rules": rules, "groups": groups, "output": str(output) if output else None, "text": text}


def _place(name: str, config: Config) -> Path:
    """Where the output goes; a link is followed, so that it stays one."""
    try:
        path = Path(name).resolve()
        special = path.exists() and not path.is_file()
        own = any(each.resolve() == path for each in library.files(config)) or _awaited(path, config.alerts_file)
    except (OSError, ValueError, RuntimeError) as error:
        raise PermanentError(f"{name[:200]!r} is no place for a file: {error}") from error
    if special:
        raise PermanentError(f"{path} is no ordinary file: name one, or leave --output out to print the rules")
    if own:
        raise PermanentError(f"{path} is a file that opsbot reads itself: name another one")
    return path


def _awaited(path: Path, alerts: Path) -> bool:
    """Whether opsbot would read a new file there: what is exported would be watched twice, or be a problem."""
    folder = alerts.parent.resolve()
    patterns = (*rulefile.patterns(read_text(alerts), str(alerts)), *_FOLDERS)
    return any(_fits(path.parts, Path(os.path.normpath(folder / pattern)).parts) for pattern in patterns)


def _fits(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern or pattern[0] != "**":
        same = bool(parts and pattern) and fnmatchcase(parts[0], pattern[0])
        return _fits(parts[1:], pattern[1:]) if same else not (parts or pattern)
    return any(_fits(parts[place:], pattern[1:]) for place in range(len(parts) + 1))


def _write(path: Path, text: str) -> None:
    """The whole text in the place of what was there, or nothing changed: PermanentError."""
    part = path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with part.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            part.chmod(path.stat().st_mode & 0o777)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise PermanentError(f"{path} cannot be written: {error.strerror or error}") from error
