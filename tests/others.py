"""The plugins of others, which are there to be tested beside, and which other inner runs are without."""

from __future__ import annotations

WITHOUT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_ADDOPTS": "-p durable",
    "PYTEST_PLUGINS": "_hypothesis_pytestplugin",
}
"""The environment of an inner run that leaves them out: it has ours, and Hypothesis's, which every user of ours has."""
