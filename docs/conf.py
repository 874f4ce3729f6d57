"""How Sphinx builds the documentation: ``make docs``."""

from __future__ import annotations

import pytest_durable

project = "pytest-durable"
author = "the pytest-durable authors"
project_copyright = "the pytest-durable authors, Apache-2.0"
release = version = pytest_durable.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
default_role = "code"  # a single backtick in a docstring names code

html_theme = "furo"
html_title = "pytest-durable"
exclude_patterns = ["_build"]
