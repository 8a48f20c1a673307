"""Go templates as rule files use them: text in, a parsed template out that fills itself as Prometheus would.

`lex` and `parser` read, `template` fills, `functions`, `builtin` and `patterns` are what it may call, `printing`,
`verbs` and `letters` spell what comes of it.
"""

from __future__ import annotations

from opsbot.monitor.gotemplate.printing import UNFILLED, TemplateError
from opsbot.monitor.gotemplate.template import LONGEST, NOWHERE, Scope, Server, Template, parse

__all__ = ["LONGEST", "NOWHERE", "UNFILLED", "Scope", "Server", "Template", "TemplateError", "parse"]
