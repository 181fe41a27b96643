"""How fast the package is, beside what one would otherwise use: ``python -m benchmarks``."""
