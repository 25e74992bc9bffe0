"""Dual encoders of pictures and text (CLIP: Radford et al., ICML 2021), of the shape of transformers' CLIPModel.

looks      pictures as the image tower sees them
tokens     texts as the text tower reads them; a vocabulary learnt from captions
positions  text towers stretched beyond the length that they were trained with
dual       both towers: opened, asked, saved
fresh      small ones that nobody has trained yet
contrast   which pairs belong together, and the loss over them
adapting   LoRA weights over the towers
patching   weights between those of two trainings
"""
