"""``python -m benchmarks`` measures how fast the package is beside what one would otherwise use."""
