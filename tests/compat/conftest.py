from __future__ import annotations

collect_ignore = ["suite"]  # it is run by test_suite, once on each of the runners
