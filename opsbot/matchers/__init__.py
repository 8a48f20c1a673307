"""Matchers of labels in the spelling of Alertmanager: text in, `core.silence.Matcher` out, and back.

Many lists of matchers are asked about labels at once (`table`). Regular expressions are RE2, and match a whole value:
time is linear in its length, whoever wrote them.
"""

from opsbot.matchers.matching import Table, everything, table
from opsbot.matchers.text import MatcherError, made, parse, parse_one, spell, spell_all

__all__ = ["MatcherError", "Table", "everything", "made", "parse", "parse_one", "spell", "spell_all", "table"]
