"""How far a long piece of work is, on stderr: one line that changes on a terminal, elsewhere only what is lasting."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO


class Progress:
    """`tell` replaces what it told last; `say` is a line that stays. Close it with `clear` before others write."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._lively = self._out.isatty()

    def tell(self, text: str) -> None:
        """Where it is now; nothing off a terminal."""
        if self._lively:
            width = shutil.get_terminal_size().columns
            self._write(f"\r\033[K{text[: width - 1]}")

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        self._write(f"{text}\n")

    def clear(self) -> None:
        """Take away the line that changes."""
        if self._lively:
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
