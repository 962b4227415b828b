"""What makes a result once: experiments, peers, benchmarks, the networks that ship.

Nothing here is needed to take the course; its numbers are in `kdnotes/results/`.
"""
