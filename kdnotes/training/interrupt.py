"""Ctrl-C between two steps, not in the middle of one."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def between_steps(enabled: bool = True) -> Iterator[threading.Event]:
    """Inside the block the first Ctrl-C only sets the event; a second one interrupts at once.

    A step that is cut in half leaves weights, optimiser and average out of step with each other.
    Where signals cannot be caught (another thread than the main one) nothing changes.
    """
    asked = threading.Event()
    if not enabled or threading.current_thread() is not threading.main_thread():
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
