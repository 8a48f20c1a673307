"""Matchers as text: what is read, what is refused and with which words, and that spelling is read back equal."""

from __future__ import annotations

import random

import pytest

from opsbot.core.silence import Match, Matcher
from opsbot.matchers import MatcherError, made, parse, parse_one, spell, spell_all

IS, IS_NOT, LIKE, NOT_LIKE = Match


def one(name: str, match: Match, value: str) -> Matcher:
    return Matcher(name, match, value)


LISTS: dict[str, tuple[str, list[Matcher]]] = {
    "equal": ('severity="critical"', [one("severity", IS, "critical")]),
    "not equal": ('name!="x"', [one("name", IS_NOT, "x")]),
    "like": ('name=~"web-.*"', [one("name", LIKE, "web-.*")]),
    "not like": ('name!~"a|b"', [one("name", NOT_LIKE, "a|b")]),
    "unquoted": ("severity=critical", [one("severity", IS, "critical")]),
    "unquoted regular": ("pod=~web-[0-9]+", [one("pod", LIKE, "web-[0-9]+")]),
    "blanks around": ('  a  =~  "b c"  ', [one("a", LIKE, "b c")]),
    "blanks inside an unquoted value": ("a = b c ", [one("a", IS, "b c")]),
    "empty value": ('a=""', [one("a", IS, "")]),
    "no value": ("a=", [one("a", IS, "")]),
    "tilde after a blank": ("a= ~b", [one("a", IS, "~b")]),
    "colon in the name": ("job:up=x", [one("job:up", IS, "x")]),
    "braces": ('{a="b", c=~"d"}', [one("a", IS, "b"), one("c", LIKE, "d")]),
    "braces with blanks": (' { a="b" } ', [one("a", IS, "b")]),
    "no braces": ("a=b,c=d", [one("a", IS, "b"), one("c", IS, "d")]),
    "a comma at the end": ("{a=b,}", [one("a", IS, "b")]),
    "only one brace": ("{a=b", [one("a", IS, "b")]),
    "a comma in quotes": ('a="b,c",d=e', [one("a", IS, "b,c"), one("d", IS, "e")]),
    "a brace in quotes": ('a=~"x{2}"', [one("a", LIKE, "x{2}")]),
    "nothing": ("", []),
    "empty braces": ("{}", []),
    "escaped quote": (r'a="say \"hi, you\""', [one("a", IS, 'say "hi, you"')]),
    "escaped backslash": (r'a="C:\\dir"', [one("a", IS, r"C:\dir")]),
    "escaped line feed": (r'a="x\ny"', [one("a", IS, "x\ny")]),
    "line feed as it is": ('a="x\ny"', [one("a", IS, "x\ny")]),
    "any other backslash": (r'a=~"web-\d+\."', [one("a", LIKE, r"web-\d+\.")]),
    "backslash at the end": ("a=b\\", [one("a", IS, "b\\")]),
    "escape without quotes": (r"a=b\"c", [one("a", IS, 'b"c')]),
    "letters of elsewhere in a value": ("a=Zürich", [one("a", IS, "Zürich")]),
    "a name of other letters": ("größe=x", [one("größe", IS, "x")]),
    "a name with a dot": ('k8s.pod="x"', [one("k8s.pod", IS, "x")]),
    "a quoted name": ('"my label"="x"', [one("my label", IS, "x")]),
    "a quoted classic name": ('"a"=~"b"', [one("a", LIKE, "b")]),
    "a quoted name in braces": ('{"a b"!="x", c=d, }', [one("a b", IS_NOT, "x"), one("c", IS, "d")]),
    "escapes of Go beside it": (r'"a b"="\t\u00fc\x41\101\\"', [one("a b", IS, "\tüAA\\")]),
    "bytes that make a letter": (r'"a b"="\xc3\xbc"', [one("a b", IS, "ü")]),
    "two that hide nothing": ("a=b,a!=c", [one("a", IS, "b"), one("a", IS_NOT, "c")]),
}


@pytest.mark.parametrize(("text", "wanted"), LISTS.values(), ids=LISTS)
def test_read(text: str, wanted: list[Matcher]) -> None:
    assert list(parse(text)) == wanted


