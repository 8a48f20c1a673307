"""Services and Ingresses that lead nowhere. The EndpointSlices are the endpoint controller's own."""

from __future__ import annotations

from typing import Any

from opsbot.practice.faults.fault import Fault, Look, Obj, slug
from opsbot.practice.faults.parts import READY, deployment, event, made, service, told

_HOST = "shop.example"
_UNWELL = "HTTP probe failed with statuscode: 503"  # pkg/probe/http/http.go


def _ingress(name: str, backend: str = "", **spec: Any) -> Obj:
    to = {"service": {"name": backend or slug(name), "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": to}]
    return made("networking.k8s.io/v1", "Ingress", name, {"rules": [{"host": _HOST, "http": {"paths": paths}}], **spec})


def _slice(**where: str) -> Look:
    return Look("EndpointSlice", {key.replace("__", "."): pattern for key, pattern in where.items()})


FAULTS: tuple[Fault, ...] = (
    Fault(
        "service_selects_nothing", "its Service selects a label that no pod has",
        (service("service_selects_nothing", "shop-frontend"), deployment("service_selects_nothing", replicas=2)),
        (READY, _slice(endpoints="")), about="service/service-selects-nothing",
    ),
    Fault(
        "service_selects_others", "its Service selects the pods of another workload",
        (service("service_selects_others", "service-selects-others-old"), deployment("service_selects_others"),
         deployment("service_selects_others", suffix="-old")),
        (_slice(endpoints__targetRef__name="^service-selects-others-old-"),), about="service/service-selects-others",
    ),
    Fault(
        "service_wrong_port", "its Service sends to a port by a name that its pods do not know",
        (service("service_wrong_port", port="web"),
         deployment("service_wrong_port", None, {"ports": [{"name": "http", "containerPort": 8080}]})),
        (READY, _slice(ports="")), about="service/service-wrong-port",
    ),
    Fault(
        "no_ready_endpoints", "none of the pods behind its Service is ready",
        (service("no_ready_endpoints"),
         deployment("no_ready_endpoints", told(probe="readiness", probe_message=_UNWELL),
                    {"readinessProbe": {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 5}})),
        (_slice(endpoints__conditions__ready="false"), event("Unhealthy", "Readiness probe failed: .* 503")),
        about="service/no-ready-endpoints",
    ),
    Fault(
        "ingress_no_class", "its Ingress names no class, and the cluster has no default one",
        (_ingress("ingress_no_class"), service("ingress_no_class"), deployment("ingress_no_class")),
        (READY, Look("Ingress", {"spec.rules.host": _HOST, "spec.ingressClassName": "",
                                 "status.loadBalancer.ingress": ""})),
        about="ingress/ingress-no-class",
    ),
    Fault(
        "ingress_no_service", "its Ingress sends to a Service that is not there",
        (_ingress("ingress_no_service", "shop-frontend", ingressClassName="nginx"), deployment("ingress_no_service")),
        (READY, Look("Ingress", {"spec.rules.http.paths.backend.service.name": "^shop-frontend$"})),
        about="ingress/ingress-no-service",
    ),
    Fault(
        "ingress_no_tls_secret", "its Ingress names a certificate that is not there",
        (_ingress("ingress_no_tls_secret", ingressClassName="nginx",
                  tls=[{"hosts": [_HOST], "secretName": "shop-tls"}]),
         service("ingress_no_tls_secret"), deployment("ingress_no_tls_secret")),
        (READY, Look("Ingress", {"spec.tls.secretName": "^shop-tls$"})), about="ingress/ingress-no-tls-secret",
    ),
)  # fmt: skip
