"""Stand-ins for the standard library's blocking primitives, one file for each kind, on top of the engine.

They block only the simulated thread that calls them, in virtual time, and raise `Killed` instead of blocking once the
process of that thread is dead. Whatever does not block works outside of the simulation as well.
"""
