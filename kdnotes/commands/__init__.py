"""`python -m kdnotes …`: one module for each group of commands."""
