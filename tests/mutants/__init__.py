"""The list of mutants, by room, and the command that makes them one at a time."""

from tests.mutants import checking, importing, keeping, running, wire

MUTANTS = [
    *running.MUTANTS,
    *keeping.MUTANTS,
    *wire.MUTANTS,
    *checking.MUTANTS,
    *importing.MUTANTS,
]
"""A guarantee that is added brings its own."""
