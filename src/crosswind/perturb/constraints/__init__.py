"""Constraints, one a file: each declares itself (see `perturb/constraint.py`)."""
