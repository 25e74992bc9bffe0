"""Common test sets by name, in the layouts in which they are handed out.

names     which there are, and what is published about each
config    a recipe's fields: pictures of one's own, or a benchmark and where it lies
opening   either as one set of pictures
classes   folders of classes, or a tar of them
captions  captions in Karpathy's JSON, or as lines of JSON, and their pictures
files     the pictures below a folder and in its tars
words     class names and prompt templates
"""
