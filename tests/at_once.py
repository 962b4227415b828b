"""Several who want to make the same thing. Threads stand for processes: they wait for their turn in
the same way, and cost no start."""

import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

from kdnotes.system import files


def at_once(path, make, capsys, n=3):
    """Calls `make` in `n` threads, which all wait for their turn at `path` before the first begins.

    What is captured is read once, at the end: pytest loses what a thread prints while it reads.

    Returns:
        What they returned, and what they printed.
    """
    capsys.readouterr()
    waiting = f"another process is at work on {path}: waiting for it"
    with patch.object(files, "print", create=True, wraps=print) as said, ThreadPoolExecutor(n) as p:
        with files.turn(path):
            threads = [p.submit(make) for _ in range(n)]
            while [call.args for call in said.call_args_list].count((waiting,)) < n:
                assert not any(thread.done() for thread in threads), threads[0].result()
                time.sleep(0.01)
        results = [thread.result() for thread in threads]
    return results, capsys.readouterr().out
