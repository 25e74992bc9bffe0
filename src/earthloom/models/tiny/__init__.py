"""A small diffusion model that draws pictures from words and facts: made from scratch, run on a CPU."""
