"""The same as `python -m kdnotes data prepare synthetic`, with the same options."""

import sys

from kdnotes.commands.app import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "synthetic", *sys.argv[1:]]))
