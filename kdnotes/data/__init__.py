"""From files of faces to a face set.

`schemes` says what the landmarks mean, `crops` how a face is cut out, `faceset` how faces are kept.
`formats` reads what others publish or you have labelled, `synthetic` renders the embedded faces,
`prepare` makes a face set of either.
"""
