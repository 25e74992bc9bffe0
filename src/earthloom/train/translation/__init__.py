"""Unpaired image translation: pictures of one look are taught to take on another (FastCUT, CycleGAN)."""
