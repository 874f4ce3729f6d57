"""Process isolation: each invocation runs in a forked child, and a kill is a real ``SIGKILL``.

The parent is the service: it holds the journal, the timers, the records and the clock. The child runs the SDK and the
handler, in a small world of its own whose time moves only when the parent says so. What the handler asks for, and what
it stores, goes over a pipe as it happens: so whatever was told before a kill is known after it.
"""
