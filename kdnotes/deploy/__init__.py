"""The student at work: a photo in, landmarks out."""
