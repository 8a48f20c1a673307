"""A folder and the places of its files in, the command lines of the plane's programs out, and what they must be told.

Every program listens on loopback alone, keeps all that it writes in the folder, and sees nothing of the user's own
environment. etcd has no port at all: it listens on a socket in the folder, which nobody else can enter.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice.keeper import PORT
from opsbot.practice.processes import room

STAGES = Path(__file__).parent.parent / "stages"
"""What kwok does to nodes and pods; every file in there counts."""

SOCKET, PEERS = "etcd:1", "etcd:2"
"""Sockets in the folder. etcd wants its own addresses to look like HOST:PORT, whatever they are."""

CERTIFICATE, KEY = "cert.pem", "key.pem"
NAMES = ("127.0.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
LOGS_OF_PODS = ("Logs", "ClusterLogs")
"""Kinds of kwok's by which pods get log files; they are objects of the plane, so that they can come and go."""

_IDLE = ("nodeipam", "route", "service-lb-controller", "cloud-node-lifecycle-controller")
_OPEN = "/healthz,/livez,/readyz,/metrics"  # what a server tells without asking who wants to know


def certify(folder: Path, programs: Path) -> None:
    """Make a certificate that is its own authority, and its key, in the folder; PermanentError where that fails.

    The key signs tokens of service accounts, too.
    """
    command = [
        str(programs / "generate_cert"), "--ca", "--ecdsa-curve=P256", f"--host={','.join(NAMES)}", "--duration=8760h",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        said = " | ".join(done.stderr.split("\n")).strip(" |") or f"exit code {done.returncode}"
        raise PermanentError(f"no certificate can be made for the plane: {said}{room(said, folder)}")
    (folder / KEY).chmod(0o600)


def etcd(folder: Path, programs: Path) -> list[str]:
    """The store. What it holds need not survive the machine, so it does not wait for the disk."""
    return _alone(
        folder, programs / "etcd", name="practice", data_dir="etcd", unsafe_no_fsync="true", log_level="warn",
        listen_client_urls=f"unix://{SOCKET}", advertise_client_urls=f"unix://{SOCKET}",
        listen_peer_urls=f"unix://{PEERS}", initial_advertise_peer_urls=f"unix://{PEERS}",
        initial_cluster=f"practice=unix://{PEERS}",
    )  # fmt: skip


def apiserver(folder: Path, programs: Path) -> list[str]:
    """The API server; RBAC decides, tokens.csv says who is who, and audit.yaml what is written down."""
    return _alone(
        folder, programs / "kube-apiserver", etcd_servers=f"unix://{SOCKET}", bind_address="127.0.0.1",
        advertise_address="127.0.0.1", secure_port=PORT, tls_cert_file=CERTIFICATE, tls_private_key_file=KEY,
        token_auth_file="tokens.csv", anonymous_auth="false", authorization_mode="RBAC,Node",  # noqa: S106
        service_account_issuer="https://kubernetes.default.svc", service_account_key_file=CERTIFICATE,
        service_account_signing_key_file=KEY, service_cluster_ip_range="10.96.0.0/16",
        endpoint_reconciler_type="none", kubelet_preferred_address_types="InternalIP",
        kubelet_certificate_authority=CERTIFICATE, allow_privileged="true", profiling="false",
        audit_policy_file="audit.yaml", audit_log_path="audit.log", audit_log_maxsize="100", audit_log_maxbackup="5",
    )  # fmt: skip


def controllers(folder: Path, programs: Path) -> list[str]:
    """All controllers but those that need a cloud.

    Each one has an account of its own, made at the start: at the usual 20 requests a second that takes 5 s.
    """
    return _alone(
        folder, programs / "kube-controller-manager", kubeconfig="controllers.kubeconfig", bind_address="127.0.0.1",
        secure_port=PORT, tls_cert_file=CERTIFICATE, tls_private_key_file=KEY, leader_elect="false",
        authorization_always_allow_paths=_OPEN, use_service_account_credentials="true", root_ca_file=CERTIFICATE,
        service_account_private_key_file=KEY, controllers=",".join(["*", *(f"-{name}" for name in _IDLE)]),
        kube_api_qps="500", kube_api_burst="1000", profiling="false",
    )  # fmt: skip


def scheduler(folder: Path, programs: Path) -> list[str]:
    """The scheduler."""
    return _alone(
        folder, programs / "kube-scheduler", kubeconfig="scheduler.kubeconfig", bind_address="127.0.0.1",
        secure_port=PORT, tls_cert_file=CERTIFICATE, tls_private_key_file=KEY, leader_elect="false",
        authorization_always_allow_paths=_OPEN, profiling="false",
    )  # fmt: skip


def kwok(folder: Path, programs: Path) -> list[str]:
    """What plays nodes and pods by Stages. The API server asks it for logs, as it would ask a kubelet."""
    stages = [word for file in sorted(STAGES.glob("*.yaml")) for word in ("--config", str(file))]
    return [
        *_alone(
            folder, programs / "kwok", kubeconfig="kwok.kubeconfig", manage_all_nodes="true", node_ip="127.0.0.1",
            node_name="kwok", node_port=PORT, server_address=f"127.0.0.1:{PORT}", tls_cert_file=CERTIFICATE,
            tls_private_key_file=KEY, enable_crds=",".join(LOGS_OF_PODS),
        ),
        *stages,
    ]  # fmt: skip


def _alone(folder: Path, program: Path, **flags: str) -> list[str]:
    """A command line in an empty environment: no proxy, no kubeconfig and no home of the user's."""
    words = [f"--{name.replace('_', '-')}={value}" for name, value in flags.items()]
    return ["env", "-i", f"HOME={folder}", "PATH=/usr/bin:/bin", str(program), *words]


# what the programs read ---------------------------------------------------------------------------------------------


def tokens_file(tokens: Mapping[str, str], groups: Mapping[str, str]) -> str:
    """The text of tokens.csv: token, name, number, groups (docs: kubernetes.io, "Static token file")."""
    rows = (
        f'{token},{name},{number},"{groups.get(name, "")}"\n' for number, (name, token) in enumerate(tokens.items())
    )
    return "".join(rows)


def audit_policy(watched: Sequence[str], silent: Sequence[str]) -> str:
    """The text of audit.yaml, as JSON.

    Writes are kept with their bodies, whoever made them, but for the `silent` users, who are the plane itself. Reviews
    ("may I") are no writes. Of the `watched` users it is kept what they read, too, without bodies.
    """
    import json

    writes = ["create", "update", "patch", "delete", "deletecollection"]
    reviews = [{"group": "authorization.k8s.io"}, {"group": "authentication.k8s.io"}]
    rules = [
        {"level": "None", "users": list(silent)},
        {"level": "None", "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
        {"level": "None", "resources": reviews},
        {"level": "Request", "verbs": writes},
        {"level": "Metadata", "users": list(watched)},
        {"level": "None"},
    ]
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
    return json.dumps(policy, indent=1)
