"""Faults of processes, clocks, brokers and databases, and what becomes of the tasks meanwhile.

``python -m tests.faults --seed 1`` tries all of them and prints a table.
"""
