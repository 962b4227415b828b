"""Your own landmarks: label a few pictures, let a teacher label the rest, distil.

labels     the table of labels, which is saved after every change: start here
figure     the figure that one labels with, in a notebook
serve      the same on a page of its own
"""
