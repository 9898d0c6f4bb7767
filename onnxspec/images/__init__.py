"""Labelled images in: from folders, archives, array files and Python data to pixels and model inputs.

opening      `open_images`: whatever holds images becomes an `ImageSet` (`dataset`), of files as `listing` has them
probe        images that are made where there are none
classes      which output of a model stands for which class
preprocess   from an image to a model's input (`inputspec`); `presets`, `processors` and `convention` say how
cache        prepared pixels of the images that a plan uses
"""
