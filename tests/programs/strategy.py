"""Draws programs in which nothing depends on which thread is the first."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from tests.programs.language import (
    Batch,
    Block,
    Child,
    Completion,
    Node,
    Poll,
    Program,
    Step,
    Wait,
    may_fail,
    suspensions,
)

NAMES = st.sampled_from([None, "a", "b", "pay", "ship it", "a/b", "x@2"])
VALUES = st.sampled_from([None, True, 7, -0.5, "", "Grüße", [1, None], {"k": [2]}])
RARELY = st.sampled_from([False, False, False, True])

STEPS = st.builds(
    Step,
    NAMES,
    VALUES,
    failures=st.sampled_from([0, 0, 1, 2]),
    tries=st.integers(1, 3),
    at_most_once=RARELY,
    caught=st.booleans(),
)
WAITS = st.builds(Wait, NAMES, st.sampled_from([1, 2, 30]))
POLLS = st.builds(Poll, NAMES, polls=st.integers(1, 3), tries=st.integers(1, 3), caught=st.booleans())
LEAVES: st.SearchStrategy[Node] = st.one_of(STEPS, STEPS, WAITS, POLLS)

COMPLETIONS = st.one_of(
    st.sampled_from([Completion(), Completion(), Completion("all"), Completion("first")]),
    st.builds(Completion, st.just("tolerate"), st.integers(0, 2)),
    st.builds(Completion, st.just("predicate"), st.integers(0, 3)),
)


def _decided(batch: Batch) -> Batch:
    """The batch, one branch at a time if it may end while others run: which of them, threads would decide by chance."""
    if not batch.branches and batch.completion.kind == "first":
        batch = replace(batch, completion=Completion())  # the SDK refuses to wait for one of none
    certain = batch.completion.waits_for_all and not any(may_fail(node) for branch in batch.branches for node in branch)
    return batch if certain or batch.completion.kind == "all" else replace(batch, limit=1)


def _composites(bodies: st.SearchStrategy[Program]) -> st.SearchStrategy[Node]:
    return st.one_of(
        st.builds(Child, NAMES, bodies, virtual=RARELY, large=RARELY, fails=RARELY, caught=st.booleans()),
        st.builds(
            Block,
            NAMES,
            bodies,
            failures=st.sampled_from([0, 1]),
            tries=st.integers(1, 2),
            wrapped=st.booleans(),
            caught=st.booleans(),
        ),
        st.builds(
            Batch,
            st.sampled_from(["map", "parallel"]),
            NAMES,
            st.lists(bodies, max_size=3).map(tuple),
            limit=st.sampled_from([None, None, 1, 2]),
            completion=COMPLETIONS,
            flat=RARELY,
            named=RARELY,
            throws=st.booleans(),
            caught=st.booleans(),
        ).map(_decided),
    )


def _bodies(nodes: st.SearchStrategy[Node], least: int) -> st.SearchStrategy[Program]:
    return st.lists(nodes, min_size=least, max_size=3).map(tuple)


def programs(depth: int = 2, most_suspensions: int = 8) -> st.SearchStrategy[Program]:
    """Programs of at most ``depth`` levels of contexts; each suspension costs a slow runner a tenth of a second."""
    nodes = LEAVES
    for _ in range(depth):
        nodes = st.one_of(LEAVES, _composites(_bodies(nodes, 0)))
    top = _bodies(st.one_of(nodes, _composites(_bodies(nodes, 1))), 1) if depth else _bodies(nodes, 1)
    return top.filter(lambda program: suspensions(program) <= most_suspensions)
