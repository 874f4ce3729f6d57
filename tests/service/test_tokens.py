"""At most one token is valid; every accepted checkpoint supersedes it."""

from __future__ import annotations

import re

from pytest_durable.service.tokens import Tokens


def test_there_is_no_token_before_the_first_invocation() -> None:
    assert Tokens("execution").current is None


def test_the_latest_token_is_the_current_one() -> None:
    tokens = Tokens("execution")
    tokens.rotate(1)
    latest = tokens.rotate(1)
    assert tokens.current == latest


def test_no_token_is_issued_twice() -> None:
    tokens = Tokens("execution")
    issued = [tokens.rotate(invocation) for invocation in (1, 1, 2, 2, 1)]
    assert len(set(issued)) == len(issued)


def test_two_executions_never_have_the_same_token() -> None:
    assert Tokens("one").rotate(1) != Tokens("other").rotate(1)


def test_a_token_has_the_shape_that_the_lambda_api_demands() -> None:
    token = Tokens("3b1c7a52-9d0e-4b7f-8a61-0c2d4e6f8a9b").rotate(10**6)
    assert re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", token)
    assert len(token) <= 2_048


def test_no_token_is_valid_after_all_are_revoked() -> None:
    tokens = Tokens("execution")
    tokens.rotate(1)
    tokens.revoke()
    assert tokens.current is None


def test_a_token_issued_after_a_revocation_is_a_new_one() -> None:
    tokens = Tokens("execution")
    before = tokens.rotate(1)
    tokens.revoke()
    assert tokens.rotate(1) != before
