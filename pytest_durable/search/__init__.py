"""The search: fault-free run, every single fault, drawn plans and schedules; and the same around a whole test."""

from pytest_durable.search.body import Around, around
from pytest_durable.search.campaign import Budget, Verification, verify
from pytest_durable.search.runner import Runner

__all__ = ["Around", "Budget", "Runner", "Verification", "around", "verify"]
