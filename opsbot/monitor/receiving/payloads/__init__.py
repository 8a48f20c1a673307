"""What webhooks send: bytes of anybody in, Push values and what could not be taken out, or a named refusal.

Pure: nothing is asked, saved or masked here, and no clock is read. One module for each sender.
"""

from opsbot.monitor.receiving.payloads.form import Fault, Payload
from opsbot.monitor.receiving.payloads.reading import value

__all__ = ["Fault", "Payload", "value"]
