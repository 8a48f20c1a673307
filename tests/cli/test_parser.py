"""The command line: verbs found, unknown ones explained, help with an example for each."""

import subprocess
import sys

import pytest

from opsbot.cli import main, parser
from opsbot.commands import VERBS, Verb, verb


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        (["check", "a.yaml"], "check", ["a.yaml"]),
        (["--config", "x", "check"], "check", ["--config", "x"]),
        (["--config=x", "playbook", "list"], "playbook list", ["--config=x"]),
        (["playbook", "show", "list"], "playbook show", ["list"]),
        (["playbook"], None, ["playbook"]),
        (["show", "check"], "show", ["check"]),
        ([], None, []),
    ],
    ids=[
        "one word",
        "config first",
        "config joined",
        "two words",
        "half a verb",
        "a verb's name as argument",
        "nothing",
    ],
)
def test_a_verb_is_found(words: list[str], found: str | None, rest: list[str]) -> None:
    row, left = parser.asked(words)
    assert (row.words if row else None, left) == (found, rest)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["playbok"], "did you mean"),
        (["playbook"], "needs one of: list, show, plan, run"),
        (["xyzzy"], "`opsbot --help` lists the verbs"),
    ],
    ids=["misspelt", "half a verb", "no idea"],
)
def test_an_unknown_verb_gets_a_hint(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("group", sorted({row.words.split()[0] for row in VERBS if " " in row.words}))
def test_a_group_of_verbs_explains_itself(group: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([group, flag]) == 0
    said = capsys.readouterr().out
    assert [row.words for row in VERBS if (f"\n  {row.words} " in said) != row.words.startswith(f"{group} ")] == []


@pytest.mark.parametrize("words", [["practice", "nope", "--help"], ["practice"], ["nope", "--help"]])
def test_help_on_nothing_known_is_bad_usage(words: list[str]) -> None:
    assert main(words) == 2


@pytest.mark.parametrize("row", VERBS, ids=[row.words for row in VERBS])
def test_each_verb_explains_itself_with_an_example(row: Verb) -> None:
    text = parser.of(row).format_help()
    assert row.example in text
    assert row.example.startswith(f"opsbot {row.words}")
    assert parser.overview().format_help().count(f"\n  {row.words} ") == 1


@pytest.mark.parametrize("words", [["--nope"], ["show"], ["show", "x"], ["approve", "1"]])
def test_bad_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: opsbot" in capsys.readouterr().err


def test_a_row_is_found_by_its_words() -> None:
    assert verb("audit verify") in VERBS
    assert verb("audit") is None


def test_help_imports_nothing_of_a_third_party() -> None:
    seen = (
        "import sys; from opsbot.cli import main\ntry: main(['--help'])\nexcept SystemExit: print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True, timeout=60)
    loaded = {name.split(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "argparse" in loaded
    assert not loaded & {
        "kubernetes",
        "pydantic",
        "sqlalchemy",
        "yaml",
        "rich",
        "requests",
        "regex",
        "apscheduler",
        "cel",
    }
    assert "opsbot.core" not in done.stdout.splitlines()[-1].split()
