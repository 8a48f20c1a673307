"""Which names stand for secrets, and which values are no secrets: words in, yes or no out. No text is searched here."""

from __future__ import annotations

import math
import re
from collections import Counter
from functools import lru_cache

MASK = "***"

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONGEST_NAME = 120
_LONGEST_COUNT = 7  # digits: `max_tokens: 4096` counts tokens
_PASSWORD = re.compile(
    r"(?:password|passwd|passphrase|passcode|passwort|kennwort|secret|credential|cred|token|bearer|apikey|authkey"
    r"|(?:api|access|account|admin|app|application|auth|client|consumer|crypt|deploy|encryption|encrypt|hmac|host|jwt"
    r"|license|master|oauth|private|priv|root|secret|server|service|session|shared|signing|ssh|storage|tls|webhook)key"
    r"|secretid|connectionstring|authorization|dockerconfigjson|dockercfg)s?\Z"
)
_WHOLE = frozenset({"pass", "pwd", "pw", "psk", "dbpass", "userpass"})
_QUALIFIERS = frozenset({
    "value", "values", "data", "base", "base64", "b64", "plain", "plaintext", "raw", "text", "string", "str",
    "prod", "production", "dev", "development", "stage", "staging", "test", "testing", "old", "new", "current",
    "previous", "prev", "primary", "secondary", "local", "live", "default", "env", "json", "yaml", "encoded",
})  # fmt: skip
_NEAR = frozenset({
    "key", "keys", "auth", "login", "credential", "credentials", "cred", "creds", "token", "secret", "salt",
    "signature", "session", "cert",
})  # fmt: skip
_NEAR_PAIRS = frozenset({"accessid", "sessionid", "srt", "sig"})
_TOO_PLAIN = frozenset({"key", "keys", "cert", "login", "salt"})  # alone they name anything
# What makes a `…_key` the name of a thing instead of a secret.
_OPEN_KEYS = frozenset({
    "public", "pub", "bucket", "schema", "sequence", "partition", "sort", "foreign", "cache", "map", "object",
    "row", "column", "index", "idx", "primary", "kms", "composite", "unique", "routing", "registry",
    "translation", "i18n",
})  # fmt: skip
_PLACEHOLDER = re.compile(
    r"""
      \*+ | <[^<>\n]*>? | \[[A-Za-z _-]*\] | \{\{[^{}\n]*\}* | \{[A-Za-z_.]*\d?\}? | \#\{[^{}\n]*\}
    | \$+(?:\(.*|\{[^\n]*|[A-Za-z_][\w.]*|\d) | %[\w.]+% | %[sdvq] | @[\w.]+@ | `.* | [.…-]+ | [xX]{3,} | [•●]+
    | /(?:etc|var|run|home|root|usr|opt|tmp|mnt|proc|srv|app|data|secrets?|certs?|config)/[\w./-]*
    | (?:none|null|nil|undefined|true|false|yes|no|on|off|unset|empty|redacted|masked|hidden|required|optional|omitted
        |enabled|disabled|todo|tbd|n/a|str|string|bytes|int|bool|any|object)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CODE = re.compile(r"[A-Za-z_][\w.\->]*[(\[].*|(?:[A-Za-z_]\w*(?:\.|->|::))+[A-Za-z_]\w*[,;)]*", re.DOTALL)


def words(name: str) -> list[str]:
    """The words of a name in snake_case, kebab-case, dotted or camelCase, in small letters."""
    return [word.lower() for word in _WORD.findall(name)]


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether a value under this name is a secret whatever it looks like (`DB_PASSWORDS`, `apiKey`, `x-auth-token`)."""
    parts = words(name)
    while len(parts) > 1 and (parts[-1] in _QUALIFIERS or parts[-1].isdigit()):
        parts.pop()
    if not parts or _opens(parts):
        return False
    joined = "".join(parts)
    return parts[-1] in _WHOLE or _PASSWORD.search(joined) is not None


@lru_cache(maxsize=4096)
def nears_secret(name: str) -> bool:
    """Whether a value under this name is a secret if it looks like one too (`HEROKU_KEY`, `sonar.login`)."""
    parts = words(name)
    if not parts or (len(parts) == 1 and parts[0] in _TOO_PLAIN) or _opens(parts):
        return False
    return parts[-1] in _NEAR or "".join(parts[-2:]) in _NEAR_PAIRS or parts[-1] in _NEAR_PAIRS


def _opens(parts: list[str]) -> bool:
    return parts[-1] in ("key", "keys") and not _OPEN_KEYS.isdisjoint(parts)


def placeholder(value: str) -> bool:
    """Whether a value only stands for another one (`***`, `<none>`, `$(VAR)`) or says that there is none."""
    return not value or _PLACEHOLDER.fullmatch(value) is not None


def code(value: str) -> bool:
    """Whether an unquoted value is an expression of a program: a call, an index, a dotted name."""
    return _CODE.fullmatch(value) is not None and not any(part.isdigit() for part in value[:80])


def is_secret(name: str, value: str, *, quoted: bool) -> bool:
    """Whether a value under a name is a secret; an unquoted one may be an expression of a program instead."""
    sure = names_secret(name[-_LONGEST_NAME:])
    if not sure and not nears_secret(name[-_LONGEST_NAME:]):
        return False
    if placeholder(value) or (not quoted and code(value)):
        return False
    counts = value.isdigit() and len(value) < _LONGEST_COUNT and "token" in name.lower()
    return not counts if sure else random_looking(value)


def random_looking(value: str) -> bool:
    """Whether a value looks made by a machine: no blanks, letters and digits, and hardly any letter twice."""
    if len(value) < 12 or not value.isascii() or " " in value or "://" in value:
        return False
    sample = value[:200]
    if not any(c.isdigit() for c in sample) or not any(c.isalpha() for c in sample):
        return False
    return _entropy(sample) >= 3.0


def _entropy(text: str) -> float:
    """Shannon entropy in bits per character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
