"""Image-to-text models that others trained, run on this machine: BLIP-2 first, and what else transformers has.

    files      where a model lies, found without torch
    memory     what it needs and what there is
    families   how each kind of model is asked
    captioner  pictures in, texts out, as many at a time as the memory holds
    loading    from files to a captioner

Nothing is downloaded, and no code that comes with a model is run.
"""
