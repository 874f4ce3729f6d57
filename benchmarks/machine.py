"""What it is measured on: ratios depend on it, since AWS's runner mostly sleeps, and we never do."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, version

from benchmarks import local_runner

PACKAGES = ("aws-durable-execution-sdk-python", local_runner.PACKAGE, "greenlet")


def machine() -> str:
    """Python and its build, cores, and the versions that matter, in one line."""
    versions = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
    python = f"{platform.python_implementation()} {platform.python_version()} ({build()})"
    return f"{python}, {os.cpu_count()} cores; {versions}"


def build() -> str:
    """Whether the interpreter was optimised by a profile, which makes it faster by a fifth or more."""
    configured = sysconfig.get_config_var("CONFIG_ARGS")
    if configured is None:
        return "its build does not say whether it is optimised by a profile"
    if "--enable-optimizations" in configured:
        return "optimised by a profile"
    if sys.base_prefix == "/usr" and _is_debian():  # whose rules make profile-opt, without that option
        return "Debian's, optimised by a profile"
    return "not optimised by a profile"


def _is_debian() -> bool:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in (release.get("ID"), *release.get("ID_LIKE", "").split())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
