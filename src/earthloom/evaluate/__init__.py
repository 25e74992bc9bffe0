"""Measuring what was made: how real synthetic weather looks and what it keeps of the ground, as numbers and a page."""

from __future__ import annotations

from earthloom.evaluate.config import SceneSettings, parse_settings
from earthloom.evaluate.report import SceneReport
from earthloom.evaluate.scenes import EVALUATE_VERSION, evaluate_scenes

__all__ = ["EVALUATE_VERSION", "SceneReport", "SceneSettings", "evaluate_scenes", "parse_settings"]
