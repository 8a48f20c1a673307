"""Settings: what works connects, and what cannot work is said in a sentence with the file and the context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from opsbot.core.errors import PermanentError
from opsbot.kube.read import KubeReader
from opsbot.kube.session import Connection, connect
from opsbot.testing import FakeCluster

SECRET = "t0p-s3cret-t0ken"


def kubeconfig(url: str = "https://10.0.0.1:6443", token: str = SECRET, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}},
                     {"name": "test", "context": {"cluster": "missing", "user": "u"}},
                     {"name": "nobody", "context": {"cluster": "c", "user": "missing"}}],
        **more,
    }  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(value: Any) -> str:
        file = tmp_path / "kubeconfig"
        file.write_bytes(value if isinstance(value, bytes) else yaml.safe_dump(value).encode())
        return str(file)

    return write


@pytest.mark.real("kubernetes client")
@pytest.mark.parametrize("context", ["", "prod"], ids=["current", "named"])
def test_a_kubeconfig_and_its_context(write: Any, cluster: FakeCluster, context: str) -> None:
    with cluster.serve() as url:
        file = write(kubeconfig(url, cluster.token("reader")))
        api = connect(Connection(kubeconfig=file, context=context))
        assert KubeReader(api).get("Deployment", "shop", "web") is not None
        api.close()


@pytest.mark.real("kubernetes client")
def test_a_server_with_a_token_file(token_file: Path, cluster: FakeCluster) -> None:
    token_file.write_text(f"  {cluster.token('reader')}\n")
    with cluster.serve() as url:
        api = connect(Connection(server=url + "/", token_file=str(token_file)))
        assert KubeReader(api).check().startswith(f"Kubernetes v1.36.3 at {url}")
        api.close()


def test_the_default_kubeconfig_is_named_when_it_is_missing() -> None:
    with pytest.raises(PermanentError, match=r"kubeconfig \S+: Invalid kube-config file. No configuration found"):
        connect(Connection())


WRONG_FILES: dict[str, tuple[Any, str, str]] = {
    "no YAML": (b"a: [1, 2", "", "is no valid kubeconfig"),
    "a list": ([1, 2], "", "is no valid kubeconfig"),
    "a word": (b"hello", "", "is no valid kubeconfig"),
    "empty": (b"", "", "kubeconfig"),
    "binary": (b"\x00\xff\xfe", "", "kubeconfig"),
    "no contexts": ({"apiVersion": "v1", "kind": "Config"}, "", "kubeconfig"),
    "no such context": (kubeconfig(), "staging", r"context 'staging': .*\(contexts in it: prod, test, nobody\)"),
    "no current context": (kubeconfig(**{"current-context": ""}), "", r"\(contexts in it: prod"),
    "no such cluster": (kubeconfig(), "test", "missing"),
    "no such user": (kubeconfig(), "nobody", ""),
    "clusters a text": (kubeconfig(clusters="x"), "", "kubeconfig"),
    "users a mapping": (kubeconfig(users={"a": 1}), "", "kubeconfig"),
    "contexts a number": (kubeconfig(contexts=5), "", "kubeconfig"),
    "no URL": (kubeconfig("not a url"), "", "is no URL"),
    "another scheme": (kubeconfig("ftp://10.0.0.1"), "", "is no URL"),
    "a port that is none": (kubeconfig("https://10.0.0.1:99999999"), "", "is no URL"),
    "server a number": (kubeconfig(clusters=[{"name": "c", "cluster": {"server": 5}}]), "", "is no URL|kubeconfig"),
    "plain http": (kubeconfig("http://10.0.0.1:8080"), "", "plain http is for loopback only"),
    "a CA file that is missing": (
        kubeconfig(clusters=[{"name": "c", "cluster": {"server": "https://h", "certificate-authority": "/no/ca"}}]),
        "", "File does not exist: /no/ca",
    ),
    "CA data that is none": (
        kubeconfig(clusters=[{"name": "c", "cluster": {"server": "https://h", "certificate-authority-data": "%%"}}]),
        "", "CA certificate .* cannot be read",
    ),
    "CA data of nothing": (
        kubeconfig(clusters=[{"name": "c", "cluster": {"server": "https://h", "certificate-authority-data": "aGk="}}]),
        "", "CA certificate .* cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_kubeconfig_that_cannot_work(write: Any, name: str) -> None:
    content, context, said = WRONG_FILES[name]
    file = write(content)
    if name == "no such user":
        # kubectl goes on without a credential there too; the server then says 401.
        connect(Connection(kubeconfig=file, context=context)).close()
        return
    with pytest.raises(PermanentError, match=said) as told:
        connect(Connection(kubeconfig=file, context=context))
    assert SECRET not in str(told.value)
    assert "\n" not in str(told.value)
    if "loopback" not in said and "CA cert" not in said:
        assert file in str(told.value)


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "none"
    with pytest.raises(PermanentError, match=f"kubeconfig {missing}, context 'prod': there is no such file"):
        connect(Connection(kubeconfig=str(missing), context="prod"))
    with pytest.raises(PermanentError, match="there is no such file"):
        connect(Connection(kubeconfig=str(tmp_path)))


WRONG_SETTINGS: dict[str, tuple[Connection, str]] = {
    "no URL": (Connection(server="10.0.0.1:6443"), "server '10.0.0.1:6443' is no URL: write https://HOST:PORT"),
    "no host": (Connection(server="https://"), "is no URL"),
    "brackets": (Connection(server="https://[::1"), "is no URL"),
    "plain http": (Connection(server="http://cluster.example"), "plain http is for loopback only"),
    "plain http by number": (Connection(server="http://10.0.0.1"), "plain http is for loopback only"),
    "no token file": (Connection(server="https://h", token_file="/no/token"), "token_file /no/token: No such file"),
    "a folder": (Connection(server="https://h", token_file="/"), "token_file /: Is a directory"),
    "no CA file": (Connection(server="https://h", ca_file="/no/ca"), "ca_file /no/ca: there is no such file"),
    "a CA file of nothing": (Connection(server="https://h", ca_file=__file__), "the CA certificate .* cannot be read"),
    "no pod": (Connection(in_cluster=True), "in-cluster: .*only inside a pod"),
}


@pytest.mark.parametrize("name", WRONG_SETTINGS)
def test_settings_that_cannot_work(name: str) -> None:
    connection, said = WRONG_SETTINGS[name]
    with pytest.raises(PermanentError, match=said):
        connect(connection)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://10.0.0.1"])
def test_plain_http_stays_at_home(url: str) -> None:
    connect(Connection(server=url)).close()


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"a b", b"a\r\nX-Evil: 1", "schlüssel".encode(), b"\x00", b"x" * 70_000],
    ids=["empty", "blanks", "two words", "a header", "not ASCII", "a zero", "too long"],
)  # fmt: skip
def test_a_token_file_that_holds_no_token(token_file: Path, content: bytes) -> None:
    token_file.write_bytes(content)
    with pytest.raises(PermanentError) as told:
        connect(Connection(server="https://h", token_file=str(token_file)))
    assert str(token_file) in str(told.value)
    assert "Evil" not in str(told.value)


def test_a_connection_says_where_it_leads() -> None:
    said = [
        str(Connection()), str(Connection(kubeconfig="k", context="c")), str(Connection(server="https://h")),
        str(Connection(in_cluster=True)),
    ]  # fmt: skip
    assert said == ["kubeconfig (default)", "kubeconfig k, context c", "https://h", "in-cluster"]
