"""The same as `python -m kdnotes data prepare cofw`, with the same options."""

import sys

from kdnotes.commands.app import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "cofw", *sys.argv[1:]]))
