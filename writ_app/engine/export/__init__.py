"""From trajectories to files that trainers read, and back.

`records` holds the canonical form, `folder` a dataset of it in files. `walk` goes over a record as every format for a trainer
does, after `lint` has looked whether any may have it; `formats` has a module for each, `writing` makes their files, `tokens`
counts. Nothing here knows of databases; memory does not grow with the dataset.
"""
