"""The bearer token: a file and a header in, yes or no out. The token is never shown and never logged."""

from __future__ import annotations

import hmac
import logging
import re
from pathlib import Path

from opsbot.core.errors import PermanentError

LOG = logging.getLogger("opsbot.web")
_SHORTEST = 8


class Bearer:
    """Knows who may come in. The file is read again when it has changed; one that is spoilt lets nobody in.

    PermanentError where it cannot be used at the start.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._look: tuple[int, ...] = ()
        self._token = b""
        if file is not None:
            self._token = _read(file)
            self._look = _look(file)

    def admits(self, header: str) -> bool:
        """Whether an Authorization header proves the right. Compared in a time that does not tell where they differ."""
        if self._file is None:
            return True
        scheme, _, given = header.partition(" ")
        token = self._now(self._file)
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token)
        return bool(token) and same and scheme.lower() == "bearer"

    def _now(self, file: Path) -> bytes:
        look = _look(file)
        if look != self._look:
            self._look = look
            try:
                self._token = _read(file)
            except PermanentError as error:
                self._token = b""
                LOG.error("%s; nobody is let in until it is repaired", error)
        return self._token


def _read(file: Path) -> bytes:
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PermanentError(f"web.token_file: {file} cannot be read: {type(error).__name__}") from None
    if not re.fullmatch(rf"[\x21-\x7e]{{{_SHORTEST},4096}}", text):
        raise PermanentError(
            f"web.token_file: {file} holds no token: "
            f"one line of {_SHORTEST} to 4,096 ASCII characters, none of them a blank"
        )
    return text.encode()


def _look(file: Path) -> tuple[int, ...]:
    """How a file looks on disk; a mounted Secret is a link that changes."""
    try:
        stat = file.stat()
    except OSError:
        return (-1,)
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns)
