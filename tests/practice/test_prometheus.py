from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from opsbot.core.errors import PermanentError
from opsbot.practice import prometheus
from opsbot.practice.recipes import PROMETHEUS, WHOLE


def quiet(_text: str) -> None:
    """Nobody wants to know."""


def program(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / "prometheus"
    made.write_text(text)
    made.chmod(0o755)
    return made


GOOD = "#!/bin/sh\necho 'prometheus, version 2.42.0+ds (branch: x)' >&2\n"


@pytest.mark.parametrize(("text", "version"), [
    pytest.param(GOOD, "2.42.0+ds", id="a Prometheus"),
    pytest.param("#!/bin/sh\necho 'prometheus, version 3.13.5 (x)'; exit 3\n", "", id="one that fails"),
    pytest.param("#!/bin/sh\necho 'a song about prometheus, version 1'\n", "", id="another program"),
    pytest.param("no program at all", "", id="no program"),
    pytest.param("#!/nowhere\n", "", id="its interpreter is missing"),
    pytest.param("#!/bin/sh\nprintf '\\377\\376'\n", "", id="bytes that are no text"),
])  # fmt: skip
def test_version(tmp_path: Path, text: str, version: str) -> None:
    assert prometheus.version(program(tmp_path, text)) == version


def test_the_one_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = program(tmp_path / "bin", GOOD)
    monkeypatch.setenv("PATH", f"{there.parent}:/usr/bin:/bin")
    assert prometheus.find(tmp_path / "cache", quiet) == there
    assert not (tmp_path / "cache").exists()


def test_one_on_path_that_does_not_run_is_passed_by(
    tmp_path: Path, mirror: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror("")
    broken = program(tmp_path / "broken", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("PATH", f"{broken.parent}:{tmp_path / 'bin'}:/usr/bin:/bin")
    found = prometheus.find(tmp_path / "cache", quiet)
    assert found == tmp_path / "cache" / "debian" / "prometheus" / "usr" / "bin" / "prometheus"
    assert prometheus.version(found) == "9.9.9"


def test_one_in_the_cache_that_does_not_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    unpacked = tmp_path / "debian" / "prometheus"
    program(unpacked / "usr" / "bin", "#!/bin/sh\nexit 126\n")
    with pytest.raises(PermanentError, match=f"remove {unpacked} and try again"):
        prometheus.find(tmp_path, quiet)


@pytest.mark.parametrize(
    ("on_path", "made", "found"),
    [(True, GOOD, "bin"), (False, GOOD, "made"), (False, "#!/bin/sh\nexit 1\n", "debian"), (False, "", "debian")],
    ids=["on PATH", "built", "built and broken", "Debian's"],
)
def test_the_newest(
    tmp_path: Path, mirror: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, on_path: bool, made: str, found: str
) -> None:
    mirror("")
    there, cache = program(tmp_path / "mine", GOOD), tmp_path / "cache"
    monkeypatch.setenv("PATH", f"{there.parent if on_path else tmp_path / 'bin'}:{tmp_path / 'bin'}:/usr/bin:/bin")
    home = PROMETHEUS.home(cache)
    if made:
        sizes = {one.name: program(home / "bin", made).stat().st_size for one in PROMETHEUS.programs}
        shutil.copy(home / "bin" / "prometheus", home / "bin" / "promtool")
        (home / WHOLE).write_text(json.dumps(sizes))
    places = {"bin": there, "made": home / "bin" / "prometheus"}
    debian = cache / "debian" / "prometheus" / "usr" / "bin" / "prometheus"
    assert prometheus.newest(cache, quiet) == places.get(found, debian)


def test_settings_keep_to_loopback_and_the_folder() -> None:
    assert yaml.safe_load(prometheus.config("127.0.0.1:9"))["scrape_configs"][0]["static_configs"] == [
        {"targets": ["127.0.0.1:9"]}
    ]
    words = prometheus.command(Path("/bin/prometheus"), Path("/folder"), 4711)
    assert "--web.listen-address=127.0.0.1:4711" in words
    assert "--storage.tsdb.path=/folder/prometheus" in words


@pytest.mark.real("prometheus")
def test_the_real_one_says_its_version(prometheus_program: Path) -> None:
    assert prometheus.version(prometheus_program)[0].isdigit()
