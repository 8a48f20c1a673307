"""Cluster objects in, evidence out: pruned to what a diagnosis needs, masked, and flattened to one line per value.

A line is `Kind/name path: value`, with list items called by their name or type, so that a finding can cite it and grep
can find it. Objects and text are cut together: what a check sees in an object has its line in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from opsbot.core.evidence import Evidence
from opsbot.core.ports import Object
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.mask import mask, mask_tree

_LABELS = ("name", "type", "key", "topologyKey")

Shape = Mapping[str, Any] | bool


def pick(value: Any, shape: Shape) -> Any:
    """The part of a value that a shape names: True keeps all of it, a mapping goes down (through lists as well)."""
    if shape is True:
        return value
    if isinstance(value, list):
        return [pick(item, shape) for item in value]
    if not isinstance(value, Mapping) or not isinstance(shape, Mapping):
        return None
    return {key: pick(value[key], inner) for key, inner in shape.items() if value.get(key) is not None}


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar of a value with its dotted path; what is empty, and what calls a list item, has no line."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flatten(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            label = _label(item, place)
            yield from flatten(_unlabelled(item, label), f"{path}[{label}]")
    elif value is not None and value != "":
        yield path, _scalar(value)


def _label(item: Any, place: int) -> str:
    if isinstance(item, Mapping):
        return next((str(item[key]) for key in _LABELS if isinstance(item.get(key), str)), str(place))
    return str(place)


def _unlabelled(item: Any, label: str) -> Any:
    if not isinstance(item, Mapping):
        return item
    key = next((key for key in _LABELS if item.get(key) == label), "")
    rest = {other: value for other, value in item.items() if other != key}
    return rest or item


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return one_line(str(value))


def one_line(text: str) -> str:
    r"""The text with its line ends shown as `\n`, so that it takes one line of evidence."""
    return text.replace("\r", "").rstrip("\n").replace("\n", "\\n")


def title(item: Object) -> str:
    """`Kind/name` of an object."""
    return f"{shape.word(item, 'kind')}/{shape.word(item, 'metadata', 'name')}"


def lines_of(item: Object) -> list[str]:
    """The lines of one object; what names it has no line of its own."""
    head = title(item)
    bare = {key: part for key, part in item.items() if key != "kind"}
    return [f"{head} {path}: {text}" for path, text in flatten(bare) if path != "metadata.name"]


def evidence(
    source: str, about: Target, now: datetime, origin: str, items: Sequence[Object], cap: int, truncated: bool = False
) -> Evidence:
    """Evidence of pruned objects, the most telling ones first; objects past the byte cap are left out whole."""
    masked = mask_tree(list(items))  # all at once: what one object gives away is masked in all
    kept: list[Object] = []
    blocks: list[list[str]] = []
    left = cap
    for item, block in zip(masked, map(lines_of, masked), strict=True):
        size = sum(len(line.encode()) + 1 for line in block)
        if size > left and kept:
            break
        kept.append(item)
        blocks.append(_cut(block, left))
        left -= size
    text = mask("".join(f"{line}\n" for block in blocks for line in block))
    cut = truncated or left < 0 or len(kept) < len(masked)
    return Evidence("", source, about, now, text, mask(origin), tuple(kept), truncated=cut)


def _cut(block: Iterable[str], cap: int) -> list[str]:
    kept: list[str] = []
    for line in block:
        cap -= len(line.encode()) + 1
        if cap < 0:
            break
        kept.append(line)
    return kept