BAD: dict[str, tuple[str, str, str]] = {
    "a name alone": ("severity", "'severity': a name alone is no matcher", 'NAME="VALUE"'),
    "a colon": ("severity:critical", "a name alone", "NAME"),
    "two words": ("severity critical", "no operator after the name", "NAME"),
    "no name": ('="x"', "does not begin with a label's name", "NAME"),
    "an empty name": ('""="x"', "must not be empty", "NAME"),
    "one too few": ("a=b,,c=d", "a matcher is missing", "NAME"),
    "open quote": ('a="b', "its quotation mark is not closed", r"\""),
    "open quote by escape": ('a="b\\"', "its quotation mark is not closed", r"\""),
    "quote in the middle": ('a=b"c"', "holds a quotation mark in the middle", r"\""),
    "more after a quote": ('a="b"c', "has something after the closing quotation mark", r"\""),
    "no comma": ('a="b" c="d"', "has something after the closing quotation mark", r"\""),
    "open group": ('a=~"web-("', "missing )", "RE2"),
    "look-ahead": ('a=~"(?=x)"', "invalid perl operator: (?=", "no look-around"),
    "back-reference": (r'a=~"(x)\1"', "invalid escape sequence", "no back-references"),
    "bad repetition": ('a!~"x{2000}"', "invalid repetition size", "RE2"),
    "too large a pattern": (r'a=~"((\pL{100}){100}){9}"', "invalid repetition size", "RE2"),
    "unread escape of Go": (r'"a b"="\q"', "does not begin with", "NAME"),
    "no text in bytes of Go": (r'"a b"="\xff"', "does not begin with", "NAME"),
    "a surrogate of Go": (r'"a b"="\ud800"', "does not begin with", "NAME"),
    "beyond all letters": (r'"a b"="\UFFFFFFFF"', "does not begin with", "NAME"),
    "nested braces": ('{{"a b"=x}}', "does not begin with", "NAME"),
    "closed and not opened": ('"a b"=x}', "does not begin with", "NAME"),
    "too many": (",".join(f"a=b{n}" for n in range(101)), "holds 101 matchers", "regular expression"),
    "too long": ("a=" + "b" * 10_000, "is 10002 characters long", "regular expression"),
}


@pytest.mark.parametrize(("text", "says", "hint"), BAD.values(), ids=BAD)
def test_refused(text: str, says: str, hint: str) -> None:
    with pytest.raises(MatcherError) as error:
        parse(text)
    assert says in str(error.value)
    assert hint in error.value.hint
    assert len(str(error.value)) < 250


ALONE: dict[str, tuple[str, Matcher]] = {
    "a comma without quotes": ("a=b, c=d", one("a", IS, "b, c=d")),
    "an inner brace": ("a=~x{2,3}y", one("a", LIKE, "x{2,3}y")),
    "a quoted name": ('"a b"=c', one("a b", IS, "c")),
}


@pytest.mark.parametrize(("text", "wanted"), ALONE.values(), ids=ALONE)
def test_a_matcher_alone(text: str, wanted: Matcher) -> None:
    assert parse_one(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "{a=b}", "a=b}", '"a b"=c,d=e', 'a="b",c="d"'], ids=["none", "braces", "one brace", "two", "two plain"]
)
def test_what_is_not_one_matcher(text: str) -> None:
    with pytest.raises(MatcherError):
        parse_one(text)


def test_spelling_is_read_back_equal() -> None:
    letters = 'ab"\\\n\t ,={}!~|ü\x07\u2028' + "n'`"
    chance = random.Random(7)
    for _ in range(2000):
        name = "".join(chance.choices(letters, k=chance.randint(1, 4)))
        value = "".join(chance.choices(letters, k=chance.randint(0, 6)))
        asked = (Matcher(name, chance.choice([IS, IS_NOT]), value), Matcher("plain", IS, value))
        assert parse_one(spell(asked[0])) == asked[0]
        assert parse_one(spell(asked[1])) == asked[1]
        assert parse(spell_all(asked[1:] * 2)) == asked[1:] * 2


def test_any_text_is_read_or_refused_and_nothing_else() -> None:
    chance = random.Random(8)
    for _ in range(5000):
        text = "".join(chance.choices('ab=~!"\\,{} \nü(', k=chance.randint(0, 12)))
        try:
            found = parse(text)
        except MatcherError:
            continue
        assert all(isinstance(matcher, Matcher) for matcher in found)


def test_what_was_not_written_as_text_is_vetted_too() -> None:
    assert made("a", LIKE, "b.*") == one("a", LIKE, "b.*")
    assert made("a", IS, "(") == one("a", IS, "(")
    with pytest.raises(MatcherError, match="missing"):
        made("a", NOT_LIKE, "(")


def test_long_blanks_cost_no_time() -> None:
    assert parse("a" + " " * 9_000 + "=b") == (one("a", IS, "b"),)
    assert parse_one("a=b" + " " * 9_000 + "c").value.endswith("c")
