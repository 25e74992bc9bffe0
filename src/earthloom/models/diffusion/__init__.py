"""Diffusion as plain mathematics on tensors: noise schedules, weights of losses, samplers. No network is in here."""
