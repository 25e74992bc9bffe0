"""ControlNet: Stable Diffusion learns to draw one modality after another of the same ground."""
