"""pytest-durable measured against AWS's local runner and against its own promises, in one run."""
