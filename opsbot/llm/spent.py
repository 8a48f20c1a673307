"""What a question costs: tokens counted by the server where it says so, else guessed high from its text."""

from __future__ import annotations

from dataclasses import dataclass

from opsbot.core.errors import Blind
from opsbot.core.ports import Question

ASCII_PER_TOKEN = 3
"""Low on purpose: English has about four, so a guess from it is rather too high."""
BYTES_PER_TOKEN = 2
"""Of UTF-8, for all else: Chinese has about one token to a character of three bytes, rare scripts more."""
MOST_TOKENS = 10_000_000


@dataclass(slots=True)
class Spent:
    """Tokens so far; several exchanges may belong to one question."""

    prompt: int = 0
    completion: int = 0

    def add(self, prompt: int, completion: int) -> None:
        """One exchange more."""
        self.prompt += prompt
        self.completion += completion


class NoAnswer(Blind):
    """The model gave no usable answer, and trying cost this much all the same."""

    def __init__(self, why: str, spent: Spent | None = None) -> None:
        super().__init__(why)
        self.spent = spent or Spent()


def guessed(text: str) -> int:
    """Tokens of a text, guessed high."""
    more = sum(not letter.isascii() for letter in text)
    size = len(text.encode("utf-8", "replace")) - (len(text) - more)
    return -(-(len(text) - more) // ASCII_PER_TOKEN) + -(-size // BYTES_PER_TOKEN)


def worst(question: Question) -> Spent:
    """What a question may cost at most: asked, answered at full length, and asked once more to mend the answer."""
    asked = guessed(f"{question.system}{question.text}") + guessed(str(question.schema))
    return Spent(2 * asked + question.max_tokens, 2 * question.max_tokens)
