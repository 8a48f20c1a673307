"""The hand that asks Prometheus: an expression and a time in, a complete and fresh Answer out, else Blind."""

from opsbot.prometheus.client import PrometheusClient

__all__ = ["PrometheusClient"]
