"""The same as `python -m kdnotes data prepare youtube-faces`, with the same options."""

import sys

from kdnotes.commands.app import main

if __name__ == "__main__":
    sys.exit(main(["data", "prepare", "youtube-faces", *sys.argv[1:]]))
