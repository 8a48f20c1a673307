"""Strict YAML with marks: text in, plain values and the place of each of them out.

Refused, all at once and each with its place: duplicate keys, keys that are no text, aliases, tags, files that are
too large, too deep or hold too many values, and words that YAML 1.1 silently turns into something else (`no`, `012`,
`1:30`). What is read goes on to a pydantic model, whose complaints get places. `reading` is the door: nothing that was
made of a file with problems ever leaves it.
"""

from opsbot.yamlfile.document import Document, Step, Where
from opsbot.yamlfile.fields import Fields
from opsbot.yamlfile.form import SAYINGS, Duration, Length, Strict, Title, fit, known_keys, sound
from opsbot.yamlfile.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse, read_text, reading

__all__ = [
    "MAX_BYTES", "MAX_DEPTH", "MAX_NODES", "SAYINGS", "Document", "Duration", "Fields", "Length", "Step", "Strict",
    "Title", "Where", "fit", "known_keys", "parse", "read_text", "reading", "sound",
]  # fmt: skip
