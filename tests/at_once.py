"""Several who want to make the same thing. Threads stand for processes: they wait for their turn in
the same way, and cost no start."""

from concurrent.futures import ThreadPoolExecutor

from kdnotes.system import files


def at_once(path, make, capsys, n=3):
    """Calls `make` in `n` threads, which all wait for their turn at `path` before the first begins.

    Returns:
        What they returned, and what they printed in the end.
    """
    capsys.readouterr()
    waiting, said = f"another process is at work on {path}: waiting for it\n", ""
    with ThreadPoolExecutor(n) as pool:
        with files.turn(path):
            threads = [pool.submit(make) for _ in range(n)]
            while said.count(waiting) < n:
                said += capsys.readouterr().out
                assert not any(thread.done() for thread in threads), threads[0].result()
        return [thread.result() for thread in threads], capsys.readouterr().out
