"""Strict YAML: what is read, what is refused, and where each complaint points."""

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, field_validator

from opsbot.core.errors import ConfigError, Problem
from opsbot.yamlfile import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    Document,
    Duration,
    Length,
    Strict,
    Title,
    fit,
    parse,
    read_text,
    reading,
    sound,
)


def parse_one(text: str, file: str) -> Document:
    """The document of a text without problems."""
    with reading(text, file) as document:
        return document


def refused(text: str) -> list[str]:
    """Each problem of a text as `line:column message (hint)`."""
    with pytest.raises(ConfigError) as error:
        parse_one(text, "f.yaml")
    return [str(problem).removeprefix("f.yaml:") for problem in error.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-5", -5), ("+5", 5), ("0", 0), ("1.5", 1.5), ("1.5e+3", 1500.0), ("true", True), ("False", False),
        ("TRUE", True), ("null", None), ("~", None), ("", None), ("word", "word"), ("'012'", "012"), ('"no"', "no"),
        ("2026-01-01", "2026-01-01"), ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), ("30s", "30s"), ("1e5", "1e5"),
        ("08", "08"), ("'<<'", "<<"), ("1.2.3", "1.2.3"), ("10.0.0.1", "10.0.0.1"), ("|\n  no\n", "no\n"),
         (">\n  1:30\n", "1:30\n"),
        ("[1, [2]]", [1, [2]]), ("{b: {c: 1}}", {"b": {"c": 1}}), ("&unused 1", 1), ("'é\u2028'", "é\u2028"),
    ],
)  # fmt: skip
def test_what_is_meant_plainly_is_read_so(text: str, value: Any) -> None:
    assert parse_one(f"a: {text}", "f.yaml").value == {"a": value}


@pytest.mark.parametrize(
    "word",
    ["no", "No", "yes", "on", "Off", "012", "-012", "1_000", "0x1F", "0b11", "1:30", "190:20:30", ".inf", "-.inf",
     ".nan",
     "=", "<<", "1.0e+999", ".5", "9" * 5000],
    ids=lambda word: word[:12],
)  # fmt: skip
def test_a_word_that_can_be_read_in_two_ways_is_refused(word: str) -> None:
    (said,) = refused(f"b: 1\na: {word}")
    assert said == f"2:4: {word[:40]!r} can be read in two ways (put it in quotes: {word[:40]!r})"


def test_keys_are_text_as_written() -> None:
    assert parse_one("no: 1\n012: 2\n~: 3\n'': 4", "f").value == {"no": 1, "012": 2, "~": 3, "": 4}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: 1\nb: 2\na: 3", ["3:1: key 'a' is given twice (the first one is in line 1)"], id="twice"),
        pytest.param(
            "x: {a: 1, a: 2}", ["1:11: key 'a' is given twice (the first one is in line 1)"], id="twice in flow"
        ),
        pytest.param("1: a\n'1': b", ["2:1: key '1' is given twice (the first one is in line 1)"], id="twice, quoted"),
        pytest.param("a: &x 1\nb: *x", ["2:4: an alias is not allowed (write the value out)"], id="alias"),
        pytest.param("a: &a [*a]", ["1:8: an alias is not allowed (write the value out)"], id="alias of itself"),
        pytest.param("b:\n  <<: {y: 2}", ["2:3: a merge key `<<` is not allowed (write the keys out)"], id="merge"),
        pytest.param("? [a]\n: 3", ["1:3: a key must be text"], id="list as key"),
        pytest.param("{a: 1}: 3", ["1:1: a key must be text"], id="mapping as key"),
        pytest.param("a: !foo x", ["1:4: the tag '!foo' is not allowed"], id="tag"),
        pytest.param(
            "a: !foo {b: 1}\nb: !bar [1]",
            ["1:4: the tag '!foo' is not allowed", "2:4: the tag '!bar' is not allowed"],
            id="tags on mapping and list",
        ),
        pytest.param(
            "a: !!python/object/apply:os.system [ls]",
            ["1:4: the tag 'python/object/apply:os.system' is not allowed"],
            id="python tag",
        ),
        pytest.param(
            "a: &x 1\nb: &x 2",
            ["2:4: not valid YAML: found duplicate anchor; first occurrence, second occurrence"],
            id="anchor twice",
        ),
        pytest.param("a: !!int '5'", ["1:4: the tag 'int' is not allowed"], id="tag of YAML's own"),
        pytest.param("a: !!binary aGk=", ["1:4: the tag 'binary' is not allowed"], id="binary"),
        pytest.param(
            "%TAG ! tag:x,2000:\n---\na: !y 1", ["3:4: the tag 'tag:x,2000:y' is not allowed"], id="tag directive"
        ),
        pytest.param("a: \x07", ["1:4: holds the unreadable character U+0007"], id="control character"),
        pytest.param("a: 1\nb: '\ud800'", ["2:5: holds the unreadable character U+D800"], id="half a character"),
        pytest.param("a: 'é'\nb: x\x00", ["2:5: holds the unreadable character U+0000"], id="nul"),
    ],
)
def test_refused_with_its_place(text: str, said: list[str]) -> None:
    assert refused(text) == said


