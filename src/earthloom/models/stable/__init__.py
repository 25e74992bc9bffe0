"""Stable Diffusion, which others trained: its parts, and what is laid over them.

    parts       UNet, autoencoder, text encoders and tokenizers, loaded from a pipeline on this machine
    text        prompts to what the UNet takes
    latents     pictures to latents and back
    drawing     from noise to pictures
    lora        LoRA over UNet and text encoders
    lora_names  what layers are called in files
    lora_files  files that diffusers and kohya's programs read, and theirs
    control     ControlNet
    metadata    facts of a picture as words and as tokens
    exports     what a folder of trained weights says of itself

Nothing is downloaded.
"""
