"""What `export` said, told on a terminal: the file as it is, so that it can be copied or piped, or where it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from opsbot.core.escape import visible


def prometheus(data: Mapping[str, Any]) -> Iterator[Text]:
    """The rule file, or a line on the one that was written."""
    if data["output"]:
        rules, groups = data["rules"], len(data["groups"])
        counts = f"{rules} rule{'s'[: rules != 1]} in {groups} group{'s'[: groups != 1]}"
        yield Text(visible(f"{counts} written to {data['output']}"))
        return
    for line in data["text"].splitlines():
        yield Text(line, no_wrap=True, overflow="ignore")
