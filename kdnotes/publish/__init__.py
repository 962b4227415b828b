"""The course as others see it: executed notebooks, exercises, slides, the web book."""
