"""Ids in AWS's shapes that are the same in every run: nothing is drawn, everything is derived."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

REGION = "us-east-1"
ACCOUNT = "123456789012"


@lru_cache(maxsize=1_024)  # all runs of a search have the same
def uuid_of(*parts: object) -> str:
    """An id in the shape of a UUID, of the parts that make it unique."""
    digest = blake2b("/".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def function_arn(name: str) -> str:
    """The ARN of a function; an ARN is what it is."""
    return name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def execution_arn(function: str, name: str, execution_id: str) -> str:
    """The ARN of an execution; the SDK finds its EXECUTION operation by the last part."""
    return f"{function_arn(function)}:$LATEST/durable-execution/{name}/{execution_id}"
