"""Experiments: a question, the steps that answer it, and the answer in numbers with their intervals.

config        what the file of an experiment says
references    `$name` in it: values of a size, folders of earlier steps
loading       a file as an experiment: every step's recipe checked before any work
shipped       the experiments that come with earthloom
doing         one step: build, train, generate or evaluate
running       all of them, those that are done already left alone
pairing       two sets drawn from the same prompts, held against each other prompt by prompt
answering     figures of the results as answers
wording       answers in words
summary       all that was found, as text, as plain values and as a page
"""
