"""Measuring what was made: how real synthetic weather looks and how much of the ground it keeps, as numbers and a page."""

from __future__ import annotations

from earthloom.evaluate.config import SceneSettings
from earthloom.evaluate.report import SceneReport
from earthloom.evaluate.scenes import EVALUATE_VERSION, evaluate_scenes

__all__ = ["EVALUATE_VERSION", "SceneReport", "SceneSettings", "evaluate_scenes"]
