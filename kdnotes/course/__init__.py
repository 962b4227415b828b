"""The course's own steps, which notebooks and commands share.

`profiles` holds every size, `recipes` trains what the course trains, `checks` looks at the
exercises.
"""
