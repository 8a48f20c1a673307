"""Webhooks: payloads of several senders in, alerts in the store out."""
