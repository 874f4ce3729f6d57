"""Faults: where an invocation can be killed, plans of such kills as text, and carrying a plan out."""

from pytest_durable.faults.injector import Injector
from pytest_durable.faults.plan import WHERE, Fault, FaultPlan

__all__ = ["WHERE", "Fault", "FaultPlan", "Injector"]
