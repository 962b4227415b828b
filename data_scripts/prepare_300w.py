"""The same as `python -m kdnotes data prepare 300w`, with the same options."""

import sys

from kdnotes.commands.app import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "300w", *sys.argv[1:]]))
