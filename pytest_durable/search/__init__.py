"""Looking for a kill that breaks the durable function: calibrate, exhaust, draw; then report the smallest one found."""

from pytest_durable.search.campaign import Verification, verify
from pytest_durable.search.runner import Runner

__all__ = ["Runner", "Verification", "verify"]
