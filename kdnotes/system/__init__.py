"""Files, processes and the device: what every other room uses, and no notebook teaches."""
