"""From an incident to its causes: evidence, checks over objects, rules over text, ranking, proposals. Reads only."""
