"""Recipes as files: reading them with every fault reported at once, and the named ones that ship with earthloom."""

from earthloom.recipes.load import (
    list_named,
    load_evaluation,
    load_named,
    load_recipe,
    load_training,
    parse_evaluation,
    parse_recipe,
    parse_training,
)

__all__ = [
    "list_named",
    "load_evaluation",
    "load_named",
    "load_recipe",
    "load_training",
    "parse_evaluation",
    "parse_recipe",
    "parse_training",
]
