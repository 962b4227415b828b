"""`python -m kdnotes …`"""

import sys


def main() -> None:
    """Runs the command line, or says how to install what it needs."""
    try:
        from kdnotes.commands.app import main as run
    except ModuleNotFoundError as error:
        sys.exit(
            f"kdnotes: {error.name} is not installed in this Python ({sys.executable}). Run "
            '`pip install -c constraints.txt -e ".[dev]"`, or `make course`, which does it for you.'
        )
    run()


if __name__ == "__main__":
    main()
