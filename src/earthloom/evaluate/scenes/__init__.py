"""Measuring what was made: how real synthetic weather looks and what it keeps of the ground, as numbers and a page."""

from __future__ import annotations

from earthloom.evaluate.scenes.comparing import EVALUATE_VERSION, evaluate_scenes
from earthloom.evaluate.scenes.config import SceneSettings, parse_settings
from earthloom.evaluate.scenes.report import SceneReport

__all__ = ["EVALUATE_VERSION", "SceneReport", "SceneSettings", "evaluate_scenes", "parse_settings"]
