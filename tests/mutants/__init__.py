"""The list of mutants, by room, and the command that makes them one at a time."""

from tests.mutants import checking, importing, running, wire

MUTANTS = [*running.MUTANTS, *wire.MUTANTS, *checking.MUTANTS, *importing.MUTANTS]
"""A guarantee that is added brings its own."""
