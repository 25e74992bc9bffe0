"""What draws pictures from words: one protocol over our own networks and those of others.

briefs      what is asked for and what comes back
opening     which generator a name, a file or a folder is
painting    the tiny painter
stable      Stable Diffusion with LoRA and ControlNet over it
"""
