"""The student in use: a photograph in, landmarks out."""

import os

# onnxruntime sends usage data to its makers and stores an id of the machine in the home folder,
# unless this variable is set before the first import. Every import of it comes after this line.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
