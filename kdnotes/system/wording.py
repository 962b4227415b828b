"""Words that messages share."""

from collections.abc import Iterable


def several(names: Iterable[object], most: int = 5, separator: str = ", ") -> str:
    """Names as text, no more than `most` of them: "a, b, c, d, e and 7 others"."""
    names = [str(name) for name in names]
    others = len(names) - most
    if others <= 0:
        return separator.join(names)
    return f"{separator.join(names[:most])} and {others:,} other{'s' if others > 1 else ''}"
