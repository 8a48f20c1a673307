"""Watching: rules of alerts.yaml in, alerts and incidents out."""
