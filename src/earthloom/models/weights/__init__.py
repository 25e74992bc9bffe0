"""What others trained: found on disk, checked for being whole, and told apart, before any of it is loaded.

    headers             what a safetensors file holds, read from its header
    fingerprints        files told apart by their content
    saving              safetensors files of our own, the same bytes for the same content
    places              a folder, or a name in the Hub's cache; what to download where it is missing
    origins             name, revision, licence and fingerprint of a model
    folders             the weights in a folder: one file, shards, half precision
    transformers_files  a model of transformers
    pipelines           a pipeline of diffusers and its parts
    adapters            LoRA weights as peft saves them
    quiet               the libraries without their remarks

Nothing is downloaded, no code that comes with a model is run, and pickles are refused unless they are trusted.
"""
