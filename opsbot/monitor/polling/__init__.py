"""Asking Prometheus: rules that are due in, alerts in the store out."""
