"""The exponential moving average of the weights that are trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import nn


class MovingAverage:
    """Weights that follow the `parameters`, from where those are now (Jiang et al. 2020, for SMART's proximal
    part; Tarvainen & Valpola 2017, equation 1). They lie where the parameters lie and take as much memory."""

    def __init__(self, parameters: Mapping[str, nn.Parameter]) -> None:
        self._parameters = parameters
        self.weights = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def update(self, momentum: float) -> None:
        """After a step: `momentum` of what they were, the rest of what the parameters are."""
        for name, parameter in self._parameters.items():
            self.weights[name].mul_(momentum).add_(parameter, alpha=1 - momentum)

    @torch.no_grad()
    def put(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Go on from the weights of a checkpoint."""
        for name, value in weights.items():
            self.weights[name].copy_(value)

    @contextlib.contextmanager
    def exchanged(self) -> Iterator[None]:
        """Within it the parameters hold the average; no pass through them may be open."""
        now = {name: p.data for name, p in self._parameters.items()}
        try:
            for name, parameter in self._parameters.items():
                parameter.data = self.weights[name]
            yield
        finally:
            for name, parameter in self._parameters.items():
                parameter.data = now[name]
