"""Fakes that behave, for opsbot's own tests and for those of its users. Nothing here talks to anything outside."""

from opsbot.testing.clock import ManualClock
from opsbot.testing.cluster import FakeCluster
from opsbot.testing.model import FakeModel, FakeModelServer
from opsbot.testing.prometheus import FakeMetrics, FakePrometheus
from opsbot.testing.slack import FakeSlack

__all__ = ["FakeCluster", "FakeMetrics", "FakeModel", "FakeModelServer", "FakePrometheus", "FakeSlack", "ManualClock"]
