"""The language model's door: a masked question in, an answer of the wanted shape out, or a sentence why there is none.

Nothing here knows what is asked or what becomes of the answer.
"""

from opsbot.llm.budget import Budgeted
from opsbot.llm.cache import Cached
from opsbot.llm.client import ChatModel, Settings, connect, warm

__all__ = ["Budgeted", "Cached", "ChatModel", "Settings", "connect", "warm"]
