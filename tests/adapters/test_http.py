from __future__ import annotations

import pytest

from pytest_durable.adapters.http import has_arrived, request_of


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "get"])
def test_a_safe_method_is_no_effect(method: str) -> None:
    assert request_of(method, "https://bank.example/charges", "k") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post"])
def test_any_other_is_one_keyed_by_its_header(method: str) -> None:
    assert request_of(method, "https://bank.example/charges?x=1#y", "k") == (
        f"{method.upper()} https://bank.example/charges",
        "k",
    )
    assert request_of(method, "https://bank.example/charges", b"k") == (
        f"{method.upper()} https://bank.example/charges",
        "k",
    )


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_what_http_allows_to_repeat_is_keyed_by_its_url_without_the_query(method: str) -> None:
    effect = request_of(method, "https://me:secret@files.example:8443/a/7?signature=1&date=2", None)
    assert effect == (f"{method} https://files.example/a/{{id}}", "https://files.example:8443/a/7")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("key", [None, "", b""])
def test_what_it_does_not_has_no_key_without_the_header(method: str, key: str | bytes | None) -> None:
    effect = request_of(method, "https://bank.example/charges", key)
    assert effect is not None
    assert effect.key is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example/"),
        ("http://127.0.0.1:54321/charges", "http://127.0.0.1/charges"),
        ("https://a.example/v2/orders/7/lines", "https://a.example/v2/orders/{id}/lines"),
        ("https://a.example/o/5f0c8e1e-4c9e-4a3b-9c53-1d4d3c0d7c11/x", "https://a.example/o/{id}/x"),
        ("https://a.example/users/ab12/mail", "https://a.example/users/{id}/mail"),
        ("https://a.example/v2x/mail", "https://a.example/{id}/mail"),
    ],
)
def test_what_varies_from_run_to_run_is_not_in_the_name(url: str, name: str) -> None:
    effect = request_of("POST", url, None)
    assert effect is not None
    assert effect.name == f"POST {name}"


@pytest.mark.parametrize(
    ("status", "arrived"),
    [(200, True), (201, True), (204, True), (303, True), (302, False), (307, False), (400, False), (500, False)],
)
def test_an_error_is_a_refusal(status: int, arrived: bool) -> None:
    assert has_arrived(status) is arrived
