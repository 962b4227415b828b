"""The course for others to see: executed notebooks, exercises, slides, the web book."""
