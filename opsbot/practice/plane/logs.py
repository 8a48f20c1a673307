"""A folder of log files in, pods that have these logs out: kwok is told of each file by an object of the plane.

kwok takes no pattern for the names of log files, so that a pod which appears later needs an object of its own.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from opsbot.core.errors import PermanentError
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.setup import create

GLANCE = 0.3
"""Seconds between two looks into the folder."""


class LogBook:
    """Looks after a folder in a thread of its own, from `follow` until `end`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: set[str] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, folder: Path) -> None:
        """Serve `POD.log` of this folder as the log of every pod that is called POD."""
        self._thread = threading.Thread(target=self._watch, args=(folder,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more; comes back when the last look is over."""
        self._over.set()
        if self._thread:
            self._thread.join()

    def _watch(self, folder: Path) -> None:
        while not self._over.wait(GLANCE):
            with suppress(PermanentError):  # a namespace that goes, a busy server: the next look may do
                self.look(folder)

    def look(self, folder: Path) -> None:
        """Tell kwok of the files that are new."""
        for file in sorted(folder.glob("*.log")):
            if file.stem not in self._known:
                self._tell(file)

    def _tell(self, file: Path) -> None:
        found = self._client.get(f"/api/v1/pods?fieldSelector={quote(f'metadata.name={file.stem}')}")
        for pod in found["items"]:
            create(self._client, of_pod(pod["metadata"]["namespace"], file.stem, file))
            self._known.add(file.stem)


def of_pod(namespace: str, pod: str, current: Path, previous: Path | None = None) -> dict[str, object]:
    """The object by which kwok knows the log files of a pod (CRI form), the one before a restart included."""
    files = {"logsFile": str(current)} | ({"previousLogsFile": str(previous)} if previous else {})
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs", "metadata": {"name": pod, "namespace": namespace},
        "spec": {"logs": [{**files, "follow": False}]},
    }  # fmt: skip
