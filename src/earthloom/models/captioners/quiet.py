"""The former place of `earthloom.models.weights.quiet`."""

from earthloom.models.weights.quiet import quiet as quiet
