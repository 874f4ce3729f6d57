"""The search: fault-free run, every single fault, drawn plans and schedules; and the same around a whole test."""

from pytest_durable.search.body import Around, around
from pytest_durable.search.campaign import Verification, verify
from pytest_durable.search.phases import Budget, Tried
from pytest_durable.search.runner import Runner

__all__ = ["Around", "Budget", "Runner", "Tried", "Verification", "around", "verify"]
