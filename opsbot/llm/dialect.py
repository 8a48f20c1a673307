"""How a question is worded for a server: which answer format is asked for, and by what the answer's length is capped.

All speak Chat Completions, but not all know all of it: what a server refuses is left out at the next try.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opsbot.core.evidence import MaskedText
from opsbot.core.ports import Question
from opsbot.mask import mask

Messages = Sequence[Mapping[str, str]]
MOST_QUOTED = 4000


@dataclass(frozen=True, slots=True)
class Dialect:
    """What of Chat Completions is used."""

    form: str = "json_schema"
    length: str = "max_tokens"
    temperature: bool = True

    def options(self, name: str, question: Question) -> dict[str, Any]:
        """The members of the request beside its messages."""
        found: dict[str, Any] = {"model": name, self.length: question.max_tokens, "stream": False}
        if self.temperature:
            found["temperature"] = 0
        if self.form == "json_schema":
            shape = {"name": "answer", "strict": True, "schema": question.schema}
            found["response_format"] = {"type": "json_schema", "json_schema": shape}
        elif self.form == "json_object":
            found["response_format"] = {"type": "json_object"}
        return found

    def messages(self, question: Question) -> list[Mapping[str, str]]:
        """The question; where the server cannot be given the schema, the model is told it in words."""
        system = question.system
        if self.form != "json_schema":
            system += f"\nAnswer with one JSON object and nothing else. Its JSON Schema: {json.dumps(question.schema)}"
        return [{"role": "system", "content": system}, {"role": "user", "content": question.text}]

    def softer(self, refusal: str) -> Dialect | None:
        """What to try after a refusal in these words; None when there is nothing left to leave out."""
        said = refusal.lower()
        if "max_tokens" in said and self.length == "max_tokens":
            return replace(self, length="max_completion_tokens")
        if "temperature" in said and self.temperature:
            return replace(self, temperature=False)
        weaker = {"json_schema": "json_object", "json_object": "text"}.get(self.form)
        return replace(self, form=weaker) if weaker else None


def mending(messages: Messages, answer: str, wrong: str) -> list[Mapping[str, str]]:
    """The same talk with the answer and one turn that says what is wrong with it."""
    said: MaskedText = mask(answer).cut(MOST_QUOTED)
    again = f"That is not the JSON object that was asked for ({wrong}). Send the whole object again, and nothing else."
    return [*messages, {"role": "assistant", "content": said}, {"role": "user", "content": mask(again)}]
