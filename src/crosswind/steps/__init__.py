"""Kinds of steps: one file each, declaring a `StepKind`. Torch is imported when a step runs."""