@pytest.mark.parametrize(
    ("text", "place"),
    [("a: [1", "2:1:"), ("a:\n\t- b", "2:1:"), ("a: 'x", "1:"), ("a: b: c", "1:5:"), ("a: *nope", "1:4:"),
     ("- a\nb: 1", "2:1:"),
     ("a: @x", "1:4:"), ("}", "1:1:"), ("a: {b: 1\nc: 2", "2:")],
)  # fmt: skip
def test_what_is_no_yaml_is_refused_with_its_place(text: str, place: str) -> None:
    (*_, said) = refused(text)
    assert said.startswith(place)
    assert "not valid YAML" in said


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    said = refused("z: &x 1\na: no\na: 1\nb: *x\nc: !t 1\nd: 012")
    assert [line.partition(" ")[0] for line in said] == ["2:4:", "3:1:", "4:4:", "5:4:", "6:4:"]


def test_problems_of_all_documents_come_at_once() -> None:
    assert [said.partition(" ")[0] for said in refused("a: no\n---\nb: yes")] == ["1:1:", "1:4:", "3:4:"]


@pytest.mark.parametrize(
    ("text", "values"),
    [("", []), ("# only words\n", []), ("---\n---\n", []), ("---\n", []), ("a: 1\n---\n# nothing\n", [{"a": 1}]),
     ("a: 1\n---\nb: 2", [{"a": 1}, {"b": 2}]), ("\ufeffa: 1", [{"a": 1}]), ("word", ["word"]), ("--- ''", [""]),
     ("%YAML 1.2\n---\na: 1", [{"a": 1}]), ("a: 1\r\nb: 2\r\n", [{"a": 1, "b": 2}])],
    ids=ascii,
)  # fmt: skip
def test_documents(text: str, values: list[Any]) -> None:
    assert [document.value for document in parse(text, "f.yaml")] == values


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a: 1\n---\nb: 2", 2)])
def test_one_document_is_wanted(text: str, count: int) -> None:
    with pytest.raises(ConfigError, match=f"f.yaml:1:1: holds {count} YAML documents instead of one"):
        parse_one(text, "f.yaml")


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000 + "]" * 100_000, "[" * 100_000, "{a: " * 50_000 + "}" * 50_000, "- " * 100_000 + "x",
     "? " * 100_000 + "x",
     "".join(" " * depth + "a:\n" for depth in range(1_000))],
    ids=["lists", "open lists", "mappings", "dashes", "keys", "blocks"],
)  # fmt: skip
def test_bottomless_nesting_is_refused_and_ends_nothing(text: str) -> None:
    (said,) = refused(text)
    assert said.endswith(f"is nested deeper than {MAX_DEPTH} levels")


