"""Where the secrets of a text stand: text in, places out. Each finder knows one kind; none ever crosses a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from opsbot.mask.formats import TOKEN
from opsbot.mask.keys import key_lines
from opsbot.mask.manifest import secret_objects
from opsbot.mask.pairs import STEMS, pairs
from opsbot.mask.words import MASK, placeholder, random_looking

Span = tuple[int, int]

# A password in a URL should be encoded, but often is not: then it goes on to the @ before what looks like a host, and
# must not begin like a port (`http://host:9090/graph?x=y@z`).
_URL = re.compile(
    r"://(?:[^\s/?#:\"'<>\[]{0,200}+:(?P<plain>[^\s/?#\"'<>]{1,500})@"
    r"|[^\s/?#:@\"'<>\[]{0,200}+:(?!\d{1,5}[/?#])(?P<odd>(?:(?!://)(?:[^\s\"'<>]|[\"'](?=[^\W_]))){1,500}?)"
    r"@(?=[\w.-]{1,200}+(?:[:/?,;#\"')\]}\s]|\Z)|\[))"
)
_URL_USER = re.compile(r"://([\w.~-]{20,200})@", re.ASCII)
_DSN = re.compile(r"(?<![^\s\"'=])[\w.-]{1,80}:([^\s@/\"']{1,200})@(?:tcp|udp|unix)\(", re.ASCII)
_ORACLE = re.compile(r"jdbc:oracle:\w{1,10}:[\w.-]{1,80}/([^\s@\"']{1,200})@", re.ASCII)
_WEBHOOK = re.compile(r"https?://hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,})")
_SCHEME = re.compile(
    r"(?<![\w-])(?:bearer|basic|negotiate|token|apikey|api-token)[ \t]{1,4}\\{0,8}[\"']?([\w.~+/=|-]{8,})",
    re.IGNORECASE | re.ASCII,
)
_COOKIES = re.compile(r"(?<![\w-])(?:set-)?cookie[\"']?[ \t]{0,4}[:=][ \t]{0,4}[\"']?([^\n\"']+)", re.IGNORECASE)
_COOKIE = re.compile(r"(?<![^\s;,])([^\s=;,]++)=([^\s;,]+)")
_COOKIE_WORDS = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority", "version"})
_LOGIN = r"(?<![\w-])(?:-u|--user|--proxy-user)[ \t=]{1,4}"
_LOGINS = (
    re.compile(_LOGIN + r"([\"'])(?P<user>[^\s:\"']{0,200}):(?P<secret>[^\n\"']{0,200})\1"),
    re.compile(_LOGIN + r"([\"']?)(?P<user>[^\s:\"']{1,200})\1:(?P<secret>\"[^\"\n]+|'[^'\n]+|[^\s\"']+)"),
)
_COMMAND = re.compile(
    r"\b(?:(?:docker|podman|nerdctl|helm registry) login[^\n|;]{0,200}?[ \t]-p[ \t=]{0,4}|sshpass[ \t]{1,4}-p[ \t]{0,4}"
    r"|mysql(?:dump|admin)?[ \t][^\n|;]{0,200}?(?<=[ \t])-p|redis-cli[ \t][^\n|;]{0,200}?(?<=[ \t])-a[ \t]{1,4})"
    r"[\"']?([^\s\"'|;]+)"
)
_DIGEST = re.compile(r"Digest [^\n]{0,1000}?response=[\"']?([0-9a-f]{16,128})", re.IGNORECASE)
# Bundler reads the login for a gem server from BUNDLE_<host, dots as double underscores>.
_GEM_SERVER = re.compile(
    r"BUNDLE_[A-Z0-9_]{1,80}__[A-Z]{2,}[ \t]{0,8}[:=][ \t]{0,8}[\"']?([^\s:\"']{1,200}:[^\s\"';]+)"
)


def places(text: str) -> list[Span]:
    """All places of secrets, in no order; they may overlap."""
    low = text.lower()
    return [
        place for needles, find in _FINDERS if any(needle in low for needle in needles) for place in find(text)
    ]  # fmt: skip


def covered(text: str, found: Iterable[Span]) -> str:
    """The text with every place masked; places that overlap become one."""
    parts: list[str] = []
    at = 0
    for start, end in sorted(found):
        if start >= at:
            parts += (text[at:start], MASK)
        at = max(at, end)
    return "".join((*parts, text[at:]))


def _tokens(text: str) -> Iterator[Span]:
    yield from (found.span() for found in TOKEN.finditer(text))


def _urls(text: str) -> Iterator[Span]:
    for found in _URL.finditer(text):
        part = "odd" if found["plain"] is None else "plain"
        if not placeholder(found[part]):
            yield found.span(part)
    for pattern in (_DSN, _ORACLE, _GEM_SERVER, _COMMAND, _DIGEST):
        yield from (found.span(1) for found in pattern.finditer(text) if not placeholder(found[1]))
    yield from (found.span(1) for found in _URL_USER.finditer(text) if random_looking(found[1]))
    yield from (found.span(1) for found in _WEBHOOK.finditer(text))


def _schemes(text: str) -> Iterator[Span]:
    """What follows the name of a scheme and looks like no word (`Bearer tokens are …` is a sentence)."""
    yield from (found.span(1) for found in _SCHEME.finditer(text) if any(c.isdigit() or c == "=" for c in found[1]))


def _cookies(text: str) -> Iterator[Span]:
    for header in _COOKIES.finditer(text):
        for cookie in _COOKIE.finditer(text, *header.span(1)):
            if cookie[1].lower() not in _COOKIE_WORDS and not placeholder(cookie[2]):
                yield cookie.span(2)


def _logins(text: str) -> Iterator[Span]:
    """`curl -u user:password`, quoted in any way; `-u token:` has no password, so the user is the secret."""
    for found in (found for pattern in _LOGINS for found in pattern.finditer(text)):
        start, end = found.span("secret" if found["secret"] else "user")
        start += text[start : start + 1] in ("'", '"')
        numbers = found["user"].isdigit() and found["secret"].isdigit()  # `docker run -u 1000:1000`
        if not numbers and not placeholder(text[start:end]):
            yield start, end


# Beside each finder, in lower case, what a text must hold for it to find anything: most texts hold none of it, and to
# look for a few words costs far less than the patterns.
_FINDERS: tuple[tuple[tuple[str, ...], Callable[[str], Iterable[Span]]], ...] = (
    (("",), _tokens),
    (("@", "hooks.slack.com", "bundle_", "login", "sshpass", "mysql", "redis-cli", "digest"), _urls),
    (("bearer", "basic", "negotiate", "token", "apikey"), _schemes),
    (("cookie",), _cookies),
    (("-u", "--proxy-user"), _logins),
    (("",), key_lines),
    (("value", "</", *STEMS), pairs),
    (("secret",), secret_objects),
)
