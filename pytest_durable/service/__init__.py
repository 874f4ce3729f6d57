"""The in-memory durable execution service: the only thing that survives a kill.

It is what AWS keeps outside of the Lambda: the journal of each execution, the checkpoint tokens, the timers, and the
decision when to invoke the handler again. The SDK talks to it through its own ``DurableServiceClient`` protocol.
"""
