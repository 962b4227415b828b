"""kdnotes: knowledge distillation, taught through KD-Loss for facial landmark detection.

The course is the numbered notebooks; this package holds what they import. Each module can be read
in one sitting. Start with `kdnotes.losses` for the loss itself, or with notebook 00.
"""

__version__ = "0.1.0"
