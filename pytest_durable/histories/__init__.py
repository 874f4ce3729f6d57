"""Recorded histories: reading them, replaying them with the code of today, writing them; and upgrades in flight."""

from pytest_durable.histories.checked import Histories, Replayed

__all__ = ["Histories", "Replayed"]
