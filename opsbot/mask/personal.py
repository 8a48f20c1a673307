"""What points to a person: e-mail addresses, public IP addresses, card numbers, bank accounts. Text in, places out.

Each is known by its form and by what its form promises (a checksum, a range), so a version, a digest, a timestamp or
an id is not taken for one. Nothing is learnt here: the same characters elsewhere may be a version or a part of an id.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from opsbot.mask.words import words

Span = tuple[int, int]

_BEGINS = r"(?:(?<=\\[nrt])|(?<=\\u00[0-9a-fA-F]{2})|(?<![\w.+%-])(?!(?<=\\)[nrtu]))"
_USER = r"[^\s/@]{1,64}@[^\s/@:]{1,200}:[^\s/@]{1,200}@"  # a URL whose user is an e-mail address
_EMAIL = re.compile(
    _BEGINS + rf"(?:(?<!://)|(?={_USER}))(?!git@)"
    r"[\w.+%-]{1,64}+(?:'\w{1,64}+)?@"
    r"(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}(?P<top>[^\W\d_]{2,24})(?![\w@]|-\w)"
)
# No top-level domains: names inside a network, units of systemd, files.
_NO_TOP = frozenset({
    "internal", "local", "localdomain", "localhost", "lan", "svc", "cluster", "corp", "home", "service", "socket",
    "timer", "mount", "slice", "scope", "target", "device", "png", "jpg", "jpeg", "gif", "svg", "webp", "js", "mjs",
    "ts", "json", "yaml", "yml", "toml", "tgz", "gz", "zip", "jar", "tar", "log", "txt", "conf", "css", "html",
})  # fmt: skip
_OCTETS = r"\d{1,3}(?:\.\d{1,3}){3}"
_IPV4 = re.compile(
    rf"(?:(?<=\\[nrt])|(?<![\w.+*-]))(?P<ip>{_OCTETS})(?:-{_OCTETS})?(?![\w@]|\.\d|[-+]\w)(?P<port>:\d)?", re.ASCII
)
_IPV6 = re.compile(
    r"(?:(?<=\\[nrt])|(?<![\w.:]))(?P<ip>[23][0-9a-f]{3}(?::[0-9a-f]{0,4}){2,8})(?![\w:])", re.ASCII | re.IGNORECASE
)
# What comes right before a version of four numbers: its name, a comparison, an image or a product (`Chrome/120.0.0.0`).
_VERSION = re.compile(
    r"(?:(?:version|ver|tag|release|chart|build|revision|v)[\"'\\]{0,4}\s{0,4}[:=]?\s{0,4}[\"'\\]{0,4}v?|[=<>~!^]=\s?"
    r"|(?<![\w.-])(?!(?:tcp|udp|ip|host|from|client|node)/)[a-z]{1,30}/"
    r"|(?<!ip)(?<!addr)(?<!address)(?<!host)(?<!client)(?<!peer)(?<!server)(?<!remote)(?<!source)(?<!src)(?<!dst)"
    r"(?<!from)(?<!for)(?<!to)(?<!ffff)(?<!tcp)(?<!udp)(?<=\w):)\Z",
    re.IGNORECASE | re.ASCII,
)
# Four small numbers after a word of a sentence are a version too (`fixed in 1.8.1.2`): of all addresses, one in 65,000
# has only such. After a word that speaks of a connection they are an address.
_SMALL = 16
_AFTER_WORD = re.compile(r"(?P<word>[A-Za-z]{1,30})[,:]?[ \t]\Z", re.ASCII)
_CONNECTS = frozenset({
    "address", "addr", "ip", "host", "client", "server", "peer", "from", "to", "by", "for", "on", "at", "via", "with",
    "tcp", "udp", "ping", "lookup", "proxy", "upstream", "remote", "source", "gateway", "node", "dns", "nameserver",
})  # fmt: skip
_CARD = re.compile(
    r"(?:(?<=\\[nrt])|(?<![\w.+*-]))"
    r"(?:\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7}|\d{4}(?P<wide>[ -])\d{6}(?P=wide)\d{4,5}|\d{12,19})"
    r"(?!\w|[.-]\d)",
    re.ASCII,
)
# Numbers of issuers by their first digits and length (ISO/IEC 7812): a timestamp has none of them.
_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|(?:2131|1800)\d{11}"
    r"|62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}"
)
_IBAN = re.compile(r"(?:(?<=\\[nrt])|(?<![\w/+-]))[A-Z]{2}\d\d(?:[ ]?[A-Z0-9]){11,30}", re.ASCII | re.IGNORECASE)
# Lengths of account numbers by country, from the IBAN registry (ISO 13616).
_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL", 19: "MK SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT", 26: "IS TR", 27: "FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC",
    }.items()
    for country in countries.split()
}  # fmt: skip
_ID = re.compile(r"([\w.-]{1,60})[\"'\\]{0,4}\s{0,4}[:=]\s{0,4}[\"'\\]{0,4}\Z")
_ID_WORDS = frozenset({"id", "ids", "uid", "guid", "version", "offset", "sequence", "seq", "timestamp", "ts", "time"})


def personal(text: str) -> Iterator[Span]:
    """The places of whole e-mail addresses, public IP addresses, card numbers and bank account numbers."""
    yield from _emails(text)
    yield from _addresses(text)
    yield from _cards(text)
    yield from _accounts(text)


def _emails(text: str) -> Iterator[Span]:
    if "@" in text:
        yield from (found.span() for found in _EMAIL.finditer(text) if found["top"].lower() not in _NO_TOP)


def _addresses(text: str) -> Iterator[Span]:
    for found in _IPV4.finditer(text):
        if _public(found["ip"]) and (found["port"] or not _version(text, found)):
            yield found.start(), found.end() - len(found["port"] or "")
    yield from (found.span() for found in _IPV6.finditer(text) if _public(found["ip"]))


def _version(text: str, found: re.Match[str]) -> bool:
    """Whether four numbers count a release instead of naming a machine."""
    before = text[max(0, found.start() - 40) : found.start()]
    word = _AFTER_WORD.search(before)
    small = all(int(part) < _SMALL for part in found["ip"].split("."))
    return _VERSION.search(before) is not None or bool(small and word and word["word"].lower() not in _CONNECTS)


def _public(address: str) -> bool:
    """Whether the whole internet knows the address: none that is private, local, reserved or only documented."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return ip.is_global and not ip.is_multicast


def _cards(text: str) -> Iterator[Span]:
    for found in _CARD.finditer(text):
        digits = re.sub(r"[ -]", "", found[0])
        if _ISSUER.fullmatch(digits) and _luhn(digits) and not _names_id(text, found.start()):
            yield found.span()


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812."""
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _names_id(text: str, at: int) -> bool:
    """Whether the name before a number says that it is an id, a version or a time."""
    name = _ID.search(text[max(0, at - 80) : at])
    return name is not None and not _ID_WORDS.isdisjoint(words(name[1])[-2:])


def _accounts(text: str) -> Iterator[Span]:
    """IBANs, in one piece or in groups of four, up to the length that their country has."""
    for found in _IBAN.finditer(text):
        length = _LENGTHS.get(found[0][:2].upper(), 0)
        at = [place for place, c in enumerate(found[0]) if c != " "][:length]
        iban = "".join(found[0][place] for place in at).upper()
        end = found.start() + at[-1] + 1 if len(at) == length > 0 else len(text)
        if len(iban) == length > 0 and not text[end : end + 1].isalnum() and _mod97(iban):
            yield found.start(), end


def _mod97(iban: str) -> bool:
    """The check digits of ISO 7064: the number of the moved and spelled characters leaves one."""
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1
