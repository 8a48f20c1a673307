"""Deciding: all alerts that the store knows in, incidents that fit them out, each yes and no with its reason."""
