"""Chance in user code, while a durable context is open: in a simulated thread it comes from the seed of the run.

As in production every invocation, and so every attempt of a step, draws anew; unlike there it draws the same when the
run is repeated. Everything is caught at its source: ``uuid`` and ``secrets`` ask ``os.urandom``, the functions of
``random`` ask two methods of one generator, and a generator without a seed is given one when it is made. Outside of a
simulated thread all of them are the real ones, whose state nothing here touches.
"""

from __future__ import annotations

import functools
import os
import random
import sys
import uuid
from collections.abc import Callable
from typing import Any

from pytest_durable.engine import current_task
from pytest_durable.seams.libraries import Holder, StandIn
from pytest_durable.seams.reads import tell

_SEED_BITS = 256


def _drawing(name: str, is_told: bool = True) -> StandIn:
    """One function of the module ``random``, on the generator of the process instead of the shared one."""
    original = getattr(random, name)

    @functools.wraps(original)
    def drawn(*args: Any, **named: Any) -> Any:
        task = current_task()
        if task is None:
            return original(*args, **named)
        if is_told:
            tell(sys._getframe(1), f"random.{name}()", "random")
        return getattr(task.process.chance, name)(*args, **named)

    return StandIn(name, original, drawn)


_real_urandom, _real_uuid1, _real_seed = os.urandom, uuid.uuid1, random.Random.seed


def _urandom(size: int, /) -> bytes:
    task = current_task()
    if task is None:
        return _real_urandom(size)
    tell(sys._getframe(1), "os.urandom()", "SystemRandom")
    return task.process.chance.randbytes(size)


@functools.wraps(_real_uuid1)
def _uuid1(node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    """Stands in for ``uuid.uuid1``: a process is a machine of its own, and knows nothing of those before it."""
    task = current_task()
    if task is None:
        return _real_uuid1(node, clock_seq)
    tell(sys._getframe(1), "uuid.uuid1()", "random")
    chance, module = task.process.chance, vars(uuid)
    before, module["_last_timestamp"] = module["_last_timestamp"], chance.latest
    try:
        multicast = 1 << 40  # as of a machine without an address that it could give
        return _real_uuid1(
            chance.getrandbits(48) | multicast if node is None else node,
            chance.getrandbits(14) if clock_seq is None else clock_seq,
        )
    finally:
        chance.latest, module["_last_timestamp"] = module["_last_timestamp"], before


@functools.wraps(_real_seed)
def _seed(self: random.Random, a: Any = None, version: int = 2) -> None:
    """Stands in for the method by which every generator is seeded: without a seed, from the process."""
    if a is None and not isinstance(self, random.SystemRandom):
        task = current_task()
        if task is not None:
            tell(sys._getframe(1), "random.Random()", "Random")
            a = task.process.chance.getrandbits(_SEED_BITS)
    _real_seed(self, a, version)


_OF_THE_GENERATOR = (_drawing("random"), _drawing("getrandbits"))
"""Which the other functions of the module ask for by ``self``."""

_OTHERS = (_drawing("gauss"), *(_drawing(name, is_told=False) for name in ("seed", "getstate", "setstate")))
_URANDOM = StandIn("urandom", _real_urandom, _urandom)
_UUID1 = StandIn("uuid1", _real_uuid1, _uuid1)
_GENERATOR: Any = vars(random)["_inst"]  # of which all functions of the module are methods

BY_NAME = (*_OF_THE_GENERATOR, *_OTHERS, _URANDOM, _UUID1)
"""What users import by name."""

HOMES = (random, os, uuid)
"""Where those are at home."""

_PLACES = (
    *(Holder(random, one.name, one) for one in (*_OF_THE_GENERATOR, *_OTHERS)),
    Holder(random, "_urandom", _URANDOM),
    Holder(os, "urandom", _URANDOM),
    Holder(uuid, "uuid1", _UUID1),
    Holder(random.Random, "seed", StandIn("seed", _real_seed, _seed)),
)


def swap() -> Callable[[], None]:
    """Put the stand-ins in place; what somebody else has put there is left. Returns what takes them back."""
    places = [place for place in _PLACES if vars(place.module).get(place.name) is place.what.original]
    own = [one for one in _OF_THE_GENERATOR if one.name not in vars(_GENERATOR)]
    for place in places:
        setattr(place.module, place.name, place.what.stand_in)
    for one in own:
        setattr(_GENERATOR, one.name, one.stand_in)  # found before the method of its class

    def back() -> None:
        for one in own:
            if vars(_GENERATOR).get(one.name) is one.stand_in:
                delattr(_GENERATOR, one.name)
        for place in places:
            if vars(place.module).get(place.name) is place.what.stand_in:
                setattr(place.module, place.name, place.what.original)

    return back
