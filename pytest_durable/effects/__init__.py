"""The effect ledger: what the outside world saw, and who did it."""

from pytest_durable.effects.ledger import EffectLedger
from pytest_durable.service.effects import Effect

__all__ = ["Effect", "EffectLedger"]
