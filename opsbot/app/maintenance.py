"""The maintenance windows of a bot at work: agent_config.yaml in, read again as it changes, the windows in force out.

All other keys hold as they were at the start.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from opsbot import config as settings
from opsbot.config import Config
from opsbot.core.errors import ConfigError
from opsbot.lab.rulebook import on_disk

LOG = logging.getLogger("opsbot.app")


class Maintenance:
    """The windows in force; `look` reads them again where the file has changed since the last time."""

    def __init__(self, config: Config) -> None:
        self.config = config
        """The settings in force: those of the start, with the windows of now."""
        self._seen: tuple[int, ...] = ()  # so that a change between the start and the first look is seen too

    def look(self) -> bool:
        """Whether other windows are in force now. A file with problems changes nothing: a warning, once a change."""
        file = self.config.file
        if file is None:
            return False
        seen = on_disk(file)
        if seen == self._seen:
            return False
        self._seen = seen
        try:
            found = settings.load(str(file))
        except ConfigError as error:
            said = "; ".join(map(str, error.problems))
            LOG.warning("%s cannot be read, the maintenance windows of before stay in force: %s", file, said)
            return False
        return self._taken_up(found)

    def _taken_up(self, found: Config) -> bool:
        before, self.config = self.config, replace(self.config, maintenance=found.maintenance)
        if found != self.config:
            LOG.warning("%s has changed: all but `maintenance` is taken up by a restart only", found.file)
        if before.maintenance == found.maintenance:
            return False
        names = ", ".join(window.name for window in found.maintenance)
        LOG.info("maintenance windows were read again: %s", names or "none")
        return True
