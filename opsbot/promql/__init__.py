"""What can be said of a PromQL expression without a server: whether it parses, filters, keeps a label.

It never evaluates anything. The parser is a compiled library that dies with its process on an expression that is
nested too deep, so the size is bounded before it sees the text. `parsing` reads (with `spelling`, `patterns`,
`complaint` and `calls`), `looks`, `flags` and `labels` (with `labelset`) look at the tree.
"""

from __future__ import annotations

from opsbot.promql.complaint import PromqlError, excerpt, offset
from opsbot.promql.flags import flagged
from opsbot.promql.labels import kept_labels
from opsbot.promql.labelset import Labels
from opsbot.promql.looks import condition, has_comparison, is_number, looks_ahead, metrics, never_alone
from opsbot.promql.parsing import LONGEST, MOST_OPERATORS, parse

__all__ = [
    "LONGEST", "MOST_OPERATORS", "Labels", "PromqlError", "condition", "excerpt", "flagged", "has_comparison",
    "is_number", "kept_labels", "looks_ahead", "metrics", "never_alone", "offset", "parse",
]  # fmt: skip
