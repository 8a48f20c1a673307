"""A Kubernetes cluster in memory, REST-shaped: put it under the official client, or serve it over HTTP on loopback."""

from opsbot.testing.cluster import faults
from opsbot.testing.cluster.access import EVERYTHING, READ, WRITE, Account, Rule
from opsbot.testing.cluster.apiserver import Write
from opsbot.testing.cluster.controllers.pods import Behaviour
from opsbot.testing.cluster.fake import FakeCluster
from opsbot.testing.cluster.wire import Request, Response

__all__ = ["EVERYTHING", "READ", "WRITE", "Account", "Behaviour", "FakeCluster", "Request", "Response", "Rule", "Write",
           "faults"]  # fmt: skip
