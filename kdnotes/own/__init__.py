"""Your own landmarks: label a few pictures, let a teacher label the rest, distil.

labels     the table of labels, which is saved after every change: start here
figure     the figure that one labels with, in a notebook
serve      the same on a page of its own, made by pages; making is the page of a scheme
project    a folder of pictures, and what is made of them
steps      teach, propose, distil; looks says where the teacher is unsure
example    a folder of rendered leaves to try it on
"""
