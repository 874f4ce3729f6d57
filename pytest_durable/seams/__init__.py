"""The seams: the names in the SDK's modules, and in the user's world, behind which our primitives stand.

Everything here is installed for the time of a run and taken back after it. The SDK's logic is not touched: what is
swapped is what it imports from the standard library, and what is wrapped (`observe`) calls the original.
"""
