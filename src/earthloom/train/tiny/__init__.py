"""A small diffusion model, trained from scratch on pictures with words."""
