"""Plain text and tokens in, the body of a template out; whatever Prometheus would not know, or we do not, is refused.

What depends on a sample is not looked at here, but everything that can be told without one is. What Prometheus loads
and can never fill, such as a function without its value, is noted as a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opsbot.monitor.gotemplate import functions, lex, moments, printing
from opsbot.monitor.gotemplate.lex import Action, Token
from opsbot.monitor.gotemplate.nodes import Block, Body, Call, Chain, Constant, Method, Node, Pipe, Reference

DEEPEST = 20
MOST_PIPED = 100
"""Values of one action that go down a pipe: each is looked at inside the next."""

VARIABLES = ("$labels", "$value", "$externalLabels", "$externalURL")
"""What Prometheus defines before each template (rules/alerting.go, Eval)."""

FIELDS = ("Labels", "Value", "ExternalLabels", "ExternalURL")
_SETS = ("$labels", "$externalLabels", "Labels", "ExternalLabels")
_BLOCKS = ("if", "with", "range")
_WORDS = {"true": True, "false": False, "nil": None}


def body(text: str) -> tuple[Body, tuple[str, ...]]:
    """The template in a text, and doubts; ValueError names the first thing in it that is wrong or not supported."""
    found = _Bodies(lex.pieces(text))
    return found.whole(), tuple(dict.fromkeys(found.doubts))


class _Bodies:
    """The pieces of a template as nested bodies, with the variables that are known in each."""

    def __init__(self, pieces: Iterator[str | Action]) -> None:
        self.pieces = pieces
        self.depth = 0
        self.doubts: list[str] = []

    def whole(self) -> Body:
        found, closing = self.until(frozenset(VARIABLES), rooted=True)
        if closing:
            raise ValueError(f"{{{{ {closing[0].word} }}}} in a template closes nothing")
        return found

    def until(self, known: frozenset[str], *, rooted: bool) -> tuple[Body, Action]:
        """What comes until an `end` or `else`, which is given back too; nothing there at the end of the text."""
        found: list[str | Pipe | Block] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                found.append(piece)
                continue
            tokens = _trimmed(piece)
            word = tokens[0].word if tokens and tokens[0].kind == "name" else ""
            if word in ("end", "else"):
                return tuple(found), tokens
            item = self.block(word, tokens[1:], known, rooted) if word in _BLOCKS else self.pipe(tokens, known, rooted)
            found.append(item)
            known = known | set(item.names) if isinstance(item, Pipe) else known
        return tuple(found), ()

    def pipe(self, tokens: Action, known: frozenset[str], rooted: bool, *, ranging: bool = False) -> Pipe:
        """One action, with what is doubtful in it."""
        reader = _Reader(tokens, known, rooted, ranging=ranging)
        found = reader.all()
        self.doubts += reader.doubts
        return found

    def block(self, word: str, tokens: Action, known: frozenset[str], rooted: bool) -> Block:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"a template has more than {DEEPEST} blocks in each other")
        pipe = self.pipe(_trimmed(tokens), known, rooted, ranging=word == "range")
        inside = known | set(pipe.names)
        then, closing = self.until(inside, rooted=rooted and word == "if")
        other: Body = ()
        if closing and closing[0].word == "else":
            other = self.otherwise(word, _trimmed(closing[1:]), inside, rooted)
        elif not closing or len(closing) > 1:
            raise ValueError(f"{{{{ {word} }}}} in a template has no {{{{ end }}}}")
        self.depth -= 1
        return Block(word, pipe, then, other)

    def otherwise(self, word: str, tokens: Action, known: frozenset[str], rooted: bool) -> Body:
        """After `else`: another block of the same kind that shares its `end`, or a plain body."""
        if tokens:
            if word == "range" or tokens[0].word != word:
                raise ValueError(f"{{{{ else {tokens[0].word} }}}} does not fit {{{{ {word} }}}} in a template")
            return (self.block(word, tokens[1:], known, rooted),)
        found, closing = self.until(known, rooted=rooted)
        if len(closing) != 1 or closing[0].word != "end":
            raise ValueError(f"{{{{ {word} }}}} in a template has no {{{{ end }}}}")
        return found


def _trimmed(tokens: Action) -> Action:
    start, stop = 0, len(tokens)
    while start < stop and tokens[start].kind == "blank":
        start += 1
    while stop > start and tokens[stop - 1].kind == "blank":
        stop -= 1
    return tokens[start:stop]


class _Reader:
    """The tokens of one action as a pipe of commands; `rooted` where `.` is the whole that Prometheus passes."""

    def __init__(self, tokens: Action, known: frozenset[str], rooted: bool, *, ranging: bool = False) -> None:
        self.tokens = tokens
        self.known = known
        self.rooted = rooted
        self.ranging = ranging
        self.at = 0
        self.depth = 0
        self.piped = 0
        self.doubts: list[str] = []

    def all(self) -> Pipe:
        names, new = self.declared()
        node = self.pipe()
        if self.at < len(self.tokens):
            raise ValueError(f"unexpected {self.tokens[self.at].word!r} in a template")
        return Pipe(node, names, new)

    def declared(self) -> tuple[tuple[str, ...], bool]:
        """The variables before `:=` or `=`; none where there is no such sign."""
        signs = [place for place, token in enumerate(self.tokens) if token.kind in ("declare", "assign")]
        if not signs:
            return (), True
        head = [token for token in self.tokens[: signs[0]] if token.kind != "blank"]
        names, new = tuple(token.word for token in head[::2]), self.tokens[signs[0]].kind == "declare"
        form = [token.kind for token in head]
        if form not in (["variable"], ["variable", "comma", "variable"]) or (len(names) > 1 and not self.ranging):
            raise ValueError("what is before := or = in a template must be one variable")
        if not new and not self.known.issuperset(names):
            self.doubts.append(f"{names[0]!r} in a template is not defined")
        self.at = signs[0] + 1
        return names, new

    def peek(self) -> str:
        """The kind of the next token, blanks passed over; empty at the end."""
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "blank":
            self.at += 1
        return self.tokens[self.at].kind if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def pipe(self) -> Node:
        node = self.command(())
        while self.peek() == "pipe":
            self.take()
            self.piped += 1
            if self.piped > MOST_PIPED:
                raise ValueError(f"an action of a template has more than {MOST_PIPED} pipes")
            if self.peek() in ("", "end"):
                break  # Go takes a pipe that leads nowhere
            node = self.command((node,))
        return node

    def command(self, piped: tuple[Node, ...]) -> Node:
        """A function with its arguments, or one value alone where nothing is piped into it."""
        kind = self.peek()
        word = self.tokens[self.at].word if kind else ""
        if kind == "name" and word not in _WORDS:
            self.take()
            return self.call(word, (*self.operands(), *piped))
        found = self.operands()
        if not found:
            raise ValueError("an empty {{ }} or pipe in a template")
        if piped and (isinstance(found[0], Constant) or found[0] == Reference(".")):
            raise ValueError(f"{word!r} in a template is no function: it cannot be given a value")
        return self.alone(word, found[0], (*found[1:], *piped))

    def alone(self, word: str, found: Node, given: tuple[Node, ...]) -> Node:
        """A value that is no function: only a method of a time can be given something, and nil cannot be written."""
        if given and isinstance(found, Chain | Reference) and found.path and self.timely(found):
            path = found.path[:-1]
            inner = Reference(found.base, path) if isinstance(found, Reference) else Chain(found.inner, path)
            return Method(inner, found.path[-1], given)
        if given:
            self.doubts.append(f"{word!r} in a template is no function: it cannot be given a value")
            return Call("given", ())
        if found == Constant(None):
            self.doubts.append("nil alone in a template cannot be written")
            return Call("nil", ())
        return found

    def timely(self, node: Node) -> bool:
        """Whether a value can be a time: then its fields are methods."""
        match node:
            case Call(function):
                return function in ("toTime", "and", "or")
            case Chain(inner):
                return self.timely(inner)
            case Reference(base):
                return base not in (*VARIABLES, "$") and not (base == "." and self.rooted)
        return False

    def operands(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while self.peek() not in ("", "pipe", "end"):
            if found and self.tokens[self.at - 1].kind != "blank":
                raise ValueError(f"a blank is missing before {self.tokens[self.at].word!r} in a template")
            found.append(self.operand())
        return tuple(found)

    def operand(self) -> Node:
        token = self.take()
        if token.kind == "open":
            node = self.bracket()
            path = self.fields()
            if isinstance(node, Call) and node.function == "toTime":
                _vet_methods(path)
            return Chain(node, path) if path else node
        if token.kind == "name":
            return Constant(_WORDS[token.word]) if token.word in _WORDS else self.call(token.word, ())
        if token.kind in ("variable", "field", "dot"):
            return self.reference(token)
        return Constant(lex.constant(token))

    def reference(self, token: Token) -> Node:
        first = (token.word[1:],) if token.kind == "field" else ()
        base = token.word if token.kind == "variable" else "."
        found = Reference(base, (*first, *self.fields()))
        self.doubts += _vet_reference(found, self.known, self.rooted)
        return found

    def fields(self) -> tuple[str, ...]:
        """Fields that follow without a blank."""
        path: list[str] = []
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "field":
            path.append(self.take().word[1:])
        return tuple(path)

    def call(self, word: str, arguments: tuple[Node, ...]) -> Call:
        """A function that is known, with its values; what is wrong with these is a doubt."""
        if word not in functions.FUNCTIONS:
            known = ", ".join(functions.FUNCTIONS)
            raise ValueError(
                f"{word!r} is not supported in a template; known are {known}, and the words if, with, range"
            )
        wrong = functions.miscounted(word, len(arguments))
        if wrong:
            self.doubts.append(wrong)
        elif word == "printf" and isinstance(arguments[0], Constant):
            printing.vet_format(str(arguments[0].value))
        return Call(word, arguments)

    def bracket(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"a template has more than {DEEPEST} brackets")
        node = self.pipe()
        if self.peek() != "end":
            raise ValueError("an opening ( in a template has no closing )")
        self.take()
        self.depth -= 1
        return node


def _vet_methods(path: Sequence[str]) -> None:
    """ValueError where a time has no such method, or it is one that only Go knows."""
    known = (*moments.METHODS, moments.FORMAT)
    unknown = [name for name in path if name not in known]
    if unknown:
        raise ValueError(f"the method {unknown[0]!r} of a time is not supported; known are {', '.join(known)}")


def _vet_reference(found: Reference, known: frozenset[str], rooted: bool) -> list[str]:
    """What it can never mean: what Prometheus passes has four fields, and a label has none."""
    word = f"{found.base}{'' if found.base == '.' else '.' if found.path else ''}{'.'.join(found.path)}"
    base, path = found.base, found.path
    if base not in (".", "$") and base not in known:
        raise ValueError(f"{word!r} in a template is not defined; known are {', '.join(VARIABLES)}")
    if base == "$" or (base == "." and rooted):
        if not path:
            raise ValueError(f"{word!r} is not supported in a template where it is all that there is")
        if path[0] not in FIELDS:
            return [f"{word!r} in a template means nothing; known fields are .{', .'.join(FIELDS)}"]
        base, path = path[0], path[1:]
    elif base not in VARIABLES:
        return []
    if len(path) > (1 if base in _SETS else 0):
        return [f"{word!r} in a template means nothing: {base.lstrip('.')} has no such fields"]
    return []
