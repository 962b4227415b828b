"""Ctrl-C between two steps, not in the middle of one."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def between_steps(enabled: bool = True) -> Iterator[threading.Event]:
    """Inside the block the first Ctrl-C only sets the event; a second one interrupts at once.

    A step that is cut in half leaves weights, optimiser and average out of step with each other.
    Where signals cannot be caught (another thread than the main one) or are to be left alone (a job
    in the background), nothing changes.
    """
    asked = threading.Event()
    in_main = threading.current_thread() is threading.main_thread()
    if not enabled or not in_main or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield asked
        return

    def note(number, frame):
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
