"""Crosswind: does zero-shot cross-lingual transfer survive adversarial perturbation?"""

__version__ = "0.1.0"
