"""Text-to-image LoRA: Stable Diffusion 1.x, 2.x or XL learns what satellite pictures of given words look like."""
