"""Faults: where they can strike, plans of them as text, carrying a plan out; and thread schedules."""

from pytest_durable.faults.injector import Injector
from pytest_durable.faults.plan import ANY, WHERE, Fault, FaultPlan
from pytest_durable.faults.schedule import Deviation, Schedule

__all__ = ["ANY", "WHERE", "Deviation", "Fault", "FaultPlan", "Injector", "Schedule"]
