"""The engine: simulated threads, simulated processes and virtual time. It knows no AWS, no pytest, no Hypothesis."""

from pytest_durable.engine.blocking import block, undisturbed, wake, wake_all
from pytest_durable.engine.clock import MICROS, VirtualClock, at, micros_ahead, micros_in, micros_of
from pytest_durable.engine.scheduler import FirstInFirstOut, Scheduler
from pytest_durable.engine.task import (
    Killed,
    Process,
    Task,
    current_task,
    origin_of,
    place_of,
    user_frame,
)
from pytest_durable.engine.trace import Trace
from pytest_durable.engine.world import Stop, World

__all__ = [
    "MICROS",
    "FirstInFirstOut",
    "Killed",
    "Process",
    "Scheduler",
    "Stop",
    "Task",
    "Trace",
    "VirtualClock",
    "World",
    "at",
    "block",
    "current_task",
    "micros_ahead",
    "micros_in",
    "micros_of",
    "origin_of",
    "place_of",
    "undisturbed",
    "user_frame",
    "wake",
    "wake_all",
]
