"""`python -m kdnotes …`"""

from kdnotes.cli import main

if __name__ == "__main__":
    main()
