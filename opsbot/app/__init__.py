"""Where parts meet: `connect` makes the hands, `build` the agents, `Bot` sets them to work.

The only room that reads the clock.
"""

from opsbot.app.agents import Agents, Bot, access, build
from opsbot.app.hands import Hands, clock, connect

__all__ = ["Agents", "Bot", "Hands", "access", "build", "clock", "connect"]
