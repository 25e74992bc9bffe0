"""The former place of `earthloom.models.weights.adapters`."""

from earthloom.models.weights.adapters import merge_adapter as merge_adapter
