"""A Debian mirror and a Go, both made of shell scripts with a mood; the package and dpkg-deb are real."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from opsbot.practice.golang import Go, look

APT_GET = """\
#!/bin/sh
# words: -q -c CONF update | download [--print-uris] PACKAGE...
echo "$*" >> {calls}
conf=$3; shift 3
private=; grep -q Dir::State "$conf" && private=yes
{mood}
case "$1 $2" in
  "download --print-uris") echo "'http://mirror.example/{name}' {name} 1234 SHA256:00" ;;
  download*) cp {deb} . ;;
esac
"""

GO = """\
#!/bin/sh
# words: env -json ... | build ... -o FILE PACKAGE
if [ "$1" = env ]; then
  echo '{{"GOVERSION": "{version}", "GOROOT": "{folder}/root", "GOHOSTOS": "linux", "GOHOSTARCH": "amd64",
         "GOMODCACHE": "{folder}/modules", "GOCACHE": "{folder}/results"}}'
  exit 0
fi
echo "$*" >> {folder}/calls
env > {folder}/environment
while [ "$1" != -o ]; do shift; done
file=$2 package=$3
{mood}
echo "$package" > "$file"
chmod +x "$file"
"""

Mirror = Callable[[str], Path]
StubGo = Callable[..., Path]


@pytest.fixture
def go_program(tmp_path: Path) -> Go:
    """The real Go on PATH. Where there is none, its tests are skipped, and the end of the run says so."""
    there = shutil.which("go")
    found = look(Path(there), tmp_path) if there else None
    if not found:
        pytest.skip("NO REAL COMPONENT: there is no go on PATH")
    return found


@pytest.fixture
def stub_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StubGo:
    """Puts a go on PATH that behaves as its `mood` (shell, before it writes $file) says; gives its calls."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir(exist_ok=True)

    def put(mood: str = "", version: str = "go1.99.0") -> Path:
        go = bin_folder / "go"
        go.write_text(GO.format(folder=tmp_path, mood=mood, version=version))
        go.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
        (tmp_path / "calls").touch()
        return tmp_path / "calls"

    return put


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """Puts an apt-get on PATH that behaves as its `mood` (shell) says; gives the file that lists its calls."""
    bin_folder, deb = tmp_path / "bin", _package(tmp_path)
    bin_folder.mkdir()

    def put(mood: str = "") -> Path:
        calls, apt_get = tmp_path / "calls", bin_folder / "apt-get"
        apt_get.write_text(APT_GET.format(calls=calls, mood=mood, name=deb.name, deb=deb))
        apt_get.chmod(0o755)
        monkeypatch.setenv("PATH", f"{bin_folder}:/usr/bin:/bin")
        return calls

    return put


def _package(folder: Path) -> Path:
    """A Debian package that holds one program."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("NO REAL COMPONENT: dpkg-deb is not here")
    tree = folder / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        "Package: prometheus\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
        "Description: a program\n"
    )
    program = tree / "usr" / "bin" / "prometheus"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'prometheus, version 9.9.9 (branch: none)'\n")
    program.chmod(0o755)
    deb = folder / "prometheus_1_all.deb"
    subprocess.run(["dpkg-deb", "-b", str(tree), str(deb)], check=True, capture_output=True)
    return deb
