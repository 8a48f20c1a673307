"""A Debian mirror made of shell scripts: `apt-get` and its server's mood, with a real package and a real dpkg-deb."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

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

Mirror = Callable[[str], Path]


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