def test_the_depth_that_is_allowed() -> None:
    parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "f")
    assert len(refused("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))) == 1


def test_an_alias_bomb_is_refused_unexploded() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    said = refused("\n".join(levels))
    assert len(said) == 99
    assert all("an alias is not allowed" in line for line in said)


def test_too_many_values_are_refused() -> None:
    (said,) = refused("[" + "1," * MAX_NODES + "1]")
    assert said.endswith(f"holds more than {MAX_NODES} keys and values")


def test_marks_of_values_and_keys() -> None:
    document = parse_one("a: 1\nb:\n  - c: x\n    d: [1, 2]\n", "f.yaml")
    assert document.at(()) == (1, 1)
    assert document.at(("b", 0, "d")) == (4, 8)
    assert document.at(("b", 0, "d"), key=True) == (4, 5)
    assert document.at(("b", 0, "d", 1)) == (4, 12)
    assert document.at(("b", 0, "nope", "deeper")) == (3, 5)
    assert document.at(("nope",), key=True) == (1, 1)
    assert document.at(("b", 7)) == (3, 3)


def test_a_problem_of_the_callers_own() -> None:
    document = parse_one("a: 1\nb: 2\n", "f.yaml")
    assert str(document.problem(("b",), "is odd", "say why", "r1")) == "f.yaml:2:4: is odd (say why)"
    assert str(document.problem(("b",), "is odd", key=True)) == "f.yaml:2:1: is odd"


# files --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"a: 1\n", "a: 1\n"), (b"\xef\xbb\xbfa: 1\n", "a: 1\n"), (b"", ""), ("é\u2028".encode(), "é\u2028")],
    ids=["plain", "byte order mark", "empty", "more than ascii"],
)
def test_reading_a_file(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    assert read_text(path) == text


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"a: 1\nb: caf\xe9\n", ":2:1: is not UTF-8 text (save the file as UTF-8)"),
     (b"\xff\xfea\x00", ":1:1: is not UTF-8 text"),
     (b"#" * (MAX_BYTES + 1), ": is larger than 4 MB")],
    ids=["latin-1", "utf-16", "too large"],
)  # fmt: skip
def test_a_file_that_cannot_be_used(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as error:
        read_text(path)
    assert str(error.value).startswith(f"{path}{said}")


@pytest.mark.parametrize(("name", "said"), [("nope.yaml", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=f"cannot be read: {said}"):
        read_text(tmp_path / name)


# complaints of models -----------------------------------------------------------------------------------------------


class Pattern(Strict):
    pattern: str
    within: int = 0


class FindingIs(Strict):
    finding: str


class Inner(Strict):
    count: int = Field(default=1, ge=1, le=5)
    hold: str = Field(default="", alias="for")


class Rule(Strict):
    name: str
    level: Literal["low", "high"] = "low"
    ratio: float = 0.5
    on: bool = True
    tags: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    inner: Inner | None = None
    all: list[Pattern | FindingIs] = Field(default_factory=list)

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        if len(name) > 8:
            raise ValueError("is longer than 8 letters")
        return name


class File(Strict):
    rules: list[Rule]


def complaints(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        fit(parse_one(text, "f.yaml"), File)
    return [str(problem).removeprefix("f.yaml:") for problem in error.value.problems]


def rule(line: str) -> str:
    return f"rules:\n  - name: a\n    {line}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("rules:\n  - level: low\n", "2:5: rules.0.name: is missing", id="missing"),
        pytest.param(
            rule("levle: low"), "3:5: rules.0.levle: is not a known key (did you mean 'level'?)", id="unknown"
        ),
        pytest.param(
            rule("inner: {fro: 5m}"),
            "3:13: rules.0.inner.fro: is not a known key (did you mean 'for'?)",
            id="unknown, by its name in the file",
        ),
        pytest.param(
            rule("inner: {zzz: 1}"),
            "3:13: rules.0.inner.zzz: is not a known key (known keys: count, for)",
            id="unknown, like none",
        ),
        pytest.param(
            "ruels: []\nrules: []", "1:1: ruels: is not a known key (did you mean 'rules'?)", id="unknown at the top"
        ),
        pytest.param("rules:\n  - name: 5\n", "2:11: rules.0.name: must be text", id="text"),
        pytest.param("rules:\n  - name: null\n", "2:11: rules.0.name: must be text", id="nothing"),
        pytest.param(rule("ratio: high"), "3:12: rules.0.ratio: must be a number", id="number"),
        pytest.param(rule("on: 1"), "3:9: rules.0.on: must be true or false", id="truth"),
        pytest.param(rule("tags: x"), "3:11: rules.0.tags: must be a list", id="list"),
        pytest.param(rule("tags: [x, 5]"), "3:15: rules.0.tags.1: must be text", id="item"),
        pytest.param(rule("labels: []"), "3:13: rules.0.labels: must be a mapping", id="mapping"),
        pytest.param(rule("labels: {a: 1}"), "3:17: rules.0.labels.a: must be text", id="value of a mapping"),
        pytest.param(rule("inner: 5"), "3:12: rules.0.inner: must be a mapping", id="model"),
        pytest.param(
            rule("inner: {count: 1.5}"), "3:20: rules.0.inner.count: must be a whole number", id="whole number"
        ),
        pytest.param(rule("inner: {count: 9}"), "3:20: rules.0.inner.count: must be 5 or less", id="bound"),
        pytest.param(rule("level: mid"), "3:12: rules.0.level: must be 'low' or 'high'", id="one of"),
        pytest.param(
            "rules:\n  - name: much too long\n", "2:11: rules.0.name: is longer than 8 letters", id="validator"
        ),
        pytest.param("rules: {}", "1:8: rules: must be a list", id="list at the top"),
        pytest.param("rules:\n  -\n", "2:4: rules.0: must be a mapping", id="empty item"),
        pytest.param("[]", "1:1: must be a mapping", id="whole file"),
        pytest.param("word", "1:1: must be a mapping", id="one word"),
    ],
)
def test_each_complaint_names_place_key_and_way_out(text: str, said: str) -> None:
    assert complaints(text) == [said]


def test_a_complaint_of_a_choice_points_at_what_the_file_has() -> None:
    said = complaints(rule("all: [{pattern: x, within: soon}]"))
    assert "3:32: rules.0.all.0.within: must be a whole number" in said
    said = complaints(rule("all: [{patern: x}]"))
    assert "3:12: rules.0.all.0.patern: is not a known key (did you mean 'pattern'?)" in said
    assert "3:11: rules.0.all.0.pattern: is missing" in said


def test_all_complaints_come_at_once() -> None:
    said = complaints("rules:\n  - {name: 5, on: 1}\n  - {level: mid}\n")
    assert [line.split(": ")[0] for line in said] == ["2:12", "2:19", "3:5", "3:13"]


def test_a_part_of_a_document_is_placed_in_the_whole() -> None:
    document = parse_one("rules:\n  - name: a\n  - name: 5\n  -\n", "f.yaml")
    assert fit(document, Rule, document.value["rules"][0], ("rules", 0)).name == "a"
    with pytest.raises(ConfigError, match=r"^f\.yaml:3:11: name: must be text$"):
        fit(document, Rule, document.value["rules"][1], ("rules", 1))
    with pytest.raises(ConfigError, match=r"^f\.yaml:4:4: must be a mapping$"):
        fit(document, Rule, None, ("rules", 2))


def test_what_fits_comes_back_as_a_model() -> None:
    found = fit(parse_one(rule("inner: {for: 5m}"), "f.yaml"), File)
    assert found.rules[0].inner == Inner.model_validate({"for": "5m"})


def test_no_complaint_shows_a_value() -> None:
    (said,) = complaints(rule("tags: {password: hunter2}"))
    assert "hunter2" not in said


def test_a_document_made_by_hand_has_a_place() -> None:
    assert Document("f.yaml").at(("a",)) == (1, 1)


# the door -----------------------------------------------------------------------------------------------------------


def judged(text: str) -> list[str]:
    """All that is said of a text that should be a `Rule`, the model and the caller included."""

    def judge() -> None:
        with reading(text, "f.yaml") as document:
            document.note([document.problem(("name",), "is a name we do not like")])
            fit(document, Rule)

    with pytest.raises(ConfigError) as error:
        judge()
    return [str(problem).removeprefix("f.yaml:") for problem in error.value.problems]


NAME = "1:7: is a name we do not like"
READERS = {
    "key twice": (
        "name: a\nname: b\nratio: x",
        [NAME, "2:1: key 'name' is given twice (the first one is in line 1)", "3:8: ratio: must be a number"],
    ),
    "word": (
        "name: a\nlevel: no\nratio: x",
        [NAME, "2:8: 'no' can be read in two ways (put it in quotes: 'no')", "3:8: ratio: must be a number"],
    ),
    "alias": (
        "name: &a a\nratio: *a\non: x",
        [NAME, "2:8: an alias is not allowed (write the value out)", "3:5: on: must be true or false"],
    ),
    "alias in a list": (
        "name: &a a\ntags: [*a, 5, *a]",
        [NAME, "2:8: an alias is not allowed (write the value out)", "2:12: tags.1: must be text",
         "2:15: an alias is not allowed (write the value out)"],
    ),
    "alias under a doubled key": (
        "name: &a a\nname: [*a]\ntags: [*a]",
        [NAME, "2:1: key 'name' is given twice (the first one is in line 1)",
         "2:8: an alias is not allowed (write the value out)", "3:8: an alias is not allowed (write the value out)"],
    ),
    "alias as key": (
        "name: &a a\n*a : 1\nratio: *a",
        [NAME, "2:1: an alias is not allowed (write the value out)",
         "3:8: an alias is not allowed (write the value out)"],
    ),
    "alias in a key": (
        "name: &a a\n? [*a]\n: *a\nratio: *a",
        [NAME, "2:3: a key must be text", "2:4: an alias is not allowed (write the value out)",
         "3:3: an alias is not allowed (write the value out)", "4:8: an alias is not allowed (write the value out)"],
    ),
    "problems in a doubled key": (
        "name: a\nname: {x: no}",
        [NAME, "2:1: key 'name' is given twice (the first one is in line 1)",
         "2:11: 'no' can be read in two ways (put it in quotes: 'no')"],
    ),
    "tag on a value": (
        "name: a\nratio: !x y\non: x", [NAME, "2:8: the tag '!x' is not allowed", "3:5: on: must be true or false"],
    ),
    "tag on a mapping": (
        "!x\nname: a\nnam: b", ["1:1: the tag '!x' is not allowed", "2:7: is a name we do not like",
                                "3:1: nam: is not a known key (did you mean 'name'?)"],
    ),
    "merge key": (
        "name: a\ninner:\n  <<: {count: 2}\n  count: x",
        [NAME, "3:3: a merge key `<<` is not allowed (write the keys out)",
         "4:10: inner.count: must be a whole number"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), READERS.values(), ids=READERS)
def test_a_problem_of_the_reader_hides_no_other_and_is_said_once(text: str, said: list[str]) -> None:
    assert judged(text) == said


def test_the_door_lets_nothing_out_of_a_file_with_problems() -> None:
    def read() -> Any:
        with reading("a: 1\na: 2", "f.yaml") as document:
            return document.value

    with pytest.raises(ConfigError, match="given twice"):
        read()


def test_a_noted_problem_closes_the_door_as_well() -> None:
    with pytest.raises(ConfigError, match=r"^f\.yaml:2:4: is odd$"), reading("a: 1\nb: 2", "f.yaml") as document:
        document.note([document.problem(("b",), "is odd")])


def test_another_error_passes_the_door_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), reading("a: no", "f.yaml"):
        raise ZeroDivisionError


def test_a_problem_is_told_once_and_in_the_order_of_the_file() -> None:
    one, other = Problem("f.yaml", 3, 1, "x", rule="r"), Problem("f.yaml", 2, 9, "y")
    with pytest.raises(ConfigError) as error, reading("a: 1", "f.yaml") as document:
        document.note([one, other, Problem("f.yaml", 3, 1, "x")])
    assert error.value.problems == (other, one)


def test_a_document_with_problems_fits_nothing_outside_the_door() -> None:
    (document,) = parse("name: a\nname: b", "f.yaml")
    with pytest.raises(ConfigError, match="given twice"):
        fit(document, Rule)


def test_a_tag_on_nothing_at_all_is_told() -> None:
    assert refused("!!null ''") == ["1:1: the tag 'null' is not allowed"]


# what is of the right form ------------------------------------------------------------------------------------------


def left(text: str, blank: dict[str, Any] | None = None) -> tuple[Document, Any]:
    with reading(text, "f.yaml") as document:
        found = sound(document, Rule, blank=blank)
    assert found
    return found


SOUND: dict[str, tuple[str, dict[str, Any]]] = {
    "all of it": ("name: a\nratio: 0.1", {"name": "a", "ratio": 0.1}),
    "without a wrong value": ("name: a\nratio: x\non: false", {"name": "a", "on": False}),
    "without an unknown key": ("name: a\nratoi: 1\non: false", {"name": "a", "on": False}),
    "without a wrong item": ("name: a\ntags: [a, 1, b]", {"name": "a", "tags": ["a", "b"]}),
    "without the wrong part of a part": ("name: a\ninner: {count: x, for: b}", {"name": "a", "inner": {"for": "b"}}),
    "without an item that lacks something": (
        "name: a\nall: [{within: 3}, {finding: f}]", {"name": "a", "all": [{"finding": "f"}]},
    ),
    "a blank for what is missing": ("on: false", {"name": "?", "on": False}),
    "a blank for what is wrong": ("name: 5\non: false", {"name": "?", "on": False}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SOUND.values(), ids=SOUND)
def test_what_is_of_the_right_form_is_left(text: str, value: dict[str, Any]) -> None:
    assert left(text, {"name": "?"})[1] == Rule.model_validate(value)


@pytest.mark.parametrize("text", ["[]", "word", "5", "on: false"], ids=["list", "word", "number", "name missing"])
def test_where_nothing_is_of_the_right_form_nothing_is_left(text: str) -> None:
    with reading(text, "f.yaml") as document:
        assert sound(document, Rule) is None


def test_marks_go_along_when_a_list_closes_up() -> None:
    document, found = left("name: a\ntags:\n- 1\n- b\ninner: {count: x}")
    assert (found.tags, document.at(("tags", 0))) == (["b"], (4, 3))
    assert (document.whole(("name",)), document.whole(("tags",)), document.whole(("inner",))) == (True, False, False)


# words of ours ------------------------------------------------------------------------------------------------------


class Named(Strict):
    name: Title = "x"
    every: Duration = Field(default=None)  # type: ignore[assignment]
    hold: Length = "1s"


def said_of(text: str) -> str:
    with pytest.raises(ConfigError) as error:
        fit(parse_one(text, "f.yaml"), Named)
    (problem,) = error.value.problems
    return problem.message


LONG = "x" * 1_000_000
TITLES = {
    "nul": ('"a\\0b"', "holds the character U+0000, which cannot be printed"),
    "escape": ('"a\\eb"', "holds the character U+001B, which cannot be printed"),
    "line feed": ('"a\\nb"', "holds the character U+000A, which cannot be printed"),
    "right to left": ('"a\\u202Eb"', "holds the character U+202E, which cannot be printed"),
    "a megabyte": (LONG, "is 1000000 characters long: at most 200"),
    "one too many": ("x" * 201, "is 201 characters long: at most 200"),
    "empty": ("''", "must not be empty"),
    "blank": ("'  '", "must not be empty"),
}


@pytest.mark.parametrize(("name", "said"), TITLES.values(), ids=TITLES)
def test_a_name_is_printable_and_short(name: str, said: str) -> None:
    assert said_of(f"name: {name}") == f"name: {said}"


@pytest.mark.parametrize("name", ["High latency", "x" * 200, "Größe №5, 日本語 🙂"], ids=["words", "long", "letters"])
def test_a_name_may_have_all_letters_there_are(name: str) -> None:
    assert fit(parse_one(f"name: {name}", "f.yaml"), Named).name == name


@pytest.mark.parametrize("key", ["every", "hold"])
@pytest.mark.parametrize("value", ["5", "0.5", "true", "null", "[5m]", "{}"])
def test_a_duration_is_text_with_a_unit(key: str, value: str) -> None:
    assert said_of(f"{key}: {value}") == f"{key}: must be a duration such as 30s, 5m or 1h30m"


def test_a_long_word_is_cut_in_what_is_said_of_it() -> None:
    assert len(said_of(f"{LONG}: 1")) < 100
    assert all(len(said) < 200 for said in refused(f"? {LONG}\n: 1\n? {LONG}\n: 2"))


# files of other programs ----------------------------------------------------------------------------------------------


def foreign(text: str) -> Any:
    (found,) = parse(text, "f.yaml", foreign=True)
    assert found.problems == []
    return found.value


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a: no\nb: 012\nc: 1:30\nd: ~\ne: ''\nf:\ng: null\nh: 'null'", {
            "a": "no", "b": "012", "c": "1:30", "d": None, "e": "", "f": None, "g": None, "h": "null"}),
        ("a: &x [1, true]\nb: *x", {"a": ["1", "true"], "b": ["1", "true"]}),
        ("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}", {"a": {"p": "1", "q": "2"}, "b": {"p": "1", "q": "3"}}),
        ("a: &x {p: 1}\nb: {<<: [*x, {p: 2, r: 4}]}", {"a": {"p": "1"}, "b": {"p": "1", "r": "4"}}),
        ("a: !!str 5", {"a": "5"}),
        ("a: &x 1\nb: &x 2\nc: *x\nd: &x [3]\ne: *x", {"a": "1", "b": "2", "c": "2", "d": ["3"], "e": ["3"]}),
        ("a: &x {p: &x 1, q: *x}\nb: *x", {"a": {"p": "1", "q": "1"}, "b": "1"}),
    ],
    ids=["words as written", "alias", "merge", "merges", "tag", "anchor again", "anchor inside its like"],
)  # fmt: skip
def test_what_another_program_wrote_is_read_as_it_stands(text: str, want: Any) -> None:
    assert foreign(text) == want


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &x [*x]", "nested deeper"), ("a: &x\n  <<: *x", "nested deeper"), ("a: 1\na: 2", "given twice"),
        ("a: {<<: 5}", "only a mapping"), ("a: {<<: {b: 1}, <<: {c: 2}}", "'<<' is given twice"),
        ("a: &x 1\nb: &x 2\nc: *y", "undefined alias"),
        ("a: &a [" + "x," * 100 + "]\n" + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 100)}]\n" for a, b in ("ab", "bc", "cd")), "once its aliases"),
    ],
    ids=["itself", "merged into itself", "twice", "no mapping", "merged twice", "no anchor", "bomb"],
)  # fmt: skip
def test_aliases_of_other_programs_are_bounded_too(text: str, said: str) -> None:
    assert said in foreign_problem(text).message


def foreign_problem(text: str) -> Problem:
    try:
        (found,) = parse(text, "f.yaml", foreign=True)
    except ConfigError as error:
        return error.problems[0]
    return found.problems[0]
