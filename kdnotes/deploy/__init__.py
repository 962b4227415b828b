"""The student at work: a photo in, landmarks out."""

import os

# onnxruntime reports its use to its makers and leaves an id of the machine in the home folder,
# unless this variable is set before it is imported. Here is where every import of it begins.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
