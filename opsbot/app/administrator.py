"""A kubeconfig of the user's in, their cluster under all their rights out; for `opsbot demo --kubeconfig` alone.

The agents never see it: it makes a namespace to practise in, and takes it away again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from opsbot.core.errors import Blind, PermanentError
from opsbot.kube import session
from opsbot.kube.call import ask
from opsbot.kube.errors import NoAnswer, NotSent


class Administrator:
    """The API server that a context names, as its user; `named` says which one, `kubectl` how a human gets there."""

    def __init__(self, api: Any, way: session.Connection) -> None:
        self._api = api
        self.named = str(way)
        chosen = ("--context", way.context) if way.context else ()
        self.kubectl: tuple[str, ...] = ("kubectl", "--kubeconfig", way.kubeconfig, *chosen)
        self.server: str = api.configuration.host
        file = api.configuration.ssl_ca_cert
        self.ca: str = Path(file).read_text() if file else ""

    def ask(self, method: str, path: str, body: Any = None, timeout: float = 15.0) -> tuple[int, dict[str, Any]]:
        """Status and JSON of one request, sent once; Blind where no whole answer came."""
        try:
            reply = ask(self._api, method, quote(path, safe="/?=&"), timeout=timeout, body=body)
        except (NotSent, NoAnswer) as error:
            raise Blind(f"{self.named}: the API server at {self.server} cannot be reached: {error}") from error
        return reply.status, reply.parsed() or {}


def administrator(kubeconfig: str, context: str) -> Administrator:
    """Nothing is sent yet. PermanentError for settings that cannot work, or that a practice ground cannot share."""
    way = session.Connection(kubeconfig=kubeconfig, context=context)
    api = session.connect(way)
    settings = api.configuration
    unfit = {
        "insecure-skip-tls-verify (tokens would go to whoever answers)": settings.verify_ssl is False,
        "a tls-server-name": settings.tls_server_name,
        "a proxy before it": api.rest_client.pool_manager.proxy,
    }
    wrong = next((name for name, there in unfit.items() if there), "")
    if wrong:
        raise PermanentError(f"{way}: the demo cannot use a cluster with {wrong}")
    return Administrator(api, way)
