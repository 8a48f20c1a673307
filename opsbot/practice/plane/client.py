"""A path and perhaps a body in, JSON out: the practice ground's own door to its own API server, on loopback only.

It trusts the one certificate that it is given, goes through no proxy, and tries nothing twice.
"""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from opsbot.core.errors import PermanentError
from opsbot.practice.plane.kubeconfig import Access

JSON = "application/json"
MERGE = "application/merge-patch+json"

Json = dict[str, Any]


class NoAnswer(PermanentError):
    """The server does not answer, or not like an API server."""


class Said(PermanentError):
    """The server refused: `status` is its code, the message its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Client:
    """One account at one server."""

    def __init__(self, access: Access, timeout: float = 10.0) -> None:
        self.access = access
        self._timeout = timeout
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if access.ca_file:
            trusting = ssl.create_default_context(cafile=access.ca_file)
            handlers.append(urllib.request.HTTPSHandler(context=trusting))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str) -> Json:
        """What a GET answers; NoAnswer, or Said with the server's code."""
        return self.ask("GET", path)

    def find(self, path: str) -> Json | None:
        """What a GET answers; None where the server says that there is no such thing."""
        try:
            return self.get(path)
        except Said as error:
            if error.status == 404:
                return None
            raise

    def create(self, path: str, obj: Mapping[str, Any]) -> Json:
        """POST an object to the path of its kind."""
        return self.ask("POST", path, obj)

    def patch(self, path: str, body: Mapping[str, Any]) -> Json:
        """Merge-patch the object of this path."""
        return self.ask("PATCH", path, body, MERGE)

    def delete(self, path: str) -> Json:
        """DELETE what the path names."""
        return self.ask("DELETE", path)

    def ask(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> Json:
        """One request; the JSON object of its answer."""
        raw = self.raw(method, path, body, content_type)
        try:
            found = json.loads(raw)
        except ValueError as error:
            raise NoAnswer(f"{method} {path}: the answer is no JSON") from error
        if not isinstance(found, dict):
            raise NoAnswer(f"{method} {path}: the answer is no JSON object")
        return found

    def raw(self, method: str, path: str, body: Any = None, content_type: str = JSON) -> bytes:
        """One request; the bytes of its answer."""
        known = {"Authorization": f"Bearer {self.access.token}"} if self.access.token else {}
        headers = {**known, "Accept": "*/*", "Content-Type": content_type}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.access.server + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=self._timeout) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise Said(error.code, f"{method} {path}: {error.code} {_words(error.read())}") from error
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{method} {path}: {error}") from error


def _words(body: bytes) -> str:
    """The message of a Status object, or else the beginning of what was said."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode("utf-8", "replace").strip()
