"""Files, processes and the device: what every other part stands on, and no notebook teaches."""
