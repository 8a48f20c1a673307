"""From plain settings to the official client: connected, with no retries of its own and a credential that is re-read.

A setting that cannot work is a PermanentError that names the file and the context, before anything is sent.
"""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opsbot.core.errors import PermanentError

MAX_TOKEN = 65_536


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API server is and who asks: `in_cluster`, or `server` with a token file, or a kubeconfig and context.

    With nothing given it is the kubeconfig that kubectl would use.
    """

    kubeconfig: str = ""
    context: str = ""
    server: str = ""
    token_file: str = ""
    ca_file: str = ""
    in_cluster: bool = False

    def __str__(self) -> str:
        if self.in_cluster:
            return "in-cluster"
        if self.server:
            return self.server
        return f"kubeconfig {self.kubeconfig or '(default)'}" + (f", context {self.context}" if self.context else "")


def connect(connection: Connection) -> Any:
    """An `ApiClient`; nothing is sent yet. PermanentError for settings that cannot work."""
    from kubernetes import client

    from opsbot.kube.line import POOLS

    configuration = client.Configuration()
    if connection.in_cluster:
        _from_pod(configuration)
    elif connection.server:
        _from_settings(configuration, connection)
    else:
        _from_kubeconfig(configuration, connection)
    _plain_only_at_home(configuration.host)
    _check_ca(configuration)
    configuration.retries = False
    api = client.ApiClient(configuration)
    api.user_agent = "opsbot"
    api.rest_client.pool_manager.pool_classes_by_scheme = dict(POOLS)
    return api


def _from_pod(configuration: Any) -> None:
    from kubernetes import config

    try:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    except (config.ConfigException, OSError, UnicodeDecodeError) as error:
        hint = "this works only inside a pod with a service account; elsewhere name a kubeconfig"
        raise PermanentError(f"in-cluster: {_first_line(error)} ({hint})") from error


def _from_settings(configuration: Any, connection: Connection) -> None:
    _check_url(connection.server, "server")
    configuration.host = connection.server.rstrip("/")
    if connection.ca_file:
        if not Path(connection.ca_file).is_file():
            raise PermanentError(f"ca_file {connection.ca_file}: there is no such file")
        configuration.ssl_ca_cert = connection.ca_file
    if connection.token_file:
        path = Path(connection.token_file)
        configuration.api_key["BearerToken"] = read_token(path)

        def refresh(current: Any) -> None:
            # Tokens rotate: the file is read anew for each call, as the client asks for the key each time.
            current.api_key["BearerToken"] = read_token(path)

        configuration.api_key_prefix["BearerToken"] = "Bearer"
        configuration.refresh_api_key_hook = refresh


def read_token(path: Path) -> str:
    """The token in a file; PermanentError, without any of its content, where it cannot be one."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_TOKEN + 1)
    except OSError as error:
        raise PermanentError(f"token_file {path}: {error.strerror or error}") from error
    token = raw.strip()
    if not token:
        raise PermanentError(f"token_file {path}: the file is empty")
    if len(token) > MAX_TOKEN or any(byte <= 32 or byte >= 127 for byte in token):
        raise PermanentError(f"token_file {path}: this is no bearer token (one line of visible ASCII is)")
    return token.decode("ascii")


def _from_kubeconfig(configuration: Any, connection: Connection) -> None:
    from kubernetes import config
    from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION
    from yaml import YAMLError

    location = connection.kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION
    named = f"kubeconfig {location}" + (f", context {connection.context!r}" if connection.context else "")
    if connection.kubeconfig and not Path(location).expanduser().is_file():
        raise PermanentError(f"{named}: there is no such file")
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]
            str(Path(location).expanduser()) if connection.kubeconfig else location, connection.context or None,
            client_configuration=configuration, persist_config=False,
        )  # fmt: skip
    except config.ConfigException as error:
        raise PermanentError(f"{named}: {_first_line(error)}{_contexts(location)}") from error
    except (OSError, ValueError) as error:
        raise PermanentError(f"{named}: cannot be read: {_first_line(error)}") from error
    except (YAMLError, LookupError, TypeError, AttributeError) as error:
        # The library trips over what is no kubeconfig at all in whatever way the text happens to make it.
        raise PermanentError(f"{named}: is no valid kubeconfig (kubectl config view would show it)") from error
    _check_url(configuration.host, f"{named}: server")


def _contexts(location: str) -> str:
    """A hint with the contexts that there are; nothing where they cannot be told."""
    from kubernetes import config
    from kubernetes.config.kube_config import KubeConfigMerger
    from yaml import YAMLError

    try:
        merged = KubeConfigMerger(str(Path(location).expanduser())).config  # type: ignore[no-untyped-call]
        names = [str(item["name"]) for item in merged.value["contexts"]]
    except (config.ConfigException, YAMLError, OSError, LookupError, TypeError, ValueError, AttributeError):
        return ""
    return f" (contexts in it: {', '.join(names[:20])})" if names else ""


def _check_url(text: Any, what: str) -> None:
    try:
        parts = urlsplit(text if isinstance(text, str) else "")
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise PermanentError(f"{what} {str(text)[:200]!r} is no URL: write https://HOST:PORT")


def _plain_only_at_home(host: str) -> None:
    """A bearer token is never sent in the clear, except to this machine itself."""
    parts = urlsplit(host)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return
    try:
        local = ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        local = False
    if not local:
        raise PermanentError(f"{host}: plain http is for loopback only, since a token would go out in the clear")


def _check_ca(configuration: Any) -> None:
    """A CA certificate that cannot be read is said now, and not at the first request."""
    file, data = configuration.ssl_ca_cert, configuration.ca_cert_data
    if not file and not data:
        return
    try:
        ssl.create_default_context(cafile=file, cadata=data)
    except (OSError, ValueError) as error:
        raise PermanentError(f"{configuration.host}: the CA certificate {file or ''} cannot be read") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
