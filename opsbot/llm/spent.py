"""What a question costs: tokens counted by the server where it says so, else guessed high from characters."""

from __future__ import annotations

from dataclasses import dataclass

from opsbot.core.errors import Blind
from opsbot.core.ports import Question

CHARACTERS_PER_TOKEN = 3
"""Low on purpose: English has about four, so a guess from it is rather too high."""
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


def guessed(characters: int) -> int:
    """Tokens of a text of this length, guessed high."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def worst(question: Question) -> Spent:
    """What a question may cost at most: asked, answered at full length, and asked once more to mend the answer."""
    asked = guessed(len(question.system) + len(question.text)) + guessed(len(str(question.schema)))
    return Spent(2 * asked + question.max_tokens, 2 * question.max_tokens)
